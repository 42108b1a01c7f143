import { expect, test } from "vitest";
import { BlockHash } from "./hash.ts";

const block = 4 * 1024 * 1024;

// Of so many times the letter A, from Dropbox's description of the hash.
test.each([
  [0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"],
  [1, "1cd6ef71e6e0ff46ad2609d403dc3fee244417089aa4461245a4e4fe23a55e42"],
  [block, "d4d63bac5b866c71620185392a8a6218ac1092454a2d16f820363b69852befa3"],
  [block + 1, "8f553da8d00d0bf509d8470e242888be33019c20c0544811f5b2b89e98360b92"],
])("content_hash of %i bytes, in whatever pieces", (size, expected) => {
  const bytes = Buffer.alloc(size, "A");
  for (const step of [size || 1, 777_777]) {
    const hash = new BlockHash();
    for (let at = 0; at < size; at += step) hash.update(bytes.subarray(at, at + step));
    expect(hash.digest()).toBe(expected);
  }
});
