import { afterEach, describe, expect, test } from "vitest";
import type { Item } from "../remote/vendor.ts";
import { bodyOf, type Stage, stage } from "./testing.ts";

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

/** Follows the feed as a mirror does. */
class Mirror {
  readonly #stage: Stage;
  readonly items = new Map<string, Item>();
  cursor: string | undefined;
  resets = 0;
  pages = 0;

  constructor(made: Stage) {
    this.#stage = made;
  }

  async follow(): Promise<void> {
    let fresh: Set<string> | undefined;
    for await (const { changes, cursor, reset } of this.#stage.vendor.changes(this.cursor)) {
      this.pages += 1;
      if (reset) {
        this.resets += 1;
        fresh = new Set();
      }
      for (const change of changes) {
        if ("removed" in change) this.items.delete(change.id);
        else this.items.set(change.id, change);
        fresh?.add(change.id);
      }
      this.cursor = cursor;
    }
    for (const id of fresh ? [...this.items.keys()] : []) if (!fresh!.has(id)) this.items.delete(id);
  }

  get paths(): string[] {
    const path = ({ name, parent }: Item): string => {
      const above = this.items.get(parent ?? "");
      return above?.parent === undefined ? name : `${path(above)}/${name}`;
    };
    return [...this.items.values()]
      .filter(({ parent }) => parent !== undefined)
      .map(path)
      .sort();
  }
}

describe.each([
  ["personal", {}],
  ["personal", { duplicates: true, outOfOrder: true }],
  ["business", {}],
  ["documentLibrary", { duplicates: true, outOfOrder: true, removedDescendants: false }],
] as const)("the feed of a %s drive (%j)", (driveType, delta) => {
  test("tells all there is, and then what changes", async () => {
    const files = { "a/b/c": "1", "a/d": "2", e: "3" };
    const made = await start({ driveType, delta, files, oddDriveIds: true });
    const { vendor, server, find, target, root } = made;
    const mirror = new Mirror(made);
    await mirror.follow();
    expect(mirror.paths).toEqual(["a", "a/b", "a/b/c", "a/d", "e"]);
    expect(mirror.items.get((await find("e")).id)).toEqual(await find("e"));
    expect(mirror.items.get(root.id)).toMatchObject({ parent: undefined });

    const uploaded = await vendor.upload(target("f"), bodyOf("4"));
    await server.put("e", "33");
    await vendor.move(await find("a/b"), target("moved"));
    server.remove("a/d");
    await mirror.follow();
    expect(mirror.paths).toEqual(["a", "e", "f", "moved", "moved/c"]);
    // What a write answers and what the feed tells are the same version.
    expect(mirror.items.get(uploaded.id)).toEqual(uploaded);
    expect(mirror.items.get((await find("e")).id)?.size).toBe(2);

    server.remove("moved");
    server.remove("a");
    await mirror.follow();
    expect(mirror.paths.filter((path) => !path.includes("/"))).toEqual(
      ["c", "e", "f"].filter((name) => mirror.paths.includes(name)),
    );
    expect(mirror.resets).toBe(0);
    const { cursor } = mirror;
    await mirror.follow();
    expect(mirror.pages).toBeGreaterThanOrEqual(4);
    expect(typeof cursor).toBe("string");
  });

  test.each(["resyncChangesApplyDifferences", "resyncChangesUploadDifferences"] as const)(
    "begins anew when its cursor has ended (%s)",
    async (code) => {
      const made = await start({ driveType, delta, files: { a: "1", b: "2" } });
      const mirror = new Mirror(made);
      await mirror.follow();
      made.server.remove("a");
      await made.server.put("c", "3");
      made.server.resetDelta(code);
      await mirror.follow();
      expect(mirror.resets).toBe(1);
      expect(mirror.paths).toEqual(["b", "c"]);
      await made.server.put("d", "4");
      await mirror.follow();
      expect(mirror.resets).toBe(1);
      expect(mirror.paths).toEqual(["b", "c", "d"]);
    },
  );
});

test("a first walk can be gone on with, in another process", async () => {
  const files = Object.fromEntries(Array.from({ length: 1500 }, (_, index) => [`f${index}`, ""]));
  const made = await start({ files });
  const ids = new Set<string>();
  let cursor: string | undefined;
  for await (const page of made.vendor.changes(undefined)) {
    for (const { id } of page.changes) ids.add(id);
    cursor = page.cursor;
    break;
  }
  expect(ids.size).toBeLessThan(1500);
  for await (const page of made.another().changes(cursor)) {
    expect(page.reset).toBe(false);
    for (const { id } of page.changes) ids.add(id);
  }
  expect(ids.size).toBe(1501);
});

test("a feed with no news takes one call", async () => {
  const made = await start({ files: { a: "" } });
  const mirror = new Mirror(made);
  await mirror.follow();
  expect(await made.calls(() => mirror.follow())).toEqual({ "GET delta": 1 });
});

test("a feed that begins anew again and again is given up", async () => {
  const made = await start();
  made.server.fault({ on: "GET delta", status: 410, times: 10 });
  await expect(new Mirror(made).follow()).rejects.toMatchObject({ code: "Unavailable" });
});

test("a cursor of another service gets no token, and the feed begins anew", async () => {
  const made = await start({ files: { a: "" } });
  const other = await start();
  other.server.calls.reset();
  const pages = await Array.fromAsync(made.vendor.changes(`${other.server.url}/v1.0/delta`));
  expect(pages[0]?.reset).toBe(true);
  expect(other.server.calls.counts.total).toBe(0);
});
