import { hash } from "node:crypto";
import { readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { bootId, hasEnded, processName } from "@overcoat/drives";
import { open, type RootDatabase } from "lmdb";
import { ObjectsError } from "./errors.ts";

interface Holder {
  /** The holder's `processName`. */
  process: string;
  /** Milliseconds since 1970 after which others may take the lock over. */
  until: number;
}

/** Milliseconds; counts only for holders of which nobody can see whether they still run. */
const lease = 30_000;
const renewEvery = 10_000;
const longestWait = 60_000;
/** LMDB's keys are short. */
const longestName = 400;
/** Milliseconds after which the locks of an earlier boot are removed. */
const keptFiles = 24 * 3600 * 1000;

/** Locks by name that all processes with the same data directory see; the lock of a dead process is free. */
export class Locks {
  readonly #store: RootDatabase<Holder, string>;
  readonly #queues = new Map<string, Promise<unknown>>();
  readonly #held = new Set<string>();
  readonly #renewal: NodeJS.Timeout;

  constructor(data: string) {
    // One file for each boot: it is never synced, so a power loss may leave one that cannot be read.
    const file = `locks-${bootId ?? "0"}.mdb`;
    removeEarlier(data, file);
    this.#store = open({ path: join(data, file), noSync: true });
    this.#renewal = setInterval(() => this.#renew(), renewEvery).unref();
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
    const key = name.length > longestName ? hash("sha256", name, "hex") : name;
    const deadline = Date.now() + longestWait;
    while (!this.#take(key)) {
      if (Date.now() > deadline)
        throw new ObjectsError("ConditionalRequestConflict", "Another write of this key is taking too long.");
      await sleep(2);
    }
    this.#held.add(key);
    try {
      return await work();
    } finally {
      this.#held.delete(key);
      this.#release(key);
    }
  }

  #take(key: string): boolean {
    return this.#store.transactionSync(() => {
      const holder = this.#store.get(key);
      if (holder && holder.until > Date.now() && hasEnded(holder.process) !== true) return false;
      this.#put(key);
      return true;
    });
  }

  #put(key: string): void {
    this.#store.putSync(key, { process: processName, until: Date.now() + lease });
  }

  #release(key: string): void {
    this.#store.transactionSync(() => {
      if (this.#store.get(key)?.process === processName) this.#store.removeSync(key);
    });
  }

  #renew(): void {
    if (this.#held.size === 0) return;
    this.#store.transactionSync(() => {
      for (const key of this.#held) if (this.#store.get(key)?.process === processName) this.#put(key);
    });
  }

  close(): Promise<void> {
    clearInterval(this.#renewal);
    return this.#store.close();
  }
}

function removeEarlier(data: string, current: string): void {
  for (const name of readdirSync(data)) {
    if (!/^locks(-.*)?\.mdb(-lock)?$/.test(name) || name === current || name === `${current}-lock`) continue;
    const path = join(data, name);
    const stats = statSync(path, { throwIfNoEntry: false });
    if (stats && Date.now() - stats.mtimeMs > keptFiles) rmSync(path, { force: true });
  }
}
