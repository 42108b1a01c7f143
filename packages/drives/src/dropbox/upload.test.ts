import { randomBytes } from "node:crypto";
import { setTimeout } from "node:timers/promises";
import { afterEach, describe, expect, test, vi } from "vitest";
import type { Body, Item, UploadSession } from "../remote/vendor.ts";
import { BlockHash } from "./hash.ts";
import { propertiesLimit } from "./properties.ts";
import { bodyOf, type Stage, stage, textOf } from "./testing.ts";

let open: Stage[] = [];
afterEach(async () => {
  for (const each of open) await each[Symbol.asyncDispose]();
  open = [];
});

const start = async (...args: Parameters<typeof stage>) => {
  const made = await stage(...args);
  open.push(made);
  await made.vendor.find(["none"]);
  return made;
};

const hashOf = (bytes: Uint8Array) => {
  const hash = new BlockHash();
  hash.update(bytes);
  return hash.digest();
};

describe("small files", () => {
  test("take one call, with a time of their own and a text too", async () => {
    const { vendor, target, calls, find, another } = await start();
    let item!: Item;
    const upload = async (text: string, options = {}) => {
      item = await vendor.upload(target("Ä b.txt", item), bodyOf(text), options);
    };
    expect(await calls(() => upload("hello"))).toEqual({ "files/upload": 1 });
    expect(item).toMatchObject({ name: "Ä b.txt", id: "/ä b.txt", size: 5, parent: "/" });
    expect(item.hash).toBe(hashOf(Buffer.from("hello")));
    // The template is made once.
    await upload("other", { properties: "first" });
    const properties = `{"text":"${"ü\u{1F9E5}x".repeat(250)}"}`;
    const modified = 1_500_000_000_000;
    expect(await calls(() => upload("third", { properties, modified }))).toEqual({ "files/upload": 1 });
    expect(item).toMatchObject({ properties, modified });
    expect(await find("Ä b.txt")).toEqual(item);
    expect(await another().get(item.id)).toEqual(item);
    await upload("fourth");
    expect((await find("Ä b.txt")).properties).toBeUndefined();
    const long = `${"\u{1F9E5}".repeat(propertiesLimit / 4)}x`;
    expect(Buffer.byteLength(long) - propertiesLimit).toBeLessThanOrEqual(1);
    const longest = long.slice(0, -1);
    const counted = await calls(() => upload("fifth", { properties: longest }));
    expect(counted).toEqual({ "files/upload_session/start": 1, "files/upload_session/finish_batch_v2": 1 });
    expect((await find("Ä b.txt")).properties).toBe(longest);
  });

  test("the same bytes again get the text that comes with them", async () => {
    const { vendor, target, find } = await start();
    const first = await vendor.upload(target("a"), bodyOf("same"), { properties: "1" });
    const second = await vendor.upload(target("a", first), bodyOf("same"), { properties: "2" });
    expect(second).toMatchObject({ version: first.version, properties: "2" });
    expect((await find("a")).properties).toBe("2");
  });

  test("conditions are decided by the service", async () => {
    const { vendor, target, find, server } = await start({ files: { a: "1" } });
    const a = await find("a");
    const upload = (text: string, condition: "absent" | "unchanged", replaces?: Item) =>
      vendor.upload(target("a", replaces), bodyOf(text), { condition });
    await expect(upload("2", "absent")).rejects.toMatchObject({ code: "Exists" });
    // The same bytes are no exception.
    await expect(upload("1", "absent")).rejects.toMatchObject({ code: "Exists" });
    const changed = await upload("2", "unchanged", a);
    await expect(upload("3", "unchanged", a)).rejects.toMatchObject({ code: "Changed" });
    server.remove("a");
    await expect(upload("3", "unchanged", changed)).rejects.toMatchObject({ code: "Changed" });
    expect(await upload("3", "absent")).toMatchObject({ size: 1 });
    const many = Array.from({ length: 8 }, () =>
      vendor.upload(target("new"), bodyOf("same"), { condition: "absent" }),
    );
    const settled = await Promise.allSettled(many);
    expect(settled.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    await expect(vendor.upload(target("a/b"), bodyOf(""))).rejects.toMatchObject({ code: "NotAFolder" });
    await vendor.makeFolder(await vendor.root(), "f");
    await expect(vendor.upload(target("f"), bodyOf(""))).rejects.toMatchObject({ code: "IsAFolder" });
  });

  test("many at once are committed together", async () => {
    const { vendor, target, calls, server } = await start();
    const { promise: othersAreThere, resolve } = Promise.withResolvers<void>();
    const first: Body = {
      size: 1,
      async *read() {
        await othersAreThere;
        yield Buffer.from("0");
      },
    };
    const counted = await calls(async () => {
      const uploads = Array.from({ length: 30 }, (_, index) =>
        vendor.upload(target(`f${index}`), index === 0 ? first : bodyOf(`${index}`)),
      );
      await vi.waitFor(() => expect(server.openSessions).toBe(29), { timeout: 20_000 });
      // The last answers are on their way.
      await setTimeout(200);
      resolve();
      await Promise.all(uploads);
    });
    expect(counted).toEqual({
      "files/upload": 1,
      "files/upload_session/start": 29,
      "files/upload_session/finish_batch_v2": 1,
    });
    expect(server.calls.entries.filter(({ status }) => status !== 200)).toEqual([]);
    expect(server.openSessions).toBe(0);
    for (const index of [0, 29]) {
      const item = (await vendor.find([`f${index}`]))!;
      expect(await textOf(vendor.read(item, 0, item.size))).toBe(`${index}`);
    }
  });

  test("each of those that are committed together has its own outcome", async () => {
    const { vendor, target, server, find } = await start({ commitTime: 50, files: { taken: "x" } });
    const [one, taken, two] = await Promise.allSettled([
      vendor.upload(target("1"), bodyOf("1")),
      vendor.upload(target("taken"), bodyOf("2"), { condition: "absent" }),
      vendor.upload(target("2"), bodyOf("3"), { properties: "text" }),
    ]);
    expect([one.status, taken.status, two.status]).toEqual(["fulfilled", "rejected", "fulfilled"]);
    expect((taken as PromiseRejectedResult).reason).toMatchObject({ code: "Exists" });
    expect((await find("2")).properties).toBe("text");
    // A batch whose answer is lost.
    server.fault({ on: /finish/, loseAnswer: true });
    const all = ["4", "5", "6"].map((name) =>
      vendor.upload(target(name), bodyOf(name), { condition: "absent", properties: name }),
    );
    expect((await Promise.all(all)).map(({ id, properties }) => [id, properties])).toEqual([
      ["/4", "4"],
      ["/5", "5"],
      ["/6", "6"],
    ]);
    // That of the one that was refused.
    expect(server.openSessions).toBe(1);
  });

  test("a lost answer is not a second write", async () => {
    const { vendor, target, server, find } = await start();
    const first = await vendor.upload(target("a"), bodyOf("1"));
    for (const condition of [undefined, "unchanged"] as const) {
      const replaces = await find("a");
      server.fault({ on: "files/upload", loseAnswer: true });
      const text = `written ${condition}`;
      const item = await vendor.upload(target("a", replaces), bodyOf(text), { condition, properties: text });
      expect(item).toMatchObject({ size: text.length, properties: text });
      expect((await vendor.versions(item)).length).toBe(condition ? 3 : 2);
    }
    server.fault({ on: "files/upload", loseAnswer: true });
    const made = vendor.upload(target("b"), bodyOf("new"), { condition: "absent" });
    expect(await made).toMatchObject({ id: "/b", size: 3 });
    // What others wrote is not taken for ours.
    server.fault({ on: "files/upload", resetRequestAt: 1 });
    await server.put("c", "theirs");
    const lost = vendor.upload(target("c"), bodyOf("ours"), { condition: "absent" });
    await expect(lost).rejects.toMatchObject({ code: "Unavailable" });
    expect(first.size).toBe(1);
  });

  test("texts are seen to where answers do not tell them, or their template is gone", async () => {
    const { vendor, target, server, calls, find } = await start({ hidesUploadedProperties: true });
    const upload = (name: string, text: string) =>
      vendor.upload(target(name), bodyOf(text), { properties: text });
    expect(await upload("a", "1")).toMatchObject({ properties: "1" });
    // Once seen, it is believed.
    expect(await calls(() => upload("b", "2"))).toEqual({ "files/upload": 1 });
    expect((await find("b")).properties).toBe("2");
    server.removeTemplates();
    expect(await upload("c", "3")).toMatchObject({ properties: "3" });
    expect((await find("c")).properties).toBe("3");
  });

  test("texts change without the bytes", async () => {
    const { vendor, find, calls, server } = await start({ files: { a: "1" } });
    const a = await find("a");
    await vendor.setProperties(a, "one");
    expect(await calls(() => vendor.setProperties(a, "two"))).toEqual({
      "file_properties/properties/overwrite": 1,
    });
    expect(await find("a")).toEqual({ ...a, properties: "two" });
    server.removeTemplates();
    await vendor.setProperties(a, "three");
    expect((await find("a")).properties).toBe("three");
  });

  test("a full Dropbox refuses, and so does a small one", async () => {
    const { vendor, target } = await start({ quota: 3 });
    await expect(vendor.upload(target("a"), bodyOf("1234"))).rejects.toMatchObject({ code: "NoSpace" });
  });
});

const unit = 64 * 1024;

describe.each([
  { way: "in order", fragments: 2 },
  { way: "at once", fragments: 5 },
])("large files, $way", ({ fragments }) => {
  const size = (fragments - 1) * unit + 100;
  const bytes = randomBytes(size);
  const body = bodyOf(bytes);
  const concurrent = fragments > 2;
  const begin = (files: Record<string, string> = {}) =>
    start({ pieceUnit: unit, files }, { uploadLimit: unit, fragmentSize: unit, concurrent: true });

  async function send(session: UploadSession, from = 0): Promise<Item | undefined> {
    const sending: Promise<unknown>[] = [];
    for (let at = from; at + unit < size; at += unit) sending.push(session.send(body, at, at + unit));
    await Promise.all(sending);
    return session.send(body, (fragments - 1) * unit, size);
  }

  test("take as few calls as can be", async () => {
    const { vendor, target, calls, find, server } = await begin();
    let item: Item | undefined;
    const counted = await calls(async () => {
      item = await send(await vendor.startUpload(target("l"), size));
    });
    const route = "files/upload_session";
    expect(counted).toEqual(
      concurrent
        ? { [`${route}/start`]: 1, [`${route}/append_v2`]: fragments, [`${route}/finish`]: 1 }
        : { [`${route}/start`]: 1, [`${route}/finish`]: 1 },
    );
    expect(item).toMatchObject({ size, hash: hashOf(bytes) });
    expect(await find("l")).toEqual(item);
    expect(server.openSessions).toBe(0);
  });

  test("show only when they are whole", async () => {
    const { vendor, target, find, server } = await begin({ l: "before" });
    const l = await find("l");
    const options = { condition: "unchanged", modified: 1_500_000_000_000 } as const;
    const session = await vendor.startUpload(target("l", l), size, options);
    await session.send(body, 0, unit);
    expect(await session.received()).toBe(unit);
    expect(await find("l")).toEqual(l);
    session.describe!("text");
    await send(session, unit);
    const now = await find("l");
    expect(now).toMatchObject({ size, properties: "text", modified: 1_500_000_000_000 });
    expect(await session.received()).toEqual(now);
    await session.cancel();
    await vendor.cancelUpload();
    const late = await vendor.startUpload(target("l", now), size, { condition: "unchanged" });
    await server.put("l", "changed meanwhile");
    await expect(send(late)).rejects.toMatchObject({ code: "Changed" });
    const taken = await vendor.startUpload(target("l"), size, { condition: "absent" });
    await expect(send(taken)).rejects.toMatchObject({ code: "Exists" });
    expect(await textOf(vendor.read(await find("l"), 0, 17))).toBe("changed meanwhile");
  });

  test("survive lost answers and broken connections at each step", async () => {
    for (const step of ["start", "append_v2", "finish"])
      for (const fault of [{ loseAnswer: true }, { resetRequestAt: 10 }, { status: 503 }]) {
        const { vendor, target, server, find } = await begin();
        server.fault({ on: `files/upload_session/${step}`, ...fault });
        const item = await send(await vendor.startUpload(target("l"), size, { condition: "absent" }));
        expect(item, `${step} ${JSON.stringify(fault)}`).toMatchObject({ size, hash: hashOf(bytes) });
        expect((await vendor.versions(await find("l"))).length).toBe(1);
      }
  });

  test("are begun anew when the service no longer has them", async () => {
    const { vendor, target, server } = await begin();
    const session = await vendor.startUpload(target("l"), size);
    await session.send(body, 0, unit);
    await server.dropSessions();
    await expect(send(session, unit)).rejects.toMatchObject({ code: "Gone" });
    expect(await vendor.find(["l"])).toBeUndefined();
  });
});

test("a fragment in order goes on where the service stands", async () => {
  const { vendor, target, server } = await start({}, { uploadLimit: 10, fragmentSize: 4 * unit });
  const bytes = randomBytes(6 * unit);
  const session = await vendor.startUpload(target("l"), bytes.length);
  const body = bodyOf(bytes);
  await session.send(body, 0, 2 * unit);
  server.fault({ on: "files/upload_session/append_v2", loseAnswer: true });
  await session.send(body, 2 * unit, 4 * unit);
  expect(await session.received()).toBe(4 * unit);
  const item = await session.send(body, 4 * unit, bytes.length);
  expect(item).toMatchObject({ hash: hashOf(bytes) });
});
