"use client";

import { useState, useTransition } from "react";
import { Button } from "@/components/ui/button";
import { Code } from "@/components/ui/code";
import { Dialog } from "@/components/ui/dialog";
import { Field, Select } from "@/components/ui/field";
import { Failure } from "@/components/ui/states";
import { nameOf } from "@/lib/storage-paths";
import { type Outcome, shareObject } from "../../actions";

const hour = 3600;
const periods = { "1 hour": hour, "1 day": 24 * hour, "7 days": 7 * 24 * hour } as const;

/** A button that makes a link by which anybody can read an object for some time. */
export function ShareButton({ bucket, objectKey }: { bucket: string; objectKey: string }) {
  const [isOpen, setOpen] = useState(false);
  const [seconds, setSeconds] = useState<number>(hour);
  const [made, setMade] = useState<Outcome<{ url: string }>>();
  const [isMaking, startMaking] = useTransition();
  const make = () =>
    startMaking(async () => {
      const outcome = shareObject({ bucket, key: objectKey }, seconds);
      setMade(await outcome.catch(({ message }: Error) => ({ error: message })));
    });
  return (
    <>
      <Button look="plain" onClick={() => setOpen(true)}>
        Share
      </Button>
      <Dialog
        open={isOpen}
        onClose={() => {
          setOpen(false);
          setMade(undefined);
        }}
        title={`Share ${nameOf(objectKey)}`}
      >
        <p className="text-sm text-soft">
          Whoever has the link can read this object until it expires; it cannot be taken back.
        </p>
        <Field label="Expires after">
          <Select
            value={seconds}
            onChange={({ target }) => {
              setSeconds(Number(target.value));
              setMade(undefined);
            }}
          >
            {Object.entries(periods).map(([name, value]) => (
              <option key={name} value={value}>
                {name}
              </option>
            ))}
          </Select>
        </Field>
        {made && "error" in made && <Failure title="That did not work">{made.error}</Failure>}
        {made && "url" in made ? (
          <>
            <Code text={made.url} label="link" />
            {/^https?:\/\/(127\.|localhost|\[::1\])/.test(made.url) && (
              <p className="text-sm text-soft">
                It leads to this machine: start Overcoat with --public-url to share with others.
              </p>
            )}
          </>
        ) : (
          <div className="flex justify-end">
            <Button onClick={make} disabled={isMaking}>
              {isMaking ? "One moment…" : "Make a link"}
            </Button>
          </div>
        )}
      </Dialog>
    </>
  );
}
