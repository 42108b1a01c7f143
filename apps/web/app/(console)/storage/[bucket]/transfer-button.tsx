"use client";

import { useState, useTransition } from "react";
import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import { Field, Input, Select } from "@/components/ui/field";
import { Failure } from "@/components/ui/states";
import { bucketNames } from "../actions";

/** A bucket, and a key or a folder in it. */
export interface Destination {
  readonly bucket: string;
  readonly path: string;
}

/** A button that asks where to, and copies or moves. `run` gives what went wrong, if something did. */
export function TransferButton({
  title,
  pathLabel,
  from,
  run,
}: {
  title: string;
  pathLabel: string;
  from: Destination;
  run: (how: "copy" | "move", to: Destination) => Promise<string | undefined>;
}) {
  const [isOpen, setOpen] = useState(false);
  const [to, setTo] = useState(from);
  const [buckets, setBuckets] = useState<readonly string[]>([from.bucket]);
  const [error, setError] = useState<string>();
  const [isRunning, startRunning] = useTransition();
  const open = () => {
    setOpen(true);
    setTo(from);
    setError(undefined);
    bucketNames().then(
      (outcome) => "error" in outcome || setBuckets(outcome.names),
      () => undefined,
    );
  };
  const transfer = (how: "copy" | "move") =>
    startRunning(async () => {
      const wrong = await run(how, to).catch((cause: Error) => cause.message);
      setError(wrong);
      if (wrong === undefined) setOpen(false);
    });
  return (
    <>
      <Button look="plain" onClick={open}>
        Copy or move
      </Button>
      <Dialog open={isOpen} onClose={() => setOpen(false)} title={title}>
        <Field label="Bucket">
          <Select value={to.bucket} onChange={({ target }) => setTo({ ...to, bucket: target.value })}>
            {buckets.map((name) => (
              <option key={name}>{name}</option>
            ))}
          </Select>
        </Field>
        <Field label={pathLabel}>
          <Input
            value={to.path}
            maxLength={1024}
            onChange={({ target }) => setTo({ ...to, path: target.value })}
          />
        </Field>
        {error && <Failure title="That did not work">{error}</Failure>}
        <div className="flex justify-end gap-2">
          <Button look="plain" onClick={() => transfer("copy")} disabled={isRunning}>
            Copy
          </Button>
          <Button onClick={() => transfer("move")} disabled={isRunning}>
            {isRunning ? "One moment…" : "Move"}
          </Button>
        </div>
      </Dialog>
    </>
  );
}
