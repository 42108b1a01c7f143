import type { Clock } from "../drives/clock.ts";
import { rateLimited } from "./errors.ts";
import type { Budget } from "./options.ts";

/** Counts quota units in windows. Google does not say when a refused call may be made again. */
export class Quota {
  readonly #budget: Budget | undefined;
  readonly #clock: Clock;
  #ends = 0;
  #inWindow = 0;
  /** All that was spent. */
  spent = 0;

  constructor(budget: Budget | undefined, clock: Clock) {
    this.#budget = budget;
    this.#clock = clock;
  }

  /** @throws DriveApiError 403 or 429 when the window's units are used up */
  spend(units: number): void {
    this.spent += units;
    if (!this.#budget) return;
    const now = this.#clock.now();
    if (now >= this.#ends) {
      this.#ends = now + this.#budget.windowSeconds * 1000;
      this.#inWindow = 0;
    }
    this.#inWindow += units;
    if (this.#inWindow > this.#budget.units) throw rateLimited(this.#budget.status ?? 403);
  }
}
