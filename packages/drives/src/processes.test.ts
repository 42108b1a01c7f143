import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect, test } from "vitest";
import { hasEnded, isLeftOver, processName, temporaryName } from "./processes.ts";

const [numbering, pid, start] = processName.split(".");

test("a process that runs has not ended", () => {
  expect(hasEnded(processName)).toBe(false);
  expect(isLeftOver(temporaryName(), 0, 1000)).toBe(false);
});

test("a process that has ended is seen at once", async () => {
  const child = spawn(process.execPath, ["-e", ""]);
  await once(child, "exit");
  expect(hasEnded(`${numbering}.${child.pid}.${start}`)).toBe(true);
  expect(isLeftOver(`${numbering}.${child.pid}.${start}-x`, Date.now(), 1000)).toBe(true);
});

test.runIf(process.platform === "linux")("a number that was given to another process is not the same", () => {
  expect(hasEnded(`${numbering}.${pid}.${Number(start) - 1}`)).toBe(true);
});

test("of another machine's process only the age of its file tells", () => {
  const name = `0123456789ab.${pid}.${start}`;
  expect(hasEnded(name)).toBeUndefined();
  expect(isLeftOver(`${name}-x`, Date.now() - 500, 1000)).toBe(false);
  expect(isLeftOver(`${name}-x`, Date.now() - 1500, 1000)).toBe(true);
  expect(isLeftOver("any other name", Date.now() - 1500, 1000)).toBe(true);
});
