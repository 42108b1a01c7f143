import { afterEach, describe, expect, test } from "vitest";
import type { Item } from "../remote/vendor.ts";
import { bodyOf, type Stage, stage, textOf } from "./testing.ts";

let open: Stage[] = [];
afterEach(async () => {
  for (const each of open) await each[Symbol.asyncDispose]();
  open = [];
});

const start = async (
  files: Record<string, string | null> = {},
  more: Parameters<typeof stage>[0] = {},
  options: Parameters<typeof stage>[1] = {},
) => {
  const made = await stage({ files, ...more }, options);
  open.push(made);
  // What is asked for once is not what these tests count.
  await made.vendor.find(["none"]);
  return made;
};

const names = (items: readonly Item[]) => items.map(({ name, kind }) => `${kind} ${name}`).sort();

test("items are found, read and listed", async () => {
  const { vendor, root, find, calls } = await start({ "A/b + ü #%'(1).txt": "hello", "A/c": null, d: "" });
  const file = await find("A/b + ü #%'(1).txt");
  expect(file).toMatchObject({ kind: "file", size: 5, id: "/a/b + ü #%'(1).txt", parent: "/a" });
  expect(Math.abs(file.modified - Date.now())).toBeLessThan(60_000);
  expect(await vendor.get(file.id)).toEqual(file);
  // In whatever case.
  expect((await vendor.find(["a", "C"]))?.name).toBe("c");
  expect(await vendor.find(["a", "missing"])).toBeUndefined();
  expect(await vendor.find(["x".repeat(256)])).toBeUndefined();
  expect((await find("d")).hash).toBe("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  const folder = await find("A");
  expect(folder).toMatchObject({ kind: "folder", name: "A", parent: root.id });
  const children = async () => (await Array.fromAsync(vendor.children(folder))).flat();
  expect(names(await children())).toEqual(["file b + ü #%'(1).txt", "folder c"]);
  expect(await calls(children)).toEqual({ "files/list_folder": 1 });
  expect(await vendor.get(root.id)).toEqual(root);
});

test("reads are of the revision that was asked for, by a link where there are many", async () => {
  const { vendor, find, calls, server } = await start({ a: "0123456789" }, { linkSeconds: 60 });
  const a = await find("a");
  expect(await calls(async () => expect(await textOf(vendor.read(a, 0, 10))).toBe("0123456789"))).toEqual({
    "files/download": 1,
  });
  const piece = async (start: number) =>
    expect(await textOf(vendor.read(a, start, start + 2))).toBe(`${start}${start + 1}`);
  await server.put("a", "other");
  expect(
    await calls(async () => {
      for (const start of [1, 6, 7]) await piece(start);
      await Promise.all([piece(2), piece(3), piece(4)]);
      await piece(8);
    }),
  ).toEqual({ "files/download": 3, "files/get_temporary_link": 1, "GET link": 4 });
  // A link that has ended is given up.
  server.clock.advance(60_000);
  expect(await calls(() => piece(5))).toEqual({ "GET link": 1, "files/download": 1 });
  expect(await textOf(vendor.read(a, 5, 5))).toBe("");
  await expect(vendor.read({ ...a, version: "0123456789" }, 0, 10)).rejects.toMatchObject({
    code: "NotFound",
  });
  await expect(vendor.read({ ...a, size: 5 }, 0, 5)).rejects.toMatchObject({ code: "Changed" });
  server.restrict("a");
  await expect(vendor.read(await find("a"), 0, 5)).rejects.toMatchObject({ code: "AccessDenied" });
});

test("documents of Dropbox's own are links to them", async () => {
  const { vendor, find, root, server } = await start();
  await server.addPaper("My notes/Plan.paper", "<p>plan</p>");
  const plan = await find("My notes/Plan.paper");
  const text = "[InternetShortcut]\r\nURL=https://www.dropbox.com/home/My%20notes?preview=Plan.paper\r\n";
  expect(Buffer.from(plan.inline!).toString()).toBe(text);
  expect(plan.size).toBe(text.length);
  expect((await Array.fromAsync(vendor.children(await find("My notes")))).flat()).toHaveLength(1);
  expect(root.inline).toBeUndefined();
});

test("a folder may be the root, also one of a team's space", async () => {
  const { another, server, vendor } = await start({ "a/b＼c/d": "deep", e: "" }, { team: true });
  const folder = another({ folder: "a/b\\c" });
  expect((await folder.find(["d"]))?.size).toBe(4);
  await folder.upload({ folder: await folder.root(), name: "New" }, bodyOf("new"));
  expect((await vendor.find(["a", "b＼c", "new"]))?.size).toBe(3);
  const pages = await Array.fromAsync(folder.changes(undefined));
  expect(names(pages.flatMap(({ changes }) => changes as Item[]))).toEqual(["file New", "file d"]);
  await expect(another({ folder: "gone" }).root()).rejects.toMatchObject({ code: "NotFound" });
  await expect(another({ folder: "e" }).root()).rejects.toMatchObject({ code: "NotAFolder" });
  const team = another({ folder: "/" });
  expect(names((await Array.fromAsync(team.children(await team.root()))).flat())).toEqual([
    "folder Stand-in User",
  ]);
  const member = another({ folder: "/Stand-in User/a" });
  expect((await member.find(["B＼C", "d"]))?.size).toBe(4);
  const { namespace } = server.drive.root.data;
  const named = another({ rootNamespace: namespace });
  expect((await named.find(["stand-in user", "e"]))?.size).toBe(0);
  await expect(another({ rootNamespace: "5" }).find(["x"])).rejects.toMatchObject({ code: "AccessDenied" });
});

test("folders are made, and those that are there are found", async () => {
  const { vendor, root, calls } = await start({ file: "" });
  let made!: Item;
  const make = async () => {
    made = await vendor.makeFolder(root, "New");
  };
  expect(await calls(make)).toEqual({ "files/create_folder_v2": 1 });
  expect(made).toMatchObject({ kind: "folder", name: "New", parent: root.id });
  expect(await vendor.makeFolder(root, "New")).toEqual(made);
  await expect(vendor.makeFolder(root, "file")).rejects.toMatchObject({ code: "NotAFolder" });
  await expect(vendor.makeFolder(root, "a\\b")).rejects.toMatchObject({ code: "NameRefused" });
  await expect(vendor.makeFolder(root, "desktop.ini")).rejects.toMatchObject({ code: "NameRefused" });
});

test("items are removed, unless they were changed", async () => {
  const { vendor, find, server, calls } = await start({ a: "1", b: "1", "c/d": "1" });
  const [a, b, c] = [await find("a"), await find("b"), await find("c")];
  expect(await calls(() => vendor.remove(a))).toEqual({ "files/delete_v2": 1 });
  expect(await vendor.remove(a)).toBe(false);
  await server.put("b", "22");
  await expect(vendor.remove(b, "unchanged")).rejects.toMatchObject({ code: "Changed" });
  expect(await vendor.remove(await find("b"), "unchanged")).toBe(true);
  expect(await vendor.remove(c)).toBe(true);
  expect(await vendor.find(["c", "d"])).toBeUndefined();
});

test("many are removed in one batch", async () => {
  const files = Object.fromEntries(Array.from({ length: 1005 }, (_, index) => [`f${index}`, "x"]));
  const { vendor, root, server, calls } = await start(files);
  const items = (await Array.fromAsync(vendor.children(root))).flat();
  server.remove("f7");
  let results: (boolean | Error)[] = [];
  const counted = await calls(async () => {
    results = await vendor.removeAll(items);
  });
  expect(counted).toEqual({ "files/delete_batch": 2, "files/delete_batch/check": 2 });
  expect(results.filter((result) => result === true)).toHaveLength(1004);
  expect(results[items.findIndex(({ name }) => name === "f7")]).toBe(false);
  expect((await Array.fromAsync(vendor.children(root))).flat()).toEqual([]);
  expect(await vendor.removeAll([])).toEqual([]);
});

test("items are moved, over others where they may", async () => {
  const { vendor, find, target, root, calls } = await start({ a: "a", b: "bb", "c/d": "d" });
  const [a, b, c] = [await find("a"), await find("b"), await find("c")];
  await expect(vendor.move(a, target("b"))).rejects.toMatchObject({ code: "Exists" });
  await expect(vendor.move(a, target("b", b), { condition: "absent" })).rejects.toMatchObject({
    code: "Exists",
  });
  let moved!: Item;
  const move = async () => {
    moved = await vendor.move(a, target("b", b));
  };
  expect(await calls(move)).toEqual({ "files/delete_v2": 1, "files/move_v2": 1 });
  expect(moved).toMatchObject({ id: "/b", name: "b", size: 1 });
  expect(await vendor.get(a.id)).toBeUndefined();
  expect(await vendor.move(moved, { folder: c, name: "E" })).toMatchObject({ name: "E", parent: c.id });
  await vendor.move(await find("c/d"), { folder: root, name: "D" });
  expect((await find("d")).name).toBe("D");
  await expect(vendor.move(b, target("x"))).rejects.toMatchObject({ code: "NotFound" });
});

test("what was to be replaced comes back when its replacement fails", async () => {
  const { vendor, find, target, server } = await start({ a: "a", b: "bb" });
  const [a, b] = [await find("a"), await find("b")];
  server.fault({ on: "files/move_v2", status: 403 });
  await expect(vendor.move(a, target("b", b))).rejects.toMatchObject({ code: "AccessDenied" });
  expect(await textOf(vendor.read(await find("b"), 0, 2))).toBe("bb");
  await server.put("b", "changed");
  await expect(vendor.move(a, target("b", b))).rejects.toMatchObject({ code: "Changed" });
});

test("moves of what is not found everywhere yet, and whose answers are lost", async () => {
  const { vendor, find, target, server } = await start({ a: "a" });
  const error = { ".tag": "from_lookup", from_lookup: { ".tag": "not_found" } };
  const body = { error_summary: "from_lookup/not_found/..", error };
  server.fault({ on: "files/move_v2", status: 409, body, times: 2 });
  const b = await vendor.move(await find("a"), target("b"));
  server.fault({ on: "files/move_v2", loseAnswer: true });
  expect(await vendor.move(b, target("c"))).toMatchObject({ id: "/c" });
  server.fault({ on: "files/copy_v2", loseAnswer: true });
  expect(await vendor.copy(await find("c"), target("d"))).toMatchObject({ id: "/d" });
});

test("files are copied within the drive, over others without a moment in which they are missing", async () => {
  const { vendor, find, target, calls, server } = await start(
    { a: "a", b: "bb", large: "x".repeat(2000) },
    {},
    { uploadLimit: 1000 },
  );
  const [a, b, large] = [await find("a"), await find("b"), await find("large")];
  expect(await calls(() => vendor.copy(a, target("c")))).toEqual({ "files/copy_v2": 1 });
  expect(await find("c")).toMatchObject({ size: 1, hash: a.hash });
  await expect(vendor.copy(a, target("b", b), { condition: "absent" })).rejects.toMatchObject({
    code: "Exists",
  });
  expect(await calls(() => vendor.copy(a, target("b", b)))).toEqual({
    "files/download": 1,
    "files/upload": 1,
  });
  expect(await textOf(vendor.read(await find("b"), 0, 1))).toBe("a");
  expect((await vendor.versions(a)).length).toBe(1);
  // What is large is not sent again.
  const now = await find("b");
  expect(await calls(() => vendor.copy(large, target("b", now)))).toEqual({
    "files/delete_v2": 1,
    "files/copy_v2": 1,
  });
  await expect(vendor.copy(large, target("b", now))).rejects.toMatchObject({ code: "Changed" });
  await expect(vendor.copy({ ...a, id: "/missing" }, target("d"))).rejects.toMatchObject({
    code: "NotFound",
  });
  server.drive.quota = server.drive.used;
  await expect(vendor.copy(large, target("d"))).rejects.toMatchObject({ code: "NoSpace" });
});

test("old versions are listed and read", async () => {
  const { vendor, find, server } = await start({ a: "one" });
  await server.put("a", "second");
  const a = await find("a");
  const versions = await vendor.versions(a);
  expect(versions.map(({ size }) => size)).toEqual([6, 3]);
  expect(versions[0]).toMatchObject({ id: a.version, hash: a.hash });
  expect(await textOf(vendor.readVersion(a, versions[1]!, 1, 3))).toBe("ne");
});

test("a token that has ended is given up for another one, and too small scopes are named", async () => {
  const { find, server, calls, another } = await start({ a: "a" });
  server.expireTokens();
  expect(await calls(() => find("a"))).toEqual({ "files/get_metadata": 2 });
  const { access_token } = server.signIn("files.metadata.read files.content.read");
  const reader = another({ tokens: { get: async () => access_token, refused: () => {} } });
  expect(await reader.find(["a"])).toMatchObject({ size: 1 });
  await expect(reader.makeFolder(await reader.root(), "x")).rejects.toMatchObject({
    code: "AccessDenied",
    message: expect.stringContaining('"files.content.write"'),
  });
  // Who may not make the template follows the drive without texts.
  expect((await Array.fromAsync(reader.changes(undefined)))[0]?.changes).toMatchObject([{ id: "/a" }]);
});

test("what is closed makes no more calls", async () => {
  const { vendor } = await start({ a: "a" });
  await vendor.close();
  await expect(vendor.find(["a"])).rejects.toMatchObject({ code: "Unavailable" });
});

describe("throttling", () => {
  test.each([409, 429] as const)("writes come one after the other, told by %i", async (commitRefusal) => {
    const { vendor, root, server } = await start({}, { commitTime: 20, commitRefusal });
    const refused = () => server.calls.entries.filter(({ status }) => status >= 400);
    server.calls.reset();
    await Promise.all(Array.from({ length: 10 }, (_, index) => vendor.makeFolder(root, `f${index}`)));
    expect(refused()).toEqual([]);
    // Those of others may come between.
    const other = vendor.makeFolder(root, "one");
    server.fault({ on: "files/create_folder_v2", status: commitRefusal, headers: { "retry-after": "0.05" } });
    await other;
    expect((await vendor.makeFolder(root, "two")).name).toBe("two");
  });
});
