"use client";

import { Download } from "lucide-react";
import { useRouter } from "next/navigation";
import { buttonClasses } from "@/components/ui/button";
import { ConfirmButton } from "@/components/ui/confirm";
import { contentPath, folderOf, folderPath, nameOf, objectPath } from "@/lib/storage-paths";
import { deleteObjects, transferOne } from "../../actions";
import { TransferButton } from "../transfer-button";
import { ShareButton } from "./share-button";

/** What may be done with one object. */
export function ObjectActions({ bucket, objectKey }: { bucket: string; objectKey: string }) {
  const router = useRouter();
  const name = nameOf(objectKey);
  return (
    <div className="grid w-full grid-cols-2 gap-2 sm:w-136 sm:grid-cols-4">
      <ConfirmButton
        label="Delete"
        title={`Delete ${name}?`}
        run={async () => {
          const outcome = await deleteObjects(bucket, { keys: [objectKey], folders: [] });
          if ("error" in outcome) return outcome.error;
          const [failure] = outcome.failures;
          if (!failure) router.push(folderPath(bucket, folderOf(objectKey)));
          return failure?.message;
        }}
      >
        {`${objectKey} is deleted from ${bucket}.`}
      </ConfirmButton>
      <TransferButton
        title={`Copy, move or rename ${name}`}
        pathLabel="Key"
        from={{ bucket, path: objectKey }}
        run={async (how, to) => {
          const place = { bucket: to.bucket, key: to.path };
          const outcome = await transferOne(how, { bucket, key: objectKey }, place);
          if ("error" in outcome) return outcome.error;
          router.push(objectPath(place.bucket, place.key));
        }}
      />
      <ShareButton bucket={bucket} objectKey={objectKey} />
      <a href={contentPath("save", bucket, objectKey)} className={buttonClasses("primary")}>
        <Download aria-hidden="true" />
        Download
      </a>
    </div>
  );
}
