import { hash } from "node:crypto";
import { readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { bootId, hasEnded, temporaryName } from "@overcoat/drives";
import { open, type RootDatabase } from "lmdb";
import { full } from "./drive-errors.ts";
import { ObjectsError } from "./errors.ts";

interface Holder {
  /** The name of the `Locks` that hold it, which begins with that of their process. */
  name: string;
  /** Milliseconds since 1970 after which others may take the lock over. */
  until: number;
}

/** Milliseconds; counts only for holders of which nobody can see whether they still run. */
const lease = 30_000;
const renewEvery = 10_000;
const longestWait = 60_000;
/** LMDB's keys are short. */
const longestName = 400;
/** Bytes of the file that are made use of again and again. */
const reserved = 400_000;
/** ENOSPC, which LMDB gives as a number. */
const noSpace = 28;
/** Milliseconds after which the locks of an earlier boot are removed. */
const keptFiles = 24 * 3600 * 1000;

/** Locks by name that all processes with the same data directory see; the lock of a dead process is free. */
export class Locks {
  readonly #name = temporaryName();
  readonly #store: RootDatabase<Holder, string>;
  readonly #queues = new Map<string, Promise<unknown>>();
  readonly #held = new Set<string>();
  readonly #renewal: NodeJS.Timeout;

  constructor(data: string) {
    // One file for each boot: it is never synced, so a power loss may leave one that cannot be read.
    const file = `locks-${bootId ?? "0"}.mdb`;
    removeEarlier(data, file);
    this.#store = open({ path: join(data, file), noSync: true });
    this.#reserve(join(data, file));
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

  /** Leaves pages behind that are used again, so that locks need no more room on a disk that has none. */
  #reserve(path: string): void {
    if (statSync(path).size >= reserved) return;
    const keys = Array.from({ length: reserved / 400 }, (_, i) => `\0${i}`);
    this.#unlessFull(() => {
      for (const key of keys) this.#store.putSync(key, { name: "".padEnd(300), until: 0 });
    });
    this.#unlessFull(() => {
      for (const key of keys) this.#store.removeSync(key);
    });
    // The pages are free for others only some changes later.
    for (let i = 0; i < 4; i++) this.#unlessFull(() => this.#put("\0"));
  }

  #take(key: string): boolean {
    return this.#change(() => {
      const holder = this.#store.get(key);
      if (holder && this.#isHeld(key, holder)) return false;
      this.#put(key);
      return true;
    });
  }

  #isHeld(key: string, { name, until }: Holder): boolean {
    if (name === this.#name) return this.#held.has(key);
    return until > Date.now() && hasEnded(name.split("-", 1)[0]!) !== true;
  }

  #put(key: string): void {
    this.#store.putSync(key, { name: this.#name, until: Date.now() + lease });
  }

  #isMine(key: string): boolean {
    return this.#store.get(key)?.name === this.#name;
  }

  #release(key: string): void {
    this.#unlessFull(() => {
      if (this.#isMine(key)) this.#store.removeSync(key);
    });
  }

  #renew(): void {
    if (this.#held.size === 0) return;
    this.#unlessFull(() => {
      for (const key of this.#held) if (this.#isMine(key)) this.#put(key);
    });
  }

  /** @throws ObjectsError XMinioStorageFull */
  #change<T>(work: () => T): T {
    try {
      return this.#store.transactionSync(work);
    } catch (error) {
      throw (error as { code?: unknown }).code === noSpace ? full() : error;
    }
  }

  /** A change that can be left out on a full disk: a lease ends by itself. */
  #unlessFull(work: () => void): void {
    try {
      this.#change(work);
    } catch (error) {
      if (!(error instanceof ObjectsError)) throw error;
    }
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
