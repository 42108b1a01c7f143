import fs from "node:fs";
import { promisify } from "node:util";
import {
  type CommitOptions,
  type DriveEntry,
  DriveError,
  type PendingFile,
  type WriteConditions,
} from "../drive.ts";
import { temporaryName } from "../processes.ts";
import { codeOf, driveError } from "./errors.ts";
import { type Folders, inside, isAt, type ReadyFolder } from "./folders.ts";
import { entryOf, isSameFile, type LocalEntry } from "./open.ts";
import type { Place } from "./places.ts";
import type { Properties } from "./properties.ts";

const openAsync = promisify(fs.open);
const writeAsync = promisify(fs.write);
const fsyncAsync = promisify(fs.fsync);
const fdatasyncAsync = promisify(fs.fdatasync);
const syncWriteLimit = 64 * 1024;
/** Bytes that wait for each other to go to disk, so that at the end only the last of them are left to. */
const flushFrom = 8 * 1024 * 1024;
const attempts = 8;
const fileFlags =
  fs.constants.O_RDWR | fs.constants.O_CREAT | fs.constants.O_EXCL | (fs.constants.O_NOFOLLOW ?? 0);

/** What pending files share with their drive. */
export interface PendingContext {
  readonly folders: Folders;
  readonly properties: Properties;
  readonly fsync: boolean;
  readonly filePermissions: number | undefined;
}

/**
 * Opens a pending file for `place`.
 * @throws DriveError `NotFound` when the bucket is not there, `AccessDenied` when it is behind a symbolic link
 */
export async function openPending(context: PendingContext, place: Place): Promise<LocalPending> {
  const folder = `${place.hidden}/tmp`;
  const temporary = `${folder}/${temporaryName()}`;
  const mode = context.filePermissions ?? 0o666;
  try {
    for (let attempt = 0; ; attempt++) {
      let fd: number;
      try {
        // Not at once where files are synced: making one can have to wait for the file system's journal.
        fd = context.fsync
          ? await openAsync(temporary, fileFlags, mode)
          : fs.openSync(temporary, fileFlags, mode);
      } catch (error) {
        if (codeOf(error) !== "ENOENT" && codeOf(error) !== "ENOTDIR") throw error;
        if (attempt === attempts) throw error;
        fs.closeSync(context.folders.ready(place.base, folder).fd);
        continue;
      }
      if (isAt(fd, temporary)) {
        if (context.filePermissions !== undefined) fs.fchmodSync(fd, context.filePermissions);
        return new LocalPending(context, place, temporary, fd);
      }
      fs.closeSync(fd);
      fs.rmSync(temporary, { force: true });
      // A bucket behind a symbolic link is none.
      fs.closeSync(context.folders.ready(place.base, place.base).fd);
      throw new DriveError("AccessDenied", `${folder} is behind a symbolic link`);
    }
  } catch (error) {
    throw driveError(error);
  }
}

/** A file under a temporary name in the `.overcoat` folder of its place. */
export class LocalPending implements PendingFile {
  /** Path of the temporary file. */
  readonly temporary: string;
  readonly #context: PendingContext;
  readonly #place: Place;
  #fd: number | undefined;
  #position = 0;
  /** Bytes that went to disk, or are on their way. */
  #flushed = 0;
  #flushing: Promise<void> | undefined;
  /** Why bytes could not go to disk: told only once by the system, to whom it asks first. */
  #failure: unknown;

  constructor(context: PendingContext, place: Place, temporary: string, fd: number) {
    this.#context = context;
    this.#place = place;
    this.temporary = temporary;
    this.#fd = fd;
  }

  /** Takes the bytes of an open file at once, sharing them on file systems that can. */
  async fill(source: string, permissions: number): Promise<void> {
    await fs.promises.copyFile(source, this.temporary, fs.constants.COPYFILE_FICLONE);
    const fd = this.#opened();
    // The copy takes the source's permissions along.
    fs.fchmodSync(fd, permissions);
    this.#position = fs.fstatSync(fd).size;
  }

  async write(chunk: Uint8Array): Promise<void> {
    const fd = this.#opened();
    if (this.#failure) throw driveError(this.#failure);
    let position = this.#position;
    this.#position += chunk.length;
    try {
      for (let done = 0; done < chunk.length; ) {
        const left = chunk.length - done;
        const count =
          left <= syncWriteLimit
            ? fs.writeSync(fd, chunk, done, left, position)
            : (await writeAsync(fd, chunk, done, left, position)).bytesWritten;
        done += count;
        position += count;
      }
    } catch (error) {
      throw driveError(error);
    }
    if (this.#context.fsync && !this.#flushing && this.#position - this.#flushed >= flushFrom)
      this.#flush(fd);
  }

  #flush(fd: number): void {
    this.#flushed = this.#position;
    this.#flushing = fdatasyncAsync(fd)
      .catch((error) => {
        this.#failure = error;
      })
      .finally(() => {
        this.#flushing = undefined;
      });
  }

  async commit(properties: string, options: CommitOptions = {}): Promise<DriveEntry> {
    try {
      return await this.#commit(properties, options);
    } catch (error) {
      await this.discard();
      throw driveError(error);
    }
  }

  async #commit(properties: string, conditions: WriteConditions): Promise<DriveEntry> {
    const { properties: store, fsync, folders } = this.#context;
    const fd = this.#opened();
    await this.#flushing;
    if (this.#failure) throw this.#failure;
    let entry = stamp(fd, Date.now());
    const refusal = store.writeInFile(this.temporary, entry, properties);
    if (refusal) {
      entry = this.#stampApart(fd);
      await store.writeAside(this.#place, this.temporary, entry, properties, refusal);
    }
    try {
      if (fsync) await fsyncAsync(fd);
      const { stale, folder } = this.#publish(conditions);
      this.#release();
      const flushed = folders.flush(this.#place.parent, folder.fd);
      await (folder.durable ? Promise.all([folder.durable, flushed]) : flushed);
      if (stale !== undefined) store.removeSidecar(this.#place, stale);
      const { kind, size, modified, id } = entry;
      return { kind, size, modified, id };
    } catch (error) {
      if (refusal && this.#fd !== undefined) store.removeSidecar(this.#place, entry);
      throw error;
    }
  }

  /** Sets a time that an equally large file there has not: sidecars are told apart by size and time. */
  #stampApart(fd: number): LocalEntry {
    const there = fs.lstatSync(this.#place.full, { throwIfNoEntry: false });
    for (let now = Date.now(); ; now++) {
      const entry = stamp(fd, now);
      if (there === undefined || there.size !== entry.size || there.mtimeMs !== entry.modified) return entry;
    }
  }

  /** Gives the file its name in its folder, which stays open, and tells what was there if its sidecar must go. */
  #publish({ onlyIfAbsent, unchanged }: WriteConditions): {
    stale: DriveEntry | undefined;
    folder: ReadyFolder;
  } {
    const { base, parent, name } = this.#place;
    const { folders, properties } = this.#context;
    for (let attempt = 0; ; attempt++) {
      const folder = folders.ready(base, parent);
      try {
        const target = inside(folder.fd, parent, name);
        const stats = fs.lstatSync(target, { throwIfNoEntry: false });
        const there = stats && entryOf(stats);
        if (there?.kind === "folder") throw new DriveError("IsAFolder", `${this.#place.full} is a folder`);
        if (unchanged && !isSameFile(there, unchanged))
          throw new DriveError("Changed", `${this.#place.full} is another file now`);
        if (onlyIfAbsent) {
          if (stats !== undefined) throw new DriveError("Exists", `${this.#place.full} is there`);
          this.#link(target);
          return { stale: undefined, folder };
        }
        const stale = there !== undefined && properties.hasSidecar(target, there) ? there : undefined;
        fs.renameSync(this.temporary, target);
        return { stale, folder };
      } catch (error) {
        fs.closeSync(folder.fd);
        // Someone removed the folder just now.
        if (codeOf(error) !== "ENOENT" || attempt === attempts) throw error;
      }
    }
  }

  #link(target: string): void {
    try {
      fs.linkSync(this.temporary, target);
    } catch (error) {
      const code = codeOf(error);
      if (code === "EEXIST") {
        const isFolder = fs.lstatSync(target, { throwIfNoEntry: false })?.isDirectory();
        throw new DriveError(isFolder ? "IsAFolder" : "Exists", `${this.#place.full} is there`, {
          cause: error,
        });
      }
      if (code !== "EPERM" && code !== "ENOTSUP" && code !== "EOPNOTSUPP" && code !== "ENOSYS") throw error;
      fs.renameSync(this.temporary, target);
      return;
    }
    fs.unlinkSync(this.temporary);
  }

  async discard(): Promise<void> {
    await this.#flushing;
    if (this.#fd === undefined) return;
    this.#release();
    fs.rmSync(this.temporary, { force: true });
  }

  #release(): void {
    if (this.#fd !== undefined) fs.closeSync(this.#fd);
    this.#fd = undefined;
  }

  #opened(): number {
    if (this.#fd === undefined) throw new Error("The file is committed or discarded");
    return this.#fd;
  }
}

/** Sets a file's time to a whole millisecond, so that it is short where it is written. */
function stamp(fd: number, milliseconds: number): LocalEntry {
  // Half a microsecond more, as the conversion from seconds cuts off and would give the millisecond before.
  const seconds = (milliseconds + 0.0005) / 1000;
  fs.futimesSync(fd, seconds, seconds);
  return entryOf(fs.fstatSync(fd))!;
}
