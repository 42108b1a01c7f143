import { createHash, type Hash } from "node:crypto";
import type { Hasher } from "../drives/content.ts";

/** Bytes of a block. */
const blockSize = 4 * 1024 * 1024;

/** Dropbox's content_hash: SHA-256 of the SHA-256s of blocks of 4 MiB, in hexadecimal digits. */
export class ContentHash implements Hasher {
  #all: Hash;
  #block: Hash;
  /** Bytes in the block so far. */
  #filled: number;

  constructor(all = createHash("sha256"), block = createHash("sha256"), filled = 0) {
    this.#all = all;
    this.#block = block;
    this.#filled = filled;
  }

  update(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) {
      const taken = bytes.subarray(at, at + blockSize - this.#filled);
      this.#block.update(taken);
      at += taken.length;
      this.#filled += taken.length;
      if (this.#filled === blockSize) this.#endBlock();
    }
  }

  copy(): ContentHash {
    return new ContentHash(this.#all.copy(), this.#block.copy(), this.#filled);
  }

  digest(): string {
    if (this.#filled > 0) this.#endBlock();
    return this.#all.digest("hex");
  }

  #endBlock(): void {
    this.#all.update(this.#block.digest());
    this.#block = createHash("sha256");
    this.#filled = 0;
  }
}
