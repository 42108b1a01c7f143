import type { Drive } from "@overcoat/drives";
import { ObjectsError } from "./errors.ts";

/** Hidden folder in each bucket: temporary files, sidecars, configuration, keys that are no paths. */
export const hiddenFolder = ".overcoat";
/** Stands for an empty segment, so that `folder/` and `a//b` have a place in the tree. */
const emptySegment = ".overcoat-folder";
const reserved = ".overcoat";
const overflowFolder = `${hiddenFolder}/keys`;
const overflowSegment = 180;

/** S3's limit (Amazon S3 user guide, "Object key naming"), in UTF-8 bytes. */
export const longestKey = 1024;

/** @throws ObjectsError when no object can have this key. */
export function checkKey(key: string): void {
  // No character of a string takes more than three bytes.
  if (key.length * 3 > longestKey && Buffer.byteLength(key) > longestKey)
    throw new ObjectsError("KeyTooLongError", "Your key is too long", {
      Size: String(Buffer.byteLength(key)),
      MaxSizeAllowed: String(longestKey),
    });
  if (key === "") throw new ObjectsError("InvalidArgument", "A key cannot be empty.");
  if (!key.isWellFormed()) throw new ObjectsError("InvalidArgument", "A key must be valid Unicode.");
  if (!key.includes(reserved)) return;
  for (const segment of key.split("/"))
    if (segment.startsWith(reserved))
      throw new ObjectsError(
        "InvalidArgument",
        `Names that begin with ${reserved} are reserved; choose another key.`,
      );
}

/** Where the key lies in the folder tree; undefined when the drive cannot hold such a path. */
export function treePath(drive: Drive, bucketPath: string, key: string): string | undefined {
  const path =
    key.startsWith("/") || key.endsWith("/") || key.includes("//")
      ? `${bucketPath}/${key
          .split("/")
          .map((segment) => segment || emptySegment)
          .join("/")}`
      : `${bucketPath}/${key}`;
  return drive.fits(path) ? path : undefined;
}

/** Folder of the keys that have no path of their own, as `a/b` beside an object `a`. */
export const overflowRoot = (bucketPath: string) => `${bucketPath}/${overflowFolder}`;

/** Where a key lies that has no path: percent-encoded, cut into folders whose names end in `+`. */
export function overflowPath(bucketPath: string, key: string): string {
  // Without the names that SharePoint refuses.
  const encoded = encodeURIComponent(key)
    .replaceAll(".", "%2E")
    .replace(/_(?=vti_)/gi, "%5F")
    .replace(
      /^(?:con|prn|aux|nul|com\d|lpt\d)$/i,
      (name) => `%${name.charCodeAt(0).toString(16)}${name.slice(1)}`,
    );
  const segments: string[] = [];
  for (let at = 0; at < encoded.length; at += overflowSegment)
    segments.push(encoded.slice(at, at + overflowSegment));
  return `${overflowRoot(bucketPath)}/${segments.join("+/")}`;
}

/** The key of a path below the overflow folder. */
export const overflowKey = (relative: string) => decodeURIComponent(relative.replaceAll("+/", ""));

/** A listed name as it sorts among S3 keys: folders end in `/`. Undefined when it is hidden. */
export function sortKey(name: string, kind: "file" | "folder"): string | undefined {
  if (name.startsWith(reserved)) {
    if (name !== emptySegment) return undefined;
    return kind === "folder" ? "/" : "";
  }
  return kind === "folder" ? `${name}/` : name;
}

/** The name in the tree of a sort key. */
export function nameOf(sorted: string): string {
  const name = sorted.endsWith("/") ? sorted.slice(0, -1) : sorted;
  return name || emptySegment;
}

/** Order of UTF-8 bytes, which JavaScript's own is not where surrogates meet U+E000 and above. */
export function compareKeys(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    let x = a.charCodeAt(i);
    let y = b.charCodeAt(i);
    if (x === y) continue;
    if (x >= 0xd800 && y >= 0xd800) {
      x = x >= 0xe000 ? x - 0x800 : x + 0x2000;
      y = y >= 0xe000 ? y - 0x800 : y + 0x2000;
    }
    return x - y;
  }
  return a.length - b.length;
}
