import { createHash } from "node:crypto";
import type { ContentHash } from "../remote/vendor.ts";

/** MD5 in hexadecimal digits, which Google Drive tells of each file. */
export class Md5 implements ContentHash {
  readonly #hash = createHash("md5");

  update(chunk: Uint8Array): void {
    this.#hash.update(chunk);
  }

  digest(): string {
    return this.#hash.digest("hex");
  }
}
