import { createHash, randomBytes } from "node:crypto";
import { googleErrorBody } from "@overcoat/simulators";
import { afterEach, describe, expect, test } from "vitest";
import type { Item } from "../remote/vendor.ts";
import { propertiesLimit } from "./properties.ts";
import { bodyOf, type Stage, stage, textOf } from "./testing.ts";

let open: Stage[] = [];
afterEach(async () => {
  for (const each of open) await each[Symbol.asyncDispose]();
  open = [];
});

async function start(
  files: Record<string, string | null> = {},
  ...[standIn, options]: Parameters<typeof stage>
) {
  const made = await stage({ files, ...standIn }, options);
  open.push(made);
  return made;
}

const md5 = (bytes: string | Uint8Array) => createHash("md5").update(bytes).digest("hex");
const unit = 256 * 1024;

describe("items", () => {
  test("are found, read and listed", async () => {
    const { vendor, root, find, calls } = await start({
      "a/b + ü #%'\\(1).txt": "hello",
      "a/c": null,
      d: "",
    });
    const file = await find("a/b + ü #%'\\(1).txt");
    expect(file).toMatchObject({ kind: "file", size: 5, hash: md5("hello") });
    expect(Math.abs(file.created! - Date.now())).toBeLessThan(60_000);
    expect(await vendor.get(file.id)).toEqual(file);
    expect(await vendor.find(["A"])).toBeUndefined();
    expect(await vendor.find(["a", "missing"])).toBeUndefined();
    expect(await vendor.get("missing")).toBeUndefined();
    const folder = await find("a");
    expect(folder).toMatchObject({ kind: "folder", parent: root.id });
    expect(file.parent).toBe(folder.id);
    const listed = async () => (await Array.fromAsync(vendor.children(folder))).flat();
    expect((await listed()).map(({ name }) => name).sort()).toEqual(["b + ü #%'\\(1).txt", "c"]);
    expect(await calls(listed)).toEqual({ "GET files": 1 });
    expect(await calls(() => find("a/c"))).toEqual({ "GET files": 2 });
    expect(await calls(() => textOf(vendor.read(file, 0, 5)))).toEqual({ "GET revision download": 1 });
    expect(await textOf(vendor.read(file, 1, 3))).toBe("el");
    expect(await textOf(vendor.read(await find("d"), 0, 0))).toBe("");
  });

  test("come by page", async () => {
    const files = Object.fromEntries(Array.from({ length: 7 }, (_, index) => [`f${index}`, ""]));
    const { vendor, root, calls } = await start(files, {}, { listPage: 3 });
    let items: Item[] = [];
    const counted = await calls(async () => {
      items = (await Array.fromAsync(vendor.children(root))).flat();
    });
    expect(items.map(({ name }) => name).sort()).toEqual(Object.keys(files));
    expect(counted).toEqual({ "GET files": 3 });
  });

  test("of one name: the oldest is found", async () => {
    const { server, find } = await start({ same: "old" });
    server.clock.advance(1000);
    await server.addDuplicate("same", "new");
    expect((await find("same")).size).toBe(3);
    expect((await find("same")).hash).toBe(md5("old"));
  });

  test("of Google's own are links, and so are shortcuts", async () => {
    const { server, vendor, root, find, target, calls, another } = await start({ a: "1", "t/x": null });
    const document = server.addDocument("Plan", "document");
    const shortcut = server.addShortcut("to a", (await find("a")).id);
    const listed = async (from = vendor) => (await Array.fromAsync(from.children(root))).flat();
    expect((await listed()).map(({ name }) => name).sort()).toEqual(["Plan.url", "a", "t", "to a.url"]);
    const plan = await find("Plan.url");
    const text = `[InternetShortcut]\r\nURL=https://drive.google.com/open?id=${document}\r\n`;
    expect(plan).toMatchObject({ id: document, size: text.length, hash: md5(text) });
    expect(await calls(() => textOf(vendor.read(plan, 0, plan.size)))).toEqual({});
    expect(await textOf(vendor.read(plan, 0, plan.size))).toBe(text);
    expect(await textOf(vendor.read(await find("to a.url"), 0, 1000))).toContain((await find("a")).id);
    await expect(vendor.upload(target("Plan.url", plan), bodyOf("x"))).rejects.toMatchObject({
      code: "AccessDenied",
    });
    await expect(vendor.move(plan, target("Plan.txt"))).rejects.toMatchObject({ code: "NameRefused" });
    const moved = await vendor.move(plan, { folder: await find("t"), name: "Moved.url" });
    expect(moved).toMatchObject({ id: document, name: "Moved.url" });
    expect(await vendor.copy(moved, target("copy"))).toMatchObject({
      name: "copy",
      size: text.length,
      hash: md5(text),
    });
    expect(await vendor.remove(await find("to a.url"))).toBe(true);
    expect(await vendor.get(shortcut)).toBeUndefined();
    expect(await find("a")).toMatchObject({ size: 1 });
    const without = another({ skipDocuments: true, skipShortcuts: true });
    expect((await listed(without)).map(({ name }) => name).sort()).toEqual(["a", "copy", "t"]);
  });

  test("may be those of a folder or a shared drive", async () => {
    const { server, another, find } = await start({ "a/b／c/d": "deep", e: "" }, { sharedDrives: ["Team"] });
    const folder = await find("a");
    for (const vendor of [
      another({ rootFolderId: folder.id, folder: "b‛／c" }),
      another({ folder: "a/b‛／c" }),
    ])
      expect((await vendor.find(["d"]))?.size).toBe(4);
    await expect(another({ folder: "gone" }).root()).rejects.toMatchObject({ code: "NotFound" });
    await expect(another({ folder: "e" }).root()).rejects.toMatchObject({ code: "NotFound" });
    const drive = server.account.sharedDrives[0]!;
    for (const team of [another({ sharedDrive: drive.id }), another({ rootFolderId: drive.id })]) {
      const root = await team.root();
      const made = await team.makeFolder(root, "f");
      const file = await team.upload({ folder: made, name: "x" }, bodyOf("x"));
      expect(await team.find(["f", "x"])).toEqual(file);
      expect(await textOf(team.read(file, 0, 1))).toBe("x");
      expect(await team.removeAll([file])).toEqual([true]);
      const pages = await Array.fromAsync(team.changes(undefined));
      expect(pages.flatMap(({ changes }) => changes)).toMatchObject([{ name: "f" }]);
    }
  });
});

describe("uploads", () => {
  test("of small files are one call", async () => {
    const { vendor, find, target, calls, server } = await start();
    let file!: Item;
    const options = { properties: "the properties", modified: 1_500_000_000_123 };
    await vendor.upload(target("first"), bodyOf("1"));
    const counted = await calls(async () => {
      file = await vendor.upload(target("a.txt"), bodyOf("hello"), options);
    });
    expect(counted).toEqual({ "POST upload": 1 });
    expect(file).toMatchObject({ name: "a.txt", size: 5, hash: md5("hello"), ...options });
    expect(await vendor.get(file.id)).toEqual(file);
    let replaced!: Item;
    const again = await calls(async () => {
      replaced = await vendor.upload(target("a.txt", file), bodyOf("second"));
    });
    expect(again).toEqual({ "PATCH upload": 1 });
    expect(replaced).toMatchObject({ id: file.id, size: 6, properties: undefined });
    expect(replaced.version).not.toBe(file.version);
    expect((await find("a.txt")).modified).toBeGreaterThan(1_600_000_000_000);
    expect(server.account.at(server.account.myDrive.tree.root, "a.txt")?.data.mimeType).toBe("text/plain");
    const empty = await vendor.upload(target("empty.gdoc"), bodyOf(""));
    expect(empty).toMatchObject({ kind: "file", size: 0, hash: md5("") });
  });

  test("whose answer is lost make one file", async () => {
    const { vendor, root, target, server } = await start();
    server.fault({ on: "POST upload", loseAnswer: true });
    const file = await vendor.upload(target("a"), bodyOf("hello"));
    server.fault({ on: "POST files", loseAnswer: true });
    const folder = await vendor.makeFolder(root, "f");
    server.fault({ on: "POST copy", loseAnswer: true });
    const copy = await vendor.copy(file, target("b"));
    const listed = (await Array.fromAsync(vendor.children(root))).flat();
    expect(listed.map(({ id }) => id).sort()).toEqual([file.id, folder.id, copy.id].sort());
    server.fault({ on: "PATCH upload", loseAnswer: true });
    expect(await vendor.upload(target("a", file), bodyOf("other"))).toMatchObject({ hash: md5("other") });
  });

  test("on condition that the file is as it was", async () => {
    const { vendor, find, target, server, calls } = await start({ a: "1" });
    const a = await find("a");
    let second!: Item;
    const options = { condition: "unchanged", properties: "p", modified: 1_500_000_000_000 } as const;
    const counted = await calls(async () => {
      second = await vendor.upload(target("a", a), bodyOf("22"), options);
    });
    expect(counted).toEqual({ "GET v2 file": 1, "PUT v2 upload": 1 });
    expect(second).toMatchObject({
      id: a.id,
      parent: a.parent,
      size: 2,
      properties: "p",
      modified: 1_500_000_000_000,
    });
    expect(await vendor.get(a.id)).toEqual(second);
    await expect(vendor.upload(target("a", a), bodyOf("333"), options)).rejects.toMatchObject({
      code: "Changed",
    });
    // Between the look and the write.
    server.fault({ on: "PUT v2 upload", delay: 200 });
    const writing = vendor.upload(target("a", second), bodyOf("4444"), options);
    await expect.poll(() => server.calls.counts.calls["GET v2 file"]).toBe(3);
    await server.put("a", "by another");
    await expect(writing).rejects.toMatchObject({ code: "Changed" });
    expect((await find("a")).size).toBe(10);
    // A lost answer is not repeated: the first try would refuse the second.
    server.fault({ on: "PUT v2 upload", loseAnswer: true });
    await expect(vendor.upload(target("a", await find("a")), bodyOf("55555"), options)).rejects.toMatchObject(
      { code: "Unavailable" },
    );
    expect((await find("a")).size).toBe(5);
  });

  test("of large files go in fragments, on from where the service stands", async () => {
    const { vendor, find, target, server, calls } = await start({}, { keptOfChunk: unit });
    const bytes = randomBytes(4 * unit + 5);
    const body = bodyOf(bytes);
    const session = await vendor.startUpload(target("large"), bytes.length, { properties: "kept" });
    expect(await session.send(body, 0, 2 * unit)).toBeUndefined();
    expect(await session.received()).toBe(2 * unit);
    expect(await vendor.find(["large"])).toBeUndefined();
    server.fault({ on: "PUT session", status: 503 });
    server.fault({ on: "PUT session", resetRequestAt: unit + 10 });
    expect(await session.send(body, 2 * unit, 4 * unit)).toBeUndefined();
    server.fault({ on: "PUT session", loseAnswer: true });
    const file = await session.send(body, 4 * unit, bytes.length);
    expect(file).toMatchObject({ size: bytes.length, hash: md5(bytes), properties: "kept" });
    expect(await session.received()).toEqual(file);
    expect(await find("large")).toEqual(file);
    const replacing = await vendor.startUpload(target("large", file), unit);
    expect(await replacing.send(bodyOf(bytes.subarray(0, unit)), 0, unit)).toMatchObject({
      id: file!.id,
      size: unit,
    });
    const gone = await vendor.startUpload(target("gone"), unit);
    await server.dropSessions();
    await expect(gone.send(bodyOf(bytes), 0, unit)).rejects.toMatchObject({ code: "Gone" });
    const before = (await vendor.get(file!.id))!;
    const guarded = await vendor.startUpload(target("large", before), unit, { condition: "unchanged" });
    await server.put("large", "by another");
    await expect(guarded.send(bodyOf(bytes), 0, unit)).rejects.toMatchObject({ code: "Changed" });
    await gone.cancel();
    expect(
      await calls(async () => {
        const whole = await vendor.startUpload(target("whole"), unit);
        await whole.send(bodyOf(bytes), 0, unit);
      }),
    ).toEqual({ "POST resumable upload": 1, "PUT session": 1 });
  });

  test("keep any text as properties", async () => {
    const { vendor, find, target, calls } = await start();
    const texts = [
      "",
      "x",
      '\0\n"\\',
      "é".repeat(1700),
      "x".repeat(propertiesLimit),
      `ab${"😀".repeat(890)}`,
    ];
    for (const properties of texts) {
      expect(Buffer.byteLength(properties)).toBeLessThanOrEqual(propertiesLimit);
      const there = await vendor.find(["a"]);
      const file = await vendor.upload(target("a", there), bodyOf("1"), { properties });
      expect(file.properties).toBe(properties);
      expect((await find("a")).properties).toBe(properties);
      const changed = await vendor.upload(target("a", file), bodyOf("2"), {
        properties,
        condition: "unchanged",
      });
      expect(changed.properties).toBe(properties);
    }
    const file = await find("a");
    let changed!: Item;
    expect(
      await calls(async () => {
        changed = await vendor.setProperties(file, "other");
      }),
    ).toEqual({ "PATCH file": 1 });
    expect(changed).toEqual({ ...file, properties: "other" });
    const copied = { ...(await vendor.copy(changed, target("b"))) };
    expect(copied.properties).toBeUndefined();
  });
});

describe("changes of the tree", () => {
  test("folders are made where there is none", async () => {
    const { vendor, root, calls } = await start({ file: "" });
    let made!: Item;
    await vendor.makeFolder(root, "first");
    expect(
      await calls(async () => {
        made = await vendor.makeFolder(root, "new");
      }),
    ).toEqual({ "GET files": 1, "POST files": 1 });
    expect(made).toMatchObject({ kind: "folder", name: "new", parent: root.id });
    expect((await vendor.makeFolder(root, "new")).id).toBe(made.id);
    await expect(vendor.makeFolder(root, "file")).rejects.toMatchObject({ code: "NotAFolder" });
    await expect(vendor.makeFolder({ ...root, id: "missing" }, "x")).rejects.toMatchObject({
      code: "NotFound",
    });
  });

  test("items are moved and copied, over others too", async () => {
    const { vendor, find, target, root, server, calls } = await start({ a: "a", b: "bb", "c/d": "d" });
    const [a, b, c] = [await find("a"), await find("b"), await find("c")];
    let moved!: Item;
    expect(
      await calls(async () => {
        moved = await vendor.move(a, { folder: c, name: "e" });
      }),
    ).toEqual({ "PATCH file": 1 });
    expect(moved).toMatchObject({ id: a.id, name: "e", parent: c.id, version: a.version });
    expect(await vendor.move(moved, target("b", b), { modified: 1_500_000_000_000 })).toMatchObject({
      modified: 1_500_000_000_000,
      id: a.id,
      name: "b",
      parent: root.id,
    });
    expect(await vendor.get(b.id)).toBeUndefined();
    let copy!: Item;
    const options = { modified: 1_500_000_000_000, properties: "p" };
    expect(
      await calls(async () => {
        copy = await vendor.copy(moved, target("x"), options);
      }),
    ).toEqual({ "POST copy": 1 });
    expect(copy).toMatchObject({ name: "x", size: 1, hash: a.hash, ...options });
    const d = await find("c/d");
    const over = await vendor.copy(d, target("x", copy), { condition: "unchanged" });
    expect(await vendor.find(["x"])).toEqual(over);
    const e = await vendor.upload({ folder: c, name: "e" }, bodyOf("e"));
    await server.put("x", "by another");
    // What was changed stays, and so does what was to take its place.
    await expect(vendor.move(e, target("x", over), { condition: "unchanged" })).rejects.toMatchObject({
      code: "Changed",
    });
    expect(await find("c/e")).toEqual(e);
    await server.put("c/e", "by another, too");
    await expect(vendor.move(e, target("y"), { condition: "unchanged" })).rejects.toMatchObject({
      code: "Changed",
    });
    await expect(vendor.copy(d, target("x", over), { condition: "unchanged" })).rejects.toMatchObject({
      code: "Changed",
    });
    expect(
      (await Array.fromAsync(vendor.children(root)))
        .flat()
        .map(({ name }) => name)
        .sort(),
    ).toEqual(["b", "c", "x"]);
  });

  test("items are removed into the trash, unless they were changed", async () => {
    const { vendor, find, server, calls, another } = await start({ a: "1", b: "1", "c/d": "1" });
    const [a, b, c] = [await find("a"), await find("b"), await find("c")];
    expect(await calls(() => vendor.remove(a))).toEqual({ "PATCH file": 1 });
    expect(server.account.myDrive.tree.get(a.id)?.data.trashed).toBe(true);
    await server.put("b", "22");
    await expect(vendor.remove(b, "unchanged")).rejects.toMatchObject({ code: "Changed" });
    expect(await vendor.remove(await find("b"), "unchanged")).toBe(true);
    const hard = another({ hardDelete: true });
    expect(await hard.remove(c)).toBe(true);
    expect(await hard.remove(c)).toBe(false);
    expect(server.account.myDrive.tree.get(c.id)).toBeUndefined();
  });

  test("many are removed 100 at a time", async () => {
    const files = Object.fromEntries(Array.from({ length: 205 }, (_, index) => [`f${index}`, "x"]));
    const { vendor, root, server, calls } = await start(files);
    const items = (await Array.fromAsync(vendor.children(root))).flat();
    server.remove("f7");
    server.fault({ on: "PATCH file", status: 429, times: 2 });
    server.fault({ on: "PATCH file", status: 403 });
    let results: (boolean | Error)[] = [];
    const counted = await calls(async () => {
      results = await vendor.removeAll(items);
    });
    expect(counted["POST batch"]).toBeGreaterThanOrEqual(4);
    expect(counted["POST batch"]).toBeLessThanOrEqual(5);
    expect(results.filter((result) => result === true)).toHaveLength(203);
    expect(results[items.findIndex(({ name }) => name === "f7")]).toBe(false);
    expect(results.filter((result) => result instanceof Error)).toMatchObject([{ code: "AccessDenied" }]);
    expect(await vendor.removeAll([])).toEqual([]);
  });
});

describe("reads", () => {
  test("are of the version that was asked for, also when there is a newer one", async () => {
    const { vendor, find, server } = await start({ a: "first" });
    const a = await find("a");
    await server.put("a", "other");
    expect(await textOf(vendor.read(a, 0, 5))).toBe("first");
    expect(await textOf(vendor.read(a, 1, 3))).toBe("ir");
    server.remove("a");
    await expect(vendor.read(a, 0, 5)).rejects.toMatchObject({ code: "NotFound" });
  });

  test("work for who may not see revisions, and tell of a change", async () => {
    const { vendor, find, server, calls } = await start({ a: "first" }, { revisionsRefused: true });
    const a = await find("a");
    expect(await textOf(vendor.read(a, 0, 5))).toBe("first");
    expect(await calls(() => textOf(vendor.read(a, 0, 5)))).toEqual({ "GET download": 1 });
    expect(await calls(() => textOf(vendor.read(a, 1, 3)))).toEqual({ "GET download": 1, "GET file": 1 });
    await server.put("a", "other");
    await expect(vendor.read(a, 1, 3)).rejects.toMatchObject({ code: "Changed" });
    await server.put("a", "longer than before");
    await expect(vendor.read(a, 0, 5)).rejects.toMatchObject({ code: "Changed" });
  });

  test("of a file that Google takes for harmful need to be wished for", async () => {
    const { vendor, find, server, another } = await start({ a: "first" });
    const a = await find("a");
    server.flag("a");
    await expect(vendor.read(a, 0, 5)).rejects.toMatchObject({ code: "AccessDenied" });
    expect(await textOf(another({ acknowledgeAbuse: true }).read(a, 0, 5))).toBe("first");
  });

  test("of older versions", async () => {
    const { vendor, find, server } = await start({ a: "one" });
    await server.put("a", "second");
    const a = await find("a");
    const versions = await vendor.versions(a);
    expect(versions.map(({ size, hash }) => [size, hash])).toEqual([
      [6, md5("second")],
      [3, md5("one")],
    ]);
    expect(versions[0]!.id).toBe(a.version);
    expect(await textOf(vendor.readVersion(a, versions[1]!, 1, 3))).toBe("ne");
  });
});

describe("refusals", () => {
  test.each([
    [403, "userRateLimitExceeded", undefined],
    [429, "rateLimitExceeded", undefined],
    [403, "RATE_LIMIT_EXCEEDED", undefined],
    [500, "internalError", undefined],
    [403, "dailyLimitExceeded", "Throttled"],
    [403, "storageQuotaExceeded", "NoSpace"],
    [403, "numChildrenInNonRootLimitExceeded", "NoSpace"],
    [403, "myDriveHierarchyDepthLimitExceeded", "NameRefused"],
    [403, "insufficientFilePermissions", "AccessDenied"],
    [403, "cannotDownloadAbusiveFile", "AccessDenied"],
  ])("%d %s", async (status, reason, code) => {
    const { vendor, root, server, calls } = await start();
    server.fault({ on: "GET file", status, body: googleErrorBody(status, reason) });
    const got = vendor.get(root.id);
    if (code) await expect(got).rejects.toMatchObject({ code, message: expect.stringContaining(reason) });
    else expect(await got).toMatchObject({ id: root.id });
    server.expireTokens();
    expect(await calls(() => vendor.get(root.id))).toEqual({ "GET file": 2 });
  });
});
