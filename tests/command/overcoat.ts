import type { ChildProcess } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach } from "vitest";
import { command, plainEnvironment, type Running, startProgram, stopAll } from "../process.ts";

/** The repository, with `overcoat` in its node_modules/.bin. */
export const root = fileURLToPath(new URL("../..", import.meta.url));
const path = [dirname(process.execPath), join(root, "node_modules/.bin"), process.env.PATH].join(delimiter);

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
export const overcoat = (args: readonly string[], variables: NodeJS.ProcessEnv = {}): Running =>
  run(process.execPath, [command, ...args], { variables });

/** Starts a program that may call `overcoat` by its name. */
export function run(
  program: string,
  args: readonly string[],
  { cwd = work, variables = {} }: { cwd?: string; variables?: NodeJS.ProcessEnv } = {},
): Running {
  const running = startProgram(program, args, {
    cwd,
    env: { ...plainEnvironment, PATH: path, ...variables },
  });
  started.push(running.child);
  return running;
}
