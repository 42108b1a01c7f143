import type { Hasher } from "../drives/content.ts";

const bits = 160;
const shift = 11;

/**
 * Microsoft's quickXorHash: byte `i`, turned left by `11 i` bits within 160, is XORed in, and the length at
 * the end into the last eight bytes. Bytes that stand 160 apart are turned alike, so they are XORed first.
 */
export class QuickXorHash implements Hasher {
  #columns = new Uint8Array(bits);
  #length = 0;

  update(bytes: Uint8Array): void {
    const columns = this.#columns;
    let column = this.#length % bits;
    for (let index = 0; index < bytes.length; ) {
      const end = Math.min(bytes.length, index + bits - column);
      while (index < end) {
        columns[column]! ^= bytes[index]!;
        column += 1;
        index += 1;
      }
      column = 0;
    }
    this.#length += bytes.length;
  }

  copy(): QuickXorHash {
    const copy = new QuickXorHash();
    copy.#columns = this.#columns.slice();
    copy.#length = this.#length;
    return copy;
  }

  /** 20 bytes in base64. */
  digest(): string {
    const sum = Buffer.alloc(bits / 8);
    for (let column = 0; column < bits; column += 1)
      for (let bit = 0; bit < 8; bit += 1)
        if ((this.#columns[column]! >> bit) & 1) {
          const place = (column * shift + bit) % bits;
          sum[place >> 3]! ^= 1 << (place & 7);
        }
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(this.#length));
    for (let index = 0; index < 8; index += 1) sum[12 + index]! ^= length[index]!;
    return sum.toString("base64");
  }
}
