import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Drive } from "../drive.ts";
import { BlockCache } from "./block-cache.ts";
import type { MemoryVendor } from "./memory-vendor.ts";
import { get, put, Stage } from "./testing.ts";
import type { Traits } from "./vendor.ts";

let stage: Stage;
let vendor: MemoryVendor;
function begin(traits: Partial<Traits> = {}) {
  stage = new Stage(traits);
  vendor = stage.vendor;
}
beforeEach(() => begin());
afterEach(() => stage.forget());

const body = Buffer.from(Array.from({ length: 100_000 }, (_, i) => (i * 7) % 251));
/** The bytes that come before an error, which must be some of the right ones. */
async function taken(drive: Drive, path: string, start = 0, end?: number) {
  const file = (await drive.open(path))!;
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of file.readChunks(start, end ?? file.described.entry.size)) chunks.push(chunk);
    return { bytes: Buffer.concat(chunks) };
  } catch (error) {
    return { bytes: Buffer.concat(chunks), code: (error as { code?: string }).code };
  }
}
function* pieces(bytes: Buffer): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += 10_000) yield bytes.subarray(at, at + 10_000);
}

test("a stream that breaks goes on where it broke", async () => {
  vendor.put("b/x", body);
  const drive = await stage.synced();
  let breaks = 3;
  vendor.stream = function* (bytes) {
    for (const [i, piece] of [...pieces(bytes)].entries()) {
      if (i === 2 && breaks-- > 0) throw new Error("connection reset");
      yield piece;
    }
  };
  expect((await taken(drive, "b/x")).bytes.equals(body)).toBe(true);
  expect(vendor.counted()).toEqual({ read: 4 });
  breaks = 1;
  expect((await taken(drive, "b/x", 5, 90_005)).bytes.equals(body.subarray(5, 90_005))).toBe(true);
});

test("a stream that ends too early goes on, and one that never gets further fails", async () => {
  vendor.put("b/x", body);
  const drive = await stage.synced();
  let short = 2;
  vendor.stream = function* (bytes) {
    yield* pieces(short-- > 0 ? bytes.subarray(0, 15_000) : bytes);
  };
  expect((await taken(drive, "b/x")).bytes.equals(body)).toBe(true);
  vendor.stream = () => [];
  vi.useFakeTimers({ shouldAdvanceTime: true, advanceTimeDelta: 200 });
  try {
    expect(await taken(drive, "b/x")).toEqual({ bytes: Buffer.alloc(0), code: "Unavailable" });
  } finally {
    vi.useRealTimers();
  }
});

test("bytes that are not those of the hash never end well", async () => {
  vendor.put("b/x", body);
  const drive = await stage.synced();
  for (const at of [0, 50_000, 99_999]) {
    vendor.stream = (bytes) => pieces(Buffer.from(bytes.map((byte, i) => (i === at ? byte ^ 1 : byte))));
    const { bytes, code } = await taken(drive, "b/x");
    expect(code).toBe("Unavailable");
    expect(bytes.length).toBeLessThan(body.length);
    const file = (await drive.open("b/x"))!;
    await expect(file.readBytes(0, body.length)).rejects.toMatchObject({ code: "Unavailable" });
  }
  vendor.stream = (bytes) => pieces(Buffer.concat([bytes, bytes]));
  // More than was asked for is passed over.
  expect((await taken(drive, "b/x")).bytes.equals(body)).toBe(true);
});

test("an item that others change while it is read fails, and is read anew as it is then", async () => {
  vendor.put("b/x", body);
  const drive = await stage.synced();
  let changed = false;
  vendor.stream = function* (bytes) {
    yield bytes.subarray(0, 10_000);
    if (!changed) vendor.put("b/x", "other");
    changed = true;
    throw new Error("connection reset");
  };
  expect(await taken(drive, "b/x")).toMatchObject({ code: "Changed" });
  vendor.stream = pieces;
  expect(await get(drive, "b/x")).toBe("other");
  // Changed, and removed, since it was described.
  vendor.put("b/x", "third");
  expect(await taken(drive, "b/x")).toEqual({ bytes: Buffer.alloc(0), code: "Changed" });
  expect(await get(drive, "b/x")).toBe("third");
  vendor.drop("b/x");
  expect((await taken(drive, "b/x")).code).toBe("NotFound");
  expect(await drive.open("b/x")).toBeUndefined();
});

test("what is read in part is not checked as a whole, and an open file keeps its bytes or fails", async () => {
  vendor.put("b/x", body);
  const drive = await stage.synced();
  const file = (await drive.open("b/x"))!;
  expect((await file.readBytes(10, 20)).equals(body.subarray(10, 20))).toBe(true);
  await put(drive, "b/x", "mine");
  await expect(file.readBytes(10, 20)).rejects.toMatchObject({ code: "Changed" });
});

test("large files are read ahead in pieces, in order", async () => {
  begin({ parallelReads: 3 });
  const MiB = 1024 * 1024;
  const large = Buffer.alloc(40 * MiB + 5, "0123456789abcdefghijklmnopqrstuvwxyz ");
  vendor.put("b/large", large);
  const drive = await stage.synced();
  let running = 0;
  let most = 0;
  vendor.stream = async function* (bytes) {
    most = Math.max(most, ++running);
    try {
      for (let at = 0; at < bytes.length; at += MiB) {
        if (at % (3 * MiB) === 0) await sleep(1);
        yield bytes.subarray(at, at + MiB);
      }
    } finally {
      running--;
    }
  };
  const { bytes } = await taken(drive, "b/large");
  expect(bytes.equals(large)).toBe(true);
  expect(most).toBe(3);
  // Who stops reads no more.
  const file = (await drive.open("b/large"))!;
  for await (const _ of file.readChunks(0, large.length)) break;
  await vi.waitFor(() => expect(running).toBe(0));
  // What a piece lacks fails the whole.
  vendor.stream = (part) => (part.length < 8 * MiB ? pieces(Buffer.alloc(part.length)) : pieces(part));
  expect((await taken(drive, "b/large")).code).toBe("Unavailable");
});

test("what was read once comes from the cache, for all that open it", async () => {
  const MiB = 1024 * 1024;
  const large = Buffer.alloc(2 * MiB + 500, "0123456789abcdefghijklmnopqrstuvwxyz ");
  vendor.put("b/x", body);
  vendor.put("b/large", large);
  const cacheDir = join(stage.data, "cache");
  const drive = await stage.synced({ cacheDir });
  await taken(drive, "b/x");
  expect(
    (await taken(drive, "b/large", MiB + 5, MiB + 10)).bytes.equals(large.subarray(MiB + 5, MiB + 10)),
  ).toBe(true);
  expect(vendor.counted()).toEqual({ read: 2 });
  const other = await stage.synced({ cacheDir });
  for (const each of [drive, other]) {
    expect((await taken(each, "b/x")).bytes.equals(body)).toBe(true);
    expect((await taken(each, "b/large", MiB, 2 * MiB)).bytes.equals(large.subarray(MiB, 2 * MiB))).toBe(
      true,
    );
  }
  expect(vendor.calls).toEqual([]);
  // Only what lacks is asked for.
  expect((await taken(drive, "b/large")).bytes.equals(large)).toBe(true);
  expect(vendor.counted()).toEqual({ read: 2 });
  // Others' bytes are others.
  await put(drive, "b/x", "mine");
  vendor.calls = [];
  expect(await get(drive, "b/x")).toBe("mine");
  expect(vendor.counted()).toEqual({ read: 1 });
});

const blocks = (cacheDir: string) =>
  (readdirSync(cacheDir, { recursive: true }) as string[])
    .filter((name) => /\.\d+$/.test(name))
    .map((name) => join(cacheDir, name));

test("the first bytes of the largest file do not wait for a look at all its blocks", async () => {
  const folder = join(stage.data, "cache");
  const cache = new BlockCache(folder, 1024 * 1024);
  const asked: number[] = [];
  const reader = cache.reading(async function* (_, start, end) {
    asked.push(end - start);
    yield Buffer.from("first");
  });
  const item = { ...vendor.put("b/x", "one"), size: 2 ** 46 };
  for await (const chunk of reader(item, 0, item.size)) {
    expect(chunk.toString()).toBe("first");
    break;
  }
  expect(asked).toEqual([2 ** 30]);
  await cache.close();
});

test("a damaged cache costs a call and nothing else", async () => {
  vendor.put("b/x", body);
  const cacheDir = join(stage.data, "cache");
  const drive = await stage.synced({ cacheDir });
  await taken(drive, "b/x");
  const [path] = blocks(cacheDir) as [string];
  const bytes = readFileSync(path);
  for (const damaged of [
    Buffer.alloc(0),
    bytes.subarray(1),
    Buffer.concat([bytes.subarray(0, 7), Buffer.from("?"), bytes.subarray(8)]),
  ]) {
    writeFileSync(path, damaged);
    vendor.calls = [];
    expect((await taken(drive, "b/x")).bytes.equals(body)).toBe(true);
    expect(vendor.counted()).toEqual({ read: 1 });
  }
  // Wrong bytes do not stay.
  await put(drive, "b/x", body);
  vendor.stream = (part) => pieces(Buffer.alloc(part.length));
  expect((await taken(drive, "b/x")).code).toBe("Unavailable");
  vendor.stream = pieces;
  expect((await taken(drive, "b/x")).bytes.equals(body)).toBe(true);
});

test("the cache stays within its size, and keeps what was used last", async () => {
  const cacheDir = join(stage.data, "cache");
  const cacheSize = 3_000_000;
  for (let i = 0; i < 60; i++) vendor.put(`b/${i}`, body);
  const drive = await stage.synced({ cacheDir, cacheSize });
  for (let i = 0; i < 60; i++) await taken(drive, `b/${i}`);
  const total = blocks(cacheDir).reduce((sum, path) => sum + statSync(path).size, 0);
  expect(total).toBeGreaterThan(cacheSize / 2);
  expect(total).toBeLessThan(cacheSize * 1.1);
  vendor.calls = [];
  await taken(drive, "b/59");
  expect(vendor.calls).toEqual([]);
  await taken(drive, "b/0");
  expect(vendor.calls).toEqual(["read"]);
});
