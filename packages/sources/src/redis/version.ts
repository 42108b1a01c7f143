import { createHash } from "node:crypto";
import type { Bytes } from "./client/node.ts";

/** A short text that is another for other values. */
export function version(values: readonly (Bytes | null)[]): string {
  const hash = createHash("sha256");
  for (const value of values) {
    hash.update(value === null ? "-" : `${Buffer.byteLength(value)}:`);
    if (value !== null) hash.update(value);
  }
  return hash.digest("base64url");
}
