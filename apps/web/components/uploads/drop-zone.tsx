"use client";

import { getDroppedFiles } from "@uppy/core/utils";
import { useRouter } from "next/navigation";
import { type DragEvent, type ReactNode, useEffect, useState } from "react";
import { onArrival, upload } from "./uploads";

/** A folder's listing: files and folders that are dropped on it are uploaded into it, and it shows them then. */
export function DropZone({
  bucket,
  prefix,
  children,
}: {
  bucket: string;
  prefix: string;
  children: ReactNode;
}) {
  const router = useRouter();
  const [isOver, setOver] = useState(false);
  useEffect(() => onArrival((arrivedIn) => arrivedIn === bucket && router.refresh()), [bucket, router]);
  const over = (event: DragEvent) => {
    if (!event.dataTransfer.types.includes("Files")) return;
    event.preventDefault();
    setOver(true);
  };
  const leave = (event: DragEvent) =>
    !event.currentTarget.contains(event.relatedTarget as Node | null) && setOver(false);
  const drop = async (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    const files = await getDroppedFiles(event.dataTransfer);
    await upload(
      bucket,
      prefix,
      files.map((file) => ({ file, path: pathOf(file) })),
    );
  };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the buttons for uploads are the way of the keyboard.
    <div className="relative min-w-0" onDragEnter={over} onDragOver={over} onDragLeave={leave} onDrop={drop}>
      {children}
      {isOver && (
        <div className="pointer-events-none absolute inset-0 grid min-h-24 place-items-center rounded-xl border-2 border-dashed border-accent bg-accent-soft font-medium">
          {`Drop to upload into ${prefix || bucket}`}
        </div>
      )}
    </div>
  );
}

/** A file in a folder that was dropped has a path, which begins with a slash. */
const pathOf = (file: File & { relativePath?: string | null }) =>
  file.relativePath?.replace(/^\//, "") ?? file.name;
