import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { MemoryVendor } from "./memory-vendor.ts";
import { get, names, put, Stage } from "./testing.ts";
import type { Traits } from "./vendor.ts";

let stage: Stage;
let vendor: MemoryVendor;
function begin(traits: Partial<Traits> = {}) {
  stage = new Stage(traits);
  vendor = stage.vendor;
}
beforeEach(() => begin());
afterEach(() => stage.forget());

for (const mode of ["synced", "live"] as const) {
  test(`${mode}: what is there is listed, described and read`, async () => {
    vendor.put("bucket/a/hello.txt", "hello");
    vendor.put("bucket/What？", "");
    const drive = await stage[mode]();
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
    const drive = await stage[mode]();
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
    const drive = await stage[mode]();
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
    const drive = await stage[mode]();
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
    const drive = await stage[mode]();
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
  const drive = await stage.synced();
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
  const drive = await stage.synced({ pollInterval: 20 });
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
  const first = await stage.opened();
  await vi.waitFor(() => expect(first.progress()).toMatchObject({ items: 400, done: false }));
  await stage.close();
  const asked: unknown[] = [];
  vendor.before = (call, detail) => void (call === "changes" && asked.push(detail));
  const second = await stage.opened();
  await vi.waitFor(() => expect(second.progress()).toMatchObject({ items: 951, done: true }));
  expect(asked).toEqual([400, 500, 600, 700, 800, 900]);
  expect((await names(second, "b")).length).toBe(950);
});

test("after a reset everything is walked anew, and no key is missing meanwhile", async () => {
  for (let i = 0; i < 300; i++) vendor.put(`b/${i}`, "");
  const drive = await stage.synced({ pollInterval: 20 });
  vendor.drop("b/7");
  vendor.forget();
  let lowest = 300;
  vendor.after = async () => {
    lowest = Math.min(lowest, (await names(drive, "b")).length);
  };
  await vi.waitFor(async () => expect((await names(drive, "b")).length).toBe(299));
  expect(lowest).toBeGreaterThanOrEqual(299);
});
