import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { MemoryVendor } from "./memory-vendor.ts";
import type { RemoteDrive } from "./remote-drive.ts";
import { put, Stage } from "./testing.ts";

const hour = 3_600_000;
const day = 24 * hour;
let stage: Stage;
let vendor: MemoryVendor;

beforeEach(() => {
  stage = new Stage();
  vendor = stage.vendor;
  vi.useFakeTimers({ toFake: ["Date"] });
});
afterEach(async () => {
  vi.useRealTimers();
  await stage.forget();
});

const eventually = (look: () => Promise<void> | void) => vi.waitFor(look, { timeout: 20_000, interval: 20 });

/** Lets time pass, with changes of the drive asked for at its end. */
async function pass(time: number): Promise<void> {
  vi.setSystemTime(Date.now() + time);
  vendor.calls = [];
  await eventually(() => expect(vendor.counted().changes).toBeGreaterThan(2));
}

function sidecars(): string[] {
  const folder = vendor.at(".overcoat/properties")!.id;
  return [...vendor.nodes.values()].flatMap(({ item }) => (item.parent === folder ? item.name : []));
}

/** A drive that knows of `count` objects with sidecars, and that others removed those from `kept` on. */
async function withOrphans(count: number, kept: number): Promise<RemoteDrive> {
  const drive = await stage.synced({ pollInterval: 20 });
  for (let i = 0; i < count; i++) await put(drive, `b/${i}`, "x", "kept aside", {});
  for (let i = kept; i < count; i++) vendor.drop(`b/${i}`);
  await eventually(async () => expect(await drive.stat(`b/${count - 1}`)).toBeUndefined());
  vendor.calls = [];
  return drive;
}

test("sidecars of what others removed go when nothing has brought it back for a day", async () => {
  const drive = await withOrphans(3, 1);
  expect(await drive.sweep(day)).toBe(0);
  await pass(23 * hour);
  expect(await drive.sweep(day)).toBe(0);
  expect(sidecars()).toHaveLength(3);
  await pass(2 * hour);
  expect(await drive.sweep(day)).toBe(2);
  expect(sidecars()).toHaveLength(1);
  expect((await drive.describe("b/0"))?.properties).toBe("kept aside");
  expect(vendor.counted().remove).toBe(2);
  await pass(day);
  expect(await drive.sweep(day)).toBe(0);
});

test("one process sweeps", async () => {
  const drive = await withOrphans(1, 0);
  const other = await stage.synced();
  await drive.sweep(day);
  await pass(day);
  expect((await Promise.all([drive.sweep(day), other.sweep(day)])).sort()).toEqual([0, 1]);
});

test("a sweep removes a hundred at most, and what it could not remove the next time", async () => {
  const drive = await stage.synced({ pollInterval: 20 });
  for (let i = 0; i < 130; i++)
    vendor.put(`.overcoat/properties/${i}.json`, JSON.stringify({ id: `gone${i}`, bound: "" }));
  await eventually(() => expect(vendor.counted().read).toBe(130));
  await drive.sweep(day);
  await pass(day);
  vendor.before = (call) => {
    if (call === "remove") throw new Error("not now");
  };
  expect(await drive.sweep(day)).toBe(0);
  vendor.before = () => {};
  await pass(hour);
  expect(await drive.sweep(day)).toBe(100);
  await pass(hour);
  expect(await drive.sweep(day)).toBe(30);
});

test("a sidecar that is written anew meanwhile stays", async () => {
  const drive = await withOrphans(1, 0);
  await drive.sweep(day);
  await pass(day);
  const [sidecar] = sidecars();
  vendor.before = (call) => {
    if (call === "remove") vendor.put(`.overcoat/properties/${sidecar}`, "another");
  };
  expect(await drive.sweep(day)).toBe(0);
  expect(sidecars()).toHaveLength(1);
});

test("what was put aside and never moved to its place goes, and nothing else of the hidden folder", async () => {
  const drive = await stage.synced({ pollInterval: 20 });
  vendor.put(".overcoat/aside-1234", "left over");
  vendor.put(".overcoat/others", "stays");
  vendor.put("b/aside-1234", "stays");
  await eventually(async () => expect(await drive.stat("b/aside-1234")).toBeDefined());
  await drive.sweep(day);
  await pass(day);
  expect(await drive.sweep(day)).toBe(1);
  expect(vendor.at(".overcoat/aside-1234")).toBeUndefined();
  expect(vendor.at(".overcoat/others")).toBeDefined();
  expect(vendor.at("b/aside-1234")).toBeDefined();
});

test("nothing is swept while not all of the drive is known", async () => {
  await withOrphans(1, 0);
  await stage.close();
  const drive = await stage.live();
  await drive.sweep(day);
  vi.setSystemTime(Date.now() + 2 * day);
  await drive.sweep(day);
  expect(sidecars()).toHaveLength(1);
});
