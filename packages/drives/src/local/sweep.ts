import fs from "node:fs";
import { isLeftOver } from "../processes.ts";
import { codeOf, meansAbsent } from "./errors.ts";
import { inside, openFolder } from "./folders.ts";
import { hiddenName } from "./places.ts";

/** What a folder of somebody else gives, as `lost+found` of a disk: nothing of ours is in it. */
const forbidden = new Set(["EACCES", "EPERM", "EROFS"]);

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
    if (!meansAbsent(error) && !forbidden.has(codeOf(error))) throw error;
  } finally {
    if (fd !== undefined) fs.closeSync(fd);
  }
  return count;
}
