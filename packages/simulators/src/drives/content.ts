import { createReadStream, ftruncateSync } from "node:fs";
import { type FileHandle, mkdtemp, open, rm, unlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";

/** A hash that is fed bytes in order. */
export interface Hasher {
  update(bytes: Uint8Array): void;
  copy(): Hasher;
  digest(): string;
}

/** Bytes that never change. Files, old versions and copies may share them: each holds them once. */
export class Content {
  readonly size: number;
  /** By the names under which the store's hashes are known. */
  readonly hashes: Readonly<Record<string, string>>;
  readonly #bytes: Buffer | undefined;
  readonly #path: string;
  #holders = 0;

  constructor(size: number, hashes: Record<string, string>, bytes: Buffer | undefined, path: string) {
    this.size = size;
    this.hashes = hashes;
    this.#bytes = bytes;
    this.#path = path;
  }

  /** The bytes from `start` up to but without `end`. */
  read(start = 0, end = this.size): Readable {
    if (start >= end) return Readable.from([]);
    if (this.#bytes) return Readable.from([this.#bytes.subarray(start, end)]);
    return createReadStream(this.#path, { start, end: end - 1, highWaterMark: 256 * 1024 });
  }

  hold(): this {
    this.#holders += 1;
    return this;
  }

  /** Lets go of it; its file is gone when nothing holds it any more. */
  release(): void {
    this.#holders -= 1;
    if (this.#holders === 0 && !this.#bytes) unlink(this.#path).catch(() => {});
  }
}

/** Takes bytes in order, and can go back to the last mark. */
export class ContentWriter {
  readonly #store: ContentStore;
  #size = 0;
  #hashers: Record<string, Hasher>;
  #chunks: Buffer[] = [];
  #file: FileHandle | undefined;
  #path = "";
  #mark: { size: number; hashers: Record<string, Hasher> };

  constructor(store: ContentStore, hashers: Record<string, Hasher>) {
    this.#store = store;
    this.#hashers = hashers;
    this.#mark = { size: 0, hashers: copies(hashers) };
  }

  get size(): number {
    return this.#size;
  }

  async write(bytes: Buffer): Promise<void> {
    for (const hasher of Object.values(this.#hashers)) hasher.update(bytes);
    this.#size += bytes.length;
    if (!this.#file && this.#size > this.#store.inMemory) {
      this.#path = await this.#store.newPath();
      this.#file = await open(this.#path, "w");
      for (const chunk of this.#chunks) await this.#file.appendFile(chunk);
      this.#chunks = [];
    }
    if (this.#file) await this.#file.write(bytes, 0, bytes.length, this.#size - bytes.length);
    else this.#chunks.push(bytes);
  }

  /** What was written so far stays. */
  mark(): void {
    this.#mark = { size: this.#size, hashers: copies(this.#hashers) };
  }

  /** Forgets all that was written since the last mark. */
  rewind(): void {
    this.#hashers = copies(this.#mark.hashers);
    this.#size = this.#mark.size;
    if (this.#file) ftruncateSync(this.#file.fd, this.#size);
    else this.#chunks = [Buffer.concat(this.#chunks).subarray(0, this.#size)];
  }

  async finish(): Promise<Content> {
    const hashes: Record<string, string> = {};
    for (const [name, hasher] of Object.entries(this.#hashers)) hashes[name] = hasher.digest();
    await this.#file?.close();
    const bytes = this.#file ? undefined : Buffer.concat(this.#chunks);
    this.#file = undefined;
    return new Content(this.#size, hashes, bytes, this.#path);
  }

  async abort(): Promise<void> {
    this.#chunks = [];
    const file = this.#file;
    this.#file = undefined;
    if (!file) return;
    await file.close();
    await unlink(this.#path).catch(() => {});
  }
}

function copies(hashers: Record<string, Hasher>): Record<string, Hasher> {
  return Object.fromEntries(Object.entries(hashers).map(([name, hasher]) => [name, hasher.copy()]));
}

/** Where the bytes of a drive are kept: small ones in memory, others in a folder that goes with the stand-in. */
export class ContentStore {
  /** The largest content in bytes that is kept in memory. */
  readonly inMemory: number;
  readonly #hashers: Readonly<Record<string, () => Hasher>>;
  #folder: Promise<string> | undefined;
  #count = 0;

  /** @param hashers the hashes that every content gets, by name */
  constructor(hashers: Readonly<Record<string, () => Hasher>>, inMemory = 64 * 1024) {
    this.#hashers = hashers;
    this.inMemory = inMemory;
  }

  writer(): ContentWriter {
    const hashers = Object.entries(this.#hashers).map(([name, make]) => [name, make()] as const);
    return new ContentWriter(this, Object.fromEntries(hashers));
  }

  /** Keeps all bytes of a stream. What was kept goes when the stream breaks. */
  async keep(bytes: AsyncIterable<Buffer> | Iterable<Buffer>): Promise<Content> {
    const writer = this.writer();
    try {
      for await (const chunk of bytes) await writer.write(chunk);
      return await writer.finish();
    } catch (error) {
      await writer.abort();
      throw error;
    }
  }

  async newPath(): Promise<string> {
    this.#folder ??= mkdtemp(join(tmpdir(), "overcoat-stand-in-"));
    this.#count += 1;
    const name = String(this.#count);
    return join(await this.#folder, name);
  }

  async close(): Promise<void> {
    if (this.#folder) await rm(await this.#folder, { recursive: true, force: true });
  }
}
