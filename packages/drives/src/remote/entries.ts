import type { DriveEntry } from "../drive.ts";
import type { Item, Traits } from "./vendor.ts";

/** An item as the layers above see it; `stamp` is of a folder, and `null` where none is known. */
export function entryOf(item: Item, traits: Traits, stamp: number | null): DriveEntry {
  const { id, kind, size, modified, version, hash } = item;
  if (kind === "folder")
    return { kind, size: 0, modified, id, stamp: stamp === null ? null : `${id}:${stamp}` };
  return {
    kind,
    size,
    modified,
    id: entryId(item),
    content: hash ?? version,
    md5: traits.md5 ? hash : undefined,
  };
}

export const entryId = ({ id, version }: Item) => `${id}:${version}`;
