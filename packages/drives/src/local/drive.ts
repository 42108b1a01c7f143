import fs from "node:fs";
import { promisify } from "node:util";
import {
  type DescribedFile,
  type Drive,
  type DriveEntry,
  DriveError,
  type ListedEntry,
  type OpenFile,
  type PendingFile,
} from "../drive.ts";
import { Contents } from "./contents.ts";
import { codeOf, driveError, meansAbsent } from "./errors.ts";
import { Folders, inside, openFolder } from "./folders.ts";
import { KnownFiles } from "./known.ts";
import { listFolder } from "./listing.ts";
import { encodeSegment, isPlain } from "./naming.ts";
import {
  describeFile,
  describeIn,
  entryAt,
  entryOf,
  isReachable,
  isSameFile,
  openFile,
  openRegular,
  type Stores,
} from "./open.ts";
import { type LocalPending, openPending } from "./pending.ts";
import { hiddenName, type Place, placeIn, placeOf } from "./places.ts";
import { Properties } from "./properties.ts";
import { sweepTemporary } from "./sweep.ts";

const fsyncAsync = promisify(fs.fsync);
const nameLimit = 255;
const pathLimit = 4000;
const removedAtOnce = 32;

export interface LocalDriveOptions {
  /** Whether a settled change survives a power loss. Default true. */
  readonly fsync?: boolean;
  /** Permissions of new files, whatever the umask. Default 0666 less the umask. */
  readonly filePermissions?: number;
  /** Permissions of new folders, whatever the umask. Default 0777 less the umask. */
  readonly folderPermissions?: number;
  readonly readOnly?: boolean;
  /** Whether the folder is itself a bucket, and not a folder of buckets. */
  readonly bucket?: boolean;
}

/** A drive in a folder of this machine. @throws DriveError when the folder is not there. */
export function localDrive(root: string, options: LocalDriveOptions = {}): Drive {
  try {
    const real = fs.realpathSync.native(root);
    if (!fs.statSync(real).isDirectory()) throw new DriveError("NotAFolder", `${root} is not a folder`);
    return new LocalDrive(real, options);
  } catch (error) {
    throw driveError(error);
  }
}

class LocalDrive implements Drive {
  readonly description: string;
  readonly #root: string;
  readonly #fsync: boolean;
  readonly #readOnly: boolean;
  readonly #isBucket: boolean;
  readonly #filePermissions: number | undefined;
  readonly #folders: Folders;
  readonly #properties: Properties;
  readonly #stores: Stores;

  constructor(root: string, options: LocalDriveOptions) {
    this.description = root;
    this.#root = root;
    this.#fsync = options.fsync ?? true;
    this.#readOnly = options.readOnly ?? false;
    this.#isBucket = options.bucket ?? false;
    this.#filePermissions = options.filePermissions;
    this.#folders = new Folders(this.#fsync, options.folderPermissions);
    this.#properties = new Properties(this.#folders, this.#fsync);
    this.#stores = { properties: this.#properties, known: new KnownFiles(), contents: new Contents() };
  }

  fits(path: string): boolean {
    if (path.length <= nameLimit && isPlain(path) && this.#root.length + path.length < pathLimit) return true;
    const names = path.split("/").map((segment) => Buffer.byteLength(encodeSegment(segment)));
    const total = names.reduce((sum, length) => sum + length + 1, Buffer.byteLength(this.#root));
    return total < pathLimit && names.every((length) => length <= nameLimit);
  }

  list(folder: string): AsyncIterable<readonly ListedEntry[]> {
    return listFolder(this.#place(folder));
  }

  stat(path: string): DriveEntry | undefined {
    return translated(() => entryAt(this.#place(path)));
  }

  open(path: string): OpenFile | undefined {
    return translated(() => openFile(this.#place(path), this.#stores));
  }

  describe(path: string): DescribedFile | undefined {
    return translated(() => describeFile(this.#place(path), this.#stores));
  }

  describeAll(folder: string, names: readonly string[]): (DescribedFile | undefined)[] {
    return translated(() => {
      const place = this.#place(folder);
      if (!isReachable(place.full)) return names.map(() => undefined);
      return names.map((name) => describeIn(placeIn(place, name, this.#isBucket), this.#stores));
    });
  }

  async create(path: string): Promise<PendingFile> {
    return this.#pending(path);
  }

  async setProperties(path: string, properties: string): Promise<void> {
    this.#writable();
    const place = this.#place(path);
    const opened = translated(() => openRegular(place));
    if (opened === undefined) throw new DriveError("NotFound", `There is no file ${place.full}`);
    try {
      const entry = entryOf(opened.stats)!;
      const had = this.#properties.hasSidecar(place.full, entry);
      const has = await this.#properties.write(place, place.full, entry, properties);
      if (this.#fsync) await fsyncAsync(opened.fd);
      if (had && !has) this.#properties.removeSidecar(place, entry);
    } catch (error) {
      throw driveError(error);
    } finally {
      fs.closeSync(opened.fd);
    }
  }

  async copy(from: string, to: string): Promise<PendingFile | undefined> {
    this.#writable();
    const place = this.#place(from);
    const source = translated(() => openRegular(place));
    if (source === undefined) return undefined;
    try {
      const pending = await this.#pending(to);
      try {
        const path = process.platform === "linux" ? `/proc/self/fd/${source.fd}` : place.full;
        await pending.fill(path, this.#filePermissions ?? 0o666 & ~process.umask());
        return pending;
      } catch (error) {
        await pending.discard();
        throw error;
      }
    } catch (error) {
      throw driveError(error);
    } finally {
      fs.closeSync(source.fd);
    }
  }

  async move(from: string, to: string): Promise<boolean> {
    this.#writable();
    const source = this.#place(from);
    const target = this.#place(to);
    if (source.full === target.full) return this.stat(from)?.kind === "file";
    return this.#inParent(source, false, async (path) => {
      const entry = fileAt(path);
      if (entry === undefined) return false;
      const sidecar = this.#properties.hasSidecar(path, entry);
      if (sidecar) await this.#properties.copySidecar(source, target, entry);
      const ready = this.#folders.ready(target.base, target.parent);
      try {
        const goal = inside(ready.fd, target.parent, target.name);
        const replaced = fileAt(goal);
        const stale = replaced !== undefined && this.#properties.hasSidecar(goal, replaced);
        fs.renameSync(path, goal);
        await Promise.all([ready.durable, this.#folders.flush(target.parent)]);
        await this.#folders.flush(source.parent);
        if (sidecar) this.#properties.removeSidecar(source, entry);
        const sameName = sidecar && replaced?.size === entry.size && replaced.modified === entry.modified;
        if (stale && replaced !== undefined && !sameName) this.#properties.removeSidecar(target, replaced);
        return true;
      } finally {
        fs.closeSync(ready.fd);
      }
    });
  }

  async remove(path: string, unchanged?: DriveEntry): Promise<boolean> {
    this.#writable();
    const place = this.#place(path);
    return this.#inParent(place, false, async (target) => {
      const entry = fileAt(target);
      if (entry === undefined) return false;
      if (unchanged && !isSameFile(entry, unchanged))
        throw new DriveError("Changed", `${place.full} is another file now`);
      const sidecar = this.#properties.hasSidecar(target, entry);
      fs.unlinkSync(target);
      if (sidecar) this.#properties.removeSidecar(place, entry);
      await this.#folders.flush(place.parent);
      return true;
    });
  }

  async removeAll(paths: readonly string[]): Promise<(boolean | Error)[]> {
    const results: (boolean | Error)[] = [];
    for (let at = 0; at < paths.length; at += removedAtOnce) {
      const some = paths.slice(at, at + removedAtOnce);
      results.push(
        ...(await Promise.all(some.map((path) => this.remove(path).catch((error: Error) => error)))),
      );
    }
    return results;
  }

  async makeFolder(path: string): Promise<boolean> {
    this.#writable();
    try {
      const ready = this.#folders.ready(this.#root, this.#place(path).full);
      fs.closeSync(ready.fd);
      await ready.durable;
      return ready.made;
    } catch (error) {
      throw driveError(error);
    }
  }

  async removeFolder(path: string): Promise<boolean> {
    this.#writable();
    const place = this.#place(path);
    if (path === "") return false;
    return this.#inParent(place, false, async (target) => {
      if (!fs.lstatSync(target, { throwIfNoEntry: false })?.isDirectory()) return false;
      try {
        if (!this.#isBucket && !path.includes("/")) removeHidden(target);
        fs.rmdirSync(target);
      } catch (error) {
        if (codeOf(error) === "ENOTEMPTY" || codeOf(error) === "EEXIST") return false;
        throw error;
      }
      await this.#folders.flush(place.parent);
      return true;
    });
  }

  async sweep(olderThan: number): Promise<number> {
    if (this.#readOnly) return 0;
    return translated(() => sweepTemporary(this.#root, olderThan));
  }

  async close(): Promise<void> {}

  #place(path: string): Place {
    return placeOf(this.#root, path, this.#isBucket);
  }

  #writable(): void {
    if (this.#readOnly) throw new DriveError("ReadOnly", `${this.description} is read-only`);
  }

  #pending(path: string): Promise<LocalPending> {
    this.#writable();
    return openPending(
      {
        folders: this.#folders,
        properties: this.#properties,
        fsync: this.#fsync,
        filePermissions: this.#filePermissions,
      },
      this.#place(path),
    );
  }

  /** Acts on a name in its opened parent folder; gives `otherwise` when that or the name is not there. */
  async #inParent<Result>(
    place: Place,
    otherwise: Result,
    action: (target: string) => Promise<Result>,
  ): Promise<Result> {
    let fd: number | undefined;
    try {
      fd = openFolder(place.parent);
      if (fd === undefined) return otherwise;
    } catch (error) {
      if (meansAbsent(error)) return otherwise;
      throw driveError(error);
    }
    try {
      return await action(inside(fd, place.parent, place.name));
    } catch (error) {
      if (codeOf(error) === "ENOENT") return otherwise;
      throw driveError(error);
    } finally {
      fs.closeSync(fd);
    }
  }
}

function translated<Result>(action: () => Result): Result {
  try {
    return action();
  } catch (error) {
    throw driveError(error);
  }
}

function fileAt(path: string): DriveEntry | undefined {
  const stats = fs.lstatSync(path, { throwIfNoEntry: false });
  return stats?.isFile() ? entryOf(stats) : undefined;
}

/** Removes a bucket's `.overcoat` folder if it is all that is in the bucket and has nothing but empty folders. */
function removeHidden(bucket: string): void {
  const names = fs.readdirSync(`${bucket}/.`);
  if (names.length !== 1 || names[0] !== hiddenName) return;
  const emptied: string[] = [];
  if (!collectFolders(`${bucket}/${hiddenName}`, emptied)) return;
  for (const folder of emptied) fs.rmdirSync(folder);
}

function collectFolders(folder: string, into: string[]): boolean {
  if (!fs.lstatSync(folder).isDirectory()) return false;
  for (const name of fs.readdirSync(folder)) if (!collectFolders(`${folder}/${name}`, into)) return false;
  into.push(folder);
  return true;
}
