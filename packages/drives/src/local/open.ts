import fs from "node:fs";
import { Readable } from "node:stream";
import { promisify } from "node:util";
import type { DriveEntry, OpenFile } from "../drive.ts";
import { meansAbsent } from "./errors.ts";
import { isAt, isReal } from "./folders.ts";
import type { Place } from "./places.ts";
import type { Properties } from "./properties.ts";

const readAsync = promisify(fs.read);
const fileFlags = fs.constants.O_RDONLY | (fs.constants.O_NOFOLLOW ?? 0) | (fs.constants.O_NONBLOCK ?? 0);
const syncReadLimit = 256 * 1024;
const attempts = 100;

/** The entry of a file or folder; undefined for what is neither. */
export function entryOf(stats: fs.Stats): DriveEntry | undefined {
  const id = `${stats.dev}-${stats.ino}`;
  if (stats.isFile()) return { kind: "file", size: stats.size, modified: stats.mtimeMs, id };
  return stats.isDirectory() ? { kind: "folder", size: 0, modified: stats.mtimeMs, id } : undefined;
}

/** What is at the place, if no symbolic link leads there. */
export function entryAt(place: Place): DriveEntry | undefined {
  try {
    if (!isReal(place.parent)) return undefined;
    const stats = fs.lstatSync(place.full, { throwIfNoEntry: false });
    return stats && entryOf(stats);
  } catch (error) {
    if (meansAbsent(error)) return undefined;
    throw error;
  }
}

/** Opens a regular file to read; undefined when there is none or a symbolic link leads there. */
export function openRegular(place: Place): { fd: number; entry: DriveEntry } | undefined {
  let fd: number | undefined;
  try {
    fd = fs.openSync(place.full, fileFlags);
    const entry = entryOf(fs.fstatSync(fd));
    if (entry?.kind === "file" && isAt(fd, place.full)) {
      const opened = { fd, entry };
      fd = undefined;
      return opened;
    }
    return undefined;
  } catch (error) {
    if (meansAbsent(error) || (error as NodeJS.ErrnoException).code === "ENXIO") return undefined;
    throw error;
  } finally {
    if (fd !== undefined) fs.closeSync(fd);
  }
}

/** Properties and entry of a file that belong together also when it is replaced meanwhile. */
export function describeFile(
  place: Place,
  store: Properties,
): { entry: DriveEntry; properties: string | undefined } | undefined {
  for (let attempt = 0; attempt < attempts; attempt++) {
    const entry = entryAt(place);
    if (entry?.kind !== "file") return undefined;
    const properties = store.read(place, place.full, entry);
    if (isSame(place, entry)) return { entry, properties };
  }
  throw new Error(`${place.full} changes all the time`);
}

/** Opens a file with its properties. */
export function openFile(place: Place, store: Properties): OpenFile | undefined {
  for (let attempt = 0; attempt < attempts; attempt++) {
    const opened = openRegular(place);
    if (opened === undefined) return undefined;
    let kept = false;
    try {
      // Extended attributes are read by name: the name must still be that of the opened file afterwards.
      const properties = store.read(place, place.full, opened.entry);
      if (isSame(place, opened.entry)) {
        kept = true;
        return new LocalFile(opened.fd, opened.entry, properties);
      }
    } finally {
      if (!kept) fs.closeSync(opened.fd);
    }
  }
  throw new Error(`${place.full} changes all the time`);
}

function isSame(place: Place, entry: DriveEntry): boolean {
  const stats = fs.lstatSync(place.full, { throwIfNoEntry: false });
  return (
    stats !== undefined &&
    stats.size === entry.size &&
    stats.mtimeMs === entry.modified &&
    `${stats.dev}-${stats.ino}` === entry.id
  );
}

class LocalFile implements OpenFile {
  readonly entry: DriveEntry;
  readonly properties: string | undefined;
  #fd: number | undefined;

  constructor(fd: number, entry: DriveEntry, properties: string | undefined) {
    this.#fd = fd;
    this.entry = entry;
    this.properties = properties;
  }

  readBytes(start: number, end: number): Promise<Buffer> | Buffer {
    const fd = this.#opened();
    const length = Math.max(0, end - start);
    if (length > syncReadLimit) return readFully(fd, start, length);
    const bytes = Buffer.allocUnsafe(length);
    for (let done = 0; done < length; ) {
      const count = fs.readSync(fd, bytes, done, length - done, start + done);
      if (count === 0) throw truncated();
      done += count;
    }
    return bytes;
  }

  readStream(start: number, end: number): Readable {
    const fd = this.#opened();
    if (end <= start) return Readable.from([]);
    return fs.createReadStream("", { fd, autoClose: false, start, end: end - 1, highWaterMark: 1024 * 1024 });
  }

  close(): void {
    if (this.#fd !== undefined) fs.closeSync(this.#fd);
    this.#fd = undefined;
  }

  #opened(): number {
    if (this.#fd === undefined) throw new Error("The file is closed");
    return this.#fd;
  }
}

async function readFully(fd: number, start: number, length: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafe(length);
  for (let done = 0; done < length; ) {
    const { bytesRead } = await readAsync(fd, bytes, done, length - done, start + done);
    if (bytesRead === 0) throw truncated();
    done += bytesRead;
  }
  return bytes;
}

function truncated(): Error {
  return new Error("The file was cut short while being read");
}
