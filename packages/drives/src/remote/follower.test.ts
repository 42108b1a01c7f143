import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { DriveError } from "../drive.ts";
import type { MemoryVendor } from "./memory-vendor.ts";
import { get, names, put, Stage } from "./testing.ts";

let stage: Stage;
let vendor: MemoryVendor;
beforeEach(() => {
  stage = new Stage();
  vendor = stage.vendor;
});
afterEach(() => stage.forget());

/** Lets the drive take in what the feed tells now. */
async function followed() {
  const before = vendor.counted().changes ?? 0;
  await vi.waitFor(() => expect(vendor.counted().changes).toBeGreaterThan(before + 1));
}
/** Holds calls of a name from before or behind their effect until it is let go. */
function hold(when: "before" | "after", name: string, nth = 1) {
  let release = () => {};
  let count = 0;
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  let arrived = () => {};
  const reached = new Promise<void>((resolve) => {
    arrived = resolve;
  });
  vendor[when] = (call) => {
    if (call !== name || ++count !== nth) return;
    arrived();
    return held;
  };
  return { reached, release };
}
const fast = { pollInterval: 10 };

test("older states that the feed tells late do not come back", async () => {
  const old = vendor.put("b/x", "old");
  const drive = await stage.synced(fast);
  await put(drive, "b/x", "mine");
  // The one that we knew, and one that we did not.
  vendor.log.push(old, { ...old, version: "unknown", size: 9 });
  await followed();
  expect(await get(drive, "b/x")).toBe("mine");
  await drive.remove("b/x");
  vendor.log.push(old, { ...old, version: "unknown" });
  await followed();
  expect(await drive.stat("b/x")).toBeUndefined();
  const entry = await put(drive, "b/new", "mine");
  vendor.log.push({ id: vendor.at("b/new")!.id, removed: true });
  await followed();
  expect(await drive.stat("b/new")).toMatchObject({ id: entry.id });
});

test("a change of others after ours is taken in", async () => {
  const drive = await stage.synced(fast);
  await put(drive, "b/x", "mine");
  vendor.put("b/x", "by others");
  await vi.waitFor(async () => expect(await get(drive, "b/x")).toBe("by others"));
  await put(drive, "b/x", "mine again");
  vendor.drop("b/x");
  await vi.waitFor(async () => expect(await drive.stat("b/x")).toBeUndefined());
  await put(drive, "b/y", "mine");
  vendor.rename("b/y", "b/z");
  await vi.waitFor(async () => expect(await names(drive, "b")).toEqual(["file z"]));
});

test("what others rename back, restore or remove again is taken in", async () => {
  vendor.put("b/x", "one");
  const drive = await stage.synced(fast);
  await drive.move("b/x", "b/y");
  vendor.rename("b/y", "b/x");
  await vi.waitFor(async () => expect(await names(drive, "b")).toEqual(["file x"]));
  await put(drive, "b/x", "mine");
  const { id } = vendor.at("b/x")!;
  const node = vendor.nodes.get(id)!;
  await drive.remove("b/x");
  vendor.nodes.set(id, node);
  vendor.log.push(node.item);
  await vi.waitFor(async () => expect(await get(drive, "b/x")).toBe("mine"));
  await put(drive, "b/x", "mine again");
  vendor.drop("b/x");
  await vi.waitFor(async () => expect(await drive.stat("b/x")).toBeUndefined());
});

test("an answer that comes later than the feed's does not bring an older state", async () => {
  const drive = await stage.synced(fast);
  await drive.makeFolder("b");
  const { reached, release } = hold("after", "upload");
  const writing = put(drive, "b/x", "mine");
  await reached;
  vendor.put("b/x", "by others");
  await followed();
  release();
  await writing;
  expect(await get(drive, "b/x")).toBe("by others");
  // The same with one that was removed meanwhile.
  const again = hold("after", "upload");
  const second = put(drive, "b/y", "mine");
  await again.reached;
  vendor.drop("b/y");
  await followed();
  again.release();
  await second;
  expect(await drive.stat("b/y")).toBeUndefined();
});

test("an older state that a look at the drive finds does not undo a write of that time", async () => {
  vendor.put("b/x", "one");
  const drive = await stage.synced();
  vendor.put("b/x", "by others");
  const { reached, release } = hold("after", "find");
  const reading = get(drive, "b/x").catch((error) => error);
  await reached;
  const mine = await put(drive, "b/x", "mine");
  release();
  expect(await reading).toMatchObject({ code: "Changed" });
  expect(await drive.stat("b/x")).toMatchObject({ id: mine.id });
  // The same with a file that is there for the first time.
  vendor.drop("b/x");
  const looked = hold("after", "find");
  const again = get(drive, "b/x").catch((error) => error);
  vendor.put("b/x", "by others again");
  await looked.reached;
  await put(drive, "b/x", "mine");
  await drive.remove("b/x");
  looked.release();
  expect(await again).toMatchObject({ code: "NotFound" });
  expect(await drive.stat("b/x")).toBeUndefined();
});

test("drives with the same data follow one at a time, and another one goes on", async () => {
  vendor.put("b/x", "one");
  const first = await stage.synced(fast);
  const second = await stage.synced(fast);
  await put(first, "b/y", "mine");
  expect(await get(second, "b/y")).toBe("mine");
  await put(second, "b/y", "other");
  expect(await get(first, "b/y")).toBe("other");
  const changes = () => vendor.counted().changes ?? 0;
  await first.close();
  const before = changes();
  vendor.put("b/z", "by others");
  expect(await second.stat("b/z")).toBeUndefined();
  await vi.waitFor(async () => expect(await second.stat("b/z")).toBeDefined(), 10_000);
  expect(changes()).toBeGreaterThan(before);
});

test("a feed that fails is asked again, and what it brought to fail is told", async () => {
  const drive = await stage.synced(fast);
  let failures = 3;
  vendor.before = (call) => {
    if (call === "changes" && failures-- > 0)
      throw new DriveError("Throttled", "too many", { retryAfter: 30 });
  };
  vendor.put("b/x", "one");
  await vi.waitFor(() => expect(drive.progress().error?.message).toBe("too many"));
  await vi.waitFor(async () => expect(await drive.stat("b/x")).toBeDefined());
  await vi.waitFor(() => expect(drive.progress().error).toBeUndefined());
});

test("what was not followed for long is asked for live until it is", async () => {
  vendor.put("b/x", "one");
  await (await stage.synced()).close();
  vendor.put("b/x", "changed since");
  vi.useFakeTimers({ now: Date.now() + 3_600_000, toFake: ["Date"] });
  try {
    const { reached, release } = hold("before", "changes");
    const drive = await stage.opened();
    await reached;
    expect(drive.progress().done).toBe(false);
    expect(await get(drive, "b/x")).toBe("changed since");
    release();
    await vi.waitFor(() => expect(drive.progress().done).toBe(true));
    vendor.calls = [];
    expect((await drive.stat("b/x"))?.size).toBe(13);
    expect(vendor.calls).toEqual([]);
  } finally {
    vi.useRealTimers();
  }
});

test("no folder is removed while something is written into it, and what follows is not lost", async () => {
  const drive = await stage.synced();
  const other = await stage.synced();
  for (const [writer, remover] of [
    [drive, drive],
    [drive, other],
  ] as const) {
    await drive.makeFolder("b/dir/sub");
    const upload = hold("before", "upload");
    const writing = put(writer, "b/dir/sub/x", "mine");
    await upload.reached;
    expect(await remover.removeFolder("b/dir/sub")).toBe(false);
    upload.release();
    await writing;
    expect(await remover.removeFolder("b/dir/sub")).toBe(false);
    await drive.remove("b/dir/sub/x");
    const removal = hold("before", "remove");
    const removing = remover.removeFolder("b/dir/sub");
    await removal.reached;
    const late = put(writer, "b/dir/sub/x", "mine");
    removal.release();
    expect(await removing).toBe(true);
    await late;
    expect(vendor.text("b/dir/sub/x")).toBe("mine");
    expect(await get(drive, "b/dir/sub/x")).toBe("mine");
    await drive.remove("b/dir/sub/x");
  }
});

test("what others put into a folder just now keeps it", async () => {
  const drive = await stage.synced();
  await drive.makeFolder("b/dir");
  vendor.put("b/dir/x", "by others");
  expect(await drive.removeFolder("b/dir")).toBe(false);
  expect(vendor.text("b/dir/x")).toBe("by others");
});

test("items of one name are told apart by their ids, the oldest has the name", async () => {
  stage = new Stage({ duplicates: true, caseSensitive: true, atomic: { absent: false, unchanged: false } });
  vendor = stage.vendor;
  const first = vendor.put("b/x.txt", "first");
  vendor.put("b/dir/y", "");
  const second = { ...first, id: "second", created: first.created! + 5, version: "v99" };
  vendor.nodes.set("second", { item: second, bytes: Buffer.from("other"), history: [] });
  vendor.log.push(second);
  for (const mode of ["synced", "live"] as const) {
    const drive = await stage[mode]();
    expect(await names(drive, "b")).toEqual(["file x {second}.txt", "file x.txt", "folder dir"]);
    expect(await get(drive, "b/x.txt")).toBe("first");
    expect((await drive.stat("b/x {second}.txt"))?.id).toBe("second:v99");
    expect(await drive.stat("b/x {none}.txt")).toBeUndefined();
    await stage.forget();
    vendor.before = () => {};
  }
  const drive = await stage.synced();
  await put(drive, "b/x {second}.txt", "replaced");
  expect(vendor.nodes.get("second")!.bytes.toString()).toBe("replaced");
  await drive.remove("b/x.txt");
  expect(await names(drive, "b")).toEqual(["file x.txt", "folder dir"]);
  expect(await get(drive, "b/x.txt")).toBe("replaced");
  // Nothing is made twice by those who share the data.
  const other = await stage.synced();
  await Promise.all([drive, other, drive].map((one, i) => put(one, `b/new/${i}`, "x")));
  await Promise.allSettled([put(drive, "b/both", "file"), put(other, "b/both/x", "in a folder")]);
  expect((await names(drive, "b")).filter((name) => name.includes("{"))).toEqual([]);
});
