import { Readable } from "node:stream";
import type { OpenFile } from "@overcoat/drives";
import type { ObjectInfo } from "./metadata.ts";

/**
 * An object opened for reading: all reads see the same bytes, also when it is replaced meanwhile. Must be
 * closed, by `close` or by `await using`.
 */
export class OpenObject implements AsyncDisposable {
  readonly info: ObjectInfo;
  readonly #file: OpenFile;

  constructor(info: ObjectInfo, file: OpenFile) {
    this.info = info;
    this.#file = file;
  }

  /** The whole as UTF-8 text. */
  async text(): Promise<string> {
    return (await this.readBytes()).toString("utf8");
  }

  /** Bytes `start` to `end` (exclusive), or all, at once: for what fits into memory. */
  readBytes(start = 0, end = this.info.size): Promise<Buffer> | Buffer {
    return this.#file.readBytes(start, end);
  }

  /** The same in steps. A chunk is good until the next one is asked for. */
  readChunks(start = 0, end = this.info.size): AsyncIterable<Buffer> {
    return this.#file.readChunks(start, end);
  }

  /** The same as a stream, whose chunks may be kept. */
  readStream(start = 0, end = this.info.size): Readable {
    return Readable.from(copied(this.readChunks(start, end)), { objectMode: false });
  }

  close(): Promise<void> | void {
    return this.#file.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

async function* copied(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  for await (const chunk of chunks) yield Buffer.from(chunk);
}
