import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";
import { runProgram } from "../gateway.ts";

const example = fileURLToPath(new URL("../../examples/library.ts", import.meta.url));
const readme = fileURLToPath(new URL("../../README.md", import.meta.url));
const train = "id,label\n1,cat\n2,dog\n3,horse\n";
let work: string;
beforeEach(async () => {
  work = await mkdtemp(join(tmpdir(), "overcoat-example-"));
});
afterEach(() => rm(work, { recursive: true }));

test("examples/library.ts puts, reads and lists, and leaves a plain file", async () => {
  for (const _ of ["first", "again"]) {
    const printed = await runProgram(process.execPath, [example], { cwd: work });
    expect(printed).toBe(`${train}datasets/train.csv 29 6e71dc3187bcebe0e331070308cee81d\n`);
  }
  const bucket = join(work, "overcoat-data/drive/onedrive-bucket");
  expect(await readFile(join(bucket, "datasets/train.csv"), "utf8")).toBe(train);
  expect(await readdir(join(bucket, ".overcoat/tmp"))).toEqual([]);
});

test("the README shows the example's own lines", async () => {
  const block = /## As a library[\s\S]*?```ts\n([\s\S]*?)```/.exec(await readFile(readme, "utf8"))?.[1] ?? "";
  const lines = (await readFile(example, "utf8")).split("\n");
  const others = block.split("\n").filter((line) => !lines.includes(line));
  expect(others).toEqual([
    'await using objects = await openObjects({ drive: localDrive("/srv/nas"), data: "/var/lib/overcoat" });',
  ]);
});
