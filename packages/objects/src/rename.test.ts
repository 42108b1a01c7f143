import { mkdir, mkdtemp, readdir, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { localDrive } from "@overcoat/drives";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Objects, openObjects } from "./objects.ts";

let work: string;
let objects: Objects;
const file = (key: string) => join(work, "drive/bucket", key);
beforeEach(async () => {
  work = await mkdtemp(join(tmpdir(), "overcoat-rename-"));
  await mkdir(join(work, "drive"));
  const drive = localDrive(join(work, "drive"), { fsync: false });
  objects = await openObjects({ drive, data: join(work, "data") });
  await objects.createBucket("bucket");
});
afterEach(async () => {
  await objects.close();
  await rm(work, { recursive: true });
});

const put = (key: string, text: string) =>
  objects.putObject("bucket", key, text, { metadata: { user: { colour: "green" }, tags: { kind: "test" } } });
const text = async (key: string) => {
  await using object = await objects.getObject("bucket", key);
  return object.text();
};
const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => "success",
    (error) => error.code,
  );

describe("renameObject", () => {
  it("moves the file itself with its metadata and leaves no empty folder", async () => {
    const before = await put("deep/below/a", "one");
    const { ino } = await stat(file("deep/below/a"));
    await objects.renameObject("bucket", "deep/below/a", "new/b");
    expect((await stat(file("new/b"))).ino).toBe(ino);
    const { key, ...info } = await objects.headObject("bucket", "new/b");
    expect(key).toBe("new/b");
    expect(info).toMatchObject({ etag: before.etag, metadata: before.metadata, modified: before.modified });
    expect((await readdir(file(""))).sort()).toEqual([".overcoat", "new"]);
    expect(await codeOf(objects.headObject("bucket", "deep/below/a"))).toBe("NoSuchKey");
  });
  it("replaces what has the name", async () => {
    await put("a", "one");
    await put("b", "two");
    await objects.renameObject("bucket", "a", "b");
    expect(await text("b")).toBe("one");
    expect((await objects.listObjects("bucket")).objects.map(({ key }) => key)).toEqual(["b"]);
  });
  it.each([
    ["a/b", "a"],
    ["a", "a/b"],
    ["a", "a//"],
  ])("takes %s to %s, where one is the other's folder", async (from, to) => {
    await put(from, "one");
    await objects.renameObject("bucket", from, to);
    expect(await text(to)).toBe("one");
    expect((await objects.listObjects("bucket")).objects.map(({ key }) => key)).toEqual([to]);
  });
  it("leaves an object that gets its own name", async () => {
    await put("a/b", "one");
    await objects.renameObject("bucket", "a/b", "a/b");
    expect(await readFile(file("a/b"), "utf8")).toBe("one");
  });
  it("honours the conditions of both ends and then changes nothing", async () => {
    const a = await put("a", "one");
    const b = await put("b", "two");
    const rename = (to: string, conditions?: object, sourceConditions?: object) =>
      codeOf(objects.renameObject("bucket", "a", to, { conditions, sourceConditions }));
    expect(await rename("b", { ifNoneMatch: "*" })).toBe("PreconditionFailed");
    expect(await rename("b", { ifMatch: a.etag })).toBe("PreconditionFailed");
    expect(await rename("b", { ifModifiedSince: b.modified })).toBe("PreconditionFailed");
    expect(await rename("c", { ifMatch: a.etag })).toBe("NoSuchKey");
    expect(await rename("c", undefined, { ifMatch: b.etag })).toBe("PreconditionFailed");
    expect(await rename("c", undefined, { ifNoneMatch: "*" })).toBe("PreconditionFailed");
    expect(await codeOf(objects.renameObject("bucket", "absent", "b"))).toBe("NoSuchKey");
    expect([await text("a"), await text("b")]).toEqual(["one", "two"]);
    expect(await rename("b", { ifMatch: b.etag }, { ifMatch: a.etag })).toBe("success");
    expect(await text("b")).toBe("one");
  });
  it("lets only one of many take a name that must be free", async () => {
    const names = Array.from({ length: 12 }, (_, i) => `source${i}`);
    for (const name of names) await put(name, name);
    const renames = names.map((name) =>
      codeOf(objects.renameObject("bucket", name, "target", { conditions: { ifNoneMatch: "*" } })),
    );
    const outcomes = await Promise.all(renames);
    expect(outcomes.filter((code) => code === "success")).toHaveLength(1);
    expect(await text("target")).toBe(names[outcomes.indexOf("success")]);
    expect((await objects.listObjects("bucket")).objects).toHaveLength(names.length);
  });
  it("does not lock itself up, in opposite directions and with keys that begin alike", async () => {
    const long = "x".repeat(200);
    const [a, b] = [`${long}/${long}/1${long}/a`, `${long}/${long}/1${long}/b`];
    await put(a, "one");
    const codes = await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        codeOf(i % 2 ? objects.renameObject("bucket", a, b) : objects.renameObject("bucket", b, a)),
      ),
    );
    expect(new Set(codes)).toEqual(new Set(["success", "NoSuchKey"]));
    expect((await objects.listObjects("bucket")).objects).toHaveLength(1);
  });
});
