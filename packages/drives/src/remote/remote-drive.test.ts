import { mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { CommitOptions, Drive } from "../drive.ts";
import { MemoryVendor } from "./memory-vendor.ts";
import { type RemoteDrive, remoteDrive } from "./remote-drive.ts";

let data: string;
let vendor: MemoryVendor;
const open: Drive[] = [];

beforeEach(() => {
  data = mkdtempSync(join(os.tmpdir(), "overcoat-remote-"));
  vendor = new MemoryVendor();
});
afterEach(async () => {
  for (const drive of open.splice(0)) await drive.close();
  rmSync(data, { recursive: true, force: true });
});

/** Opens the drive without waiting for anything. */
async function opened(pollInterval = 3_600_000): Promise<RemoteDrive> {
  const drive = await remoteDrive(vendor, { data, pollInterval });
  open.push(drive);
  return drive;
}
async function synced(pollInterval?: number): Promise<RemoteDrive> {
  const drive = await opened(pollInterval);
  await vi.waitFor(() => expect(drive.progress().done).toBe(true));
  if (vendor.traits.propertiesLimit === 0)
    await vi.waitFor(async () => expect(await drive.stat(".overcoat/properties")).toBeDefined());
  vendor.calls = [];
  return drive;
}
/** Opens the drive while its feed hangs. */
async function live(): Promise<RemoteDrive> {
  vendor.before = (call) => (call === "changes" ? new Promise(() => {}) : undefined);
  const drive = await remoteDrive(vendor, { data, pollInterval: 3_600_000 });
  vendor.calls = [];
  return drive;
}
async function put(
  drive: Drive,
  path: string,
  body: string | Buffer,
  properties = "p",
  options: CommitOptions = { derivable: true },
) {
  const pending = await drive.create(path, options);
  try {
    await pending.write(Buffer.from(body));
    return await pending.commit(properties, options);
  } catch (error) {
    await pending.discard();
    throw error;
  }
}
async function get(drive: Drive, path: string) {
  const file = await drive.open(path);
  if (!file) return undefined;
  try {
    return await text(file.readChunks(0, file.described.entry.size));
  } finally {
    await file.close();
  }
}
async function names(drive: Drive, folder: string) {
  const found: string[] = [];
  for await (const page of drive.list(folder)) found.push(...page.map(({ name, kind }) => `${kind} ${name}`));
  return found.sort();
}

for (const [mode, opener] of [
  ["synced", synced],
  ["live", live],
] as const) {
  test(`${mode}: what is there is listed, described and read`, async () => {
    vendor.put("bucket/a/hello.txt", "hello");
    vendor.put("bucket/What？", "");
    const drive = await opener();
    expect(await names(drive, "")).toEqual(["folder bucket"]);
    expect(await names(drive, "bucket")).toEqual(["file What?", "folder a"]);
    expect(await drive.stat("bucket/a/hello.txt")).toMatchObject({ kind: "file", size: 5 });
    expect(await get(drive, "bucket/a/hello.txt")).toBe("hello");
    expect(await get(drive, "bucket/What?")).toBe("");
    expect(await drive.open("bucket/a")).toBeUndefined();
    const described = await drive.describeAll("bucket/a", ["hello.txt", "none"]);
    expect(described.map((one) => one?.entry.size)).toEqual([5, undefined]);
    await expect(names(drive, "none")).rejects.toMatchObject({ code: "NotFound" });
    await expect(names(drive, "bucket/a/hello.txt")).rejects.toMatchObject({ code: "NotAFolder" });
  });

  test(`${mode}: what is written is there at once, and gone when it is removed`, async () => {
    vendor.put("bucket/x", "old");
    const drive = await opener();
    const before = await drive.stat("bucket/x");
    const entry = await put(drive, "bucket/x", "new");
    expect(entry).toMatchObject({ kind: "file", size: 3 });
    expect(entry.id).not.toBe(before!.id);
    expect(await drive.stat("bucket/x")).toMatchObject({ id: entry.id });
    expect(await get(drive, "bucket/x")).toBe("new");
    await put(drive, "bucket/a/b/c", "deep");
    expect(vendor.text("bucket/a/b/c")).toBe("deep");
    expect(await names(drive, "bucket/a/b")).toEqual(["file c"]);
    const large = Buffer.alloc(200_000, "large");
    await put(drive, "bucket/large", large);
    expect(vendor.text("bucket/large")).toBe(large.toString());
    expect(await get(drive, "bucket/large")).toBe(large.toString());
    expect(await drive.move("bucket/large", "bucket/x")).toBe(true);
    expect(await drive.stat("bucket/large")).toBeUndefined();
    expect((await drive.stat("bucket/x"))?.size).toBe(200_000);
    expect(await drive.remove("bucket/x")).toBe(true);
    expect(await drive.remove("bucket/x")).toBe(false);
    expect(await drive.stat("bucket/x")).toBeUndefined();
    expect(await drive.removeFolder("bucket/a")).toBe(false);
    expect(await drive.removeAll(["bucket/a/b/c", "bucket/none"])).toEqual([true, false]);
    expect(await drive.removeFolder("bucket/a/b")).toBe(true);
    expect(await drive.makeFolder("bucket/a/n/m")).toBe(true);
    expect(await drive.makeFolder("bucket/a/n/m")).toBe(false);
    expect(vendor.at("bucket/a/n/m")?.kind).toBe("folder");
  });

  test(`${mode}: names that differ in case only never meet`, async () => {
    vendor.put("Bucket/File", "there");
    const drive = await opener();
    expect(await drive.stat("Bucket/file")).toBeUndefined();
    expect(await drive.stat("bucket/File")).toBeUndefined();
    expect(await drive.open("Bucket/file")).toBeUndefined();
    expect(await drive.remove("Bucket/file")).toBe(false);
    await expect(put(drive, "Bucket/file", "mine")).rejects.toMatchObject({ code: "NameRefused" });
    await expect(put(drive, "bucket/other", "mine")).rejects.toMatchObject({ code: "NameRefused" });
    await expect(drive.makeFolder("bucket")).rejects.toMatchObject({ code: "NameRefused" });
    expect(vendor.text("Bucket/File")).toBe("there");
  });

  test(`${mode}: conditions are decided by the drive`, async () => {
    vendor.put("b/x", "one");
    const drive = await opener();
    await expect(put(drive, "b/x", "two", "", { onlyIfAbsent: true })).rejects.toMatchObject({
      code: "Exists",
    });
    const entry = (await drive.stat("b/x"))!;
    await put(drive, "b/x", "two", "", { unchanged: entry });
    await expect(put(drive, "b/x", "three", "", { unchanged: entry })).rejects.toMatchObject({
      code: "Changed",
    });
    await expect(drive.remove("b/x", entry)).rejects.toMatchObject({ code: "Changed" });
    const now = (await drive.stat("b/x"))!;
    // What is not known here yet counts as well.
    vendor.put("b/x", "by others");
    vendor.put("b/y", "by others");
    await expect(put(drive, "b/x", "three", "", { unchanged: now })).rejects.toMatchObject({
      code: "Changed",
    });
    await expect(put(drive, "b/y", "mine", "", { onlyIfAbsent: true })).rejects.toMatchObject({
      code: "Exists",
    });
    expect([vendor.text("b/x"), vendor.text("b/y")]).toEqual(["by others", "by others"]);
    expect(await drive.remove("b/x", (await drive.stat("b/x"))!)).toBe(true);
  });

  test(`${mode}: files and folders are not taken for one another`, async () => {
    vendor.put("b/file", "");
    vendor.put("b/folder/x", "");
    const drive = await opener();
    await expect(put(drive, "b/folder", "")).rejects.toMatchObject({ code: "IsAFolder" });
    await expect(put(drive, "b/file/x", "")).rejects.toMatchObject({ code: "NotAFolder" });
    await expect(drive.makeFolder("b/file/x")).rejects.toMatchObject({ code: "NotAFolder" });
    expect(await drive.remove("b/folder")).toBe(false);
    expect(await drive.removeFolder("b/file")).toBe(false);
    expect(await drive.stat("b/file/x")).toBeUndefined();
  });
}

test("once synced, only bytes and changes take calls", async () => {
  vendor.put("b/x", "one");
  const drive = await synced();
  await drive.stat("b/x");
  await drive.describe("b/y");
  await names(drive, "b");
  await drive.describeAll("b", ["x"]);
  expect(vendor.calls).toEqual([]);
  await get(drive, "b/x");
  await put(drive, "b/y", "new");
  await put(drive, "b/y", "replaced");
  await put(drive, "b/large", Buffer.alloc(100_000));
  await drive.remove("b/y");
  expect(vendor.calls).toEqual([
    "read",
    "upload",
    "upload",
    "startUpload",
    ...Array(4).fill("send"),
    "remove",
  ]);
  vendor.calls = [];
  const paths = Array.from({ length: 100 }, (_, i) => `b/many${i}`);
  for (const path of paths) await put(drive, path, path);
  vendor.calls = [];
  expect(await drive.removeAll(paths)).toEqual(paths.map(() => true));
  expect(vendor.counted()).toEqual({ removeBatch: 5 });
});

test("changes of others show within the poll interval, and folders tell them by their stamps", async () => {
  vendor.put("b/x", "one");
  vendor.put("b/dir/y", "two");
  const drive = await synced(20);
  const b = (await drive.stat("b"))!;
  const dir = (await drive.stat("b/dir"))!;
  vendor.put("b/x", "other");
  vendor.put("b/z", "more");
  await vi.waitFor(async () => expect(await drive.stat("b/z")).toBeDefined());
  expect(await get(drive, "b/x")).toBe("other");
  expect((await drive.stat("b"))!.stamp).not.toBe(b.stamp);
  expect((await drive.stat("b/dir"))!.stamp).toBe(dir.stamp);
  const after = (await drive.stat("b"))!;
  vendor.put("b/x", "third");
  vendor.rename("b/dir", "moved");
  await vi.waitFor(async () => expect(await drive.stat("moved/y")).toBeDefined());
  expect(await drive.stat("b/dir/y")).toBeUndefined();
  expect((await drive.stat("b"))!.stamp).not.toBe(after.stamp);
  vendor.drop("moved");
  await vi.waitFor(async () => expect(await drive.stat("moved/y")).toBeUndefined());
});

test("a first walk goes on where it was broken off", async () => {
  for (let i = 0; i < 950; i++) vendor.put(`b/${i}`, "");
  let pages = 0;
  vendor.before = (call) => {
    if (call === "changes" && ++pages > 4) throw new Error("broken");
  };
  const first = await opened();
  await vi.waitFor(() => expect(first.progress()).toMatchObject({ items: 400, done: false }));
  await first.close();
  open.length = 0;
  const asked: unknown[] = [];
  vendor.before = (call, detail) => void (call === "changes" && asked.push(detail));
  const second = await opened();
  await vi.waitFor(() => expect(second.progress()).toMatchObject({ items: 951, done: true }));
  expect(asked).toEqual([400, 500, 600, 700, 800, 900]);
  expect((await names(second, "b")).length).toBe(950);
});

test("after a reset everything is walked anew, and no key is missing meanwhile", async () => {
  for (let i = 0; i < 300; i++) vendor.put(`b/${i}`, "");
  const drive = await synced(20);
  vendor.drop("b/7");
  vendor.forget();
  let lowest = 300;
  vendor.after = async () => {
    lowest = Math.min(lowest, (await names(drive, "b")).length);
  };
  await vi.waitFor(async () => expect((await names(drive, "b")).length).toBe(299));
  expect(lowest).toBeGreaterThanOrEqual(299);
});

for (const propertiesLimit of [0, 200]) {
  const kind = propertiesLimit === 0 ? "aside" : "with the file";
  const small = JSON.stringify({ user: "ü".repeat(10) });
  const large = JSON.stringify({ user: "ü".repeat(1000) });
  const properties = async (drive: Drive, path: string) => (await drive.describe(path))?.properties;
  /** Forgets all that is known here. */
  const restarted = async (opener = synced) => {
    for (const drive of open.splice(0)) await drive.close();
    rmSync(data, { recursive: true, force: true });
    return opener();
  };

  test(`properties that are kept ${kind} outlive the mirror, but for what is derivable where it costs a call`, async () => {
    vendor = new MemoryVendor({ propertiesLimit });
    let drive = await synced();
    await put(drive, "b/small", "1", small, {});
    expect(vendor.counted()).toEqual({ makeFolder: 1, upload: propertiesLimit === 0 ? 2 : 1 });
    await put(drive, "b/large", "2", large, {});
    await put(drive, "b/session", Buffer.alloc(100_000), large, {});
    await put(drive, "b/derivable", "3", small, { derivable: true });
    const all = ["b/small", "b/large", "b/session", "b/derivable"];
    const expected = [small, large, large, small];
    expect(await Promise.all(all.map((path) => properties(drive, path)))).toEqual(expected);
    drive = await restarted();
    const kept = propertiesLimit === 0 ? [small, large, large, undefined] : expected;
    expect(await Promise.all(all.map((path) => properties(drive, path)))).toEqual(kept);
    const described = await drive.describeAll("b", ["small", "large", "session", "derivable", "none"]);
    expect(described.map((one) => one?.properties)).toEqual([...kept, undefined]);
    vendor.calls = [];
    await drive.describeAll("b", ["small", "large", "session"]);
    expect(vendor.calls).toEqual([]);
    drive = await restarted(live);
    expect(
      (
        await drive.describeAll(
          "b",
          all.map((path) => path.slice(2)),
        )
      ).map((one) => one?.properties),
    ).toEqual(kept);
    expect(await properties(drive, "b/large")).toBe(large);
  });

  test(`properties that are kept ${kind} belong to their bytes`, async () => {
    vendor = new MemoryVendor({ propertiesLimit });
    let drive = await synced(20);
    for (const text of [small, large]) {
      await put(drive, "b/x", "one", text, {});
      vendor.put("b/x", "other");
      await vi.waitFor(async () => expect((await drive.stat("b/x"))?.size).toBe(5));
      expect(await properties(drive, "b/x")).toBeUndefined();
      await put(drive, "b/x", "one", text, {});
      expect(await properties(drive, "b/x")).toBe(text);
      // The same bytes once more, without.
      await put(drive, "b/x", "one", "", {});
      expect(await properties(drive, "b/x")).toBeUndefined();
      drive = await restarted(() => synced(20));
      expect(await properties(drive, "b/x")).toBeUndefined();
    }
  });

  test(`properties that are kept ${kind} are changed, copied, moved and removed with their files`, async () => {
    vendor = new MemoryVendor({ propertiesLimit });
    let drive = await synced();
    await put(drive, "b/x", "one", small, {});
    for (const text of [large, small]) {
      await drive.setProperties("b/x", text);
      expect(await properties(drive, "b/x")).toBe(text);
      await (await drive.copy("b/x", "b/copy"))!.commit(text);
      expect(await get(drive, "b/copy")).toBe("one");
      expect(await properties(drive, "b/copy")).toBe(text);
      await (await drive.copy("b/copy", "b/copy"))!.commit(`${text} `);
      expect(await properties(drive, "b/copy")).toBe(`${text} `);
      await drive.move("b/copy", "b/moved");
      drive = await restarted();
      expect(await properties(drive, "b/x")).toBe(text);
      expect(await properties(drive, "b/moved")).toBe(`${text} `);
    }
    await drive.removeAll(["b/x", "b/moved"]);
    expect([...vendor.nodes.values()].filter(({ item }) => item.kind === "file")).toEqual([]);
  });
}

test("a sidecar by another gateway is seen", async () => {
  const drive = await synced(20);
  const other = await remoteDrive(vendor, { data: join(data, "other"), pollInterval: 20 });
  open.push(other);
  await vi.waitFor(() => expect(other.progress().done).toBe(true));
  await put(drive, "b/x", "one", "first", {});
  await vi.waitFor(async () => expect((await other.describe("b/x"))?.properties).toBe("first"));
  await drive.setProperties("b/x", "second");
  await vi.waitFor(async () => expect((await other.describe("b/x"))?.properties).toBe("second"));
  await put(other, "b/x", "one", "third", {});
  await vi.waitFor(async () => expect((await drive.describe("b/x"))?.properties).toBe("third"));
});

test("a copy of bytes that others changed meanwhile is taken back", async () => {
  vendor.put("b/x", "one");
  const drive = await synced();
  const copy = (await drive.copy("b/x", "b/y"))!;
  vendor.put("b/x", "other");
  await expect(copy.commit("")).rejects.toMatchObject({ code: "Unavailable" });
  expect(vendor.at("b/y")).toBeUndefined();
  expect(await drive.stat("b/y")).toBeUndefined();
});
