import { createHash, type Hash, hash } from "node:crypto";
import { type ChecksumAlgorithm, type Checksummer, createChecksum } from "./checksum.ts";
import { openThreadDigests } from "./digest-threads.ts";

/** What is wanted of a body beside its MD5. */
export interface WantedDigests {
  readonly sha256: boolean;
  readonly checksum: ChecksumAlgorithm | undefined;
}

export interface BodyDigests {
  /** In hex. */
  readonly md5: string;
  /** In hex. */
  readonly sha256: string | undefined;
  /** In base64. */
  readonly checksum: string | undefined;
}

/** Computes the digests of one body as it comes. */
export interface Digests {
  /** The chunk may be changed once this returns, or once the promise settles: that is the back-pressure. */
  update(chunk: Buffer): Promise<void> | void;
  finish(): Promise<BodyDigests> | BodyDigests;
  /** Must be called at the end, also after a failure. */
  close(): void;
}

/** Bodies up to this size are hashed at their end, in one call for each hash, which costs half as much. */
export const atOnce = 64 * 1024;
/** Bodies from this size on are hashed by a thread, where the machine has a core for it. */
const threadFrom = 1024 * 1024;

/** `length` is that of the body in bytes, where known; no more than that may come. */
export function createDigests(wanted: WantedDigests, length: number | undefined): Digests {
  if (length === undefined) return new InlineDigests(wanted);
  if (length <= atOnce) return new SmallDigests(wanted);
  return (length >= threadFrom ? openThreadDigests(wanted) : undefined) ?? new InlineDigests(wanted);
}

/** Computes the digests where it is called, chunk by chunk. */
export class InlineDigests implements Digests {
  readonly #md5 = createHash("md5");
  readonly #sha256: Hash | undefined;
  readonly #checksum: Checksummer | undefined;

  constructor({ sha256, checksum }: WantedDigests) {
    this.#sha256 = sha256 ? createHash("sha256") : undefined;
    this.#checksum = checksum && createChecksum(checksum);
  }

  update(chunk: Uint8Array): void {
    this.#md5.update(chunk);
    this.#sha256?.update(chunk);
    this.#checksum?.update(chunk);
  }

  finish(): BodyDigests {
    return {
      md5: this.#md5.digest("hex"),
      sha256: this.#sha256?.digest("hex"),
      checksum: this.#checksum?.digest(),
    };
  }

  close(): void {}
}

/** The digests of a body at hand. */
export function digestsOf(body: Buffer, { sha256, checksum }: WantedDigests): BodyDigests {
  const summer = checksum && createChecksum(checksum);
  summer?.update(body);
  return {
    md5: hash("md5", body, "hex"),
    sha256: sha256 ? hash("sha256", body, "hex") : undefined,
    checksum: summer?.digest(),
  };
}

class SmallDigests implements Digests {
  readonly #wanted: WantedDigests;
  readonly #chunks: Buffer[] = [];

  constructor(wanted: WantedDigests) {
    this.#wanted = wanted;
  }

  update(chunk: Buffer): void {
    this.#chunks.push(Buffer.from(chunk));
  }

  finish(): BodyDigests {
    return digestsOf(
      this.#chunks.length === 1 ? this.#chunks[0]! : Buffer.concat(this.#chunks),
      this.#wanted,
    );
  }

  close(): void {}
}
