import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ensureBuilt, type Sources } from "./build.ts";

let work: string;
let sources: Sources;
const { signal } = new AbortController();

beforeEach(async () => {
  work = await mkdtemp(join(tmpdir(), "overcoat-build-"));
  sources = {
    folder: join(work, "web"),
    lockFile: join(work, "package-lock.json"),
    next: join(work, "next.js"),
  };
  await mkdir(join(sources.folder, "app"), { recursive: true });
  await writeFile(join(sources.folder, "app/page.tsx"), "one");
  await writeFile(sources.lockFile, "{}");
  // In place of Next.js: notes each build, and fails where it is told to.
  await writeFile(
    sources.next,
    `const fs = require("node:fs");
     fs.appendFileSync(__dirname + "/builds", "x");
     console.error("what went wrong");
     process.exit(fs.existsSync(__dirname + "/broken") ? 3 : 0);`,
  );
});
afterEach(() => rm(work, { recursive: true, force: true }));

const builds = async () => (await readFile(join(work, "builds"), "utf8").catch(() => "")).length;
const build = () => ensureBuilt(sources, signal, () => undefined);

test("it is built once for the same sources, however many want it", async () => {
  await Promise.all([build(), build(), build()]);
  expect(await builds()).toBe(1);
  await writeFile(join(sources.folder, "app/page.test.ts"), "a test");
  await writeFile(join(sources.folder, ".next/cache/kept"), "by Next.js");
  await build();
  expect(await builds()).toBe(1);
});

test("it is built anew when a source or a dependency has changed", async () => {
  await build();
  await writeFile(join(sources.folder, "app/page.tsx"), "two");
  await build();
  await writeFile(sources.lockFile, '{ "other": 1 }');
  await build();
  expect(await builds()).toBe(3);
});

test("a build that failed says why, and is tried again", async () => {
  await writeFile(join(work, "broken"), "");
  await expect(build()).rejects.toThrow(/ended with 3.*what went wrong/s);
  await rm(join(work, "broken"));
  await build();
  expect(await builds()).toBe(2);
});
