import { afterEach, describe, expect, test } from "vitest";
import type { Item } from "../remote/vendor.ts";
import type { DriveType, OneDriveOptions } from "./options.ts";
import { bodyOf, type Stage, stage, textOf } from "./testing.ts";

const driveTypes: DriveType[] = ["personal", "business", "documentLibrary"];

let open: Stage[] = [];
afterEach(async () => {
  for (const each of open) await each[Symbol.asyncDispose]();
  open = [];
});

describe.each(driveTypes)("a %s drive", (driveType) => {
  const start = async (
    files: Record<string, string | null> = {},
    more: Parameters<typeof stage>[0] = {},
    options: Partial<OneDriveOptions> = {},
  ) => {
    const made = await stage({ driveType, files, ...more }, options);
    open.push(made);
    return made;
  };

  test("items are found, read and listed", async () => {
    const { vendor, root, find, calls } = await start({ "a/b + ü #%'(1).txt": "hello", "a/c": null, d: "" });
    expect(root).toMatchObject({ kind: "folder" });
    const file = await find("a/b + ü #%'(1).txt");
    expect(file).toMatchObject({ kind: "file", size: 5, hash: "aCgDG9jwBgAAAAAABQAAAAAAAAA=" });
    expect(Math.abs(file.modified - Date.now())).toBeLessThan(60_000);
    expect(await vendor.get(file.id)).toEqual(file);
    // In whatever case.
    expect((await vendor.find(["A", "C"]))?.name).toBe("c");
    expect(await vendor.find(["a", "missing"])).toBeUndefined();
    expect(await vendor.find(["x".repeat(401)])).toBeUndefined();
    expect(await vendor.get("missing")).toBeUndefined();
    expect((await find("d")).hash).toBe("AAAAAAAAAAAAAAAAAAAAAAAAAAA=");
    const folder = await find("a");
    expect(file.parent).toBe(folder.id);
    expect(folder.parent).toBe(root.id);
    const pages = await Array.fromAsync(vendor.children(folder));
    expect(pages.flat().map(({ name, kind }) => [name, kind])).toEqual([
      ["b + ü #%'(1).txt", "file"],
      ["c", "folder"],
    ]);
    expect(await calls(() => Array.fromAsync(vendor.children(folder)))).toEqual({ "GET children": 1 });
  });

  test("long listings come by page", async () => {
    const files = Object.fromEntries(Array.from({ length: 7 }, (_, index) => [`f${index}`, ""]));
    const { vendor, root, calls } = await start(files, {}, { listPage: 3 });
    let names: string[] = [];
    const counted = await calls(async () => {
      names = (await Array.fromAsync(vendor.children(root))).flat().map(({ name }) => name);
    });
    expect(names).toEqual(Object.keys(files));
    expect(counted).toEqual({ "GET children": 3 });
  });

  test("notebooks are no items", async () => {
    const { vendor, root, server } = await start({ a: "" });
    server.addNotebook("Notes");
    expect((await Array.fromAsync(vendor.children(root))).flat().map(({ name }) => name)).toEqual(["a"]);
    expect(await vendor.find(["Notes"])).toBeUndefined();
  });

  test("a folder may be the root, by its id or its name", async () => {
    const { another, find, server } = await start({ "a/b：c/d": "deep", e: "" });
    const folder = await find("a");
    for (const vendor of [
      another({ rootFolderId: folder.id, folder: "b:c" }),
      another({ folder: "a/b:c" }),
    ]) {
      expect((await vendor.find(["d"]))?.size).toBe(4);
      const root = await vendor.root();
      await vendor.upload({ folder: root, name: "new" }, bodyOf("new"));
    }
    expect(server.drive.find(server.drive.root, ["a", "b：c", "new"])?.data.size).toBe(3);
    await expect(another({ folder: "gone" }).root()).rejects.toMatchObject({ code: "NotFound" });
    await expect(another({ folder: "e" }).root()).rejects.toMatchObject({ code: "NotAFolder" });
  });

  test("folders are made, and those that are there are found", async () => {
    const { vendor, root, calls } = await start({ file: "" });
    let made!: Item;
    expect(
      await calls(async () => {
        made = await vendor.makeFolder(root, "new");
      }),
    ).toEqual({ "POST children": 1 });
    expect(made).toMatchObject({ kind: "folder", name: "new", parent: root.id });
    expect((await vendor.makeFolder(root, "new")).id).toBe(made.id);
    await expect(vendor.makeFolder(root, "file")).rejects.toMatchObject({ code: "NotAFolder" });
    await expect(vendor.makeFolder(root, "a|b")).rejects.toMatchObject({ code: "NameRefused" });
    await expect(vendor.makeFolder({ ...root, id: "missing" }, "x")).rejects.toMatchObject({
      code: "NotFound",
    });
  });

  test("items are removed, unless they were changed", async () => {
    const { vendor, find, server, calls } = await start({ a: "1", b: "1", "c/d": "1" });
    const [a, b, c] = [await find("a"), await find("b"), await find("c")];
    expect(await calls(() => vendor.remove(a))).toEqual({ "DELETE item": 1 });
    expect(await vendor.remove(a)).toBe(false);
    await server.put("b", "22");
    await expect(vendor.remove(b, "unchanged")).rejects.toMatchObject({ code: "Changed" });
    expect(await vendor.remove(await find("b"), "unchanged")).toBe(true);
    expect(await vendor.remove(c)).toBe(true);
    expect(await vendor.find(["c", "d"])).toBeUndefined();
  });

  test("many are removed 20 at a time", async () => {
    const files = Object.fromEntries(Array.from({ length: 45 }, (_, index) => [`f${index}`, "x"]));
    const { vendor, root, server, calls } = await start(files);
    const items = (await Array.fromAsync(vendor.children(root))).flat();
    server.remove("f7");
    server.fault({ on: "DELETE item", status: 429, headers: { "retry-after": "0.05" }, times: 2 });
    server.fault({ on: "DELETE item", status: 403 });
    let results: (boolean | Error)[] = [];
    const counted = await calls(async () => {
      results = await vendor.removeAll(items);
    });
    // One of them was asked for again.
    expect(counted["POST $batch"]).toBeGreaterThanOrEqual(3);
    expect(counted["POST $batch"]).toBeLessThanOrEqual(5);
    expect(results).toHaveLength(45);
    expect(results.filter((result) => result === true)).toHaveLength(43);
    expect(results[items.findIndex(({ name }) => name === "f7")]).toBe(false);
    expect(results.filter((result) => result instanceof Error)).toMatchObject([{ code: "AccessDenied" }]);
    expect((await Array.fromAsync(vendor.children(root))).flat()).toHaveLength(1);
    expect(await vendor.removeAll([])).toEqual([]);
  });

  test("what is removed for good is not in the recycle bin", async () => {
    const { vendor, find, calls } = await start({ a: "", b: "" }, {}, { hardDelete: true });
    const [a, b] = [await find("a"), await find("b")];
    const hard = driveType === "personal" ? "DELETE item" : "POST permanentDelete";
    expect(await calls(() => vendor.remove(a))).toEqual({ [hard]: 1 });
    expect(await vendor.removeAll([b])).toEqual([true]);
  });

  test("items are moved, over others where they may", async () => {
    const { vendor, find, target, root, calls } = await start({ a: "a", b: "bb", "c/d": "d" });
    const [a, b, c] = [await find("a"), await find("b"), await find("c")];
    await expect(vendor.move(a, target("b"))).rejects.toMatchObject({ code: "Exists" });
    await expect(vendor.move(a, target("b", b), { condition: "absent" })).rejects.toMatchObject({
      code: "Exists",
    });
    let moved!: Item;
    expect(
      await calls(async () => {
        moved = await vendor.move(a, target("b", b), { modified: 1_500_000_000_000 });
      }),
    ).toEqual({ "PATCH item": 1 });
    expect(moved).toMatchObject({ id: a.id, name: "b", size: 1, modified: 1_500_000_000_000 });
    expect(await vendor.get(b.id)).toBeUndefined();
    expect(await vendor.move(moved, { folder: c, name: "e" })).toMatchObject({ name: "e", parent: c.id });
    await vendor.move(await find("c/d"), { folder: root, name: "D" });
    expect((await find("d")).name).toBe("D");
    await expect(vendor.move(b, target("x"))).rejects.toMatchObject({ code: "NotFound" });
  });

  test("files are copied within the drive, over others too", async () => {
    const { vendor, find, target, root } = await start({ a: "a", b: "bb", "f/x": "" }, { copyTime: 150 });
    const [a, b] = [await find("a"), await find("b")];
    const copy = await vendor.copy(a, target("c"));
    expect(copy).toMatchObject({ name: "c", size: 1, hash: a.hash, parent: root.id });
    expect(copy.id).not.toBe(a.id);
    await expect(vendor.copy(a, target("b"), { condition: "absent" })).rejects.toMatchObject({
      code: "Exists",
    });
    expect(await vendor.copy(a, target("b", b), { modified: 1_500_000_000_000 })).toMatchObject({
      name: "b",
      size: 1,
      modified: 1_500_000_000_000,
    });
    await expect(vendor.copy(a, target("b", b), { condition: "unchanged" })).rejects.toMatchObject({
      code: "Changed",
    });
    const now = await find("b");
    expect(await textOf(vendor.read(now, 0, 1))).toBe("a");
    const names = (await Array.fromAsync(vendor.children(root))).flat().map(({ name }) => name);
    expect(names.filter((name) => name !== ".overcoat")).toEqual(["a", "b", "c", "f"]);
    await expect(vendor.copy({ ...a, id: "missing" }, target("d"))).rejects.toMatchObject({
      code: "NotFound",
    });
  });

  test.each([202, 303] as const)("a copy may be told of as done with %d", async (copyDone) => {
    const { vendor, find, target, calls } = await start({ a: "a" }, { copyDone });
    const a = await find("a");
    expect(await calls(() => vendor.copy(a, target("b")))).toEqual({
      "POST copy": 1,
      "GET monitor": 1,
      "GET item": 1,
    });
  });

  test("a copy that fails says why", async () => {
    const { vendor, find, target } = await start({ a: "a".repeat(600) }, { quota: 1000 });
    await expect(vendor.copy(await find("a"), target("b"))).rejects.toMatchObject({ code: "NoSpace" });
  });

  test("old versions are listed and read", async () => {
    const { vendor, find, server } = await start({ a: "one" });
    await server.put("a", "second");
    const a = await find("a");
    const versions = await vendor.versions(a);
    expect(versions.map(({ size }) => size)).toEqual([6, 3]);
    expect(await textOf(vendor.readVersion(a, versions[1]!, 1, 3))).toBe("ne");
    expect(await textOf(vendor.readVersion(a, versions[0]!, 0, 6))).toBe("second");
  });

  test("a token that has ended is given up for another one", async () => {
    const { vendor, find, server, calls } = await start({ a: "a" });
    const { id } = await find("a");
    server.expireTokens();
    expect(await calls(() => vendor.get(id))).toEqual({ "GET item": 2 });
  });
});

test("drives are told apart by what they can", async () => {
  const made = await stage({ driveType: "documentLibrary" });
  open.push(made);
  const { traits } = made.vendor;
  expect(traits.encode("a:b")).toBe("a：b");
  expect(traits.decode("a：b")).toBe("a:b");
  expect(traits.rewrites("a.docx")).toBe(true);
  expect(traits.fits!(["x".repeat(200), "y".repeat(199)])).toBe(true);
  expect(traits.fits!(["x".repeat(200), "y".repeat(200)])).toBe(false);
  expect(traits.fragmentSize % traits.fragmentUnit).toBe(0);
  const personal = await stage();
  open.push(personal);
  expect(personal.vendor.traits.rewrites("a.docx")).toBe(false);
});
