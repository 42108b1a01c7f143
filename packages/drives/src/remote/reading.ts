import { setTimeout as sleep } from "node:timers/promises";
import { type DescribedFile, DriveError, type OpenFile } from "../drive.ts";
import type { Reader } from "./read-ahead.ts";
import type { Item, Traits, Vendor } from "./vendor.ts";

/** How often a read goes on after a break that brought nothing new. */
const attempts = 4;
const pause = 200;

/** What a read must not repeat: the answer will be the same. */
const final = new Set(["Changed", "NotFound", "AccessDenied", "Unauthenticated", "Throttled", "TooLarge"]);

const asBuffer = (chunk: Uint8Array) =>
  Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);

/**
 * Bytes `start` to `end` (exclusive) of an item, gone on with where the stream breaks.
 * @throws DriveError `Changed` or `NotFound` when the item has other bytes now, `Unavailable` when it breaks again
 *   and again
 */
export async function* readItem(
  vendor: Pick<Vendor, "traits" | "read">,
  item: Item,
  start: number,
  end: number,
): AsyncGenerator<Buffer> {
  const stop = new AbortController();
  let position = start;
  try {
    for (let failures = 0; position < end; ) {
      const before = position;
      let cause: unknown;
      try {
        for await (const chunk of await vendor.read(item, position, end, stop.signal)) {
          if (chunk.length > end - position) throw new Error("more bytes came than were asked for");
          position += chunk.length;
          yield asBuffer(chunk);
        }
      } catch (error) {
        if (error instanceof DriveError && final.has(error.code)) throw error;
        cause = error;
      }
      if (position === end) return;
      failures = position > before ? 1 : failures + 1;
      if (failures > attempts)
        throw new DriveError("Unavailable", `${vendor.traits.name} breaks off reading again and again`, {
          cause,
        });
      await sleep(pause * failures);
    }
  } finally {
    stop.abort();
  }
}

export interface ReadParts {
  readonly traits: Traits;
  readonly read: Reader;
  /** Told, and waited for, when the item turns out to be another one than the vendor's. */
  stale(): Promise<void>;
  /** Told when the bytes turn out not to be the item's. */
  spoilt(item: Item): Promise<void>;
}

/** A file of a vendor, opened. Reading fails when the vendor has other bytes meanwhile. */
export class RemoteFile implements OpenFile {
  readonly described: DescribedFile;
  readonly #item: Item;
  readonly #parts: ReadParts;

  constructor(item: Item, described: DescribedFile, parts: ReadParts) {
    this.#item = item;
    this.described = described;
    this.#parts = parts;
  }

  async readBytes(start: number, end: number): Promise<Buffer> {
    const chunks: Buffer[] = [];
    for await (const chunk of this.readChunks(start, end)) chunks.push(chunk);
    return chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks);
  }

  async *readChunks(start: number, end: number): AsyncGenerator<Buffer> {
    const { inline, size } = this.#item;
    if (inline) return yield Buffer.from(inline.subarray(start, end));
    if (end <= start) return;
    const chunks = this.#parts.read(this.#item, start, end);
    try {
      yield* start === 0 && end === size ? this.#verified(chunks) : chunks;
    } catch (error) {
      const code = error instanceof DriveError ? error.code : undefined;
      if (code === "Changed" || code === "NotFound") await this.#parts.stale();
      throw error;
    }
  }

  /** Passes chunks on, the last one only when the hash of all agrees. */
  async *#verified(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    const { traits } = this.#parts;
    const { hash: expected, name } = this.#item;
    if (expected === undefined || traits.rewrites(name)) return yield* chunks;
    const hash = traits.hash();
    let held: Buffer | undefined;
    for await (const chunk of chunks) {
      if (held) yield held;
      hash.update(chunk);
      held = chunk;
    }
    if (hash.digest() !== expected) {
      await this.#parts.spoilt(this.#item);
      throw new DriveError("Unavailable", `${traits.name} sent other bytes than it has a hash of`);
    }
    if (held) yield held;
  }

  close(): void {}
}
