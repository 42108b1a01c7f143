"use client";

import { ChevronDown, ChevronUp, X } from "lucide-react";
import { useEffect, useState, useSyncExternalStore } from "react";
import { Button, IconButton } from "@/components/ui/button";
import { formatBytes } from "@/lib/format";
import { UploadRow } from "./upload-row";
import { currentUploads, onUploads, remove, retry, type Upload } from "./uploads";

/** What needs the reader comes first. */
const order = ["taken", "failed", "sending", "paused", "waiting", "done"] as const;
/** Rows that are shown at once. */
const most = 50;

const none: readonly Upload[] = [];

/** The uploads of this visit, on all pages: how far they are, and what to do where one cannot go on. */
export function UploadPanel() {
  const uploads = useSyncExternalStore(onUploads, currentUploads, () => none);
  const [isOpen, setOpen] = useState(true);
  const isBusy = uploads.some(({ state }) => state === "sending" || state === "waiting");
  useEffect(() => {
    if (!isBusy) return;
    const ask = (event: BeforeUnloadEvent) => event.preventDefault();
    addEventListener("beforeunload", ask);
    return () => removeEventListener("beforeunload", ask);
  }, [isBusy]);
  if (uploads.length === 0) return null;
  const rows = order.flatMap((state) => uploads.filter((upload) => upload.state === state));
  const taken = uploads.filter(({ state }) => state === "taken");
  return (
    <section
      aria-label="Uploads"
      className="fixed inset-x-2 bottom-2 z-20 rounded-xl border border-line bg-surface shadow-lg sm:left-auto sm:w-104"
    >
      <header className="flex min-h-14 items-center justify-between gap-2 py-2 pr-2 pl-4">
        <p role="status" className="min-w-0 text-sm font-medium">
          {summaryOf(uploads)}
        </p>
        <div className="flex shrink-0">
          <IconButton
            label={isOpen ? "Hide the uploads" : "Show the uploads"}
            aria-expanded={isOpen}
            onClick={() => setOpen(!isOpen)}
          >
            {isOpen ? <ChevronDown /> : <ChevronUp />}
          </IconButton>
          <IconButton
            label={isBusy ? "Cancel all uploads" : "Close the uploads"}
            onClick={() => remove(uploads.map(({ id }) => id))}
          >
            <X />
          </IconButton>
        </div>
      </header>
      {isOpen && (
        <div className="border-t border-line">
          {taken.length > 1 && (
            <div className="px-4 pt-3">
              <Button look="plain" onClick={() => taken.map(({ id }) => retry(id, true))}>
                {`Replace all ${taken.length}`}
              </Button>
            </div>
          )}
          <ul className="max-h-72 divide-y divide-line overflow-y-auto">
            {rows.slice(0, most).map((upload) => (
              <UploadRow key={upload.id} upload={upload} />
            ))}
          </ul>
          {rows.length > most && (
            <p className="border-t border-line px-4 py-2 text-sm text-soft">
              {`and ${(rows.length - most).toLocaleString("en")} more`}
            </p>
          )}
        </div>
      )}
    </section>
  );
}

function summaryOf(uploads: readonly Upload[]): string {
  const count = (...states: Upload["state"][]) =>
    uploads.filter(({ state }) => states.includes(state)).length;
  const sum = (of: "size" | "sent") => uploads.reduce((total, upload) => total + upload[of], 0);
  const stuck = count("taken", "failed");
  const done = `${count("done").toLocaleString("en")} of ${uploads.length.toLocaleString("en")} uploaded`;
  if (stuck > 0) return `${done}, ${stuck.toLocaleString("en")} to look at`;
  return count("done") === uploads.length
    ? done
    : `${done}, ${formatBytes(sum("sent"))} of ${formatBytes(sum("size"))}`;
}
