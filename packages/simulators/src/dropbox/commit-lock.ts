import { setTimeout as sleep } from "node:timers/promises";
import { RouteError, rateLimited, type Tagged } from "./errors.ts";

/** Lets one call at a time commit into each namespace. Who comes meanwhile is refused. */
export class CommitLock {
  readonly #milliseconds: number;
  readonly #refusal: 409 | 429;
  readonly #held = new Set<string>();

  constructor(milliseconds = 0, refusal: 409 | 429 = 429) {
    this.#milliseconds = milliseconds;
    this.#refusal = refusal;
  }

  /** For a call with any number of commits: each namespace is held from the first one into it to the end. */
  begin(): Commits {
    const own = new Set<string>();
    const run = async <T>(namespace: string, refused: Tagged, commit: () => Promise<T> | T): Promise<T> => {
      if (!own.has(namespace)) {
        if (this.#held.has(namespace))
          throw this.#refusal === 409 ? new RouteError(refused) : rateLimited("too_many_write_operations");
        this.#held.add(namespace);
        own.add(namespace);
        if (this.#milliseconds > 0) await sleep(this.#milliseconds);
      }
      return commit();
    };
    const end = () => {
      for (const namespace of own) this.#held.delete(namespace);
    };
    return { run, [Symbol.dispose]: end };
  }
}

export interface Commits extends Disposable {
  /**
   * @param refused what a refusal is as an error of the route
   * @throws ApiError 409 or 429
   */
  run<T>(namespace: string, refused: Tagged, commit: () => Promise<T> | T): Promise<T>;
}
