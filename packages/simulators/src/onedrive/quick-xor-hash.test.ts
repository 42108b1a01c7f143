import { expect, test } from "vitest";
import { QuickXorHash } from "./quick-xor-hash.ts";

const hash = (...parts: Uint8Array[]) => {
  const hasher = new QuickXorHash();
  for (const part of parts) hasher.update(part);
  return hasher.digest();
};

test.each([
  ["", "AAAAAAAAAAAAAAAAAAAAAAAAAAA="],
  ["hello", "aCgDG9jwBgAAAAAABQAAAAAAAAA="],
  ["The quick brown fox jumps over the lazy dog", "bMSlbysmxJL6S75XwfMcQZOpcr4="],
])("%j hashes to %s", (text, expected) => {
  expect(hash(Buffer.from(text))).toBe(expected);
});

test("bytes may come in any parts, and a copy goes its own way", () => {
  const bytes = Buffer.from(Array.from({ length: 1280 }, (_, index) => index & 255));
  expect(hash(bytes)).toBe("AAAAAAAAAAAAAAAAAAUAAAAAAAA=");
  for (const size of [4, 7, 159, 160, 161, 1000])
    expect(hash(bytes.subarray(3, size), bytes.subarray(size))).toBe(hash(bytes.subarray(3)));
  const hasher = new QuickXorHash();
  hasher.update(bytes.subarray(0, 100));
  const copy = hasher.copy();
  hasher.update(Buffer.from("other"));
  copy.update(bytes.subarray(100));
  expect(copy.digest()).toBe(hash(bytes));
});
