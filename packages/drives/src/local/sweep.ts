import fs from "node:fs";
import { isLeftOver } from "../processes.ts";
import { meansAbsent } from "./errors.ts";
import { inside, openFolder } from "./folders.ts";
import { hiddenName } from "./places.ts";

/** Removes the temporary files below `root` that are left over. @returns how many */
export function sweepTemporary(root: string, olderThan: number): number {
  const prefix = root === "/" ? "" : root;
  let count = sweepFolder(`${prefix}/${hiddenName}/tmp`, olderThan);
  for (const bucket of fs.readdirSync(root, { withFileTypes: true })) {
    if (bucket.isDirectory()) count += sweepFolder(`${prefix}/${bucket.name}/${hiddenName}/tmp`, olderThan);
  }
  return count;
}

function sweepFolder(folder: string, olderThan: number): number {
  let fd: number | undefined;
  let count = 0;
  try {
    fd = openFolder(folder);
    if (fd === undefined) return 0;
    for (const name of fs.readdirSync(inside(fd, folder, "."))) {
      const path = inside(fd, folder, name);
      const stats = fs.lstatSync(path, { throwIfNoEntry: false });
      if (!stats?.isFile() || !isLeftOver(name, stats.mtimeMs, olderThan)) continue;
      fs.rmSync(path, { force: true });
      count++;
    }
  } catch (error) {
    if (!meansAbsent(error)) throw error;
  } finally {
    if (fd !== undefined) fs.closeSync(fd);
  }
  return count;
}
