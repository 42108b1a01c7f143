import { ApiError } from "./errors.ts";

export interface Budget {
  /** Requests in each window. */
  readonly limit: number;
  readonly windowSeconds: number;
}

/** Counts requests to the Management API in windows of whole seconds. */
export class Rate {
  readonly #budget: Budget;
  #reset = 0;
  #left = 0;

  constructor(budget: Budget) {
    this.#budget = budget;
  }

  /**
   * Spends one request. @returns the headers that every answer carries
   * @throws ApiError 429 with `Retry-After` when the window's budget is used up
   */
  spend(): Record<string, string> {
    const now = Date.now() / 1000;
    if (now >= this.#reset) {
      this.#reset = Math.floor(now) + this.#budget.windowSeconds;
      this.#left = this.#budget.limit;
    }
    const refused = this.#left <= 0;
    if (!refused) this.#left -= 1;
    const headers = {
      "x-ratelimit-limit": String(this.#budget.limit),
      "x-ratelimit-remaining": String(this.#left),
      "x-ratelimit-reset": String(this.#reset),
    };
    if (refused)
      throw new ApiError(429, "Global limit has been reached", "too_many_requests", {
        ...headers,
        "retry-after": String(Math.max(1, Math.ceil(this.#reset - now))),
      });
    return headers;
  }
}
