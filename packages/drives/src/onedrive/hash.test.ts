import { expect, test } from "vitest";
import { emptyHash, QuickXorHash } from "./hash.ts";

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

test("no bytes have a hash", () => {
  expect(emptyHash).toBe(hash());
});

test("bytes may come in any parts and lie anywhere in memory", () => {
  const repeated = Buffer.from(Array.from({ length: 1280 }, (_, index) => index & 255));
  expect(hash(repeated)).toBe("AAAAAAAAAAAAAAAAAAUAAAAAAAA=");
  const bytes = Buffer.from(Array.from({ length: 2000 }, (_, index) => (index * index * 7 + 3) & 255));
  const whole = hash(bytes);
  for (let at = 0; at < 400; at += 1)
    expect(hash(bytes.subarray(0, at), bytes.subarray(at, at + 331), bytes.subarray(at + 331))).toBe(whole);
  expect(hash(...Array.from(bytes, (byte) => Uint8Array.of(byte)))).toBe(whole);
});
