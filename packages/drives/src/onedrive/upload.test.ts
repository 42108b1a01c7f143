import { randomBytes } from "node:crypto";
import { afterEach, describe, expect, test } from "vitest";
import { type Clock, systemClock } from "../remote/http/index.ts";
import type { Item, UploadSession } from "../remote/vendor.ts";
import { QuickXorHash } from "./hash.ts";
import { fragmentUnit } from "./options.ts";
import { bodyOf, type Stage, stage, textOf } from "./testing.ts";

let open: Stage[] = [];
afterEach(async () => {
  for (const each of open) await each[Symbol.asyncDispose]();
  open = [];
});
const start = async (...options: Parameters<typeof stage>) => {
  const made = await stage(...options);
  open.push(made);
  return made;
};

const hashOf = (bytes: Uint8Array) => {
  const hash = new QuickXorHash();
  hash.update(bytes);
  return hash.digest();
};
const large = randomBytes(3 * fragmentUnit + 1000);

/** Sends all of it, as its fragments are cut. */
async function send(session: UploadSession, bytes: Uint8Array): Promise<Item> {
  for (let at = 0; ; at += fragmentUnit) {
    const end = Math.min(bytes.length, at + fragmentUnit);
    const item = await session.send(bodyOf(bytes), at, end);
    if (item) return item;
    expect(end).toBeLessThan(bytes.length);
  }
}

describe("in one call", () => {
  test("a file comes into being, is replaced, and is read with no further question", async () => {
    const { vendor, target, calls } = await start();
    let item!: Item;
    expect(
      await calls(async () => {
        item = await vendor.upload(target("a"), bodyOf("hello"));
      }),
    ).toEqual({ "PUT content": 1 });
    expect(item).toMatchObject({ name: "a", size: 5, hash: "aCgDG9jwBgAAAAAABQAAAAAAAAA=" });
    expect(await calls(() => textOf(vendor.read(item, 0, 5)))).toEqual({ "GET download": 1 });
    const replaced = await vendor.upload(target("a", item), bodyOf(""));
    expect(replaced).toMatchObject({ id: item.id, size: 0 });
    expect(replaced.version).not.toBe(item.version);
    expect(await calls(() => textOf(vendor.read(replaced, 0, 0)))).toEqual({});
  });

  test("conditions are the drive's to decide", async () => {
    const { vendor, target, find, server } = await start({ files: { a: "1", "f/x": "" } });
    const a = await find("a");
    await expect(vendor.upload(target("a"), bodyOf("2"), { condition: "absent" })).rejects.toMatchObject({
      code: "Exists",
    });
    const now = await vendor.upload(target("a", a), bodyOf("2"), { condition: "unchanged" });
    await server.put("a", "33");
    await expect(
      vendor.upload(target("a", now), bodyOf("4"), { condition: "unchanged" }),
    ).rejects.toMatchObject({ code: "Changed" });
    server.remove("a");
    await expect(
      vendor.upload(target("a", now), bodyOf("4"), { condition: "unchanged" }),
    ).rejects.toMatchObject({ code: "Changed" });
    await expect(vendor.upload(target("f"), bodyOf("5"))).rejects.toMatchObject({ code: "Exists" });
    await expect(vendor.upload(target("a|b"), bodyOf("6"))).rejects.toMatchObject({ code: "NameRefused" });
    const gone = { folder: { ...(await find("f")), id: "gone" }, name: "x" };
    await expect(vendor.upload(gone, bodyOf("7"))).rejects.toMatchObject({ code: "NotFound" });
  });

  test("a full drive says so", async () => {
    const { vendor, target } = await start({ quota: 10 });
    await expect(vendor.upload(target("a"), bodyOf("12345678901"))).rejects.toMatchObject({
      code: "NoSpace",
    });
    await expect(vendor.startUpload(target("a"), 11)).rejects.toMatchObject({ code: "NoSpace" });
  });

  test.each([undefined, "absent", "unchanged"] as const)(
    "a lost answer is found out (%s)",
    async (condition) => {
      const { vendor, target, find, server, calls } = await start({ files: { b: "before" } });
      const name = condition === "unchanged" ? "b" : "a";
      const to = target(name, condition === "unchanged" ? await find("b") : undefined);
      server.fault({ on: "PUT content", loseAnswer: true });
      let item!: Item;
      const counted = await calls(async () => {
        item = await vendor.upload(to, bodyOf("hello"), { condition });
      });
      expect(counted).toEqual({ "PUT content": 1, "GET item": 1 });
      expect(await textOf(vendor.read(item, 0, 5))).toBe("hello");
    },
  );

  test("a broken call is made again, but never over what others wrote", async () => {
    const { vendor, target, server } = await start();
    server.fault({ on: "PUT content", resetRequestAt: 2, times: 2 });
    expect((await vendor.upload(target("a"), bodyOf("hello"))).size).toBe(5);
    server.calls.reset();
    server.fault({ on: "PUT content", resetRequestAt: 2 });
    const upload = vendor.upload(target("b"), bodyOf("hello"), { condition: "absent" });
    await expect.poll(() => server.calls.counts.calls["GET item"], { interval: 1 }).toBe(1);
    await server.put("b", "others");
    await expect(upload).rejects.toMatchObject({ code: "Exists" });
  });

  test("a tag that is called stale though it is not is sent again", async () => {
    const { vendor, target, find, server, calls } = await start({ files: { a: "1" } });
    server.fault({ on: "PUT content", status: 412 });
    const a = await find("a");
    expect(await calls(() => vendor.upload(target("a", a), bodyOf("2"), { condition: "unchanged" }))).toEqual(
      { "PUT content": 2, "GET item": 1 },
    );
  });

  test.each(["personal", "business"] as const)(
    "a time of its own takes two calls (%s)",
    async (driveType) => {
      const { vendor, target, calls, server } = await start({ driveType });
      const modified = 1_500_000_000_000;
      for (const [name, bytes] of [
        ["a", "hello"],
        ["empty", ""],
      ] as const) {
        let item!: Item;
        const counted = await calls(async () => {
          item = await vendor.upload(target(name), bodyOf(bytes), { modified });
        });
        expect(Object.values(counted)).toEqual([1, 1]);
        expect(item).toMatchObject({ name, modified, size: bytes.length });
      }
      expect(server.openSessions).toBe(0);
    },
  );
});

describe("in a session", () => {
  test("fragments make a file, and nothing shows before the last one", async () => {
    const { vendor, target, server, find, calls } = await start();
    let item!: Item;
    const counted = await calls(async () => {
      const session = await vendor.startUpload(target("large"), large.length);
      await session.send(bodyOf(large), 0, fragmentUnit);
      expect(await session.received()).toBe(fragmentUnit);
      expect(server.drive.find(server.drive.root, ["large"])).toBeUndefined();
      await session.send(bodyOf(large), fragmentUnit, 3 * fragmentUnit);
      item = (await session.send(bodyOf(large), 3 * fragmentUnit, large.length))!;
    });
    expect(counted).toEqual({ "POST createUploadSession": 1, "PUT upload": 3, "GET upload": 1 });
    expect(item).toMatchObject({ size: large.length, hash: hashOf(large) });
    expect((await find("large")).version).toBe(item.version);
    expect(server.openSessions).toBe(0);
    // No token goes to storage.
    const toStorage = server.calls.entries.filter(({ endpoint }) => endpoint.endsWith(" upload"));
    expect(toStorage.map(({ headers }) => headers.authorization)).toEqual(toStorage.map(() => undefined));
  });

  test.each(["personal", "business"] as const)("conditions hold until the end (%s)", async (driveType) => {
    const { vendor, target, server, find } = await start({ driveType, files: { a: "1" } });
    await expect(vendor.startUpload(target("a"), 10, { condition: "absent" })).resolves.toBeDefined();
    await server.dropSessions();

    const fresh = await vendor.startUpload(target("b"), large.length, { condition: "absent" });
    await fresh.send(bodyOf(large), 0, fragmentUnit);
    await server.put("b", "others");
    await expect(fresh.send(bodyOf(large), fragmentUnit, large.length)).rejects.toMatchObject({
      code: "Exists",
    });
    await fresh.cancel();

    const a = await find("a");
    const over = await vendor.startUpload(target("a", a), large.length, { condition: "unchanged" });
    await over.send(bodyOf(large), 0, fragmentUnit);
    await server.put("a", "others");
    await expect(over.send(bodyOf(large), fragmentUnit, large.length)).rejects.toMatchObject({
      code: "Changed",
    });
    await over.cancel();
    await expect(
      vendor.startUpload(target("a", a), large.length, { condition: "unchanged" }),
    ).rejects.toMatchObject({ code: "Changed" });
    expect(server.openSessions).toBe(0);
    expect((await find("a")).size).toBe(6);
  });

  test("a broken fragment is sent again", async () => {
    const { vendor, target, server } = await start();
    const session = await vendor.startUpload(target("a"), large.length);
    server.fault({ on: "PUT upload", resetRequestAt: 1000 });
    server.fault({ on: "PUT upload", status: 503, after: 1 });
    expect((await send(session, large)).hash).toBe(hashOf(large));
  });

  test("a fragment whose answer was lost is not sent twice", async () => {
    const { vendor, target, server, calls } = await start();
    const session = await vendor.startUpload(target("a"), large.length);
    server.fault({ on: "PUT upload", loseAnswer: true, after: 1 });
    expect(await calls(() => send(session, large))).toEqual({ "PUT upload": 4, "GET upload": 1 });
  });

  test.each(["personal", "documentLibrary"] as const)(
    "a lost last answer is found out (%s)",
    async (driveType) => {
      const { vendor, target, server, find } = await start({ driveType });
      for (const name of ["a", "b.docx"]) {
        const session = await vendor.startUpload(target(name), large.length);
        server.fault({ on: "PUT upload", loseAnswer: true, after: 3 });
        const item = await send(session, large);
        expect(item.id).toBe((await find(name)).id);
        expect(await session.received()).toMatchObject({ id: item.id });
      }
    },
  );

  test("what others wrote is not taken for it", async () => {
    const { vendor, target, server } = await start();
    const session = await vendor.startUpload(target("a"), large.length);
    await session.send(bodyOf(large), 0, fragmentUnit);
    await server.dropSessions();
    await server.put("a", randomBytes(large.length));
    await expect(session.send(bodyOf(large), fragmentUnit, large.length)).rejects.toMatchObject({
      code: "Gone",
    });
  });

  test("a session that is not known everywhere yet is tried again", async () => {
    const { vendor, target, server } = await start();
    const session = await vendor.startUpload(target("a"), large.length);
    server.fault({ on: "PUT upload", status: 404 });
    expect((await send(session, large)).size).toBe(large.length);
  });

  test("a session that is gone says so, and may be cancelled all the same", async () => {
    const { vendor, target, server } = await start();
    const session = await vendor.startUpload(target("a"), large.length);
    await session.send(bodyOf(large), 0, fragmentUnit);
    await server.dropSessions();
    await expect(session.received()).rejects.toMatchObject({ code: "Gone" });
    await expect(session.send(bodyOf(large), fragmentUnit, 2 * fragmentUnit)).rejects.toMatchObject({
      code: "Gone",
    });
    await session.cancel();
  });

  test("another process can cancel it", async () => {
    const { vendor, target, server, another } = await start({ driveType: "business" });
    const { state } = await vendor.startUpload(target("a"), large.length);
    await another().cancelUpload(state);
    expect(server.openSessions).toBe(0);
    await vendor.cancelUpload(state);
  });

  test("a second session of a name waits for the first one", async () => {
    const { another, target, vendor } = await start({ driveType: "business" });
    const first = await vendor.startUpload(target("a"), large.length);
    let waits = 0;
    const clock: Clock = {
      ...systemClock,
      async sleep(milliseconds, signal) {
        if (milliseconds > 1000) return systemClock.sleep(milliseconds, signal);
        waits += 1;
        if (waits === 2) await first.cancel();
      },
    };
    const waiting = another({ http: { clock } });
    const second = await waiting.startUpload(target("a"), large.length, { condition: "absent" });
    expect(waits).toBe(2);
    expect((await send(second, large)).size).toBe(large.length);
  });

  test.each([undefined, "absent", "unchanged"] as const)(
    "a session that nobody can cancel does not stand in the way (%s)",
    async (condition) => {
      const files = { a: "before" };
      const { vendor, target, find, root, server } = await start({ driveType: "business", files });
      const name = condition === "absent" ? "b" : "a";
      const to = target(name, name === "a" ? await find("a") : undefined);
      server.fault({ on: "POST createUploadSession", loseAnswer: true });
      const item = await send(await vendor.startUpload(to, large.length, { condition }), large);
      expect(item).toMatchObject({ name, parent: root.id, hash: hashOf(large) });
      expect(await find(name)).toEqual(item);
      const aside = (await Array.fromAsync(vendor.children(await find(".overcoat")))).flat();
      expect(aside).toEqual([]);
    },
  );

  test("nor do others whom it would write over", async () => {
    const { vendor, target, find, server } = await start({ driveType: "business", files: { a: "before" } });
    const a = await find("a");
    for (const [to, condition] of [
      [target("a", a), "unchanged"],
      [target("b"), "absent"],
    ] as const) {
      server.fault({ on: "POST createUploadSession", loseAnswer: true });
      const session = await vendor.startUpload(to, large.length, { condition });
      await session.send(bodyOf(large), 0, fragmentUnit);
      await server.put(to.name, "others");
      await expect(session.send(bodyOf(large), fragmentUnit, large.length)).rejects.toMatchObject({
        code: condition === "absent" ? "Exists" : "Changed",
      });
      expect((await find(to.name)).size).toBe(6);
      expect((await Array.fromAsync(vendor.children(await find(".overcoat")))).flat()).toEqual([]);
    }
  });
});

test("no error tells an upload's address", async () => {
  const { vendor, target, server } = await start();
  const session = await vendor.startUpload(target("a"), large.length);
  const errors: unknown[] = [];
  for (const fault of [{ status: 400 }, { status: 507 }, { status: 403 }]) {
    server.fault({ on: "PUT upload", ...fault });
    errors.push(await session.send(bodyOf(large), 0, fragmentUnit).catch((error) => error));
  }
  for (const error of errors) {
    expect(error).toBeInstanceOf(Error);
    expect(String((error as Error).stack)).not.toContain(session.state.slice(-20));
  }
});
