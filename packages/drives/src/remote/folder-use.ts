import { closeSync, openSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { DriveError } from "../drive.ts";
import { RangeLock } from "../range-lock.ts";

const longestWait = 60_000;

/** Keeps folders from being removed as empty while something is written into them, between all processes. */
export class FolderUse {
  readonly #file: number;
  readonly #users = new Map<string, { count: number; readonly lock: RangeLock }>();
  readonly #removing = new Set<string>();

  /** @param data the folder that all processes with this drive share */
  constructor(data: string) {
    this.#file = openSync(join(data, "folder-use"), "a+", 0o600);
  }

  /** Does work that writes to a path; none of the folders above it is removed meanwhile. */
  async during<T>(path: string, work: () => Promise<T>): Promise<T> {
    const taken: string[] = [];
    try {
      for (let end = path.indexOf("/"); end >= 0; end = path.indexOf("/", end + 1)) {
        await this.#take(path.slice(0, end));
        taken.push(path.slice(0, end));
      }
      return await work();
    } finally {
      for (const folder of taken) this.#give(folder);
    }
  }

  /** Does work that removes a folder, unless something is being written into it. @returns false then */
  async alone(folder: string, work: () => Promise<boolean>): Promise<boolean> {
    if (this.#users.has(folder) || this.#removing.has(folder)) return false;
    const lock = new RangeLock(this.#file, folder);
    if (!lock.take()) return false;
    this.#removing.add(folder);
    try {
      return await work();
    } finally {
      this.#removing.delete(folder);
      lock.free();
    }
  }

  async #take(folder: string): Promise<void> {
    const deadline = Date.now() + longestWait;
    for (;;) {
      const users = this.#users.get(folder);
      if (users) {
        users.count++;
        return;
      }
      if (!this.#removing.has(folder)) {
        const lock = new RangeLock(this.#file, folder);
        if (lock.share()) {
          this.#users.set(folder, { count: 1, lock });
          return;
        }
      }
      if (Date.now() > deadline)
        throw new DriveError("Unavailable", "The folder is being removed for too long");
      await sleep(5);
    }
  }

  #give(folder: string): void {
    const users = this.#users.get(folder)!;
    if (--users.count > 0) return;
    this.#users.delete(folder);
    users.lock.free();
  }

  close(): void {
    closeSync(this.#file);
  }
}
