import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";

/** The units of deploy/systemd, as systemd reads them. They do not run here. */

const run = promisify(execFile);
const folder = fileURLToPath(new URL("../../deploy/systemd/", import.meta.url));
const units = (await readdir(folder)).filter((name) => name.endsWith(".service"));
let work: string;
beforeAll(async () => {
  work = await mkdtemp(join(tmpdir(), "overcoat-systemd-"));
});
afterAll(() => rm(work, { recursive: true, force: true }));

test.each(units)("%s is understood", async (name) => {
  // systemd looks for the program, which is not in /opt here.
  const text = await readFile(join(folder, name), "utf8");
  const file = join(work, name);
  await writeFile(file, text.replace("/opt/overcoat/node_modules/.bin/node", process.execPath));
  const { stderr } = await run("systemd-analyze", ["verify", "--man=no", file]);
  expect(stderr.split("\n").filter((line) => line.includes(name))).toEqual([]);
});

test.each(units)("%s is hardened", async (name) => {
  const options = ["security", "--offline=true", "--no-pager", "--threshold=20"];
  const { stdout } = await run("systemd-analyze", [...options, join(folder, name)]);
  expect(stdout).toMatch(/Overall exposure level for \S+: [01]\.\d OK/);
});
