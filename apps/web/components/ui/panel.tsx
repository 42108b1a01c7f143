import type { ReactNode } from "react";
import { classes } from "./classes";

/** A part of a page without a heading; `label` is its name for screen readers. */
export function Panel({
  label,
  className,
  children,
}: {
  label: string;
  className?: string;
  children: ReactNode;
}) {
  return (
    <section
      aria-label={label}
      className={classes("min-w-0 overflow-hidden rounded-xl border border-line bg-surface", className)}
    >
      {children}
    </section>
  );
}
