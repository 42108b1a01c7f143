import { expect, test } from "vitest";
import { ContentHash } from "./content-hash.ts";

const block = 4 * 1024 * 1024;

// As Dropbox's page about content hashes tells to compute them.
test.each([
  ["nothing", 0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"],
  ["a byte", 1, "1cd6ef71e6e0ff46ad2609d403dc3fee244417089aa4461245a4e4fe23a55e42"],
  ["a block", block, "d4d63bac5b866c71620185392a8a6218ac1092454a2d16f820363b69852befa3"],
  ["a block and a byte", block + 1, "8f553da8d00d0bf509d8470e242888be33019c20c0544811f5b2b89e98360b92"],
])("the hash of %s", (_, size, expected) => {
  const bytes = Buffer.alloc(size, "A");
  const hash = new ContentHash();
  for (let at = 0; at < size; at += 1_000_003) hash.update(bytes.subarray(at, at + 1_000_003));
  const copy = hash.copy();
  copy.update(Buffer.from("more"));
  expect(hash.digest()).toBe(expected);
  expect(copy.digest()).not.toBe(expected);
});
