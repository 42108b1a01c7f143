import { SqlError } from "@overcoat/sources";
import type { MessageWriter, TextRow } from "../wire/writer.ts";
import { abortable } from "./abortable.ts";

type Batches = AsyncIterable<readonly TextRow[]>;

/** Why the reading of rows is stopped that nobody takes. */
export const unwanted = new SqlError("57014", "the rows are no longer wanted");

/** The rows of a result, of which a client takes some at a time. */
export class RowStream {
  readonly #iterator: AsyncIterator<readonly TextRow[]>;
  readonly #stop: () => void;
  #batch: readonly TextRow[] = [];
  #next = 0;
  #takes = 0;
  #pulling: Promise<void> | undefined;
  #failure: { readonly error: unknown } | undefined;
  #ended = false;
  #closed = false;

  /** @param stop Called when no more rows are wanted before the last was taken. */
  constructor(batches: Batches, stop: () => void = () => undefined) {
    this.#iterator = batches[Symbol.asyncIterator]();
    this.#stop = stop;
  }

  /** Rows that are all there. */
  static of(rows: readonly TextRow[]): RowStream {
    const stream = new RowStream(none());
    stream.#batch = rows;
    stream.#ended = true;
    return stream;
  }

  /** Begins to read, so that the first rows are there when they are asked for. */
  start(): void {
    if (!this.#ended) this.#pull();
  }

  /** Writes up to `count` rows. @returns how many; less than `count` at the end */
  write(count: number, out: MessageWriter, signal: AbortSignal): number | Promise<number> {
    if (this.#closed) throw new SqlError("24000", "the result's rows are no longer there");
    this.#takes++;
    const written = this.#writeBatch(count, out);
    const enough = written === count || (this.#ended && !this.#failure && this.#next >= this.#batch.length);
    if (!enough) return this.#writeRest(count, written, out, signal);
    this.#readAhead();
    return written;
  }

  /** Takes all rows, without writing them. @returns how many */
  async count(signal: AbortSignal): Promise<number> {
    let count = 0;
    try {
      while (!this.#ended) {
        await abortable(this.#pull(), signal);
        count += this.#batch.length;
        this.#batch = [];
      }
    } catch (error) {
      this.close();
      throw error;
    }
    if (this.#failure) throw this.#failure.error;
    return count;
  }

  /** Gives up the rows that were not taken; who asks for more gets an error. */
  close(): void {
    if (!this.#ended) {
      this.#stop();
      // A generator that waits for its service ends when the service answers or is told to stop.
      Promise.resolve(this.#iterator.return?.()).catch(() => undefined);
    }
    this.#ended = true;
    this.#closed = true;
    this.#batch = [];
    this.#next = 0;
  }

  async #writeRest(count: number, before: number, out: MessageWriter, signal: AbortSignal): Promise<number> {
    let written = before;
    while (written < count) {
      if (out.full) await out.drained();
      signal.throwIfAborted();
      if (this.#next >= this.#batch.length) {
        if (this.#failure) throw this.#failure.error;
        if (this.#ended) break;
        await abortable(this.#pull(), signal);
      }
      written += this.#writeBatch(count - written, out);
    }
    this.#readAhead();
    return written;
  }

  /** Who has come back for more will come again: the next rows are read meanwhile. */
  #readAhead(): void {
    if (this.#takes > 1 && !this.#ended && this.#next >= this.#batch.length) this.#pull();
  }

  /** Writes rows that are there, until the client should take some first. */
  #writeBatch(count: number, out: MessageWriter): number {
    const from = this.#next;
    const to = Math.min(this.#batch.length, from + count);
    let at = from;
    while (at < to) {
      out.dataRow(this.#batch[at++]!);
      if (out.full) break;
    }
    this.#next = at;
    return at - from;
  }

  #pull(): Promise<void> {
    this.#pulling ??= this.#iterator.next().then(
      ({ done, value }) => {
        this.#pulling = undefined;
        if (done) this.#ended = true;
        else if (!this.#ended) {
          this.#batch = value;
          this.#next = 0;
        }
      },
      (error) => {
        this.#pulling = undefined;
        this.#failure = { error };
        this.#ended = true;
      },
    );
    return this.#pulling;
  }
}

async function* none(): Batches {}
