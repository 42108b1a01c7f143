import fs from "node:fs";
import { setImmediate } from "node:timers/promises";
import { DriveError, type ListedEntry } from "../drive.ts";
import { codeOf, driveError, meansAbsent } from "./errors.ts";
import { inside, openFolder } from "./folders.ts";
import { reachableSegment } from "./naming.ts";
import type { Place } from "./places.ts";

const pageSize = 1024;

/** Pages of the files and folders in a folder, in the order of the file system. */
export async function* listFolder(place: Place): AsyncGenerator<readonly ListedEntry[]> {
  const fd = openListed(place);
  let folder: fs.Dir | undefined;
  try {
    // Read synchronously: the system gives a whole page at once, and a promise for each name would cost more.
    folder = fs.opendirSync(inside(fd, place.full, "."), { bufferSize: pageSize });
    for (let page: ListedEntry[] = []; ; ) {
      const item = folder.readSync();
      if (item !== null) {
        const listed = listedEntry(fd, place.full, item);
        if (listed !== undefined) page.push(listed);
        if (page.length < pageSize) continue;
      }
      if (page.length > 0) yield page;
      if (item === null) return;
      page = [];
      await setImmediate();
    }
  } catch (error) {
    throw driveError(error);
  } finally {
    folder?.closeSync();
    fs.closeSync(fd);
  }
}

function openListed(place: Place): number {
  try {
    const fd = openFolder(place.full);
    if (fd !== undefined) return fd;
  } catch (error) {
    if (!meansAbsent(error)) throw driveError(error);
    if (codeOf(error) === "ENOTDIR" && !fs.lstatSync(place.full, { throwIfNoEntry: false })?.isSymbolicLink())
      throw new DriveError("NotAFolder", `${place.full} is not a folder`);
  }
  throw new DriveError("NotFound", `There is no folder ${place.full}`);
}

function listedEntry(fd: number, folder: string, item: fs.Dirent): ListedEntry | undefined {
  const kind = item.isFile() ? "file" : item.isDirectory() ? "folder" : undefined;
  if (kind === undefined) return undefined;
  const name = reachableSegment(item.name);
  if (name === undefined) return undefined;
  // Bytes that are no UTF-8 come as this character, under which nothing is found then.
  if (name.includes("\ufffd") && !fs.lstatSync(inside(fd, folder, item.name), { throwIfNoEntry: false }))
    return undefined;
  return { name, kind };
}
