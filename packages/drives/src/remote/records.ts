import { createHash } from "node:crypto";
import type { Item } from "./vendor.ts";

/** An item as the mirror keeps it: short, as there may be millions. */
export type ItemRecord = [
  id: string,
  parent: string | null,
  name: string,
  kind: 0 | 1,
  size: number,
  modified: number,
  version: string,
  hash: string | null,
  created: number | null,
  epoch: number,
  properties?: string | null,
  inline?: Uint8Array,
];

export function recordOf(item: Item, epoch: number): ItemRecord {
  const { id, parent, name, kind, size, modified, version, hash, created, properties, inline } = item;
  const short: ItemRecord = [
    id,
    parent ?? null,
    name,
    kind === "folder" ? 1 : 0,
    size,
    modified,
    version,
    hash ?? null,
    created ?? null,
    epoch,
  ];
  if (properties !== undefined || inline !== undefined) short.push(properties ?? null);
  if (inline !== undefined) short.push(inline);
  return short;
}

export function itemOf(record: ItemRecord): Item {
  const [id, parent, name, kind, size, modified, version, hash, created, , properties, inline] = record;
  return {
    id,
    parent: parent ?? undefined,
    name,
    kind: kind === 1 ? "folder" : "file",
    size,
    modified,
    version,
    hash: hash ?? undefined,
    created: created ?? undefined,
    properties: properties ?? undefined,
    inline,
  };
}

export const epochOf = (record: ItemRecord) => record[9];

/** What two states of an item have in common exactly when neither name, place, bytes nor properties differ. */
export function fingerprint(item: Item | undefined): string {
  if (item === undefined) return gone;
  const { parent, name, kind, version, size, properties } = item;
  return JSON.stringify(
    kind === "folder" ? [parent, name] : [parent, name, version, size, properties ?? null],
  );
}

export const gone = "-";

/** Bytes that a part of a key may have, so that it fits into the store with what else is in it. */
const longest = 800;

/** A text as part of a key of the store, which are short and hold no line ends. */
export function keyPart(text: string): string {
  if (text.length * 3 <= longest || Buffer.byteLength(text) <= longest) {
    return text.includes("\n") ? text.replaceAll("\n", " ") : text;
  }
  return `\t${createHash("sha256").update(text).digest("hex")}`;
}
