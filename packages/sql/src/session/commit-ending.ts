import { SqlError } from "@overcoat/sources";

/** The client is gone: nobody asks for the commit to stop, and it should rather be whole. */
const clientGone = "08006";

/**
 * How a commit ends before its time: when it is cancelled the service is told to stop at once, when its client is
 * gone only after a while; a service that then does not tell how far it came is given up.
 */
export class CommitEnding implements Disposable {
  readonly #signal: AbortSignal;
  readonly #timeout: number;
  readonly #stop = new AbortController();
  readonly #giveUp = new AbortController();
  #timer: NodeJS.Timeout | undefined;

  /** @param timeout Milliseconds of each of the two waits. */
  constructor(signal: AbortSignal, timeout: number) {
    this.#signal = signal;
    this.#timeout = timeout;
    signal.addEventListener("abort", this.#ended);
  }

  /** For the service. */
  get stop(): AbortSignal {
    return this.#stop.signal;
  }

  /** For whoever waits for the service. */
  get giveUp(): AbortSignal {
    return this.#giveUp.signal;
  }

  [Symbol.dispose](): void {
    this.#signal.removeEventListener("abort", this.#ended);
    clearTimeout(this.#timer);
  }

  readonly #ended = () => {
    const { reason } = this.#signal;
    if (!(reason instanceof SqlError) || reason.sqlState !== clientGone) return this.#end();
    this.#timer = setTimeout(() => this.#end(), this.#timeout);
  };

  #end(): void {
    const { reason } = this.#signal;
    this.#stop.abort(reason);
    this.#timer = setTimeout(() => {
      this.#giveUp.abort(
        new SqlError("40003", "the commit was given up: it is not known what the service has applied", {
          cause: reason,
        }),
      );
    }, this.#timeout);
  }
}
