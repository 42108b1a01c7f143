"use client";

import { FolderUp, Upload } from "lucide-react";
import { type ChangeEvent, useRef } from "react";
import { Button } from "@/components/ui/button";
import { upload } from "./uploads";

/** React's types do not know it. */
const wholeFolder = { webkitdirectory: "" };

/** Buttons that choose files, or a folder with all that is in it, to upload. */
export function UploadButtons({ bucket, prefix }: { bucket: string; prefix: string }) {
  const files = useRef<HTMLInputElement>(null);
  const folder = useRef<HTMLInputElement>(null);
  const choose = async ({ currentTarget }: ChangeEvent<HTMLInputElement>) => {
    const chosen = [...(currentTarget.files ?? [])];
    // The same may be chosen again.
    currentTarget.value = "";
    await upload(
      bucket,
      prefix,
      chosen.map((file) => ({ file, path: file.webkitRelativePath || file.name })),
    );
  };
  return (
    <div className="grid w-full grid-cols-2 gap-2 *:justify-start sm:w-84">
      <input ref={files} type="file" multiple hidden onChange={choose} />
      <input ref={folder} type="file" {...wholeFolder} hidden onChange={choose} />
      <Button look="plain" onClick={() => folder.current?.click()}>
        <FolderUp aria-hidden="true" />
        Upload a folder
      </Button>
      <Button onClick={() => files.current?.click()}>
        <Upload aria-hidden="true" />
        Upload files
      </Button>
    </div>
  );
}
