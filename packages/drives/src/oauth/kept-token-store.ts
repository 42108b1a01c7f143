import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { withLockedFile } from "../locked-file.ts";
import { formatToken, parseToken, type Token } from "./token.ts";
import type { TokenStore } from "./token-store.ts";

/** What the file holds: a token in rclone's format, and the digest of the one that it began with. */
interface Kept {
  readonly given: string;
  readonly token: string;
}

/**
 * Keeps what became of a token that was given where it cannot be written back: in the environment, in
 * overcoat.config.ts, in a file that is read-only. It is void when another one is given.
 */
export class KeptTokenStore implements TokenStore {
  readonly description: string;
  readonly #given: Token;
  readonly #digest: string;

  constructor(file: string, given: Token) {
    this.description = file;
    this.#given = given;
    this.#digest = createHash("sha256")
      .update(given.refreshToken ?? given.accessToken)
      .digest("hex");
  }

  async read(): Promise<Token> {
    const text = await readFile(this.description, "utf8").catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return "";
      throw error;
    });
    return this.#parse(text) ?? this.#given;
  }

  async update(renew: () => Promise<Token | undefined>): Promise<void> {
    await withLockedFile(this.description, async (file) => {
      const token = await renew();
      if (!token) return;
      const kept: Kept = { given: this.#digest, token: formatToken(token) };
      await file.replace(`${JSON.stringify(kept)}\n`);
    });
  }

  #parse(text: string): Token | undefined {
    if (text === "") return undefined;
    const kept = JSON.parse(text) as Kept;
    return kept.given === this.#digest ? parseToken(kept.token) : undefined;
  }
}
