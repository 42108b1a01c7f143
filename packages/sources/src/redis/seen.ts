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
  /** Characters and bytes that are the same in all keys and need not be kept. */
  readonly #skip: number;
  readonly #seed = randomBytes(4).readInt32LE();
  readonly #chunks: Uint8Array[] = [];
  /** The last chunk and how much of it is used: a key is written behind that, and stays there if it is new. */
  #chunk = new Uint8Array(0);
  #used = 0;
  #count = 0;
  /** Of each slot the hash and 1 + the position of the length, 0 when it is free. */
  #slots = new Int32Array(8192);

  /** `prefix`: what all keys begin with. */
  constructor(prefix = "") {
    this.#skip = /^[\0-\x7f]*/.exec(prefix)![0].length;
  }

  /**
   * Whether the key is new; from now on it is not.
   * @throws SqlError 53400 when there are more keys than fit
   */
  add(key: Bytes): boolean {
    if (this.#used + 1 + longestKey > this.#chunk.length) this.#addChunk();
    const mark = typeof key === "string" ? this.#writeText(key) : this.#writeBytes(key);
    const length = mark === digest ? digestLength : mark;
    const start = this.#used + 1;
    const hashed = this.#hash(start, start + length);
    const slots = this.#slots;
    const last = slots.length - 2;
    let slot = (hashed << 1) & last;
    while (slots[slot + 1] !== 0) {
      if (slots[slot] === hashed && this.#equals(slots[slot + 1]! - 1, mark, length)) return false;
      slot = (slot + 2) & last;
    }
    slots[slot] = hashed;
    slots[slot + 1] = (this.#chunks.length - 1) * chunkSize + this.#used + 1;
    this.#chunk[this.#used] = mark;
    this.#used += 1 + length;
    this.#count += 1;
    if (this.#count * 10 > slots.length * 3) this.#grow();
    return true;
  }

  /** Writes the key and gives its length, or `digest`. */
  #writeText(key: string): number {
    const length = key.length - this.#skip;
    if (length > longestKey) return this.#writeBytes(Buffer.from(key));
    const chunk = this.#chunk;
    for (let from = this.#skip, to = this.#used + 1; from < key.length; from++, to++) {
      const code = key.charCodeAt(from);
      if (code > 127) return this.#writeBytes(Buffer.from(key));
      chunk[to] = code;
    }
    return length;
  }

  #writeBytes(key: Buffer): number {
    const rest = key.subarray(this.#skip);
    const isLong = rest.length > longestKey;
    this.#chunk.set(isLong ? hash("sha256", rest, "buffer") : rest, this.#used + 1);
    return isLong ? digest : rest.length;
  }

  /** FNV-1a from a random start, its bits mixed at the end. */
  #hash(start: number, end: number): number {
    const chunk = this.#chunk;
    let value = this.#seed;
    for (let index = start; index < end; index++) value = Math.imul(value ^ chunk[index]!, 0x01000193);
    value = Math.imul(value ^ (value >>> 16), 0x7feb352d);
    value = Math.imul(value ^ (value >>> 15), 0x846ca68b);
    return value ^ (value >>> 16);
  }

  /** Whether the key at the position is the one that was written last. */
  #equals(position: number, mark: number, length: number): boolean {
    const chunk = this.#chunks[Math.floor(position / chunkSize)]!;
    const from = position % chunkSize;
    if (chunk[from] !== mark) return false;
    for (let index = 1; index <= length; index++) {
      if (chunk[from + index] !== this.#chunk[this.#used + index]) return false;
    }
    return true;
  }

  #addChunk(): void {
    if (this.#chunks.length === mostChunks) throw tooManyKeys(this.#count);
    this.#chunk = new Uint8Array(chunkSize);
    this.#used = 0;
    this.#chunks.push(this.#chunk);
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
