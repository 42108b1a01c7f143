import { randomBytes, randomInt, timingSafeEqual } from "node:crypto";

/** What a client needs to cancel its statement on another connection. */
export interface CancelKey {
  readonly process: number;
  readonly key: Buffer;
}

/** The cancel keys of all sessions. */
export class CancelKeys {
  readonly #sessions = new Map<number, { key: Buffer; cancel: () => void }>();

  /** @param length Bytes of the key: 4 in protocol 3.0, up to 256 from 3.2 on. */
  add(length: number, cancel: () => void): CancelKey {
    let process: number;
    do process = randomInt(1, 2 ** 31);
    while (this.#sessions.has(process));
    const key = randomBytes(length);
    this.#sessions.set(process, { key, cancel });
    return { process, key };
  }

  remove({ process }: CancelKey): void {
    this.#sessions.delete(process);
  }

  /** Cancels what the session with this key does; a wrong key is passed over in silence, as by PostgreSQL. */
  cancel({ process, key }: CancelKey): void {
    const session = this.#sessions.get(process);
    if (session && session.key.length === key.length && timingSafeEqual(session.key, key)) session.cancel();
  }
}
