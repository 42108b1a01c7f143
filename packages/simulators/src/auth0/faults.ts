/** What goes wrong with requests, for tests of clients. */
export interface Fault {
  /** Requests whose path matches; all where not given. */
  readonly path?: RegExp;
  /** How many requests it meets; 1 where not given. */
  readonly times?: number;
  /** Milliseconds to wait before all else. */
  readonly delay?: number;
  /** Answer with this status instead. */
  readonly status?: number;
  /** Cut the connection instead of answering. */
  readonly drop?: boolean;
}

export class Faults {
  #faults: { readonly fault: Fault; left: number }[] = [];

  add(fault: Fault): void {
    this.#faults.push({ fault, left: fault.times ?? 1 });
  }

  clear(): void {
    this.#faults = [];
  }

  /** Those that have not met all their requests yet. */
  get pending(): readonly Fault[] {
    return this.#faults.map(({ fault }) => fault);
  }

  /** The first fault that meets a path, counted down. */
  take(path: string): Fault | undefined {
    const met = this.#faults.find(({ fault }) => fault.path?.test(path) ?? true);
    if (!met) return undefined;
    met.left -= 1;
    if (met.left <= 0) this.#faults = this.#faults.filter((each) => each !== met);
    return met.fault;
  }
}
