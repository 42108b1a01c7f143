import fs from "node:fs";
import { codeOf, meansAbsent } from "./errors.ts";
import { inside, openFolder } from "./folders.ts";
import { hiddenName } from "./places.ts";

/** Removes temporary files below `root` that no living process of this machine writes, or that are too old. */
export function sweepTemporary(root: string, olderThan: number, active: ReadonlySet<string>): number {
  const prefix = root === "/" ? "" : root;
  let count = sweepFolder(`${prefix}/${hiddenName}/tmp`, olderThan, active);
  for (const bucket of fs.readdirSync(root, { withFileTypes: true })) {
    if (bucket.isDirectory())
      count += sweepFolder(`${prefix}/${bucket.name}/${hiddenName}/tmp`, olderThan, active);
  }
  return count;
}

function sweepFolder(folder: string, olderThan: number, active: ReadonlySet<string>): number {
  let fd: number | undefined;
  let count = 0;
  try {
    fd = openFolder(folder);
    if (fd === undefined) return 0;
    for (const name of fs.readdirSync(inside(fd, folder, "."))) {
      const pid = /^(\d+)-/.exec(name)?.[1];
      if (pid === undefined || active.has(`${folder}/${name}`)) continue;
      const path = inside(fd, folder, name);
      const stats = fs.lstatSync(path, { throwIfNoEntry: false });
      if (!stats?.isFile() || (isAlive(Number(pid)) && Date.now() - stats.mtimeMs < olderThan)) continue;
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

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) !== "ESRCH";
  }
}
