/** What went wrong lately, for the console. */
export interface RecentError {
  /** Milliseconds since 1970. */
  readonly time: number;
  readonly part: string;
  readonly message: string;
}

const most = 100;
const longestMessage = 1000;

/** Keeps the last 100 errors. */
export class RecentErrors {
  #errors: RecentError[] = [];

  add(part: string, message: string): void {
    this.#errors.unshift({ time: Date.now(), part, message: message.slice(0, longestMessage) });
    if (this.#errors.length > most) this.#errors.pop();
  }

  /** The newest first. */
  get list(): readonly RecentError[] {
    return this.#errors;
  }
}
