"use client";

import { type ComponentProps, createContext, type ReactNode, useContext, useId } from "react";
import { classes } from "./classes";

const FieldContext = createContext<{ id: string; error?: string } | undefined>(undefined);

/** A labelled control; `error` is told below it and read aloud. */
export function Field({ label, error, children }: { label: string; error?: string; children: ReactNode }) {
  const id = useId();
  return (
    <FieldContext value={{ id, error }}>
      <div className="grid gap-1.5">
        <label htmlFor={id} className="text-sm font-medium">
          {label}
        </label>
        {children}
        {error && (
          <p id={`${id}-error`} role="alert" className="text-sm text-bad">
            {error}
          </p>
        )}
      </div>
    </FieldContext>
  );
}

const look =
  "h-9 w-full rounded-md border border-edge bg-surface px-3 text-sm placeholder:text-soft aria-invalid:border-bad";

/** Within a `Field`, or with an `aria-label`. */
export function Input({ className, ...rest }: ComponentProps<"input">) {
  return <input {...useAttributes()} className={classes(look, className)} {...rest} />;
}

export function Select({ className, ...rest }: ComponentProps<"select">) {
  return <select {...useAttributes()} className={classes(look, "pr-8", className)} {...rest} />;
}

function useAttributes() {
  const field = useContext(FieldContext);
  return field
    ? {
        id: field.id,
        "aria-invalid": field.error ? true : undefined,
        "aria-describedby": field.error ? `${field.id}-error` : undefined,
      }
    : {};
}
