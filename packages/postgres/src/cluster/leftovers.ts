import { readdir, readFile, readlink, realpath, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { ClusterError } from "./errors.ts";

/** Setting that names the process a server was started by and for. */
export const ownerSetting = "overcoat.owner";
const ownerMs = 1000;
const fastMs = 10_000;
const killMs = 5000;

/**
 * Readies a data directory for a new server: ends one whose owner died without ending it, and removes a
 * `postmaster.pid` whose number now belongs to some other program. Linux only; elsewhere PostgreSQL's own lock
 * file is the only guard.
 * @throws ClusterError when the directory is in use
 */
export async function endLeftovers(data: string): Promise<void> {
  if (process.platform !== "linux") return;
  const directory = await realpath(data);
  const lockFile = join(directory, "postmaster.pid");
  const locked = Number.parseInt(await readFile(lockFile, "utf8").catch(() => ""), 10);
  let running = await processesIn(directory);
  if (running.includes(locked)) {
    await refuseIfOwned(locked, data);
    signal([locked], "SIGINT");
    running = await untilNone(directory, fastMs);
  }
  signal(running, "SIGKILL");
  running = await untilNone(directory, killMs);
  if (running.length > 0)
    throw new ClusterError(`${data} is still in use by process ${running.join(", ")}, which cannot be ended`);
  // Of another program, or of a server that has ended but that its parent has not noticed yet.
  if (locked > 0 && isAlive(locked)) await rm(lockFile, { force: true });
}

/** Waits until no process is left in the directory; gives those that are when the time is over. */
async function untilNone(directory: string, patience: number): Promise<number[]> {
  const deadline = Date.now() + patience;
  for (;;) {
    const running = await processesIn(directory);
    if (running.length === 0 || Date.now() > deadline) return running;
    await sleep(20);
  }
}

/** Processes whose working directory this is, as it is of all of a server's. */
async function processesIn(directory: string): Promise<number[]> {
  const numbers = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(
    numbers.map(async (pid) => (await readlink(`/proc/${pid}/cwd`).catch(() => "")) === directory),
  );
  return numbers.filter((_, i) => found[i]).map(Number);
}

/** Throws when the server's owner lives, after a moment in which one that was killed ends. */
async function refuseIfOwned(pid: number, data: string): Promise<void> {
  const deadline = Date.now() + ownerMs;
  for (;;) {
    const owner = await ownerOf(pid);
    if (owner === undefined) return;
    if (Date.now() > deadline)
      throw new ClusterError(`${data} is in use by ${owner}; stop that, or choose another folder`);
    await sleep(20);
  }
}

/** What holds a server; undefined when it ends, or has a parent other than the process that started it. */
async function ownerOf(pid: number): Promise<string | undefined> {
  const [status, command] = await Promise.all(
    ["stat", "cmdline"].map((name) => readFile(`/proc/${pid}/${name}`, "latin1").catch(() => "")),
  );
  if (!status || !command) return undefined;
  const parent = status.slice(status.lastIndexOf(")") + 2).split(" ")[1];
  const owner = new RegExp(`\0${ownerSetting}=(\\d+)\0`).exec(command)?.[1];
  if (owner === undefined) return `a PostgreSQL server that was started by hand (process ${pid})`;
  return owner === parent ? `process ${owner}` : undefined;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

function signal(pids: readonly number[], name: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, name);
    } catch {
      // It has ended by itself.
    }
  }
}
