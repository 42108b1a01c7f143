import type { Clock } from "../drives/clock.ts";
import { GraphError } from "./errors.ts";
import type { Budget } from "./options.ts";

/** Counts resource units in windows. Refused calls count, too: who does not wait stays out. */
export class Throttle {
  readonly #budget: Budget | undefined;
  readonly #clock: Clock;
  #ends = 0;
  #spent = 0;

  constructor(budget: Budget | undefined, clock: Clock) {
    this.#budget = budget;
    this.#clock = clock;
  }

  /**
   * @returns the headers that tell of the budget, from 80 percent of it on
   * @throws GraphError 429 with `Retry-After` when it is used up
   */
  spend(units: number): Record<string, string> {
    if (!this.#budget) return {};
    const { units: limit, windowSeconds } = this.#budget;
    const now = this.#clock.now();
    if (now >= this.#ends) {
      this.#ends = now + windowSeconds * 1000;
      this.#spent = 0;
    }
    this.#spent += units;
    const seconds = Math.max(1, Math.ceil((this.#ends - now) / 1000));
    const headers = {
      "ratelimit-limit": String(limit),
      "ratelimit-remaining": String(Math.max(0, limit - this.#spent)),
      "ratelimit-reset": String(seconds),
    };
    if (this.#spent > limit)
      throw new GraphError(429, "activityLimitReached", "The request has been throttled.", {
        inner: "throttledRequest",
        headers: { ...headers, "retry-after": String(seconds) },
      });
    return this.#spent >= 0.8 * limit ? headers : {};
  }
}
