"use client";

import { useRouter } from "next/navigation";
import { ConfirmButton } from "@/components/ui/confirm";
import { restoreObject } from "../../actions";

/** Makes an earlier content of an object the present one. */
export function RestoreButton({
  bucket,
  objectKey,
  version,
}: {
  bucket: string;
  objectKey: string;
  version: string;
}) {
  const router = useRouter();
  return (
    <ConfirmButton
      label="Restore"
      look="plain"
      title="Restore this version?"
      run={async () => {
        const outcome = await restoreObject({ bucket, key: objectKey, version });
        if ("error" in outcome) return outcome.error;
        router.refresh();
      }}
    >
      {`It becomes the present content of ${objectKey}; what that is now stays as a version.`}
    </ConfirmButton>
  );
}
