import fs from "node:fs";
import { promisify } from "node:util";
import type { DescribedFile, DriveEntry, OpenFile } from "../drive.ts";
import { readChunks } from "./chunks.ts";
import { type Contents, KeptFile, largestKept } from "./contents.ts";
import { meansAbsent } from "./errors.ts";
import { isAt, isReal } from "./folders.ts";
import type { KnownFiles } from "./known.ts";
import type { Place } from "./places.ts";
import type { Properties } from "./properties.ts";

const readAsync = promisify(fs.read);
const fileFlags = fs.constants.O_RDONLY | (fs.constants.O_NOFOLLOW ?? 0) | (fs.constants.O_NONBLOCK ?? 0);
const syncReadLimit = 256 * 1024;
const attempts = 100;

/** An entry with what is of use inside this drive only. */
export interface LocalEntry extends DriveEntry {
  readonly inode: number;
  /** When bytes, attributes or links changed last, in milliseconds since 1970. */
  readonly changed: number;
}

/** What reading needs of its drive. */
export interface Stores {
  readonly properties: Properties;
  readonly known: KnownFiles;
  readonly contents: Contents;
}

/** The entry of a file or folder; undefined for what is neither. */
export function entryOf(stats: fs.Stats): LocalEntry | undefined {
  const kind = stats.isFile() ? "file" : stats.isDirectory() ? "folder" : undefined;
  if (kind === undefined) return undefined;
  return {
    kind,
    size: kind === "file" ? stats.size : 0,
    modified: stats.mtimeMs,
    id: `${stats.dev}-${stats.ino}`,
    inode: stats.ino,
    changed: stats.ctimeMs,
  };
}

/** Whether what is there is still the file that it was. */
export const isSameFile = (there: DriveEntry | undefined, before: DriveEntry) =>
  there?.id === before.id && there.size === before.size && there.modified === before.modified;

/** What is at the place, if no symbolic link leads there. */
export function entryAt(place: Place): LocalEntry | undefined {
  const stats = statsIn(place);
  return stats && isReachable(place.parent) ? entryOf(stats) : undefined;
}

/** Whether a folder is there, and no symbolic link on the way to it. */
export function isReachable(folder: string): boolean {
  try {
    return isReal(folder);
  } catch (error) {
    if (meansAbsent(error)) return false;
    throw error;
  }
}

/** What is at a place whose folder is to be, or has been, found reachable. */
function statsIn(place: Place): fs.Stats | undefined {
  try {
    return fs.lstatSync(place.full, { throwIfNoEntry: false });
  } catch (error) {
    if (meansAbsent(error)) return undefined;
    throw error;
  }
}

/** Opens a regular file to read; undefined when there is none or a symbolic link leads there. */
export function openRegular(place: Place): { fd: number; stats: fs.Stats } | undefined {
  let fd: number | undefined;
  try {
    fd = fs.openSync(place.full, fileFlags);
    const stats = fs.fstatSync(fd);
    if (stats.isFile() && isAt(fd, place.full)) {
      const opened = { fd, stats };
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
export function describeFile(place: Place, stores: Stores): DescribedFile | undefined {
  return isReachable(place.parent) ? describeIn(place, stores) : undefined;
}

/** `describeFile` for a place whose folder has been found reachable. */
export function describeIn(place: Place, stores: Stores): DescribedFile | undefined {
  for (let attempt = 0; attempt < attempts; attempt++) {
    const stats = statsIn(place);
    if (!stats?.isFile()) return undefined;
    const file = read(place, stats, stores);
    if (file) return file;
  }
  throw new Error(`${place.full} changes all the time`);
}

/** Opens a file with its properties. */
export function openFile(place: Place, stores: Stores): OpenFile | undefined {
  const { known, contents } = stores;
  const kept = contents.get(place.full);
  if (kept) {
    const stats = statsIn(place);
    if (stats && known.recall(stats) === kept.file) return new KeptFile(kept);
    contents.forget(place.full);
  }
  for (let attempt = 0; attempt < attempts; attempt++) {
    const opened = openRegular(place);
    if (opened === undefined) return undefined;
    let file: DescribedFile | undefined;
    try {
      file = read(place, opened.stats, stores);
      if (!file) continue;
      const keep =
        known.recall(opened.stats) === file
          ? (bytes: Buffer) => contents.keep(place.full, file!, bytes)
          : undefined;
      return new LocalFile(opened.fd, file, keep);
    } finally {
      if (!file) fs.closeSync(opened.fd);
    }
  }
  throw new Error(`${place.full} changes all the time`);
}

/** The file with these stats and its properties; undefined when another has taken its name meanwhile. */
function read(place: Place, stats: fs.Stats, { known, properties }: Stores): DescribedFile | undefined {
  const recalled = known.recall(stats);
  if (recalled) return recalled;
  const entry = entryOf(stats)!;
  const found = properties.read(place, place.full, entry);
  // Attributes are read by name: that must still be the name of the same file afterwards.
  if (!isSame(place, entry)) return undefined;
  const file = { entry, properties: found.properties };
  if (found.inFile) known.remember(entry, file);
  return file;
}

function isSame(place: Place, entry: LocalEntry): boolean {
  const stats = statsIn(place);
  return (
    stats !== undefined &&
    stats.size === entry.size &&
    stats.mtimeMs === entry.modified &&
    stats.ctimeMs === entry.changed &&
    `${stats.dev}-${stats.ino}` === entry.id
  );
}

class LocalFile implements OpenFile {
  readonly described: DescribedFile;
  readonly #keep: ((bytes: Buffer) => void) | undefined;
  #fd: number | undefined;

  /** `keep` takes the bytes of a file that can be recalled. */
  constructor(fd: number, described: DescribedFile, keep: ((bytes: Buffer) => void) | undefined) {
    this.#fd = fd;
    this.described = described;
    this.#keep = keep;
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
    if (length === this.described.entry.size && length <= largestKept) this.#keep?.(Buffer.from(bytes));
    return bytes;
  }

  readChunks(start: number, end: number): AsyncIterable<Buffer> {
    return readChunks(this.#opened(), start, end);
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
