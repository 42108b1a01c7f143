import { createHash, type Hash } from "node:crypto";
import type { Hasher } from "./content.ts";

/** A hash that Node has, in hexadecimal digits. */
export class NodeHash implements Hasher {
  readonly #hash: Hash;

  constructor(hash: "md5" | "sha1" | "sha256" | Hash) {
    this.#hash = typeof hash === "string" ? createHash(hash) : hash;
  }

  update(bytes: Uint8Array): void {
    this.#hash.update(bytes);
  }

  copy(): NodeHash {
    return new NodeHash(this.#hash.copy());
  }

  digest(): string {
    return this.#hash.digest("hex");
  }
}
