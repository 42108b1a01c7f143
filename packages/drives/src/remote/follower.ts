import { closeSync, openSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { DriveError } from "../drive.ts";
import { RangeLock } from "../range-lock.ts";
import type { Mark, Mirror } from "./mirror.ts";
import type { ChangePage, Item, Vendor } from "./vendor.ts";

/** Milliseconds after which another process looks whether the one that follows has ended. */
const succession = 2000;
/** Milliseconds after which what nobody followed is not taken for the drive's state any more. */
const tooOld = 60_000;
const longestPause = 5 * 60_000;
/** How often a page is looked at anew because writes of ours came between. */
const attempts = 10;
/** Items whose state is asked for at the same time. */
const askedAtOnce = 8;

export interface FollowerOptions {
  /** Milliseconds between two questions for changes. */
  readonly pollInterval: number;
  /** Told once in the process that follows, when the first changes are in. */
  synced(): Promise<void>;
  /** Told of what the feed told, when it is in. */
  changed(items: readonly Item[], signal: AbortSignal): Promise<void>;
}

/** Keeps the mirror at what the drive holds: in one process of those with the same data folder. */
export class Follower {
  readonly #vendor: Vendor;
  readonly #mirror: Mirror;
  readonly #options: FollowerOptions;
  readonly #stop = new AbortController();
  readonly #file: number;
  readonly #lock: RangeLock;
  #running: Promise<void> = Promise.resolve();
  #error: Error | undefined;

  constructor(vendor: Vendor, mirror: Mirror, folder: string, options: FollowerOptions) {
    this.#vendor = vendor;
    this.#mirror = mirror;
    this.#options = options;
    this.#file = openSync(join(folder, "follower"), "a+", 0o600);
    this.#lock = new RangeLock(this.#file, "follower");
  }

  /** Why the last attempt to follow in this process failed; undefined when it did not. */
  get error(): Error | undefined {
    return this.#error;
  }

  /** Begins; when it settles, a mirror that is too old is not trusted any more. */
  async start(): Promise<void> {
    if (this.#lock.take()) await this.#lead();
    this.#running = this.#run().catch((error: Error) => {
      this.#error = error;
    });
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.#running;
    closeSync(this.#file);
  }

  async #lead(): Promise<void> {
    if (Date.now() - this.#mirror.feed.polled > tooOld) await this.#mirror.setFeed({ caughtUp: false });
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    while (!this.#lock.take()) if (!(await this.#pause(succession))) return;
    await this.#lead();
    for (let failures = 0, first = true; !signal.aborted; ) {
      try {
        await this.#follow(signal);
        this.#error = undefined;
        failures = 0;
        if (first) await this.#options.synced();
        first = false;
        await this.#wait(signal);
      } catch (error) {
        if (signal.aborted) return;
        this.#error = error as Error;
        const longer = Math.min(this.#options.pollInterval * 2 ** failures++, longestPause);
        const asked = error instanceof DriveError ? (error.retryAfter ?? 0) : 0;
        await this.#pause(Math.max(longer, asked));
      }
    }
  }

  async #wait(signal: AbortSignal): Promise<void> {
    const { cursor } = this.#mirror.feed;
    if (this.#vendor.wait && cursor !== undefined) await this.#vendor.wait(cursor, signal);
    else await this.#pause(this.#options.pollInterval);
  }

  /** @returns false when it is time to end */
  async #pause(milliseconds: number): Promise<boolean> {
    const { signal } = this.#stop;
    await sleep(milliseconds, undefined, { signal, ref: false }).catch(() => undefined);
    return !signal.aborted;
  }

  async #follow(signal: AbortSignal): Promise<void> {
    const started = Date.now();
    this.#mirror.refresh();
    for await (const page of this.#vendor.changes(this.#mirror.feed.cursor, signal)) {
      await this.#take(page);
      this.#mirror.refresh();
      await this.#options.changed(
        page.changes.filter((change): change is Item => !("removed" in change)),
        signal,
      );
    }
    await this.#mirror.finish(started, (id) => this.#vendor.get(id));
  }

  async #take(page: ChangePage): Promise<void> {
    const settled = new Map<string, { item: Item | undefined; mark: Mark }>();
    for (let attempt = 0; attempt < attempts; attempt++) {
      const doubtful = await this.#mirror.take(page, settled);
      if (doubtful.length === 0) return;
      const settle = async (id: string) => {
        const mark = this.#mirror.mark(id);
        settled.set(id, { item: await this.#vendor.get(id), mark });
      };
      for (let at = 0; at < doubtful.length; at += askedAtOnce)
        await Promise.all(doubtful.slice(at, at + askedAtOnce).map(settle));
    }
    throw new DriveError("Unavailable", "Items changed faster than their state could be asked for");
  }
}
