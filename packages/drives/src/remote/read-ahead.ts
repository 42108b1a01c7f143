import type { Budget } from "./spool.ts";
import type { Item } from "./vendor.ts";

/** Gives bytes `start` to `end` (exclusive) of an item. */
export type Reader = (item: Item, start: number, end: number) => AsyncGenerator<Buffer>;

/** Bytes of a piece that is read on its own. */
const pieceSize = 8 * 1024 * 1024;
/** Bytes from which reading in pieces is worth its calls. */
const leastAhead = 4 * pieceSize;

/** A piece that is read before it is asked for. */
class Piece {
  readonly #chunks: Buffer[] = [];
  readonly #source: AsyncGenerator<Buffer>;
  #ended = false;
  #error: unknown;
  #wake: () => void = () => {};
  #stopped = false;

  constructor(source: AsyncGenerator<Buffer>) {
    this.#source = source;
    void this.#fill();
  }

  async #fill(): Promise<void> {
    try {
      for await (const chunk of this.#source) {
        if (this.#stopped) return;
        this.#chunks.push(chunk);
        this.#wake();
      }
    } catch (error) {
      this.#error = error;
    } finally {
      this.#ended = true;
      this.#wake();
    }
  }

  async *read(): AsyncGenerator<Buffer> {
    for (;;) {
      const chunk = this.#chunks.shift();
      if (chunk) yield chunk;
      else if (this.#error) throw this.#error;
      else if (this.#ended) return;
      else
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
    }
  }

  stop(): void {
    this.#stopped = true;
  }
}

/**
 * Reads large ranges in pieces, `parallel` at the same time as far as the memory in `budget` goes, and gives them in
 * order.
 */
export function readingAhead(read: Reader, parallel: number, budget: Budget): Reader {
  return async function* (item, start, end) {
    if (parallel < 2 || end - start < leastAhead) return yield* read(item, start, end);
    const pieces: Piece[] = [];
    let next = start;
    const ahead = () => {
      while (next < end && pieces.length < parallel && budget.take(pieceSize)) {
        const last = Math.min(next + pieceSize, end);
        pieces.push(new Piece(read(item, next, last)));
        next = last;
      }
    };
    try {
      while (next < end || pieces.length > 0) {
        ahead();
        const piece = pieces[0];
        if (piece) {
          yield* piece.read();
          pieces.shift();
          budget.give(pieceSize);
          continue;
        }
        // No memory is left: as it comes.
        const last = Math.min(next + pieceSize, end);
        const from = next;
        next = last;
        yield* read(item, from, last);
      }
    } finally {
      for (const piece of pieces) {
        piece.stop();
        budget.give(pieceSize);
      }
    }
  };
}
