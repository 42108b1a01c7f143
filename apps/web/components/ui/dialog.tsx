"use client";

import { X } from "lucide-react";
import { type ReactNode, useEffect, useId, useRef } from "react";
import { IconButton } from "./button";
import { classes } from "./classes";

const looks = {
  window: "m-auto w-[min(36rem,calc(100vw-2rem))] rounded-xl border",
  drawer: "my-0 mr-0 ml-auto h-dvh max-h-none w-[min(36rem,100vw)] max-w-none border-l",
} as const;

/** A modal dialog, in the middle or along the right edge: the browser keeps the focus within it, and Escape or a click beside it closes it. */
export function Dialog({
  open,
  onClose,
  title,
  children,
  look = "window",
}: {
  open: boolean;
  onClose: () => void;
  title: string;
  children: ReactNode;
  look?: keyof typeof looks;
}) {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    if (open) dialog.current?.showModal();
    else dialog.current?.close();
  }, [open]);
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: Escape closes dialogs by itself.
    <dialog
      ref={dialog}
      aria-labelledby={id}
      onClose={onClose}
      onClick={(event) => event.target === dialog.current && onClose()}
      className={classes("border-line bg-surface p-0 text-ink", looks[look])}
    >
      {open && (
        <div className="grid gap-4 p-5">
          <header className="flex items-center justify-between gap-3">
            <h2 id={id} className="min-w-0 text-lg font-semibold tracking-tight break-words">
              {title}
            </h2>
            <IconButton label="Close" onClick={onClose}>
              <X />
            </IconButton>
          </header>
          {children}
        </div>
      )}
    </dialog>
  );
}
