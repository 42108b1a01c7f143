import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Drive } from "../drive.ts";
import type { MemoryVendor } from "./memory-vendor.ts";
import { get, put, Stage } from "./testing.ts";
import type { Traits } from "./vendor.ts";

let stage: Stage;
let vendor: MemoryVendor;
function begin(traits: Partial<Traits> = {}) {
  stage = new Stage(traits);
  vendor = stage.vendor;
}
beforeEach(() => begin());
afterEach(() => stage.forget());

for (const propertiesLimit of [0, 200]) {
  const kind = propertiesLimit === 0 ? "aside" : "with the file";
  const small = JSON.stringify({ user: "ü".repeat(10) });
  const large = JSON.stringify({ user: "ü".repeat(1000) });
  const properties = async (drive: Drive, path: string) => (await drive.describe(path))?.properties;
  /** Forgets all that is known here. */
  const restarted = async (mode: "synced" | "live" = "synced", pollInterval = 3_600_000) => {
    await stage.forget();
    return stage[mode]({ pollInterval });
  };

  test(`properties that are kept ${kind} outlive the mirror, but for what is derivable where it costs a call`, async () => {
    begin({ propertiesLimit });
    let drive = await stage.synced();
    await put(drive, "b/small", "1", small, {});
    expect(vendor.counted()).toEqual({ makeFolder: 1, upload: propertiesLimit === 0 ? 2 : 1 });
    await put(drive, "b/large", "2", large, {});
    await put(drive, "b/session", Buffer.alloc(100_000), large, {});
    await put(drive, "b/derivable", "3", small, { derivable: true });
    const all = ["b/small", "b/large", "b/session", "b/derivable"];
    const expected = [small, large, large, small];
    expect(await Promise.all(all.map((path) => properties(drive, path)))).toEqual(expected);
    drive = await restarted();
    const kept = propertiesLimit === 0 ? [small, large, large, undefined] : expected;
    expect(await Promise.all(all.map((path) => properties(drive, path)))).toEqual(kept);
    const described = await drive.describeAll("b", ["small", "large", "session", "derivable", "none"]);
    expect(described.map((one) => one?.properties)).toEqual([...kept, undefined]);
    vendor.calls = [];
    await drive.describeAll("b", ["small", "large", "session"]);
    expect(vendor.calls).toEqual([]);
    drive = await restarted("live");
    expect(
      (
        await drive.describeAll(
          "b",
          all.map((path) => path.slice(2)),
        )
      ).map((one) => one?.properties),
    ).toEqual(kept);
    expect(await properties(drive, "b/large")).toBe(large);
  });

  test(`properties that are kept ${kind} belong to their bytes`, async () => {
    begin({ propertiesLimit });
    let drive = await stage.synced({ pollInterval: 20 });
    for (const text of [small, large]) {
      await put(drive, "b/x", "one", text, {});
      vendor.put("b/x", "other");
      await vi.waitFor(async () => expect((await drive.stat("b/x"))?.size).toBe(5));
      expect(await properties(drive, "b/x")).toBeUndefined();
      await put(drive, "b/x", "one", text, {});
      expect(await properties(drive, "b/x")).toBe(text);
      // The same bytes once more, without.
      await put(drive, "b/x", "one", "", {});
      expect(await properties(drive, "b/x")).toBeUndefined();
      drive = await restarted("synced", 20);
      expect(await properties(drive, "b/x")).toBeUndefined();
    }
  });

  test(`properties that are kept ${kind} are changed, copied, moved and removed with their files`, async () => {
    begin({ propertiesLimit });
    let drive = await stage.synced();
    await put(drive, "b/x", "one", small, {});
    for (const text of [large, small]) {
      await drive.setProperties("b/x", text);
      expect(await properties(drive, "b/x")).toBe(text);
      await (await drive.copy("b/x", "b/copy"))!.commit(text);
      expect(await get(drive, "b/copy")).toBe("one");
      expect(await properties(drive, "b/copy")).toBe(text);
      await (await drive.copy("b/copy", "b/copy"))!.commit(`${text} `);
      expect(await properties(drive, "b/copy")).toBe(`${text} `);
      await drive.move("b/copy", "b/moved");
      drive = await restarted();
      expect(await properties(drive, "b/x")).toBe(text);
      expect(await properties(drive, "b/moved")).toBe(`${text} `);
    }
    await drive.removeAll(["b/x", "b/moved"]);
    expect([...vendor.nodes.values()].filter(({ item }) => item.kind === "file")).toEqual([]);
  });
}

test("a sidecar by another gateway is seen", async () => {
  const drive = await stage.synced({ pollInterval: 20 });
  const other = await stage.synced({ pollInterval: 20, data: join(stage.data, "other") });
  await put(drive, "b/x", "one", "first", {});
  await vi.waitFor(async () => expect((await other.describe("b/x"))?.properties).toBe("first"));
  await drive.setProperties("b/x", "second");
  await vi.waitFor(async () => expect((await other.describe("b/x"))?.properties).toBe("second"));
  await put(other, "b/x", "one", "third", {});
  await vi.waitFor(async () => expect((await drive.describe("b/x"))?.properties).toBe("third"));
});

test("a copy of bytes that others changed meanwhile is taken back", async () => {
  vendor.put("b/x", "one");
  const drive = await stage.synced();
  const copy = (await drive.copy("b/x", "b/y"))!;
  vendor.put("b/x", "other");
  await expect(copy.commit("")).rejects.toMatchObject({ code: "Unavailable" });
  expect(vendor.at("b/y")).toBeUndefined();
  expect(await drive.stat("b/y")).toBeUndefined();
});
