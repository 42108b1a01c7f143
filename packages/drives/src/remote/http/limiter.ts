import { DriveError } from "../../drive.ts";
import type { Clock } from "./clock.ts";

/** How many calls may be under way at once. */
export interface Concurrency {
  readonly first: number;
  readonly most: number;
}

const longestQueue = 10_000;

/**
 * One for each drive: how many calls are under way, and until when none may be. The number grows by one with each
 * round of calls that went well, and is halved by each pause.
 */
export class Limiter {
  readonly #name: string;
  readonly #clock: Clock;
  readonly #most: number;
  #limit: number;
  #active = 0;
  #well = 0;
  #pausedUntil = 0;
  #waiting = new Set<() => void>();
  #waking = false;

  constructor(name: string, clock: Clock, { first, most }: Concurrency) {
    this.#name = name;
    this.#clock = clock;
    this.#limit = first;
    this.#most = most;
  }

  /** Calls that may be under way at once now. */
  get limit(): number {
    return Math.floor(this.#limit);
  }

  /** Milliseconds for which no call may begin. */
  get pausedFor(): number {
    return Math.max(0, this.#pausedUntil - this.#clock.now());
  }

  /**
   * Takes a place, which `release` gives back.
   * @param patience milliseconds to wait at most
   * @throws DriveError `Throttled` where a pause is longer than that, or too many calls wait
   */
  async take(patience: number, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    if (this.pausedFor > patience || this.#waiting.size >= longestQueue) throw this.#refusal();
    if (this.#waiting.size === 0 && this.pausedFor === 0 && this.#active < this.limit) {
      this.#active += 1;
      return;
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const stop = new AbortController();
    const leave = (reason: unknown) => {
      this.#waiting.delete(resolve);
      reject(reason);
    };
    const aborted = () => leave(signal!.reason);
    this.#waiting.add(resolve);
    signal?.addEventListener("abort", aborted, { once: true });
    this.#clock.sleep(patience, stop.signal).then(
      () => leave(this.#refusal()),
      () => {},
    );
    this.#wake();
    try {
      await promise;
    } finally {
      signal?.removeEventListener("abort", aborted);
      stop.abort();
    }
  }

  release(): void {
    this.#active -= 1;
    this.#next();
  }

  /** A call went well. */
  succeeded(): void {
    this.#well += 1;
    if (this.#well < this.#limit) return;
    this.#well = 0;
    this.#limit = Math.min(this.#most, this.#limit + 1);
  }

  /**
   * Lets no call begin for so many milliseconds. Several refusals of one moment count as one.
   * @returns by how many milliseconds that is longer than it was
   */
  pause(milliseconds: number): number {
    if (this.pausedFor === 0) this.#limit = Math.max(1, this.#limit / 2);
    this.#well = 0;
    const before = this.pausedFor;
    this.#pausedUntil = Math.max(this.#pausedUntil, this.#clock.now() + milliseconds);
    return this.pausedFor - before;
  }

  #next(): void {
    this.#wake();
    if (this.pausedFor > 0) return;
    for (const resolve of this.#waiting) {
      if (this.#active >= this.limit) return;
      this.#waiting.delete(resolve);
      this.#active += 1;
      resolve();
    }
  }

  /** Goes on when the pause is over. */
  #wake(): void {
    if (this.#waking || this.#waiting.size === 0 || this.pausedFor === 0) return;
    this.#waking = true;
    this.#clock.sleep(this.pausedFor).then(() => {
      this.#waking = false;
      this.#next();
    });
  }

  #refusal(): DriveError {
    return new DriveError("Throttled", `${this.#name} asks for fewer calls: try again later.`, {
      retryAfter: this.pausedFor,
    });
  }
}
