import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type RemoteDrive, remoteDrive } from "../remote/index.ts";
import { type Stage, stage } from "./testing.ts";

let made: Stage;
let data: string;
let drives: RemoteDrive[];

beforeEach(async () => {
  data = await mkdtemp(join(tmpdir(), "overcoat-google-"));
  drives = [];
});
afterEach(async () => {
  for (const drive of drives) await drive.close();
  await made[Symbol.asyncDispose]();
  await rm(data, { recursive: true, force: true });
});

/** What each of several processes with the same data folder has. */
async function open(): Promise<RemoteDrive> {
  const drive = await remoteDrive(made.another(), { data, pollInterval: 100 });
  drives.push(drive);
  return drive;
}

test("several processes make a folder once", async () => {
  made = await stage();
  const [one, two] = [await open(), await open()];
  await expect.poll(() => one.progress().done).toBe(true);
  await Promise.all([one.makeFolder("new/deep"), two.makeFolder("new/deep"), two.makeFolder("new/other")]);
  const { root } = made;
  const names = (await Array.fromAsync(made.vendor.children(root))).flat().map(({ name }) => name);
  expect(names).toEqual(["new"]);
  const below = (await Array.fromAsync(made.vendor.children((await made.vendor.find(["new"]))!))).flat();
  expect(below.map(({ name }) => name).sort()).toEqual(["deep", "other"]);
});

test("of files of one name the oldest keeps it, and all are read and removed by names of their own", async () => {
  made = await stage({ files: { "f/same.txt": "old" } });
  const drive = await open();
  await expect.poll(() => drive.progress().done).toBe(true);
  made.server.clock.advance(1000);
  const id = await made.server.addDuplicate("f/same.txt", "newer");
  const listed = async () =>
    (await Array.fromAsync(drive.list("f")))
      .flat()
      .map(({ name }) => name)
      .sort();
  await expect.poll(listed).toEqual([`same {${id}}.txt`, "same.txt"]);
  expect((await drive.stat("f/same.txt"))?.size).toBe(3);
  expect((await drive.stat(`f/same {${id}}.txt`))?.size).toBe(5);
  expect(await drive.remove("f/same.txt")).toBe(true);
  expect(await listed()).toEqual(["same.txt"]);
  expect((await drive.stat("f/same.txt"))?.size).toBe(5);
});
