import type { ChildProcess } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach } from "vitest";
import { command, plainEnvironment, type Running, startProgram, stopAll } from "../process.ts";

/** A folder for each test of the file that imports this; commands run in it and end with the test. */
export let work: string;
const started: ChildProcess[] = [];

beforeEach(async () => {
  work = await mkdtemp(join(tmpdir(), "overcoat-command-"));
});
afterEach(async () => {
  stopAll(started);
  await rm(work, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
});

/** Starts `overcoat` with these arguments. */
export function overcoat(args: readonly string[], variables: NodeJS.ProcessEnv = {}): Running {
  const running = startProgram(process.execPath, [command, ...args], {
    cwd: work,
    env: { ...plainEnvironment, ...variables },
  });
  started.push(running.child);
  return running;
}
