import { hash, randomBytes } from "node:crypto";
import { SqlError } from "../error.ts";
import type { Bytes } from "./client/node.ts";

/** Longer keys are kept as their SHA-256. */
const longestKey = 64;
/** A length that marks a digest, so that no short key equals one. */
const digest = longestKey + 1;
const digestLength = 32;
const chunkSize = 1 << 20;
/** Some ten million keys. */
const mostChunks = 512;

/**
 * The keys that a scan has met: their bytes one after the other, each after its length, and an open-addressed
 * table of their positions and hashes; about 30 bytes for a key of 16 bytes, a third of what a Set takes.
 */
export class Seen {
  readonly #skip: number;
  readonly #seed = randomBytes(4).readInt32LE();
  readonly #key = Buffer.allocUnsafe(512);
  readonly #chunks: Buffer[] = [];
  #used = chunkSize;
  #count = 0;
  /** Of each slot the hash and 1 + the position of the length, 0 when it is free. */
  #slots = new Int32Array(8192);

  /** `skip`: so many bytes at the beginning are the same in all keys. */
  constructor(skip: number) {
    this.#skip = skip;
  }

  /**
   * Whether the key is new; from now on it is not.
   * @throws SqlError 53400 when there are more keys than fit
   */
  add(key: Bytes): boolean {
    let start = this.#skip;
    let end: number;
    let mark: number;
    // A string of n characters has n to 3n bytes.
    if (key.length - start <= longestKey && key.length * 3 <= this.#key.length) {
      end = this.#write(key);
      mark = end - start;
    } else {
      mark = digest;
      end = 0;
    }
    if (mark > longestKey) {
      hash("sha256", key, "buffer").copy(this.#key);
      start = 0;
      end = digestLength;
      mark = digest;
    }
    return this.#insert(start, end, mark);
  }

  /** Gives the number of bytes. */
  #write(key: Bytes): number {
    if (typeof key !== "string") return key.copy(this.#key);
    for (let index = 0; index < key.length; index++) {
      const code = key.charCodeAt(index);
      if (code > 127) return this.#key.write(key);
      this.#key[index] = code;
    }
    return key.length;
  }

  #insert(start: number, end: number, mark: number): boolean {
    const hashed = this.#hash(start, end);
    const slots = this.#slots;
    const last = slots.length - 2;
    let slot = (hashed << 1) & last;
    while (slots[slot + 1] !== 0) {
      if (slots[slot] === hashed && this.#equals(slots[slot + 1]! - 1, start, end, mark)) return false;
      slot = (slot + 2) & last;
    }
    slots[slot] = hashed;
    slots[slot + 1] = this.#store(start, end, mark) + 1;
    this.#count += 1;
    if (this.#count * 10 > slots.length * 3) this.#grow();
    return true;
  }

  /** FNV-1a from a random start, its bits mixed at the end. */
  #hash(start: number, end: number): number {
    let value = this.#seed;
    for (let index = start; index < end; index++) value = Math.imul(value ^ this.#key[index]!, 0x01000193);
    value = Math.imul(value ^ (value >>> 16), 0x7feb352d);
    value = Math.imul(value ^ (value >>> 15), 0x846ca68b);
    return value ^ (value >>> 16);
  }

  #equals(position: number, start: number, end: number, mark: number): boolean {
    const chunk = this.#chunks[Math.floor(position / chunkSize)]!;
    const from = position % chunkSize;
    if (chunk[from] !== mark) return false;
    for (let index = start, other = from + 1; index < end; index++, other++) {
      if (chunk[other] !== this.#key[index]) return false;
    }
    return true;
  }

  #store(start: number, end: number, mark: number): number {
    if (this.#used + 1 + end - start > chunkSize) {
      if (this.#chunks.length === mostChunks) throw tooManyKeys(this.#count);
      this.#chunks.push(Buffer.allocUnsafeSlow(chunkSize));
      this.#used = 0;
    }
    const chunk = this.#chunks.at(-1)!;
    const from = this.#used;
    chunk[from] = mark;
    // Of a few bytes, faster than copy().
    for (let index = start, to = from + 1; index < end; index++, to++) chunk[to] = this.#key[index]!;
    this.#used += 1 + end - start;
    return (this.#chunks.length - 1) * chunkSize + from;
  }

  #grow(): void {
    const old = this.#slots;
    const slots = new Int32Array(old.length * 2);
    const last = slots.length - 2;
    for (let from = 0; from < old.length; from += 2) {
      if (old[from + 1] === 0) continue;
      let slot = (old[from]! << 1) & last;
      while (slots[slot + 1] !== 0) slot = (slot + 2) & last;
      slots[slot] = old[from]!;
      slots[slot + 1] = old[from + 1]!;
    }
    this.#slots = slots;
  }
}

function tooManyKeys(count: number): SqlError {
  return new SqlError("53400", `A scan has met more than ${count} keys, too many to tell which ones repeat`, {
    hint: "Narrow the table's key_prefix, or ask for a part of the keys with LIKE 'beginning%'.",
  });
}
