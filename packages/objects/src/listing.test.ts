import fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { localDrive } from "@overcoat/drives";
import { afterEach, beforeEach, expect, test } from "vitest";
import { compareKeys } from "./keys.ts";
import type { ListRequest } from "./listing.ts";
import { type Objects, openObjects } from "./objects.ts";

let work: string;
let objects: Objects;
const bucket = () => join(work, "drive/bucket");
const openAll = () =>
  openObjects({ drive: localDrive(join(work, "drive"), { fsync: false }), data: join(work, "data") });

beforeEach(async () => {
  work = fs.mkdtempSync(join(tmpdir(), "listing-"));
  fs.mkdirSync(join(work, "drive"));
  objects = await openAll();
  await objects.createBucket("bucket");
});
afterEach(async () => {
  await objects.close();
  fs.rmSync(work, { recursive: true });
});

/** Makes all folders look unchanged for a minute, so that their names are indexed. */
function settle(folder = bucket()): void {
  const past = Date.now() / 1000 - 60;
  for (const entry of fs.readdirSync(folder, { withFileTypes: true }))
    if (entry.isDirectory()) settle(join(folder, entry.name));
  fs.utimesSync(folder, past, past);
}
/** Lists twice, with time for the index to be written, so that the second reads it. */
async function indexed(): Promise<void> {
  await objects.listObjects("bucket");
  await new Promise((resolve) => setTimeout(resolve, 100));
}
const keysOf = async (options = {}) =>
  (await objects.listObjects("bucket", options)).objects.map(({ key }) => key);

/** What S3 answers, told from all keys. */
function expected(keys: readonly string[], { prefix = "", delimiter, after, maxKeys = 1000 }: ListRequest) {
  const found: string[] = [];
  for (const key of keys.toSorted(compareKeys)) {
    if (!key.startsWith(prefix) || (after !== undefined && compareKeys(key, after) <= 0)) continue;
    const end = delimiter ? key.indexOf(delimiter, prefix.length) : -1;
    const shown = end < 0 ? key : key.slice(0, end + delimiter!.length);
    if (found.at(-1) !== shown) found.push(shown);
  }
  return { shown: found.slice(0, maxKeys), truncated: found.length > maxKeys };
}

test("pages are what S3 shows, from the drive and from the index", async () => {
  let seed = 7;
  const random = (below: number) => {
    seed = (seed * 1103515245 + 12345) % 2 ** 31;
    return Math.floor((seed / 2 ** 31) * below);
  };
  const words = ["a", "b", "ab", "a-b", "a+", "a0", "é", "\u{1f600}", "\uffee", "z z"];
  const key = () => Array.from({ length: 1 + random(4) }, () => words[random(words.length)]).join("/");
  const keys = new Set<string>(["a//b", "a/", "/", "a", "a/b/", "x".repeat(300)]);
  while (keys.size < 150) keys.add(key());
  for (const one of keys) await objects.putObject("bucket", one, "");
  const check = async () => {
    for (let i = 0; i < 200; i++) {
      const request = {
        prefix: [undefined, "a", "a/", key(), "z"][random(5)],
        delimiter: [undefined, "/", "/", "b", "a/"][random(5)],
        after: [undefined, key(), "a/", "\u{1f600}"][random(4)],
        maxKeys: [1, 3, 10, 1000][random(4)]!,
      };
      const page = await objects.listObjects("bucket", request);
      const shown = [...page.objects.map((object) => object.key), ...page.prefixes].sort(compareKeys);
      // A common prefix is behind `after` when any of its keys is.
      expect({ shown, truncated: page.truncated }, JSON.stringify(request)).toEqual(
        expected([...keys], request),
      );
    }
  };
  await check();
  settle();
  await indexed();
  await check();
});

test("many names are read in blocks", async () => {
  const names = Array.from({ length: 3500 }, (_, i) => `name-${String(i).padStart(5, "0")}`);
  for (const name of names) fs.writeFileSync(join(bucket(), name), "");
  settle();
  await indexed();
  const all: string[] = [];
  for (let after: string | undefined; ; after = all.at(-1)) {
    const page = await objects.listObjects("bucket", { after, maxKeys: 700 });
    all.push(...page.objects.map(({ key }) => key));
    if (!page.truncated) break;
  }
  expect(all).toEqual(names);
  const common = await objects.listObjects("bucket", { delimiter: "-", maxKeys: 1 });
  expect(common).toMatchObject({ prefixes: ["name-"], truncated: false });
});

test("what others add and remove shows at once", async () => {
  for (const name of ["a", "b", "c"]) fs.writeFileSync(join(bucket(), name), name);
  settle();
  await indexed();
  fs.writeFileSync(join(bucket(), "bb"), "new");
  fs.rmSync(join(bucket(), "a"));
  expect(await keysOf()).toEqual(["b", "bb", "c"]);
  fs.writeFileSync(join(bucket(), "c"), "longer");
  expect((await objects.listObjects("bucket", { prefix: "c" })).objects[0]?.size).toBe(6);
});

test("the index outlives a restart, and its loss costs nothing but time", async () => {
  for (const name of ["a", "b", "c"]) fs.writeFileSync(join(bucket(), name), name);
  settle();
  await indexed();
  await objects.close();
  objects = await openAll();
  expect(await keysOf()).toEqual(["a", "b", "c"]);
  await objects.close();
  for (const name of fs.readdirSync(join(work, "data")))
    if (name.startsWith("index")) fs.rmSync(join(work, "data", name), { recursive: true });
  objects = await openAll();
  expect(await keysOf()).toEqual(["a", "b", "c"]);
});

test("tags set in place show, also of a file that is known", async () => {
  await objects.putObject("bucket", "k", "x");
  await objects.setTags("bucket", "k", { color: "red" });
  expect((await objects.headObject("bucket", "k")).metadata.tags).toEqual({ color: "red" });
  // Old enough to be kept in memory.
  await new Promise((resolve) => setTimeout(resolve, 2100));
  await objects.headObject("bucket", "k");
  await objects.setTags("bucket", "k", { color: "blue" });
  expect((await objects.headObject("bucket", "k")).metadata.tags).toEqual({ color: "blue" });
});
