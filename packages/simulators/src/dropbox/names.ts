import { badRequest, type Tagged, tagged } from "./errors.ts";

/** Names that fold alike are the same name. */
export const foldName = (name: string): string => name.normalize("NFC").toLowerCase();

/** What the service takes in no name; a space behind a name it would cut off. */
const malformed = /[\\\u0000\u007f]| $/;
const loneSurrogate = /\p{Surrogate}/u;
const disallowed = /^(desktop\.ini|thumbs\.db|\.ds_store|icon\r|\.dropbox|\.dropbox\.attr)$/i;
const longestName = 255;

/**
 * Refuses what cannot be the name of a file or folder.
 * @returns what a WriteError says of it
 */
export function nameError(name: string): Tagged | undefined {
  if (name === "" || name === "." || name === ".." || malformed.test(name) || loneSurrogate.test(name))
    return tagged("malformed_path");
  if ([...name].length > longestName) return tagged("malformed_path");
  return disallowed.test(name) ? tagged("disallowed_name") : undefined;
}

/**
 * The names of a path such as `/a/b`; none for the root, which is the empty text. Slashes in a row count as one, as
 * rclone relies on.
 * @throws ApiError 400
 */
export function split(path: string): string[] {
  if (path === "") return [];
  if (path === "/") throw badRequest('Specify the root folder as an empty string rather than as "/".');
  return path.replace(/^\/+/, "").split(/\/+/);
}

/** Where a path begins, and the names from there on. */
export type PathStart = { readonly at: "root" } | { readonly at: "id" | "rev" | "ns"; readonly of: string };

export interface ParsedPath {
  readonly start: PathStart;
  readonly names: readonly string[];
}

/** Reads `/a/b`, `id:…`, `id:…/b`, `rev:…` and `ns:…/a`, whose form the argument's schema has checked. */
export function parsePath(path: string): ParsedPath {
  const match = /^(id|rev|ns):([^/]*)(\/.*)?$/s.exec(path);
  if (!match) return { start: { at: "root" }, names: split(path) };
  const [, at, of = "", rest = ""] = match;
  return { start: { at: at as "id" | "rev" | "ns", of }, names: split(rest) };
}

/** JSON for a header: plain ASCII. */
export function headerJson(value: unknown): string {
  return JSON.stringify(value).replace(
    /[\u007f-\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
