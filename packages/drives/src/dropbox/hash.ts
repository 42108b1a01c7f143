import { createHash } from "node:crypto";
import type { Body, ContentHash } from "../remote/vendor.ts";

const blockSize = 4 * 1024 * 1024;

/** content_hash (Dropbox, "Content hash"): the SHA-256 of the SHA-256 of each block of 4 MiB. */
export class BlockHash implements ContentHash {
  readonly #whole = createHash("sha256");
  #block = createHash("sha256");
  #room = blockSize;

  update(chunk: Uint8Array): void {
    let rest = chunk;
    while (rest.length >= this.#room) {
      this.#whole.update(this.#block.update(rest.subarray(0, this.#room)).digest());
      rest = rest.subarray(this.#room);
      this.#block = createHash("sha256");
      this.#room = blockSize;
    }
    this.#block.update(rest);
    this.#room -= rest.length;
  }

  /** 64 hexadecimal digits. */
  digest(): string {
    if (this.#room < blockSize) this.#whole.update(this.#block.digest());
    return this.#whole.digest("hex");
  }
}

export async function hashOf(body: Body): Promise<string> {
  const hash = new BlockHash();
  for await (const chunk of body.read(0, body.size)) hash.update(chunk);
  return hash.digest();
}
