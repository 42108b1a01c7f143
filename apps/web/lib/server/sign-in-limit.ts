import { RateLimiterMemory, RateLimiterRes } from "rate-limiter-flexible";

/** Attempts for all clients together, since any client's address can be made up: a password is not for guessing. */
const limiter = new RateLimiterMemory({ points: 10, duration: 60 });

/** Counts an attempt. @returns seconds to wait when there were too many, else undefined */
export async function countAttempt(): Promise<number | undefined> {
  try {
    await limiter.consume("sign-in");
  } catch (error) {
    if (!(error instanceof RateLimiterRes)) throw error;
    return Math.ceil(error.msBeforeNext / 1000);
  }
}
