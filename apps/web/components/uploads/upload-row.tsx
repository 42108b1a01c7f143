import { CircleCheck, Pause, Play, RotateCw, X } from "lucide-react";
import { Button, IconButton } from "@/components/ui/button";
import { formatBytes } from "@/lib/format";
import { nameOf } from "@/lib/storage-paths";
import { pauseOrResume, remove, retry, type Upload } from "./uploads";

/** One upload: its name, how far it is, and what may be done with it. */
export function UploadRow({ upload }: { upload: Upload }) {
  const { id, bucket, key, size, sent, state } = upload;
  const name = nameOf(key);
  return (
    <li className="grid gap-1.5 py-2 pr-2 pl-4 text-sm">
      <div className="flex items-center gap-1">
        <span className="min-w-0 flex-1 truncate" title={`${bucket}/${key}`}>
          {name}
        </span>
        {state === "done" && <CircleCheck className="m-2 size-4.5 text-good" aria-label="Uploaded" />}
        {state === "sending" && (
          <IconButton label={`Pause ${name}`} onClick={() => pauseOrResume(id)}>
            <Pause />
          </IconButton>
        )}
        {state === "paused" && (
          <IconButton label={`Go on with ${name}`} onClick={() => pauseOrResume(id)}>
            <Play />
          </IconButton>
        )}
        {state === "failed" && (
          <IconButton label={`Try ${name} again`} onClick={() => retry(id)}>
            <RotateCw />
          </IconButton>
        )}
        {state !== "done" && (
          <IconButton label={`Cancel ${name}`} onClick={() => remove([id])}>
            <X />
          </IconButton>
        )}
      </div>
      {(state === "sending" || state === "paused") && (
        <div className="flex items-center gap-3 pr-2 text-xs text-soft">
          <progress
            aria-label={`Progress of ${name}`}
            value={sent}
            max={size || 1}
            className="h-1.5 flex-1 appearance-none overflow-hidden rounded-full bg-raised [&::-moz-progress-bar]:bg-accent [&::-webkit-progress-bar]:bg-raised [&::-webkit-progress-value]:bg-accent"
          />
          <span className="tabular-nums">{`${formatBytes(sent)} of ${formatBytes(size)}`}</span>
        </div>
      )}
      {state === "failed" && <p className="pr-2 break-words text-bad">{upload.error}</p>}
      {state === "taken" && (
        <div className="flex flex-wrap items-center justify-between gap-2 pr-2">
          <p>There is an object of this name.</p>
          <Button look="plain" onClick={() => retry(id, true)}>
            Replace it
          </Button>
        </div>
      )}
    </li>
  );
}
