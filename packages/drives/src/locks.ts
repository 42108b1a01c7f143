import { closeSync, openSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { RangeLock } from "./range-lock.ts";

const longestWait = 60_000;

/**
 * Locks by name that all processes with the same file see. Each is one byte of a file, locked by the
 * system: the lock of a process that has ended is free at once.
 */
export class Locks {
  readonly #file: number;
  readonly #late: () => Error;
  readonly #queues = new Map<string, Promise<unknown>>();

  /** @param late makes the error for who has waited for a minute */
  constructor(file: string, late: () => Error) {
    this.#file = openSync(file, "a+", 0o600);
    this.#late = late;
  }

  /** Runs `work` while no one else, here or in another process, holds `name`. */
  async with<T>(name: string, work: () => Promise<T>): Promise<T> {
    const before = this.#queues.get(name);
    const mine = before ? before.then(() => this.#locked(name, work)) : this.#locked(name, work);
    const settled = mine.catch(() => undefined);
    this.#queues.set(name, settled);
    try {
      return await mine;
    } finally {
      if (this.#queues.get(name) === settled) this.#queues.delete(name);
    }
  }

  /** The same with many names. */
  withAll<T>(names: readonly string[], work: () => Promise<T>): Promise<T> {
    // Always in the same order, so that no two wait for one another.
    const ordered = [...new Set(names)].sort();
    const from = (at: number): Promise<T> =>
      at === ordered.length ? work() : this.with(ordered[at]!, () => from(at + 1));
    return from(0);
  }

  async #locked<T>(name: string, work: () => Promise<T>): Promise<T> {
    const lock = new RangeLock(this.#file, name);
    const deadline = Date.now() + longestWait;
    while (!lock.take()) {
      if (Date.now() > deadline) throw this.#late();
      await sleep(2);
    }
    try {
      return await work();
    } finally {
      lock.free();
    }
  }

  close(): void {
    closeSync(this.#file);
  }
}
