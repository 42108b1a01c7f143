"use client";

import { useRouter } from "next/navigation";
import { ConfirmButton } from "@/components/ui/confirm";
import type { Changed, Selection } from "@/lib/server/storage/change";
import { nameOf } from "@/lib/storage-paths";
import { deleteObjects, type Outcome, transferObjects } from "../actions";
import { TransferButton } from "./transfer-button";

/** Names that are listed before "and more". */
const mostNamed = 5;

/** What may be done with the objects and folders that are ticked. */
export function SelectionActions({
  bucket,
  prefix,
  selection,
  onDone,
}: {
  bucket: string;
  prefix: string;
  selection: Selection;
  onDone: () => void;
}) {
  const router = useRouter();
  const finish = (outcome: Outcome<Changed>): string | undefined => {
    router.refresh();
    const wrong = "error" in outcome ? outcome.error : wrongOf(outcome);
    if (wrong === undefined) onDone();
    return wrong;
  };
  const names = [...selection.folders.map((folder) => `${nameOf(folder)}/`), ...selection.keys.map(nameOf)];
  const named = listed(names);
  return (
    <div className="flex flex-wrap gap-2">
      <TransferButton
        title={`Copy or move ${names.length === 1 ? named : `${names.length} items`}`}
        pathLabel="Folder"
        from={{ bucket, path: prefix }}
        run={async (how, to) =>
          finish(
            await transferObjects(
              { how, from: { bucket, prefix }, to: { bucket: to.bucket, prefix: asPrefix(to.path) } },
              selection,
            ),
          )
        }
      />
      <ConfirmButton
        label="Delete"
        title={names.length === 1 ? `Delete ${named}?` : `Delete ${names.length} items?`}
        run={async () => finish(await deleteObjects(bucket, selection))}
      >
        {`${named} ${names.length === 1 ? "is" : "are"} deleted from ${bucket}${
          selection.folders.length > 0 ? ", folders with all that is in them" : ""
        }.`}
      </ConfirmButton>
    </div>
  );
}

const listed = (names: readonly string[]) =>
  names.length > mostNamed
    ? `${names.slice(0, mostNamed).join(", ")} and ${names.length - mostNamed} more`
    : names.join(", ");

const asPrefix = (path: string) => path.replace(/^\/+/, "").replace(/([^/])$/, "$1/");

/** What a reader should know of a change that is not whole. */
function wrongOf({ done, failures, isPart }: Changed): string | undefined {
  if (failures.length === 0 && !isPart) return undefined;
  const told = failures.slice(0, mostNamed).map(({ key, message }) => `${key}: ${message}`);
  if (failures.length > mostNamed) told.push(`and ${failures.length - mostNamed} more`);
  if (isPart) told.push("There are too many objects for once: go on with the folders in it.");
  return [
    `Done for ${done.toLocaleString("en")}, not for ${failures.length.toLocaleString("en")}.`,
    ...told,
  ].join("\n");
}
