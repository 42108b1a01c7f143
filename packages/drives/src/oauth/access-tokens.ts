import { setTimeout as sleep } from "node:timers/promises";
import { DriveError } from "../drive.ts";
import type { AccessTokens } from "../remote/tokens.ts";
import { SignInEnded } from "./client.ts";
import type { Token } from "./token.ts";
import type { TokenStore } from "./token-store.ts";

/** Gets a new token in the place of this one. @throws SignInEnded, DriveError */
export type Renew = (token: Token) => Promise<Token>;

export interface RenewedTokensOptions {
  /** For people: the remote, such as `onedrive:`. */
  readonly remote: string;
  readonly store: TokenStore;
  readonly renew: Renew;
  /** What to do when signing in anew is needed. */
  readonly advice: string;
  /** Milliseconds since an arbitrary time, that only go forward; `performance.now` where not given. */
  readonly elapsed?: () => number;
}

/** Milliseconds before its end from which a token is renewed while it still serves. */
const earliest = 60_000;
/** Milliseconds that a token which another process got must have left. */
const leastLeft = 10_000;
/** Milliseconds for which a sign-in that has ended is not tried again. */
const endedPause = 5000;
const attempts = 3;
const firstPause = 500;

interface Held {
  readonly token: Token;
  /** By the elapsed time, so that a clock that is set does no harm. */
  readonly renewAt: number;
  readonly ends: number;
}

/**
 * Access tokens that are renewed once for all requests of this process, and of all processes that share the store.
 * What another one renewed, rclone for instance, is taken up. A new token is kept before it is used.
 */
export class RenewedTokens implements AccessTokens {
  readonly #options: RenewedTokensOptions;
  readonly #elapsed: () => number;
  #held: Held | undefined;
  #refused: string | undefined;
  #renewal: Promise<string> | undefined;
  #failed: { readonly error: Error; readonly until: number } | undefined;

  constructor(options: RenewedTokensOptions) {
    this.#options = options;
    this.#elapsed = options.elapsed ?? (() => performance.now());
  }

  async get(): Promise<string> {
    const held = this.#held;
    const now = this.#elapsed();
    if (!held || held.token.accessToken === this.#refused || held.ends <= now) return this.#renewed();
    // The old one serves until the new one is there, or if it does not come.
    if (held.renewAt <= now) this.#renewed().catch(() => {});
    return held.token.accessToken;
  }

  refused(token: string): void {
    this.#refused = token;
  }

  /** One renewal at a time, for all who wait. */
  #renewed(): Promise<string> {
    if (this.#failed && this.#elapsed() < this.#failed.until) return Promise.reject(this.#failed.error);
    this.#renewal ??= this.#renew()
      .catch((error: Error) => {
        if (error instanceof DriveError && error.code === "Unauthenticated")
          this.#failed = { error, until: this.#elapsed() + endedPause };
        throw error;
      })
      .finally(() => {
        this.#renewal = undefined;
      });
    return this.#renewal;
  }

  async #renew(): Promise<string> {
    const { remote, store } = this.#options;
    try {
      const kept = await store.read();
      if (kept && this.#serves(kept)) return this.#hold(kept);
      return await this.#renewAlone();
    } catch (error) {
      if (error instanceof DriveError) throw error;
      const reason = `cannot be read and kept in ${store.description}: ${(error as Error).message}`;
      throw new DriveError("Unauthenticated", `the sign-in of ${remote} ${reason}`, { cause: error });
    }
  }

  async #renewAlone(): Promise<string> {
    const { store } = this.#options;
    let token: Token | undefined;
    await store.update(async () => {
      const kept = await store.read();
      if (kept && this.#serves(kept)) {
        token = kept;
        return undefined;
      }
      token = await this.#obtain(kept);
      // What was kept by the renewal itself is not written again.
      return (await store.read())?.accessToken === token.accessToken ? undefined : token;
    });
    return this.#hold(token!);
  }

  /** Whether a token that was found in the store is another one than is held, or one that still has some time. */
  #serves(token: Token): boolean {
    if (token.accessToken === "" || token.accessToken === this.#refused) return false;
    const { token: held, renewAt } = this.#held ?? {};
    if (token.accessToken === held?.accessToken) return this.#elapsed() < renewAt!;
    return token.expires === undefined || token.expires - Date.now() > leastLeft;
  }

  #hold(token: Token): string {
    const now = this.#elapsed();
    const left = token.expires === undefined ? Number.POSITIVE_INFINITY : token.expires - Date.now();
    this.#held = { token, renewAt: now + left - Math.min(earliest, left / 2), ends: now + left };
    this.#failed = undefined;
    return token.accessToken;
  }

  /** Asks for a new token, again where that may help. */
  async #obtain(before: Token | undefined): Promise<Token> {
    const { remote, store, advice, renew } = this.#options;
    let token = before ?? { accessToken: "" };
    for (let attempt = 1; ; attempt++) {
      try {
        return await renew(token);
      } catch (error) {
        if (error instanceof SignInEnded) {
          // Another program that knows no lock may have used the refresh token, and kept the new one.
          const kept = await store.read();
          if (kept && kept.refreshToken !== token.refreshToken) {
            if (this.#serves(kept)) return kept;
            token = kept;
            if (attempt < attempts) continue;
          }
          const reason = error.message ? ` (${error.message})` : "";
          throw new DriveError("Unauthenticated", `the sign-in of ${remote} has ended${reason}: ${advice}`);
        }
        const passing = error instanceof DriveError && error.code === "Unavailable";
        if (!passing || attempt === attempts) throw error;
        await sleep(firstPause * 2 ** (attempt - 1) * (0.5 + Math.random()));
      }
    }
  }
}
