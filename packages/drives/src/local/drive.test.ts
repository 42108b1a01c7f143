import { spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Drive } from "../drive.ts";
import { processName } from "../processes.ts";
import { localDrive } from "./index.ts";

let top: string;
let root: string;
let drive: Drive;

beforeEach(() => {
  top = fs.mkdtempSync(join(os.tmpdir(), "overcoat-drive-"));
  root = join(top, "root");
  fs.mkdirSync(join(root, "b"), { recursive: true });
  drive = localDrive(root);
});
afterEach(() => fs.rmSync(top, { recursive: true, force: true }));

async function put(path: string, body: string, properties = "{}", onlyIfAbsent = false) {
  const pending = await drive.create(path);
  await pending.write(Buffer.from(body));
  return pending.commit(properties, { onlyIfAbsent });
}
async function get(path: string) {
  const file = await drive.open(path);
  if (file === undefined) return undefined;
  const body = await text(file.readChunks(0, file.described.entry.size));
  expect(String(await file.readBytes(0, file.described.entry.size))).toBe(body);
  await file.close();
  return { body, properties: file.described.properties };
}
async function names(folder: string) {
  const found: string[] = [];
  for await (const page of drive.list(folder)) found.push(...page.map(({ name, kind }) => `${kind} ${name}`));
  return found.sort();
}
const temporaries = () => fs.readdirSync(join(root, "b/.overcoat/tmp"));
const sidecars = () =>
  fs
    .readdirSync(join(root, "b/.overcoat/meta"), { recursive: true })
    .filter((name) => String(name).endsWith(".json"));

test("a file comes back", async () => {
  const entry = await put("b/x/../y", "hello", "some ü");
  expect(await get("b/x/../y")).toEqual({ body: "hello", properties: "some ü" });
  expect(fs.readFileSync(join(root, "b/x/．．/y"), "utf8")).toBe("hello");
  expect(await drive.stat("b/x/../y")).toMatchObject(entry);
  expect(Math.abs(Math.floor(entry.modified) - Date.now())).toBeLessThan(5000);
  expect(await drive.describe("b/x/../y")).toMatchObject({ entry, properties: "some ü" });
  await drive.setProperties("b/x/../y", "more");
  const { size, modified, id } = entry;
  expect(await drive.describe("b/x/../y")).toMatchObject({
    entry: { size, modified, id },
    properties: "more",
  });
  expect(await names("b")).toEqual(["folder .overcoat", "folder x"]);
  expect(await names("b/x")).toEqual(["folder .."]);
  expect(temporaries()).toEqual([]);
  expect(await drive.open("b/x")).toBeUndefined();
  expect(await drive.open("b/nothing/y")).toBeUndefined();
  expect(await drive.open("b/x/../y/z")).toBeUndefined();
});

test("large and many writes keep their order", async () => {
  const pending = await drive.create("b/large");
  const parts = [1, 70000, 65536, 1 << 20].map((size, index) => Buffer.alloc(size, 97 + index));
  await Promise.all(parts.map((part) => pending.write(part)));
  await pending.commit("");
  expect(fs.readFileSync(join(root, "b/large")).equals(Buffer.concat(parts))).toBe(true);
  const file = (await drive.open("b/large"))!;
  expect((await file.readBytes(1, 1100001)).length).toBe(1100000);
  await file.close();
});

test("bytes that go to disk while more arrive are whole, or leave nothing", async () => {
  const chunk = Buffer.alloc(1024 * 1024, "x");
  for (const kept of [true, false]) {
    const pending = await drive.create("b/large");
    for (let i = 0; i < 20; i++) await pending.write(chunk);
    await (kept ? pending.commit("{}") : pending.discard());
    expect(fs.readdirSync(join(root, "b/.overcoat/tmp"))).toEqual([]);
  }
  expect((await get("b/large"))?.body.length).toBe(20 * chunk.length);
});

test("properties are void after a foreign change", async () => {
  await put("b/f", "hello", "p");
  fs.writeFileSync(join(root, "b/f"), "other bytes");
  expect(await get("b/f")).toEqual({ body: "other bytes", properties: undefined });
  fs.writeFileSync(join(root, "b/foreign"), "");
  expect((await drive.describe("b/foreign"))?.properties).toBeUndefined();
});

test.each([
  ["an extended attribute that is too small", undefined],
  ["tmpfs or other", "/dev/shm"],
])("large properties: %s", async (_, place) => {
  if (place !== undefined) {
    if (!fs.existsSync(place)) return;
    fs.rmSync(top, { recursive: true });
    top = fs.mkdtempSync(join(place, "overcoat-"));
    root = join(top, "root");
    fs.mkdirSync(join(root, "b"), { recursive: true });
    drive = localDrive(root, { fsync: false });
  }
  const large = "p".repeat(100_000);
  await put("b/f", "hello", large);
  expect(sidecars().length).toBe(1);
  expect(await get("b/f")).toEqual({ body: "hello", properties: large });
  await put("b/f", "hello", `${large}2`);
  expect(sidecars().length).toBe(1);
  expect((await get("b/f"))?.properties).toBe(`${large}2`);
  expect(await drive.move("b/f", "b/d/g")).toBe(true);
  expect((await get("b/d/g"))?.properties).toBe(`${large}2`);
  expect(sidecars().length).toBe(1);
  await drive.setProperties("b/d/g", "small");
  expect(sidecars()).toEqual([]);
  await drive.setProperties("b/d/g", large);
  expect((await drive.describe("b/d/g"))?.properties).toBe(large);
  await expect(put("b/d/g", "hello", large, true)).rejects.toMatchObject({ code: "Exists" });
  expect(sidecars().length).toBe(1);
  expect(await drive.remove("b/d/g")).toBe(true);
  expect(sidecars()).toEqual([]);
});

test("10 KB of properties come back", async () => {
  await put("b/f", "x", "p".repeat(10_000));
  expect((await get("b/f"))?.properties).toBe("p".repeat(10_000));
});

test("nothing goes through a symbolic link", async () => {
  const outside = join(top, "outside");
  fs.mkdirSync(outside);
  fs.writeFileSync(join(outside, "secret"), "secret");
  fs.symlinkSync(join(outside, "secret"), join(root, "b/file"));
  fs.symlinkSync(outside, join(root, "b/folder"));
  fs.symlinkSync(outside, join(root, "c"));
  spawnSync("mkfifo", [join(root, "b/fifo")]);
  for (const path of ["b/file", "b/folder/secret", "c/secret", "b/fifo"]) {
    expect(await drive.open(path)).toBeUndefined();
    expect(await drive.stat(path)).toBeUndefined();
    expect(await drive.describe(path)).toBeUndefined();
    expect(await drive.copy(path, "b/copy")).toBeUndefined();
    expect(await drive.move(path, "b/moved")).toBe(false);
    expect(await drive.remove(path)).toBe(false);
    await expect(drive.setProperties(path, "p")).rejects.toMatchObject({ code: "NotFound" });
  }
  for (const path of ["b/folder", "c"]) {
    await expect(names(path)).rejects.toMatchObject({ code: "NotFound" });
    expect(await drive.removeFolder(path)).toBe(false);
    await expect(drive.makeFolder(`${path}/new`)).rejects.toMatchObject({ code: "AccessDenied" });
  }
  expect(await names("b")).toEqual([]);
  await expect(put("b/folder/new", "x")).rejects.toMatchObject({ code: "AccessDenied" });
  await expect(put("b/folder/new/deep", "x")).rejects.toMatchObject({ code: "AccessDenied" });
  await expect(put("c/new", "x")).rejects.toMatchObject({ code: "NotFound" });
  await put("b/file", "mine");
  expect(fs.readFileSync(join(outside, "secret"), "utf8")).toBe("secret");
  expect(fs.readdirSync(outside)).toEqual(["secret"]);
  expect((await get("b/file"))?.body).toBe("mine");
});

test("a hidden folder that is a symbolic link is refused", async () => {
  const outside = join(top, "outside");
  fs.mkdirSync(join(outside, "tmp"), { recursive: true });
  fs.symlinkSync(outside, join(root, "b/.overcoat"));
  await expect(put("b/f", "x")).rejects.toMatchObject({ code: "AccessDenied" });
  expect(fs.readdirSync(join(outside, "tmp"))).toEqual([]);
});

test("refusals of commit", async () => {
  await put("b/f", "first");
  await expect(put("b/f", "second", "", true)).rejects.toMatchObject({ code: "Exists" });
  expect((await get("b/f"))?.body).toBe("first");
  await put("b/new", "x", "", true);
  await drive.makeFolder("b/folder");
  await expect(put("b/folder", "x")).rejects.toMatchObject({ code: "IsAFolder" });
  await expect(put("b/folder", "x", "", true)).rejects.toMatchObject({ code: "IsAFolder" });
  await expect(put("b/f/g", "x")).rejects.toMatchObject({ code: "NotAFolder" });
  await expect(put("b/f/g/h", "x")).rejects.toMatchObject({ code: "NotAFolder" });
  await expect(drive.makeFolder("b/f")).rejects.toMatchObject({ code: "NotAFolder" });
  await expect(names("b/f")).rejects.toMatchObject({ code: "NotAFolder" });
  await expect(names("b/none")).rejects.toMatchObject({ code: "NotFound" });
  await expect(drive.create("none/f")).rejects.toMatchObject({ code: "NotFound" });
  await expect(localDrive(root, { readOnly: true }).create("b/f")).rejects.toMatchObject({
    code: "ReadOnly",
  });
  expect(temporaries()).toEqual([]);
});

test("one of many wins onlyIfAbsent", async () => {
  const results = await Promise.allSettled(
    Array.from({ length: 20 }, (_, index) => put("b/one", `${index}`, "", true)),
  );
  expect(results.filter((result) => result.status === "fulfilled").length).toBe(1);
});

test("an opened file stays as it was", async () => {
  await put("b/f", "first", "1");
  const file = (await drive.open("b/f"))!;
  await put("b/f", "other", "2");
  expect(String(await file.readBytes(0, 5))).toBe("first");
  await file.close();
  expect(await get("b/f")).toEqual({ body: "other", properties: "2" });
});

test("copies", async () => {
  await put("b/f", "hello", "p");
  fs.chmodSync(join(root, "b/f"), 0o400);
  const pending = (await drive.copy("b/f", "b/deep/g"))!;
  await pending.write(Buffer.from("!"));
  await pending.commit("q");
  expect(await get("b/deep/g")).toEqual({ body: "hello!", properties: "q" });
  expect(fs.statSync(join(root, "b/deep/g")).mode & 0o777).toBe(0o666 & ~process.umask());
});

test("commits to new folders at the same time", async () => {
  const paths = Array.from({ length: 200 }, (_, index) => `b/new/deep/${index % 3}/${index}`);
  await Promise.all(paths.map((path) => put(path, path, path)));
  for (const path of paths) expect(await get(path)).toEqual({ body: path, properties: path });
  expect(temporaries()).toEqual([]);
});

test("a bucket with only empty hidden folders goes", async () => {
  await put("b/f", "x", "p".repeat(100_000));
  expect(await drive.removeFolder("b")).toBe(false);
  await drive.remove("b/f");
  const pending = await drive.create("b/g");
  expect(await drive.removeFolder("b")).toBe(false);
  expect(fs.existsSync(join(root, "b/.overcoat/meta"))).toBe(true);
  await pending.discard();
  await pending.discard();
  expect(await drive.removeFolder("b")).toBe(true);
  expect(await drive.removeFolder("b")).toBe(false);
  expect(await drive.makeFolder("b")).toBe(true);
  expect(await drive.makeFolder("b")).toBe(false);
});

test("sweep removes what a crash left", async () => {
  const pending = await drive.create("b/f");
  const dead = spawnSync(process.execPath, ["-e", ""]).pid;
  const folder = join(root, "b/.overcoat/tmp");
  const [numbering, , start] = processName.split(".");
  for (const name of [`${numbering}.${dead}.${start}-x`, "another-old", "another-young"])
    fs.writeFileSync(join(folder, name), "");
  fs.utimesSync(join(folder, "another-old"), 1, 1);
  expect(await drive.sweep(60_000)).toBe(2);
  await pending.write(Buffer.from("kept"));
  await pending.commit("");
  expect(temporaries()).toEqual(["another-young"]);
});

test("lists many, and leaves out what is no UTF-8", async () => {
  for (let index = 0; index < 2500; index++) fs.writeFileSync(join(root, `b/${index}`), "");
  fs.writeFileSync(Buffer.concat([Buffer.from(join(root, "b/bad")), Buffer.from([0xff])]), "");
  fs.writeFileSync(join(root, "b/good\ufffd"), "");
  const found = await names("b");
  expect(found.length).toBe(2501);
  expect(found).toContain("file good\ufffd");
});

test("limits and permissions", async () => {
  expect(drive.fits(`b/${"a".repeat(255)}`)).toBe(true);
  expect(drive.fits(`b/${"ü".repeat(128)}`)).toBe(false);
  expect(drive.fits(`b/${"aaa/".repeat(1000)}a`)).toBe(false);
  drive = localDrive(root, { filePermissions: 0o666, folderPermissions: 0o777, fsync: false });
  await put("b/d/f", "");
  expect(fs.statSync(join(root, "b/d/f")).mode & 0o777).toBe(0o666);
  expect(fs.statSync(join(root, "b/d")).mode & 0o777).toBe(0o777);
});

test("no file descriptor leaks", async () => {
  const open = () => fs.readdirSync("/proc/self/fd").length;
  if (process.platform !== "linux") return;
  await put("b/f", "x");
  const before = open();
  for (let round = 0; round < 50; round++) {
    await put("b/f", "x", round % 2 ? "p".repeat(100_000) : "p");
    await put("b/f", "x", "", true).catch(() => {});
    await put("b/f/g", "x").catch(() => {});
    await put("none/g", "x").catch(() => {});
    await get("b/f");
    await names("b");
    await drive.move("b/f", "b/x/f");
    await drive.remove("b/x/f");
  }
  expect(open()).toBeLessThanOrEqual(before + 2);
});

test("a folder that is itself a bucket takes paths with new folders and keeps what is hidden in one place", async () => {
  drive = localDrive(root, { bucket: true });
  await put("new/deep/file", "body", '{"a":1}');
  await drive.move("new/deep/file", "other/file");
  expect(await get("other/file")).toEqual({ body: "body", properties: '{"a":1}' });
  const [described] = await drive.describeAll("other", ["file"]);
  expect(described?.properties).toBe('{"a":1}');
  expect(fs.readdirSync(root).sort()).toEqual([".overcoat", "b", "new", "other"]);
  expect(fs.readdirSync(join(root, "other"))).toEqual(["file"]);
});
