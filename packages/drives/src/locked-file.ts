import { constants } from "node:fs";
import { type FileHandle, mkdir, open, readFile, realpath, rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { temporaryName } from "./processes.ts";
import { RangeLock } from "./range-lock.ts";

const longestWait = 180_000;
const pause = 20;

/** A text file while no other process of ours changes it. */
export interface LockedFile {
  read(): Promise<string>;
  /**
   * Puts another text in its place: a reader, also after a crash, finds the one or the other whole.
   * @param mode permissions, those of before where not given
   */
  replace(text: string, mode?: number): Promise<void>;
}

/**
 * Runs `work` while no one else, here or in another process that does the same, changes the file. It is made, empty
 * and its owner's alone, where there is none. Programs that know nothing of the lock may still change it.
 * @throws Error with the system's code where the file cannot be written
 */
export async function withLockedFile<T>(file: string, work: (file: LockedFile) => Promise<T>): Promise<T> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const deadline = Date.now() + longestWait;
  for (;;) {
    const handle = await open(file, constants.O_RDWR | constants.O_CREAT, 0o600);
    try {
      const lock = new RangeLock(handle.fd, "overcoat");
      if (lock.take() && (await isStill(file, handle))) {
        const target = await realpath(file);
        return await work({
          read: () => readFile(target, "utf8"),
          replace: (text, mode) => replace(target, text, mode),
        });
      }
    } finally {
      // Frees the lock as well.
      await handle.close();
    }
    if (Date.now() > deadline) throw new Error(`${file} is being changed by another process for too long`);
    await sleep(pause);
  }
}

/** Whether the file that is open is the one of this name, and not one that was replaced meanwhile. */
async function isStill(file: string, handle: FileHandle): Promise<boolean> {
  const [named, opened] = await Promise.all([
    stat(file, { bigint: true }).catch(() => undefined),
    handle.stat({ bigint: true }),
  ]);
  return named?.ino === opened.ino && named.dev === opened.dev;
}

/** Where a file cannot be replaced: a mount of its own, or a folder that is not ours to change. */
const fixed = new Set(["EBUSY", "EXDEV", "EACCES", "EPERM", "EROFS"]);

async function replace(target: string, text: string, given?: number): Promise<void> {
  const temporary = `${target}.${temporaryName()}`;
  try {
    const { mode, uid, gid } = await stat(target);
    const handle = await open(temporary, "wx", 0o600);
    try {
      await handle.chmod(given ?? mode & 0o777);
      await handle.chown(uid, gid).catch(() => {});
      await handle.writeFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, target);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {});
    if (!fixed.has((error as NodeJS.ErrnoException).code ?? "")) throw error;
    await overwrite(target, text);
    return;
  }
  await syncFolder(dirname(target));
}

async function overwrite(target: string, text: string): Promise<void> {
  const handle = await open(target, "r+");
  try {
    await handle.truncate(0);
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
