import { afterEach, expect, test } from "vitest";
import type { Item, Vendor } from "../remote/vendor.ts";
import { type Stage, stage } from "./testing.ts";

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

/** Follows the feed as the mirror does: what is removed goes with all below it. */
function follower(root: Item) {
  const items = new Map<string, Item>();
  let cursor: string | undefined;
  let resets = 0;
  const remove = (id: string) => {
    items.delete(id);
    for (const item of [...items.values()]) if (item.parent === id) remove(item.id);
  };
  const pathOf = (item: Item): string | undefined => {
    if (item.parent === root.id) return item.name;
    const parent = items.get(item.parent ?? "");
    const above = parent && pathOf(parent);
    return above === undefined ? undefined : `${above}/${item.name}`;
  };
  return {
    async follow(vendor: Vendor, pages = Number.POSITIVE_INFINITY) {
      let left = pages;
      for await (const page of vendor.changes(cursor)) {
        if (page.reset) items.clear();
        if (page.reset) resets += 1;
        for (const change of page.changes)
          if ("removed" in change) remove(change.id);
          else items.set(change.id, change);
        cursor = page.cursor;
        left -= 1;
        if (left === 0) return;
      }
    },
    get paths() {
      return [...items.values()]
        .map(pathOf)
        .filter((path) => path !== undefined)
        .sort();
    },
    get resets() {
      return resets;
    },
    set cursor(value: string) {
      cursor = value;
    },
  };
}

const tree = { "a/b/c": "1", "a/d": "2", "e/f/g/h": "3", i: "4" };
const all = ["a", "a/b", "a/b/c", "a/d", "e", "e/f", "e/f/g", "e/f/g/h", "i"];

test("all that is there comes in few calls, and then what changes", async () => {
  const { vendor, root, server, calls, find } = await start(tree);
  const seen = follower(root);
  const counted = await calls(() => seen.follow(vendor));
  expect(seen.paths).toEqual(all);
  // One for each level, and one that finds that all folders of the last are empty or not.
  expect(counted).toEqual({ "GET startPageToken": 1, "GET files": 4, "GET changes": 1 });
  expect(await calls(() => seen.follow(vendor))).toEqual({ "GET changes": 1 });
  await server.put("a/d", "changed");
  await server.put("new/x", "5");
  server.remove("i");
  await vendor.move(await find("e/f"), { folder: root, name: "moved" });
  expect(await calls(() => seen.follow(vendor))).toEqual({ "GET changes": 1, "GET files": 1 });
  expect(seen.paths).toEqual([
    "a",
    "a/b",
    "a/b/c",
    "a/d",
    "e",
    "moved",
    "moved/g",
    "moved/g/h",
    "new",
    "new/x",
  ]);
  expect(seen.resets).toBe(0);
});

test("a folder that comes out of the trash brings all that is in it", async () => {
  const { vendor, root, server, find } = await start(tree);
  const seen = follower(root);
  await seen.follow(vendor);
  const e = await find("e");
  const g = await find("e/f/g");
  await vendor.remove(e);
  await seen.follow(vendor);
  expect(seen.paths).toEqual(["a", "a/b", "a/b/c", "a/d", "i"]);
  const { account } = server;
  const everything = { viewer: undefined, allDrives: true };
  // A folder moves out of one that is in the trash.
  account.update(account.find(g.id, everything), {}, { add: root.id, remove: g.parent }, everything);
  await seen.follow(vendor);
  expect(seen.paths).toEqual(["a", "a/b", "a/b/c", "a/d", "g", "g/h", "i"]);
  account.update(account.find(e.id, everything), { trashed: false }, {}, everything);
  await seen.follow(vendor);
  expect(seen.paths).toEqual(["a", "a/b", "a/b/c", "a/d", "e", "e/f", "g", "g/h", "i"]);
});

test("a folder that is served alone gets what comes into it", async () => {
  const { another, find, root, vendor } = await start(tree);
  const a = await find("a");
  const served = another({ rootFolderId: a.id });
  const seen = follower(a);
  await seen.follow(served);
  expect(seen.paths).toEqual(["b", "b/c", "d"]);
  await vendor.move(await find("e"), { folder: a, name: "e" });
  await seen.follow(served);
  expect(seen.paths).toEqual(["b", "b/c", "d", "e", "e/f", "e/f/g", "e/f/g/h"]);
  await vendor.move(await find("a/b"), { folder: root, name: "b" });
  await seen.follow(served);
  expect(seen.paths).toEqual(["d", "e", "e/f", "e/f/g", "e/f/g/h"]);
});

test("a walk goes on where it stood, in another process and after days", async () => {
  const files = Object.fromEntries(Array.from({ length: 10 }, (_, index) => [`f${index}/x`, "1"]));
  const { another, root, server } = await start({ ...tree, ...files }, {}, { listPage: 2 });
  const seen = follower(root);
  for (let step = 0; step < 4; step += 1) await seen.follow(another(), 1);
  // The page's token is no longer good.
  server.clock.advance(86_400_000);
  await server.put("z", "late");
  await seen.follow(another());
  expect(seen.paths).toEqual(
    [...all, ...Object.keys(files).flatMap((path) => [path.slice(0, 2), path]), "z"].sort(),
  );
});

test("folders are asked for one by one where asking for many finds nothing", async () => {
  const { vendor, root } = await start(tree, { groupedParents: "nothing" });
  const seen = follower(root);
  await seen.follow(vendor);
  expect(seen.paths).toEqual(all);
});

test("a cursor that is not taken any more begins all anew", async () => {
  const { vendor, root, server } = await start(tree);
  const seen = follower(root);
  await seen.follow(vendor);
  server.remove("i");
  for (const cursor of [JSON.stringify({ token: "999999" }), "strange"]) {
    seen.cursor = cursor;
    await seen.follow(vendor);
    expect(seen.paths).toEqual(all.slice(0, -1));
  }
  expect(seen.resets).toBe(2);
});
