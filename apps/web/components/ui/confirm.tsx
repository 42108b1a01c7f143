"use client";

import { type ReactNode, useState, useTransition } from "react";
import { Button, type ButtonLook } from "./button";
import { Dialog } from "./dialog";
import { Failure } from "./states";

/** A button that asks before it does something. `run` gives what went wrong, if something did. */
export function ConfirmButton({
  label,
  title,
  children,
  look = "danger",
  run,
}: {
  label: ReactNode;
  title: string;
  /** What will happen. */
  children: ReactNode;
  look?: ButtonLook;
  run: () => Promise<string | undefined>;
}) {
  const [isOpen, setOpen] = useState(false);
  const [error, setError] = useState<string>();
  const [isRunning, startRunning] = useTransition();
  const close = () => {
    setOpen(false);
    setError(undefined);
  };
  const confirm = () =>
    startRunning(async () => {
      const wrong = await run().catch((cause: Error) => cause.message);
      if (wrong === undefined) close();
      else setError(wrong);
    });
  return (
    <>
      <Button look={look === "danger" ? "plain" : look} onClick={() => setOpen(true)}>
        {label}
      </Button>
      <Dialog open={isOpen} onClose={close} title={title}>
        <div className="text-sm text-soft">{children}</div>
        {error && <Failure title="That did not work">{error}</Failure>}
        <div className="flex justify-end gap-2">
          <Button look="plain" onClick={close}>
            Cancel
          </Button>
          <Button look={look} onClick={confirm} disabled={isRunning}>
            {isRunning ? "One moment…" : label}
          </Button>
        </div>
      </Dialog>
    </>
  );
}
