import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { open, type RootDatabase } from "lmdb";
import { ObjectsError } from "./errors.ts";

interface Holder {
  pid: number;
  /** Milliseconds since 1970 after which others may take the lock over. */
  until: number;
}

const lease = 120_000;
const longestWait = 60_000;

/** Locks by name that all processes with the same data directory see; a dead holder's lock is free. */
export class Locks {
  readonly #store: RootDatabase<Holder, string>;
  readonly #queues = new Map<string, Promise<unknown>>();

  constructor(data: string) {
    this.#store = open({ path: join(data, "locks.mdb"), noSync: true });
  }

  /** Runs `work` while no one else, here or in another process, holds `name`. */
  async with<T>(name: string, work: () => Promise<T>): Promise<T> {
    const before = this.#queues.get(name) ?? Promise.resolve();
    const mine = before.then(() => this.#locked(name, work));
    const settled = mine.catch(() => undefined);
    this.#queues.set(name, settled);
    try {
      return await mine;
    } finally {
      if (this.#queues.get(name) === settled) this.#queues.delete(name);
    }
  }

  async #locked<T>(name: string, work: () => Promise<T>): Promise<T> {
    const key = name.length > 400 ? name.slice(0, 400) : name;
    const deadline = Date.now() + longestWait;
    while (!this.#take(key)) {
      if (Date.now() > deadline)
        throw new ObjectsError("ConditionalRequestConflict", "Another write of this key is taking too long.");
      await sleep(2);
    }
    try {
      return await work();
    } finally {
      this.#store.removeSync(key);
    }
  }

  #take(key: string): boolean {
    return this.#store.transactionSync(() => {
      const holder = this.#store.get(key);
      if (holder && holder.until > Date.now() && alive(holder.pid)) return false;
      this.#store.putSync(key, { pid: process.pid, until: Date.now() + lease });
      return true;
    });
  }

  close(): Promise<void> {
    return this.#store.close();
  }
}

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
