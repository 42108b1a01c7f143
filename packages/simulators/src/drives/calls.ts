/** A request as it came, for tests. */
export interface LoggedCall {
  /** Method and kind of resource, with no id or name in it: `GET children`. */
  readonly endpoint: string;
  readonly method: string;
  /** As sent, with the query. Secrets of pre-authenticated addresses are in it. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** 0 until it is answered, and where the connection broke before. */
  status: number;
  /** Bytes of body that were read and sent. */
  received: number;
  sent: number;
}

/** How often each end point was called, the parts of batches apart. */
export interface CallCounts {
  readonly total: number;
  readonly calls: Readonly<Record<string, number>>;
  /** Requests that came inside batches; none of them is in `total`. */
  readonly batched: Readonly<Record<string, number>>;
}

const mostLogged = 10_000;

/** The calls to a stand-in: all are counted, the last 10,000 are kept. */
export class CallLog {
  #entries: LoggedCall[] = [];
  #calls = new Map<string, number>();
  #batched = new Map<string, number>();

  add(call: LoggedCall): void {
    count(this.#calls, call.endpoint);
    this.#entries.push(call);
    if (this.#entries.length >= 2 * mostLogged) this.#entries = this.#entries.slice(-mostLogged);
  }

  addBatched(endpoint: string): void {
    count(this.#batched, endpoint);
  }

  /** Oldest first. */
  get entries(): readonly LoggedCall[] {
    return this.#entries.slice(-mostLogged);
  }

  get counts(): CallCounts {
    let total = 0;
    for (const times of this.#calls.values()) total += times;
    return { total, calls: Object.fromEntries(this.#calls), batched: Object.fromEntries(this.#batched) };
  }

  reset(): void {
    this.#entries = [];
    this.#calls.clear();
    this.#batched.clear();
  }
}

function count(times: Map<string, number>, endpoint: string): void {
  times.set(endpoint, (times.get(endpoint) ?? 0) + 1);
}
