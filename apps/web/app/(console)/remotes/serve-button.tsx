"use client";

import { useState, useTransition } from "react";
import { Button } from "@/components/ui/button";
import { serve } from "./actions";

/** Has a remote served as a bucket. */
export function ServeButton({ name }: { name: string }) {
  const [error, setError] = useState<string>();
  const [isRunning, startRunning] = useTransition();
  const run = () =>
    startRunning(async () => setError(await serve(name).catch((cause: Error) => cause.message)));
  return (
    <>
      <Button look="plain" onClick={run} disabled={isRunning}>
        {isRunning ? "One moment…" : "Serve as a bucket"}
      </Button>
      {error && (
        <p role="alert" className="w-full break-words text-bad">
          {error}
        </p>
      )}
    </>
  );
}
