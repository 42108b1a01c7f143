import type { Token } from "./token.ts";

/** Where a sign-in is kept, for all processes that use it. */
export interface TokenStore {
  /** For people: the file. */
  readonly description: string;
  /** As it is kept now. */
  read(): Promise<Token | undefined>;
  /**
   * Runs `renew` while no other process of ours renews it. What it gives is kept before this settles; nothing changes
   * where it gives undefined.
   */
  update(renew: () => Promise<Token | undefined>): Promise<void>;
}

/** Keeps it in this process only, which is right for one that can be had anew at any time. */
export class MemoryTokenStore implements TokenStore {
  readonly description = "memory";
  #token: Token | undefined;

  async read(): Promise<Token | undefined> {
    return this.#token;
  }

  async update(renew: () => Promise<Token | undefined>): Promise<void> {
    this.#token = (await renew()) ?? this.#token;
  }
}
