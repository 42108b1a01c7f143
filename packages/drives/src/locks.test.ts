import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Locks } from "./locks.ts";

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "locks-"));
  file = join(folder, "locks");
});
afterEach(() => rmSync(folder, { recursive: true }));

const late = () => new Error("late");

test("one at a time holds a name, within one Locks and across several", async () => {
  const all = [new Locks(file, late), new Locks(file, late)];
  let inside = 0;
  let most = 0;
  await Promise.all(
    Array.from({ length: 40 }, (_, i) =>
      all[i % 2]!.with("name", async () => {
        most = Math.max(most, ++inside);
        await sleep(1);
        inside--;
      }),
    ),
  );
  expect(most).toBe(1);
  await all[0]!.with("a", () => all[1]!.with("b", async () => undefined));
  for (const locks of all) locks.close();
});

test("a failure frees the name", async () => {
  const locks = new Locks(file, late);
  await expect(locks.with("name", async () => Promise.reject(new Error("no")))).rejects.toThrow("no");
  expect(await locks.with("name", async () => "free")).toBe("free");
  locks.close();
});

test("the lock of a killed process is free", async () => {
  const held = `import { Locks } from ${JSON.stringify(new URL("./locks.ts", import.meta.url).href)};
    new Locks(process.argv[1], () => new Error()).with("name", () => { console.log("held"); return new Promise(() => setInterval(() => {}, 1000)); });`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", held, file], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await once(child.stdout, "data");
  const locks = new Locks(file, late);
  let taken = false;
  const waiting = locks.with("name", async () => {
    taken = true;
  });
  await sleep(100);
  expect(taken).toBe(false);
  child.kill("SIGKILL");
  await waiting;
  locks.close();
});
