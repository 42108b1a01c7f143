import { createHash } from "node:crypto";
import type { ChecksumAlgorithm } from "./metadata.ts";

/** Bytes on their way in, with what they hash to once they have all passed. */
export interface Payload {
  /** Throws at its end when the bytes are not those that were promised. */
  readonly chunks: AsyncIterable<Uint8Array>;
  /** Bytes, where known beforehand. */
  readonly length: number | undefined;
  /** To be asked after `chunks` has ended. */
  result(): { md5: Buffer; checksum?: { algorithm: ChecksumAlgorithm; value: string } };
}

export type ByteSource = string | Uint8Array | AsyncIterable<Uint8Array>;

/** A payload of bytes at hand, for use without HTTP. */
export function payloadOf(source: ByteSource): Payload {
  const hash = createHash("md5");
  const whole =
    typeof source === "string" ? Buffer.from(source) : source instanceof Uint8Array ? source : undefined;
  async function* chunks() {
    for await (const chunk of whole === undefined ? (source as AsyncIterable<Uint8Array>) : [whole]) {
      hash.update(chunk);
      yield chunk;
    }
  }
  return { chunks: chunks(), length: whole?.length, result: () => ({ md5: hash.digest() }) };
}
