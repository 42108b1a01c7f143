import { encodePath, encodeSegment } from "./naming.ts";

/** Where a path is on disk, and where its hidden files go. */
export interface Place {
  /** Path in the drive's terms. */
  readonly path: string;
  /** Absolute path on disk without symbolic links. */
  readonly full: string;
  /** Absolute path of the folder it is in. */
  readonly parent: string;
  /** Name on disk; empty for the root. */
  readonly name: string;
  /** The folder which must be there before anything is written. */
  readonly base: string;
  /** The `.overcoat` folder for its temporary files and sidecars. */
  readonly hidden: string;
}

export const hiddenName = ".overcoat";

/** Finds a path's place below `root`, which is a real path and either one bucket or holds them. */
export function placeOf(root: string, path: string, isBucket: boolean): Place {
  const prefix = root === "/" ? "" : root;
  if (path === "")
    return { path, full: root, parent: root, name: "", base: root, hidden: `${prefix}/${hiddenName}` };
  const encoded = encodePath(path);
  const full = `${prefix}/${encoded}`;
  const first = encoded.indexOf("/");
  const last = encoded.lastIndexOf("/");
  const inBucket = !isBucket && first >= 0 && !encoded.startsWith(`${hiddenName}/`);
  const base = inBucket ? `${prefix}/${encoded.slice(0, first)}` : root;
  return {
    path,
    full,
    parent: last < 0 ? root : `${prefix}/${encoded.slice(0, last)}`,
    name: encoded.slice(last + 1),
    base,
    hidden: `${inBucket ? base : prefix}/${hiddenName}`,
  };
}

/** The place of a name in a folder; `rootIsBucket` as for `placeOf`. */
export function placeIn(folder: Place, segment: string, rootIsBucket: boolean): Place {
  const name = encodeSegment(segment);
  const prefix = folder.full === "/" ? "" : folder.full;
  const isBucket =
    !rootIsBucket && folder.path !== "" && !folder.path.includes("/") && folder.name !== hiddenName;
  return {
    path: folder.path === "" ? segment : `${folder.path}/${segment}`,
    full: `${prefix}/${name}`,
    parent: folder.full,
    name,
    base: isBucket ? folder.full : folder.base,
    hidden: isBucket ? `${folder.full}/${hiddenName}` : folder.hidden,
  };
}
