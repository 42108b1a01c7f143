/** The time of a stand-in: the machine's, moved by what a test asks for. */
export class Clock {
  #offset: number;

  /** @param skew milliseconds that the stand-in is ahead of the machine; negative where it is behind */
  constructor(skew = 0) {
    this.#offset = skew;
  }

  /** Milliseconds since 1970. */
  now(): number {
    return Date.now() + this.#offset;
  }

  advance(milliseconds: number): void {
    this.#offset += milliseconds;
  }
}
