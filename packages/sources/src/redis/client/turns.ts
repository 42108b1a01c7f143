import type { Node, Run } from "./node.ts";
import { stoppable } from "./stoppable.ts";

/** One connection that transactions use one after the other. */
export class Turns {
  readonly #node: Node;
  #last: Promise<unknown> = Promise.resolve();

  constructor(node: Node) {
    this.#node = node;
  }

  /** Ends the connection when `work` fails, so that no WATCH or MULTI is left on it. */
  async take<T>(work: (run: Run) => Promise<T>, signal: AbortSignal): Promise<T> {
    const previous = this.#last;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#last = previous.then(() => promise);
    try {
      await stoppable(previous, signal);
      return await work(this.#node.pinned()).catch((error) => {
        this.#node.reset();
        throw error;
      });
    } finally {
      resolve();
    }
  }

  close(): void {
    this.#node.close();
  }
}
