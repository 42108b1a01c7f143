/** What goes wrong with calls, for tests of clients. */
export interface Fault {
  /** The end point as the call log names it, such as `PUT upload`; all where not given. */
  readonly on?: string | RegExp;
  /** Calls whose path matches; all where not given. */
  readonly path?: RegExp;
  /** How many calls pass unharmed first. */
  readonly after?: number;
  /** How many calls it meets then; 1 where not given. */
  readonly times?: number;
  /** Milliseconds to wait before all else. */
  readonly delay?: number;
  /** Answer this instead, with no effect on the drive. */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** JSON of that answer; the service's own error of that status where not given. */
  readonly body?: unknown;
  /** Reset the connection when so many bytes of the request's body have come, with no effect on the drive. */
  readonly resetRequestAt?: number;
  /** Reset the connection when so many bytes of the answer's body have gone. */
  readonly resetResponseAt?: number;
  /** End the connection in order after so many bytes of a body whose Content-Length is right. */
  readonly truncateAt?: number;
  /** Do as asked, then reset the connection instead of answering. */
  readonly loseAnswer?: boolean;
}

export class Faults {
  #faults: { readonly fault: Fault; after: number; left: number }[] = [];

  add(fault: Fault): void {
    this.#faults.push({ fault, after: fault.after ?? 0, left: fault.times ?? 1 });
  }

  clear(): void {
    this.#faults = [];
  }

  /** Those that have not met all their calls yet. */
  get pending(): readonly Fault[] {
    return this.#faults.map(({ fault }) => fault);
  }

  /** The first fault that meets a call, counted down. */
  take(endpoint: string, path: string): Fault | undefined {
    for (const each of this.#faults) {
      const { on } = each.fault;
      if (on !== undefined && !(typeof on === "string" ? on === endpoint : on.test(endpoint))) continue;
      if (each.fault.path && !each.fault.path.test(path)) continue;
      if (each.after > 0) {
        each.after -= 1;
        continue;
      }
      each.left -= 1;
      if (each.left <= 0) this.#faults = this.#faults.filter((other) => other !== each);
      return each.fault;
    }
    return undefined;
  }
}
