import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";
import type { ChecksumAlgorithm } from "@overcoat/objects";
import { createCRC32, createCRC64, type IHasher } from "hash-wasm";

export type { ChecksumAlgorithm } from "@overcoat/objects";

/** Computes one checksum as the data comes. */
export interface Checksummer {
  update(chunk: Uint8Array): void;
  /** The checksum in base64, big-endian; call it once. */
  digest(): string;
}

/** Bytes in a checksum of each algorithm. */
export const checksumLength: Readonly<Record<ChecksumAlgorithm, number>> = {
  CRC32: 4,
  CRC32C: 4,
  CRC64NVME: 8,
  SHA1: 20,
  SHA256: 32,
};

// One instance does for all: its state is a few bytes that are saved and loaded around each update, so an
// upload that is given up leaves nothing to be returned to a pool.
const crc32c = await createCRC32(0x82f63b78);
const crc64nvme = await createCRC64("9a6c9329ac4bc9b5");

function wasmChecksum(hasher: IHasher): Checksummer {
  let state = hasher.init().save();
  return {
    update(chunk) {
      state = hasher.load(state).update(chunk).save();
    },
    digest() {
      return Buffer.from(hasher.load(state).digest("binary")).toString("base64");
    },
  };
}

/**
 * Starts a checksum as in `x-amz-checksum-*`.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html
 */
export function createChecksum(algorithm: ChecksumAlgorithm): Checksummer {
  switch (algorithm) {
    case "CRC32": {
      let value = 0;
      return {
        update(chunk) {
          value = crc32(chunk, value);
        },
        digest() {
          const bytes = Buffer.alloc(4);
          bytes.writeUInt32BE(value);
          return bytes.toString("base64");
        },
      };
    }
    case "CRC32C":
      return wasmChecksum(crc32c);
    case "CRC64NVME":
      return wasmChecksum(crc64nvme);
    case "SHA1":
    case "SHA256": {
      const hash = createHash(algorithm === "SHA1" ? "sha1" : "sha256");
      return {
        update(chunk) {
          hash.update(chunk);
        },
        digest: () => hash.digest("base64"),
      };
    }
  }
}

const polynomials = {
  CRC32: { width: 32n, polynomial: 0xedb88320n },
  CRC32C: { width: 32n, polynomial: 0x82f63b78n },
  CRC64NVME: { width: 64n, polynomial: 0x9a6c9329ac4bc9b5n },
} as const;

/** The product of two polynomials modulo the CRC's, all with their bits reflected. */
function multiply(a: bigint, b: bigint, width: bigint, polynomial: bigint): bigint {
  let product = 0n;
  let factor = b;
  for (let bit = 1n << (width - 1n); bit !== 0n; bit >>= 1n) {
    if (a & bit) product ^= factor;
    factor = factor & 1n ? (factor >> 1n) ^ polynomial : factor >> 1n;
  }
  return product;
}

/**
 * The checksum of A followed by B, from the base64 checksums of each and the length of B in bytes: what
 * a multipart upload's FULL_OBJECT checksum is made of.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html
 */
export function combineCrc(
  algorithm: "CRC32" | "CRC32C" | "CRC64NVME",
  crcA: string,
  crcB: string,
  lengthB: number,
): string {
  const { width, polynomial } = polynomials[algorithm];
  const number = (base64: string) => BigInt(`0x0${Buffer.from(base64, "base64").toString("hex")}`);
  let shift = 1n << (width - 1n);
  let power = 1n << (width - 2n);
  for (let bits = BigInt(lengthB) * 8n; bits > 0n; bits >>= 1n) {
    if (bits & 1n) shift = multiply(shift, power, width, polynomial);
    power = multiply(power, power, width, polynomial);
  }
  const combined = multiply(shift, number(crcA), width, polynomial) ^ number(crcB);
  return Buffer.from(combined.toString(16).padStart(Number(width) / 4, "0"), "hex").toString("base64");
}
