import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { glob, mkdir, open, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { RangeLock } from "@overcoat/drives";
import { RunError } from "../errors.ts";

const longestBuildMs = 10 * 60_000;
/** As much of the builder's output as an error shows. */
const mostOutput = 4000;

/** What the console is built by: its own folder, the lock file of the dependencies, and Next.js. */
export interface Sources {
  readonly folder: string;
  readonly lockFile: string;
  readonly next: string;
}

/**
 * Builds the console unless it was built of the same sources; processes that want to at once take turns.
 * @param onBuild called where it must be built
 * @throws RunError with the end of what Next.js said
 */
export async function ensureBuilt(sources: Sources, signal: AbortSignal, onBuild: () => void): Promise<void> {
  // Next.js empties its folder but for this one.
  const output = join(sources.folder, ".next/cache");
  await mkdir(output, { recursive: true });
  const lockFile = await open(join(output, "overcoat-lock"), "w");
  try {
    const lock = new RangeLock(lockFile.fd, "build");
    while (!lock.take()) await sleep(500, undefined, { signal });
    const mark = join(output, "overcoat-sources");
    const hash = await hashOf(sources);
    if ((await readFile(mark, "utf8").catch(() => "")) === hash) return;
    onBuild();
    await rm(mark, { force: true });
    await build(sources, signal);
    await writeFile(mark, hash);
  } finally {
    await lockFile.close();
  }
}

async function hashOf({ folder, lockFile }: Sources): Promise<string> {
  const hash = createHash("sha256");
  const names: string[] = [];
  const isOther = (name: string) => /^(\.next|node_modules|next-env\.d\.ts)$|\.test\.tsx?$/.test(name);
  // What it excludes is folders: of files in folders it does not ask.
  for await (const entry of glob("**/*", {
    cwd: folder,
    withFileTypes: true,
    exclude: (one) => isOther(one.name),
  }))
    if (entry.isFile() && !isOther(entry.name)) names.push(join(entry.parentPath, entry.name));
  for (const name of [...names.sort(), lockFile]) {
    const content = await readFile(name);
    hash.update(`${name.replace(folder, "")}\0${content.length}\0`).update(content);
  }
  return hash.digest("hex");
}

async function build({ folder, next }: Sources, signal: AbortSignal): Promise<void> {
  const child = spawn(process.execPath, [next, "build", folder], {
    env: { ...process.env, NODE_ENV: "production", NEXT_TELEMETRY_DISABLED: "1", CI: "1" },
    stdio: ["ignore", "pipe", "pipe"],
    signal: AbortSignal.any([signal, AbortSignal.timeout(longestBuildMs)]),
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (chunk) => {
      output = (output + chunk).slice(-mostOutput);
    });
  const { promise, resolve, reject } = Promise.withResolvers<number | null>();
  child.once("error", reject);
  child.once("close", resolve);
  const code = await promise;
  if (code !== 0)
    throw new RunError(`the console could not be built (Next.js ended with ${code}):\n${output}`);
}
