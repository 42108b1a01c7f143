import { createHash, hash } from "node:crypto";
import { Readable } from "node:stream";
import type { ChecksumAlgorithm } from "./metadata.ts";

/** Bytes on their way in, with what they hash to once they have all passed. */
export interface Payload {
  /** Throws at its end when the bytes are not those that were promised. */
  readonly chunks: AsyncIterable<Uint8Array>;
  /** Bytes, where known beforehand. */
  readonly length: number | undefined;
  /** All bytes where they are few and at hand: then `chunks` has none. Throws as `chunks` does at its end. */
  whole?(): Uint8Array | undefined;
  /** To be asked when all bytes are taken; the MD5 is in hex. */
  result(): { md5: string; checksum?: { algorithm: ChecksumAlgorithm; value: string } };
}

export type ByteSource = string | Uint8Array | AsyncIterable<Uint8Array>;

/** A payload of bytes at hand, for use without HTTP. */
export function payloadOf(source: ByteSource): Payload {
  const whole =
    typeof source === "string" ? Buffer.from(source) : source instanceof Uint8Array ? source : undefined;
  if (whole)
    return {
      chunks: Readable.from([]),
      length: whole.length,
      whole: () => whole,
      result: () => ({ md5: hash("md5", whole, "hex") }),
    };
  const md5 = createHash("md5");
  async function* chunks() {
    for await (const chunk of source as AsyncIterable<Uint8Array>) {
      md5.update(chunk);
      yield chunk;
    }
  }
  return { chunks: chunks(), length: undefined, result: () => ({ md5: md5.digest("hex") }) };
}
