import { createHash } from "node:crypto";
import { closeSync, mkdirSync, openSync } from "node:fs";
import { readdir, readFile, rename, rm, stat, unlink, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { isLeftOver, temporaryName } from "../processes.ts";
import { RangeLock } from "../range-lock.ts";
import type { Reader } from "./read-ahead.ts";
import type { Item } from "./vendor.ts";

const blockSize = 1024 * 1024;
/** Blocks that are asked for in one read: each is looked for before that begins. */
const mostAtOnce = 1024;
/** Bytes behind those of a block: their CRC-32. */
const trailer = 4;
/** How full the cache is after it was tidied, and how much may come in before it is tidied again. */
const kept = 0.9;
const growth = 0.05;
/** Milliseconds for which a block that was used is not marked as used again. */
const markedFor = 60_000;
const temporaryKept = 3_600_000;

/** A read that the cache was asked for. */
export interface CachedRead {
  /** Whether it was there; else the vendor is asked. */
  readonly hit: boolean;
  readonly blocks: number;
  /** Bytes wanted of blocks that were there, or asked of the vendor. */
  readonly bytes: number;
}

/**
 * Blocks of files on disk, by the version of the item, so that what was read once is not asked for again. The ones
 * used longest ago go first. Processes may share the folder, which may be emptied at any time.
 */
export class BlockCache {
  readonly #folder: string;
  readonly #most: number;
  readonly #file: number;
  readonly #lock: RangeLock;
  readonly #observe: ((read: CachedRead) => void) | undefined;
  readonly #marked = new Map<string, number>();
  #written: number;
  #tidying: Promise<void> | undefined;

  /** Keeps `most` bytes in `folder`. @param observe hears of each read, and must not throw */
  constructor(folder: string, most: number, observe?: (read: CachedRead) => void) {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    this.#folder = folder;
    this.#most = most;
    this.#observe = observe;
    this.#file = openSync(join(folder, "lock"), "a+", 0o600);
    this.#lock = new RangeLock(this.#file, "tidying");
    // What others left is counted before the first block goes in.
    this.#written = most;
  }

  /** A reader that asks `read` only for what is not here. */
  reading(read: Reader): Reader {
    const cache = this;
    return async function* (item, start, end) {
      for (let position = start; position < end; ) {
        const block = Math.floor(position / blockSize);
        const found = await cache.#get(item, block);
        const from = block * blockSize;
        if (found) {
          const wanted = found.subarray(position - from, Math.min(end - from, found.length));
          cache.#observe?.({ hit: true, blocks: 1, bytes: wanted.length });
          yield wanted;
          position = Math.min(end, from + found.length);
          continue;
        }
        let last = block + 1;
        const most = Math.min(block + mostAtOnce, Math.ceil(end / blockSize));
        while (last < most && !(await cache.#has(item, last))) last++;
        const until = Math.min(last * blockSize, item.size);
        cache.#observe?.({ hit: false, blocks: last - block, bytes: until - from });
        let at = from;
        for await (const chunk of cache.#keeping(item, block, read(item, from, until))) {
          const wanted = chunk.subarray(Math.max(0, position - at), Math.max(0, end - at));
          at += chunk.length;
          position += wanted.length;
          if (wanted.length > 0) yield wanted;
        }
      }
    };
  }

  /** Forgets the blocks of an item whose bytes turned out wrong. */
  async forget(item: Item): Promise<void> {
    for (let block = 0; block * blockSize < item.size; block++)
      await rm(this.#path(item, block), { force: true });
  }

  /** Passes chunks on, keeping the blocks from `block` on that they make up. */
  async *#keeping(item: Item, first: number, chunks: AsyncGenerator<Buffer>): AsyncGenerator<Buffer> {
    let block = first;
    let parts: Buffer[] = [];
    let length = 0;
    for await (const whole of chunks) {
      for (let chunk = whole; chunk.length > 0; ) {
        const size = Math.min(blockSize, item.size - block * blockSize);
        const part = chunk.subarray(0, size - length);
        parts.push(part);
        length += part.length;
        chunk = chunk.subarray(part.length);
        if (length < size) continue;
        await this.#put(item, block, parts);
        block++;
        parts = [];
        length = 0;
      }
      yield whole;
    }
  }

  #path({ id, version, size }: Item, block: number): string {
    const name = createHash("sha256").update(`${id}\n${version}\n${size}`).digest("hex").slice(0, 40);
    return join(this.#folder, name.slice(0, 2), `${name}.${block}`);
  }

  async #has(item: Item, block: number): Promise<boolean> {
    return stat(this.#path(item, block)).then(
      () => true,
      () => false,
    );
  }

  async #get(item: Item, block: number): Promise<Buffer | undefined> {
    const path = this.#path(item, block);
    const bytes = await readFile(path).catch(() => undefined);
    if (!bytes) return undefined;
    const end = bytes.length - trailer;
    const whole = end === Math.min(blockSize, item.size - block * blockSize);
    if (!whole || bytes.readUInt32LE(end) !== crc32(bytes.subarray(0, end))) {
      await rm(path, { force: true });
      return undefined;
    }
    this.#mark(path);
    return bytes.subarray(0, end);
  }

  /** Notes that a block was used. */
  #mark(path: string): void {
    const now = Date.now();
    if (now - (this.#marked.get(path) ?? 0) < markedFor) return;
    this.#marked.delete(path);
    this.#marked.set(path, now);
    if (this.#marked.size > 100_000) this.#marked.delete(this.#marked.keys().next().value as string);
    utimes(path, now / 1000, now / 1000).catch(() => undefined);
  }

  /** Keeps a block; what cannot be kept costs only speed. */
  async #put(item: Item, block: number, parts: readonly Buffer[]): Promise<void> {
    const bytes = Buffer.concat(parts);
    if (this.#written + bytes.length > this.#most * growth) await this.#tidy();
    const path = this.#path(item, block);
    const temporary = join(this.#folder, temporaryName());
    const end = Buffer.alloc(trailer);
    end.writeUInt32LE(crc32(bytes));
    try {
      mkdirSync(join(path, ".."), { recursive: true, mode: 0o700 });
      await writeFile(temporary, [bytes, end], { mode: 0o600, flag: "wx" });
      await rename(temporary, path);
      this.#written += bytes.length;
    } catch {
      await rm(temporary, { force: true });
    }
  }

  /** Removes the blocks used longest ago. One process does at a time. */
  #tidy(): Promise<void> {
    this.#tidying ??= this.#removeOldest()
      .catch(() => undefined)
      .finally(() => {
        this.#tidying = undefined;
      });
    return this.#tidying;
  }

  async #removeOldest(): Promise<void> {
    this.#written = 0;
    if (!this.#lock.take()) return;
    try {
      const blocks: { path: string; size: number; used: number }[] = [];
      for (const name of await readdir(this.#folder)) {
        const path = join(this.#folder, name);
        if (/^[0-9a-f]{2}$/.test(name))
          for (const block of await readdir(path)) {
            const stats = await stat(join(path, block)).catch(() => undefined);
            if (stats) blocks.push({ path: join(path, block), size: stats.size, used: stats.mtimeMs });
          }
        else if (name !== "lock") await this.#removeLeftOver(path, name);
      }
      let total = blocks.reduce((sum, { size }) => sum + size, 0);
      for (const { path, size } of blocks.sort((a, b) => a.used - b.used)) {
        if (total <= this.#most * kept) return;
        await unlink(path).catch(() => undefined);
        total -= size;
      }
    } finally {
      this.#lock.free();
    }
  }

  async #removeLeftOver(path: string, name: string): Promise<void> {
    const stats = await stat(path).catch(() => undefined);
    if (stats && isLeftOver(name, stats.mtimeMs, temporaryKept)) await rm(path, { force: true });
  }

  async close(): Promise<void> {
    await this.#tidying;
    closeSync(this.#file);
  }
}
