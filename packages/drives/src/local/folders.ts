import fs from "node:fs";
import { dirname } from "node:path";
import { promisify } from "node:util";
import { DriveError } from "../drive.ts";
import { codeOf } from "./errors.ts";

const linux = process.platform === "linux";
const folderFlags = fs.constants.O_RDONLY | (fs.constants.O_DIRECTORY ?? 0) | (fs.constants.O_NOFOLLOW ?? 0);
const fsyncAsync = promisify(fs.fsync);

/** Whether an open file or folder is the one at `full`, reached through no symbolic link. */
export function isAt(fd: number, full: string): boolean {
  if (linux) {
    const link = fs.readlinkSync(`/proc/self/fd/${fd}`);
    return link === full || link === `${full} (deleted)`;
  }
  return isReal(dirname(full));
}

/** Whether no part of the path is a symbolic link. Throws as `realpath` does. */
export function isReal(folder: string): boolean {
  return fs.realpathSync.native(folder) === folder;
}

/** A path to `name` in an open folder that no one can redirect, where the system offers that. */
export function inside(fd: number, folder: string, name: string): string {
  return linux ? `/proc/self/fd/${fd}/${name}` : folder === "/" ? `/${name}` : `${folder}/${name}`;
}

/** Opens a folder; undefined when a symbolic link leads there. Throws as `open` does. */
export function openFolder(folder: string): number | undefined {
  const fd = fs.openSync(folder, folderFlags);
  try {
    if (isAt(fd, folder)) return fd;
  } catch (error) {
    fs.closeSync(fd);
    throw error;
  }
  fs.closeSync(fd);
  return undefined;
}

/** A folder opened for changes in it. */
export interface ReadyFolder {
  readonly fd: number;
  /** Whether it was not there before. */
  readonly made: boolean;
  /** Settles when the folders above are durable; undefined where they are. */
  readonly durable: Promise<unknown> | undefined;
}

/** Makes folders and flushes them, with one flush for all that wait for the same folder. */
export class Folders {
  readonly #fsync: boolean;
  readonly #permissions: number | undefined;
  readonly #flushes = new Map<string, { running: Promise<void>; next: Promise<void> | undefined }>();
  readonly #made = new Map<string, Promise<void>>();

  constructor(fsync: boolean, permissions: number | undefined) {
    this.#fsync = fsync;
    this.#permissions = permissions;
  }

  /** Makes all changes of names in the folder so far durable; closes `opened`, where that is the folder. */
  flush(folder: string, opened?: number): Promise<void> {
    const state = this.#flushes.get(folder);
    if (this.#fsync && state === undefined) return this.#start(folder, opened);
    // The running flush may have begun before this caller's change, so that one has to wait for the next.
    if (state !== undefined && state.next === undefined) {
      const start = () => this.#start(folder, opened);
      state.next = state.running.then(start, start);
    } else if (opened !== undefined) fs.closeSync(opened);
    return state?.next ?? Promise.resolve();
  }

  #start(folder: string, opened: number | undefined): Promise<void> {
    const running = flushFolder(folder, opened).finally(() => {
      if (state.next === undefined) this.#flushes.delete(folder);
    });
    const state = { running, next: undefined as Promise<void> | undefined };
    this.#flushes.set(folder, state);
    return running;
  }

  /**
   * Opens a folder below `base`, which must be there, and makes what is missing.
   * @throws DriveError `NotAFolder`, `NotFound` for the base, `AccessDenied` where a symbolic link is in the way.
   */
  ready(base: string, folder: string): ReadyFolder {
    try {
      const fd = openFolder(folder);
      if (fd !== undefined) return { fd, made: false, durable: this.#pending(folder) };
    } catch (error) {
      if (codeOf(error) !== "ENOENT" && codeOf(error) !== "ENOTDIR") throw error;
    }
    return this.#walk(base, folder);
  }

  #walk(base: string, folder: string): ReadyFolder {
    let fd = openBase(base);
    let here = base;
    let made = false;
    try {
      for (const name of folder.slice(base.length).split("/")) {
        if (name === "") continue;
        const [next, isNew] = this.#enter(fd, here, name);
        fs.closeSync(fd);
        fd = next;
        const above = here;
        here = here === "/" ? `/${name}` : `${here}/${name}`;
        made = isNew;
        if (!isAt(fd, here)) throw new DriveError("AccessDenied", `${here} is behind a symbolic link`);
        if (isNew) this.#remember(above, here);
      }
      return { fd, made, durable: this.#pending(folder) };
    } catch (error) {
      fs.closeSync(fd);
      throw error;
    }
  }

  #enter(fd: number, folder: string, name: string): [fd: number, isNew: boolean] {
    const path = inside(fd, folder, name);
    let isNew = false;
    for (let attempt = 0; ; attempt++) {
      try {
        const next = fs.openSync(path, folderFlags);
        if (isNew && this.#permissions !== undefined) fs.fchmodSync(next, this.#permissions);
        return [next, isNew];
      } catch (error) {
        const code = codeOf(error);
        if (code === "ENOTDIR" || code === "ELOOP") {
          if (fs.lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink())
            throw new DriveError("AccessDenied", `${folder}/${name} is a symbolic link`);
          throw new DriveError("NotAFolder", `${folder}/${name} is a file`);
        }
        if (code !== "ENOENT" || attempt === 8) throw error;
      }
      try {
        fs.mkdirSync(path, { mode: this.#permissions ?? 0o777 });
        isNew = true;
      } catch (error) {
        if (codeOf(error) !== "EEXIST") throw error;
      }
    }
  }

  #remember(parent: string, folder: string): void {
    if (!this.#fsync) return;
    const done = this.flush(parent).finally(() => {
      if (this.#made.get(folder) === done) this.#made.delete(folder);
    });
    done.catch(() => {});
    this.#made.set(folder, done);
  }

  /** Folders that another call has just made count as made by this one: both wait for the same flush. */
  #pending(folder: string): Promise<unknown> | undefined {
    if (this.#made.size === 0) return undefined;
    const waits: Promise<void>[] = [];
    for (let at = folder; at !== "" && at !== "/"; at = dirname(at)) {
      const wait = this.#made.get(at);
      if (wait !== undefined) waits.push(wait);
    }
    const all = Promise.all(waits);
    all.catch(() => {});
    return all;
  }
}

function openBase(base: string): number {
  try {
    const fd = openFolder(base);
    if (fd !== undefined) return fd;
  } catch (error) {
    if (codeOf(error) !== "ENOENT" && codeOf(error) !== "ENOTDIR") throw error;
  }
  throw new DriveError("NotFound", `There is no folder ${base}`);
}

async function flushFolder(folder: string, opened: number | undefined): Promise<void> {
  let fd: number;
  try {
    fd = opened ?? fs.openSync(folder, folderFlags);
  } catch (error) {
    // A folder that is gone has nothing left to keep.
    if (codeOf(error) === "ENOENT" || codeOf(error) === "ENOTDIR") return;
    throw error;
  }
  try {
    await fsyncAsync(fd);
  } catch (error) {
    // Some file systems know no flush of a folder.
    if (codeOf(error) !== "EINVAL" && codeOf(error) !== "ENOTSUP") throw error;
  } finally {
    fs.closeSync(fd);
  }
}
