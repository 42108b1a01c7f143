import type { Body } from "./vendor.ts";

/** A body of bytes at hand. */
export function bodyOf(content: Uint8Array | string): Body {
  const bytes = typeof content === "string" ? Buffer.from(content) : content;
  return {
    size: bytes.length,
    async *read(start, end) {
      yield bytes.subarray(start, end);
    },
  };
}

/** What a read of no bytes gives. */
export async function* noBytes(): AsyncGenerator<Uint8Array> {}
