import { closeSync, openSync, readSync, unlinkSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { deserialize, serialize } from "node:v8";
import { SqlError } from "@overcoat/sources";

/** The memory that all transactions of a server share before they write to disk. */
export class SpillSpace {
  readonly directory: string;
  readonly #memory: number;
  #used = 0;

  /** @param memory Bytes. */
  constructor(directory = tmpdir(), memory = 64 * 1024 * 1024) {
    this.directory = directory;
    this.#memory = memory;
  }

  /** Whether so many bytes more fit; they then count as used. */
  take(bytes: number): boolean {
    if (this.#used + bytes > this.#memory) return false;
    this.#used += bytes;
    return true;
  }

  release(bytes: number): void {
    this.#used -= bytes;
  }
}

/** Values that lie in memory, or together in the file. */
interface Chunk<T> {
  readonly start: number;
  count: number;
  bytes: number;
  /** Whether `bytes` are counted in the space. */
  counted: boolean;
  values: T[] | undefined;
  place: { readonly offset: number; readonly length: number } | undefined;
}

const chunkValues = 512;
const chunkBytes = 256 * 1024;

/**
 * A list that is appended to, read at any place and cut off at the end. What does not fit into the space's memory
 * goes, in chunks, to a file that has no name and ends with the list. The file is written and read synchronously:
 * what was written a moment ago lies in the system's memory.
 */
export class SpillingList<T> {
  readonly #space: SpillSpace;
  readonly #limit: number;
  readonly #chunks: Chunk<T>[] = [];
  readonly #read: Chunk<T>[] = [];
  #file: number | undefined;
  #end = 0;
  #length = 0;
  #bytes = 0;

  /** @param limit Bytes, in memory and on disk, that the list may take. */
  constructor(space: SpillSpace, limit: number) {
    this.#space = space;
    this.#limit = limit;
  }

  get length(): number {
    return this.#length;
  }

  /**
   * @param bytes About as many as the value takes.
   * @throws SqlError 53400 when the list is as large as it may be, 53100 when the disk is full
   */
  push(value: T, bytes: number): void {
    if (this.#bytes + bytes > this.#limit)
      throw new SqlError("53400", `a transaction cannot hold more than ${this.#limit} bytes`, {
        hint: "Change fewer rows in a transaction, or raise sql.maxTransactionBytes of the SQL server's configuration.",
      });
    let last = this.#chunks.at(-1);
    if (!last?.values || last.place || last.count >= chunkValues || last.bytes >= chunkBytes) {
      if (last && !last.counted && !last.place) this.#settle(last);
      last = { start: this.#length, count: 0, bytes: 0, counted: false, values: [], place: undefined };
      this.#chunks.push(last);
    }
    last.values!.push(value);
    last.count++;
    last.bytes += bytes;
    this.#bytes += bytes;
    this.#length++;
  }

  get(index: number): T {
    const chunk = this.#chunkOf(index);
    return this.#valuesOf(chunk)[index - chunk.start]!;
  }

  /** Drops what stands at `length` and after it. */
  truncate(length: number): void {
    while (this.#chunks.length > 0) {
      const chunk = this.#chunks.at(-1)!;
      if (chunk.start + chunk.count <= length) break;
      this.#chunks.pop();
      this.#forget(chunk);
      if (chunk.start < length) {
        const values = this.#valuesOf(chunk).slice(0, length - chunk.start);
        const bytes = Math.ceil((chunk.bytes * values.length) / chunk.count);
        const kept = {
          start: chunk.start,
          count: values.length,
          bytes,
          counted: false,
          values,
          place: undefined,
        };
        this.#chunks.push(kept);
        this.#bytes += bytes;
      }
      this.#bytes -= chunk.bytes;
    }
    this.#length = Math.min(this.#length, length);
  }

  /** Gives memory and file back; the list is empty after it. */
  clear(): void {
    this.truncate(0);
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
    this.#end = 0;
  }

  /** A full chunk stays in memory while there is room, else it goes to the file. */
  #settle(chunk: Chunk<T>): void {
    chunk.counted = this.#space.take(chunk.bytes);
    if (chunk.counted) return;
    try {
      this.#file ??= openUnnamed(this.#space.directory);
      const bytes = serialize(chunk.values);
      for (let written = 0; written < bytes.length; )
        written += writeSync(this.#file, bytes, written, bytes.length - written, this.#end + written);
      chunk.place = { offset: this.#end, length: bytes.length };
      this.#end += bytes.length;
      chunk.values = undefined;
    } catch (error) {
      throw new SqlError("53100", "the transaction's rows could not be written to disk", {
        detail: (error as Error).message,
        cause: error,
      });
    }
  }

  #chunkOf(index: number): Chunk<T> {
    let [low, high] = [0, this.#chunks.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#chunks[middle]!.start <= index) low = middle;
      else high = middle - 1;
    }
    return this.#chunks[low]!;
  }

  /** Of the chunks on disk the two that were read last stay at hand. */
  #valuesOf(chunk: Chunk<T>): T[] {
    if (chunk.values) return chunk.values;
    const { offset, length } = chunk.place!;
    const bytes = Buffer.allocUnsafe(length);
    for (let read = 0; read < length; ) {
      const got = readSync(this.#file!, bytes, read, length - read, offset + read);
      if (got === 0) throw new SqlError("58030", "the transaction's rows could not be read back from disk");
      read += got;
    }
    chunk.values = deserialize(bytes) as T[];
    this.#read.push(chunk);
    if (this.#read.length > 2) this.#read.shift()!.values = undefined;
    return chunk.values;
  }

  #forget(chunk: Chunk<T>): void {
    if (chunk.counted) this.#space.release(chunk.bytes);
    const read = this.#read.indexOf(chunk);
    if (read >= 0) this.#read.splice(read, 1);
  }
}

/** A file that only this process can reach, and that is gone when it is closed. */
function openUnnamed(directory: string): number {
  const name = join(directory, `overcoat-transaction-${process.pid}-${crypto.randomUUID()}`);
  const file = openSync(name, "wx+", 0o600);
  unlinkSync(name);
  return file;
}
