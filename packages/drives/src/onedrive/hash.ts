import type { ContentHash } from "../remote/vendor.ts";

const bits = 160;
const shift = 11;
/** A byte is turned by 11 bits more than the one before it: after 160 bytes all begins anew. */
const period = bits;

/** The hash of no bytes. */
export const emptyHash = Buffer.alloc(20).toString("base64");

/**
 * quickXorHash (Microsoft, "QuickXorHash Algorithm", in the form of its C# sample): each byte, turned left within
 * 160 bits by 11 times its place, and then the length, are combined by exclusive or. Bytes that are turned alike
 * are combined first, four at a time, and turned only at the end.
 */
export class QuickXorHash implements ContentHash {
  readonly #cells = Buffer.alloc(period);
  readonly #words = new Int32Array(this.#cells.buffer, this.#cells.byteOffset, period / 4);
  #length = 0;

  update(chunk: Uint8Array): void {
    const { length } = chunk;
    const view = new DataView(chunk.buffer, chunk.byteOffset, length);
    const cells = this.#cells;
    const words = this.#words;
    let cell = this.#length % period;
    let at = 0;
    for (; at < length && cell % 4 !== 0; at += 1) {
      cells[cell]! ^= chunk[at]!;
      cell = (cell + 1) % period;
    }
    let word = cell / 4;
    for (const last = length - 3; at < last; at += 4) {
      words[word]! ^= view.getInt32(at, true);
      word = word === period / 4 - 1 ? 0 : word + 1;
    }
    for (cell = word * 4; at < length; at += 1) {
      cells[cell]! ^= chunk[at]!;
      cell += 1;
    }
    this.#length += length;
  }

  /** Base64 of 20 bytes. */
  digest(): string {
    const hash = Buffer.alloc(bits / 8);
    for (const [place, byte] of this.#cells.entries()) {
      const turned = (place * shift) % bits;
      const low = turned >> 3;
      const wide = byte << (turned & 7);
      hash[low]! ^= wide & 0xff;
      hash[(low + 1) % hash.length]! ^= wide >> 8;
    }
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(this.#length));
    for (const [index, byte] of length.entries()) hash[12 + index]! ^= byte;
    return hash.toString("base64");
  }
}
