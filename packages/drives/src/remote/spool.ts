import { type FileHandle, mkdir, open, unlink } from "node:fs/promises";
import { join } from "node:path";
import { temporaryName } from "../processes.ts";
import type { Body } from "./vendor.ts";

const step = 256 * 1024;

/** Memory that all spools of a drive share; what does not fit goes to disk. */
export class Budget {
  #left: number;

  constructor(bytes: number) {
    this.#left = bytes;
  }

  take(bytes: number): boolean {
    if (bytes > this.#left) return false;
    this.#left -= bytes;
    return true;
  }

  give(bytes: number): void {
    this.#left += bytes;
  }
}

/** Bytes on their way to the drive, to be read again as often as it takes: in memory while they are few. */
export class Spool implements Body {
  readonly #folder: string;
  readonly #budget: Budget;
  readonly #mostInMemory: number;
  #chunks: Buffer[] = [];
  #inMemory = 0;
  #file: FileHandle | undefined;
  #size = 0;

  /** In `folder` once there are more than `mostInMemory`. */
  constructor(folder: string, budget: Budget, mostInMemory: number) {
    this.#folder = folder;
    this.#budget = budget;
    this.#mostInMemory = mostInMemory;
  }

  get size(): number {
    return this.#size;
  }

  async append(chunk: Uint8Array): Promise<void> {
    if (!this.#file && this.#size + chunk.length <= this.#mostInMemory && this.#budget.take(chunk.length)) {
      this.#inMemory += chunk.length;
      this.#chunks.push(Buffer.from(chunk));
    } else {
      this.#file ??= await this.#spill();
      await writeAll(this.#file, chunk, this.#size);
    }
    this.#size += chunk.length;
  }

  async *read(start: number, end: number): AsyncGenerator<Buffer> {
    if (this.#file) return yield* readFile(this.#file, start, end);
    let position = 0;
    for (const chunk of this.#chunks) {
      const part = chunk.subarray(Math.max(0, start - position), Math.max(0, end - position));
      position += chunk.length;
      if (part.length > 0) yield part;
    }
  }

  async close(): Promise<void> {
    this.#forget();
    const file = this.#file;
    this.#file = undefined;
    await file?.close();
  }

  /** Goes on in a file without a name, which ends with the process at the latest. */
  async #spill(): Promise<FileHandle> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    const path = join(this.#folder, temporaryName());
    const file = await open(path, "wx+", 0o600);
    try {
      await unlink(path);
      let position = 0;
      for (const chunk of this.#chunks) {
        await writeAll(file, chunk, position);
        position += chunk.length;
      }
    } catch (error) {
      await file.close();
      throw error;
    }
    this.#forget();
    return file;
  }

  #forget(): void {
    this.#budget.give(this.#inMemory);
    this.#inMemory = 0;
    this.#chunks = [];
  }
}

async function writeAll(file: FileHandle, chunk: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < chunk.length; )
    done += (await file.write(chunk, done, chunk.length - done, position + done)).bytesWritten;
}

async function* readFile(file: FileHandle, start: number, end: number): AsyncGenerator<Buffer> {
  for (let position = start; position < end; ) {
    // A buffer for each step, as a request may still send the one before.
    const buffer = Buffer.allocUnsafe(Math.min(step, end - position));
    const { bytesRead } = await file.read(buffer, 0, buffer.length, position);
    if (bytesRead === 0) throw new Error("The spool was cut short");
    position += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}
