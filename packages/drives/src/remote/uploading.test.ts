import { readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { DriveError } from "../drive.ts";
import type { MemoryVendor } from "./memory-vendor.ts";
import { get, put, Stage } from "./testing.ts";

/** The process that a name is made for: one that has ended, to play a crash. */
const crashing = vi.hoisted(() => ({ now: false }));
vi.mock("../processes.ts", async (original) => {
  const processes = await original<typeof import("../processes.ts")>();
  const temporaryName = () => {
    const name = processes.temporaryName();
    return crashing.now ? name.replace(/^([^.]+)\.\d+\.\d+/, "$1.4194303.1") : name;
  };
  return { ...processes, temporaryName };
});

let stage: Stage;
let vendor: MemoryVendor;
beforeEach(() => {
  crashing.now = false;
  stage = new Stage();
  vendor = stage.vendor;
});
afterEach(() => stage.forget());

const large = Buffer.alloc(200_000, "0123456789abcdefghijklmnopqrstuvwxyz");
const sessions = () => {
  try {
    return readdirSync(join(stage.data, "sessions"));
  } catch {
    return [];
  }
};
const unavailable = () => new DriveError("Unavailable", "connection reset");
/** Fails the nth call of a name, before it has its effect or after. */
function failNth(when: "before" | "after", name: string, nth: number, error: () => Error = unavailable) {
  let count = 0;
  vendor[when] = (call) => {
    if (call === name && ++count === nth) throw error();
  };
}

test("a large file of known size is on its way while it comes in, and shows only when it is committed", async () => {
  const drive = await stage.synced();
  await drive.makeFolder("b");
  const pending = await drive.create("b/large", { size: large.length });
  for (let at = 0; at < large.length; at += 10_000) await pending.write(large.subarray(at, at + 10_000));
  await vi.waitFor(() => expect([...vendor.sessions.values()][0]?.received).toBe(6 * 32 * 1024));
  expect(vendor.at("b/large")).toBeUndefined();
  expect(await drive.stat("b/large")).toBeUndefined();
  expect(sessions().map((name) => statSync(join(stage.data, "sessions", name)).mode & 0o777)).toEqual([
    0o600,
  ]);
  await pending.commit("");
  expect(vendor.text("b/large")).toBe(large.toString());
  expect(sessions()).toEqual([]);
  expect(vendor.counted()).toMatchObject({ startUpload: 1, send: 7 });
});

test("a file that is given up leaves no session", async () => {
  const drive = await stage.synced();
  await drive.makeFolder("b");
  const pending = await drive.create("b/large", { size: large.length });
  await pending.write(large.subarray(0, 100_000));
  await vi.waitFor(() => expect(vendor.sessions.size).toBe(1));
  await pending.discard();
  expect([vendor.sessions.size, sessions(), vendor.at("b/large")]).toEqual([0, [], undefined]);
});

for (const when of ["before", "after"] as const)
  for (const nth of [1, 3, 7])
    test(`a break ${when} fragment ${nth} has its effect costs nothing`, async () => {
      const drive = await stage.synced();
      failNth(when, "send", nth);
      await put(drive, "b/large", large);
      expect(vendor.text("b/large")).toBe(large.toString());
      expect([(await drive.stat("b/large"))?.size, sessions()]).toEqual([large.length, []]);
      expect(vendor.counted().startUpload).toBe(1);
    });

for (const nth of [1, 3, 7])
  test(`a session that is gone at fragment ${nth} is begun anew`, async () => {
    const drive = await stage.synced();
    let count = 0;
    vendor.before = (call) => {
      if (call === "send" && ++count === nth) vendor.sessions.clear();
    };
    await put(drive, "b/large", large);
    expect(vendor.text("b/large")).toBe(large.toString());
    expect(vendor.sessions.size).toBe(1);
    expect(sessions()).toEqual([]);
  });

test("a session that cannot be gone on with fails the write, and nothing shows", async () => {
  vendor.put("b/large", "old");
  const drive = await stage.synced();
  vendor.before = (call) => {
    if (call === "send") throw unavailable();
  };
  await expect(put(drive, "b/large", large)).rejects.toMatchObject({ code: "Unavailable" });
  expect(vendor.text("b/large")).toBe("old");
  expect(await get(drive, "b/large")).toBe("old");
  expect([vendor.sessions.size, sessions()]).toEqual([0, []]);
});

test("a lost answer to a write is recognised by the bytes that are there", async () => {
  const drive = await stage.synced();
  failNth("after", "upload", 1);
  await put(drive, "b/x", "one", "p", { onlyIfAbsent: true, derivable: true });
  expect(await drive.describe("b/x")).toMatchObject({ properties: "p", entry: { size: 3 } });
  // That the same bytes were there before proves nothing.
  failNth("before", "upload", 1);
  await expect(put(drive, "b/x", "one")).rejects.toMatchObject({ code: "Unavailable" });
  failNth("before", "upload", 1);
  await expect(put(drive, "b/x", "two")).rejects.toMatchObject({ code: "Unavailable" });
  expect(await get(drive, "b/x")).toBe("one");
});

for (const [kind, bytes] of [
  ["small", Buffer.from("small")],
  ["large", large],
] as const)
  test(`a ${kind} file that was stored with other bytes is taken back`, async () => {
    const drive = await stage.synced();
    for (const spoil of [
      (stored: Buffer) => Buffer.from(stored.map((byte, i) => (i === 3 ? byte ^ 1 : byte))),
      (stored: Buffer) => stored.subarray(0, -1),
    ]) {
      vendor.stored = spoil;
      await expect(put(drive, "b/x", bytes)).rejects.toMatchObject({ code: "Unavailable" });
      expect(vendor.at("b/x")).toBeUndefined();
      expect(await drive.stat("b/x")).toBeUndefined();
    }
    // What the drive rewrites by itself proves nothing.
    await put(drive, "b/x.docx", bytes);
    expect(vendor.at("b/x.docx")).toBeDefined();
  });

test("a place that others change while a file goes there is looked at anew", async () => {
  const drive = await stage.synced();
  // Someone makes the file first.
  vendor.put("b/x", "by others");
  await put(drive, "b/x", "mine");
  expect(vendor.text("b/x")).toBe("mine");
  // Someone makes one that differs in case.
  vendor.put("b/Y", "by others");
  await expect(put(drive, "b/y", "mine")).rejects.toMatchObject({ code: "NameRefused" });
  await expect(put(drive, "b/y", large)).rejects.toMatchObject({ code: "NameRefused" });
  expect(vendor.text("b/Y")).toBe("by others");
  // Someone removes the folder.
  await put(drive, "dir/x", "mine");
  vendor.drop("dir");
  await put(drive, "dir/y", "mine");
  expect([vendor.text("dir/x"), vendor.text("dir/y")]).toEqual([undefined, "mine"]);
  // Someone moves the file away just before it is replaced: on this drive by name, so that both are there then.
  await put(drive, "b/z", "old");
  vendor.rename("b/z", "b/moved");
  await put(drive, "b/z", "new");
  expect([vendor.text("b/z"), vendor.text("b/moved")]).toEqual(["new", "old"]);
  expect([await get(drive, "b/z"), sessions()]).toEqual(["new", []]);
});

test("a session that cannot be noted is given up", async () => {
  const drive = await stage.synced();
  await drive.makeFolder("b");
  writeFileSync(join(stage.data, "sessions"), "in the way");
  await expect(put(drive, "b/large", large)).rejects.toMatchObject({ code: "EEXIST" });
  expect([vendor.sessions.size, vendor.at("b/large")]).toEqual([0, undefined]);
});

test("after a crash, sessions are given up, and nothing of their files shows", async () => {
  const drive = await stage.synced();
  await drive.makeFolder("b");
  crashing.now = true;
  const pending = await drive.create("b/large", { size: large.length });
  for (let at = 0; at < large.length; at += 10_000) await pending.write(large.subarray(at, at + 10_000));
  await vi.waitFor(() => expect([...vendor.sessions.values()][0]?.received).toBe(6 * 32 * 1024));
  crashing.now = false;
  const alive = await drive.create("b/alive", { size: large.length });
  await vi.waitFor(() => expect(vendor.sessions.size).toBe(2));
  const next = await stage.synced();
  failNth("before", "cancelUpload", 1);
  expect(await next.sweep(3_600_000)).toBe(0);
  // Several processes may begin at the same time.
  const other = await stage.synced();
  const swept = await Promise.all([next.sweep(3_600_000), other.sweep(3_600_000)]);
  expect(swept.reduce((sum, count) => sum + count)).toBeGreaterThan(0);
  expect([vendor.sessions.size, sessions().length, vendor.at("b/large")]).toEqual([1, 1, undefined]);
  await alive.discard();
});

test("after a crash between the bytes and their sidecar, the properties follow", async () => {
  let drive = await stage.synced();
  crashing.now = true;
  let sent = 0;
  vendor.before = (call) => (call === "upload" && ++sent === 2 ? new Promise<void>(() => {}) : undefined);
  void put(drive, "b/x", "one", "properties", {}).catch(() => undefined);
  await vi.waitFor(() => expect(sent).toBe(2));
  crashing.now = false;
  vendor.before = () => {};
  drive = await stage.synced();
  failNth("before", "upload", 1);
  await drive.sweep(3_600_000);
  await drive.sweep(3_600_000);
  expect((await drive.describe("b/x"))?.properties).toBe("properties");
  await stage.forget();
  drive = await stage.synced();
  expect((await drive.describe("b/x"))?.properties).toBe("properties");
});

test("what a crash left to be written does not overwrite what was written since", async () => {
  let drive = await stage.synced();
  crashing.now = true;
  let sent = 0;
  vendor.before = (call) => (call === "upload" && ++sent === 2 ? new Promise<void>(() => {}) : undefined);
  void put(drive, "b/x", "one", "first", {}).catch(() => undefined);
  await vi.waitFor(() => expect(sent).toBe(2));
  crashing.now = false;
  vendor.before = () => {};
  await put(drive, "b/x", "one", "second", {});
  drive = await stage.synced();
  await drive.sweep(3_600_000);
  expect((await drive.describe("b/x"))?.properties).toBe("second");
});
