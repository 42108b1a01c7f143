import type { DescribedFile, OpenFile } from "../drive.ts";

/** Bytes of the largest file that is kept. */
export const largestKept = 64 * 1024;
/** Bytes kept of all files together. */
const most = 16 * 1024 * 1024;

interface Kept {
  /** The file that the bytes are of, as `KnownFiles` recalls it while nothing of it has changed. */
  readonly file: DescribedFile;
  readonly bytes: Buffer;
}

/** The bytes of small files that were read lately, by their paths. */
export class Contents {
  readonly #kept = new Map<string, Kept>();
  #size = 0;

  get(path: string): Kept | undefined {
    return this.#kept.get(path);
  }

  keep(path: string, file: DescribedFile, bytes: Buffer): void {
    this.forget(path);
    this.#kept.set(path, { file, bytes });
    this.#size += bytes.length;
    while (this.#size > most) this.forget(this.#kept.keys().next().value as string);
  }

  forget(path: string): void {
    const kept = this.#kept.get(path);
    if (!kept) return;
    this.#kept.delete(path);
    this.#size -= kept.bytes.length;
  }
}

/** A file whose bytes are kept. */
export class KeptFile implements OpenFile {
  readonly described: DescribedFile;
  readonly #bytes: Buffer;

  constructor({ file, bytes }: Kept) {
    this.described = file;
    this.#bytes = bytes;
  }

  readBytes(start: number, end: number): Buffer {
    // What is kept is not the taker's to change.
    return Buffer.from(this.#bytes.subarray(start, end));
  }

  async *readChunks(start: number, end: number): AsyncGenerator<Buffer> {
    if (end > start) yield this.readBytes(start, end);
  }

  close(): void {}
}
