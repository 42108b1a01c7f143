import { randomBytes } from "node:crypto";
import { buffer } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ContentStore } from "./content.ts";
import { NodeHash } from "./node-hash.ts";

let store: ContentStore;
beforeEach(() => {
  store = new ContentStore({ md5: () => new NodeHash("md5") }, 1000);
});
afterEach(() => store.close());

const md5 = (bytes: Uint8Array) => {
  const hash = new NodeHash("md5");
  hash.update(bytes);
  return hash.digest();
};

describe.each([
  { where: "memory", size: 900 },
  { where: "a file", size: 3000 },
])("content in $where", ({ size }) => {
  const bytes = randomBytes(size);

  test("is read as it was written, in whole and in part", async () => {
    const content = await store.keep([bytes.subarray(0, 100), bytes.subarray(100)]);
    expect(content).toMatchObject({ size, hashes: { md5: md5(bytes) } });
    expect(await buffer(content.read())).toEqual(bytes);
    expect(await buffer(content.read(50, 150))).toEqual(bytes.subarray(50, 150));
    expect(await buffer(content.read(7, 7))).toHaveLength(0);
  });

  test("can go back to a mark", async () => {
    const writer = store.writer();
    await writer.write(bytes.subarray(0, 100));
    writer.mark();
    await writer.write(randomBytes(size));
    writer.rewind();
    expect(writer.size).toBe(100);
    await writer.write(bytes.subarray(100));
    const content = await writer.finish();
    expect(content.hashes.md5).toBe(md5(bytes));
    expect(await buffer(content.read())).toEqual(bytes);
  });
});

test("contents that come at once do not mix", async () => {
  const all = Array.from({ length: 5 }, () => randomBytes(3000));
  const contents = await Promise.all(all.map((bytes) => store.keep([bytes])));
  for (const [index, content] of contents.entries()) expect(await buffer(content.read())).toEqual(all[index]);
});

test("a file goes with the last who holds it", async () => {
  const content = (await store.keep([randomBytes(3000)])).hold();
  content.hold();
  content.release();
  expect(await buffer(content.read())).toHaveLength(3000);
  content.release();
  await expect
    .poll(() =>
      buffer(content.read()).then(
        () => "there",
        ({ code }: NodeJS.ErrnoException) => code,
      ),
    )
    .toBe("ENOENT");
});

test("what breaks off leaves nothing", async () => {
  async function* broken() {
    yield randomBytes(3000);
    throw new Error("broken");
  }
  await expect(store.keep(broken())).rejects.toThrow("broken");
});
