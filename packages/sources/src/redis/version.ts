import { createHash } from "node:crypto";
import type { Bytes } from "./client/node.ts";
import { Undecodable } from "./text.ts";

/**
 * A short text that is another for other values.
 * @throws Undecodable for text that may not be what Redis holds
 */
export function version(values: readonly (Bytes | null)[]): string {
  const hash = createHash("sha256");
  for (const value of values) {
    if (value === null) {
      hash.update("-");
      continue;
    }
    if (typeof value === "string" && value.includes("\uFFFD")) throw new Undecodable();
    hash.update(`${Buffer.byteLength(value)}:`).update(value);
  }
  return hash.digest("base64url");
}
