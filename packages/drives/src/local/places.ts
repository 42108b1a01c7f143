import { encodeSegment } from "./naming.ts";

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
  const segments = path.split("/").map(encodeSegment);
  const first = segments[0]!;
  const inBucket = !isBucket && segments.length > 1 && first !== hiddenName;
  const base = inBucket ? `${prefix}/${first}` : root;
  const name = segments.pop()!;
  const parent = segments.length === 0 ? root : `${prefix}/${segments.join("/")}`;
  return {
    path,
    full: `${segments.length === 0 ? prefix : parent}/${name}`,
    parent,
    name,
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
