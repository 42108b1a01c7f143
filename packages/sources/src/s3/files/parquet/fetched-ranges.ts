import type { AsyncBuffer } from "hyparquet";

/** A file of which ranges stay in memory until they are let go, for those that are asked for again. */
export class FetchedRanges implements AsyncBuffer {
  readonly byteLength: number;
  readonly #file: AsyncBuffer;
  readonly #ranges = new Map<string, ReturnType<AsyncBuffer["slice"]>>();

  constructor(file: AsyncBuffer) {
    this.#file = file;
    this.byteLength = file.byteLength;
  }

  slice(start: number, end?: number): ReturnType<AsyncBuffer["slice"]> {
    const range = `${start}-${end}`;
    let bytes = this.#ranges.get(range);
    if (!bytes) {
      bytes = this.#file.slice(start, end);
      this.#ranges.set(range, bytes);
    }
    return bytes;
  }

  clear(): void {
    this.#ranges.clear();
  }
}
