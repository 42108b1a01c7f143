import { createHash, randomUUID } from "node:crypto";
import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";

/** What a read of /proc gives; undefined where the system has none or hides it. */
function attempt(read: () => string): string | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

/** State and start time of a process (proc(5), /proc/pid/stat); its name before them may hold any character. */
function statusOf(pid: number): { state: string; started: string } | undefined {
  const text = attempt(() => readFileSync(`/proc/${pid}/stat`, "latin1"));
  if (text === undefined) return undefined;
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return { state: fields[0]!, started: fields[19]! };
}

/** Identity of the running system; undefined where it has none. */
const bootId = attempt(() => readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim());

// Process numbers mean the same only within one boot of one system and within one container.
const numbering = createHash("sha256")
  .update(bootId ?? hostname())
  .update(attempt(() => readlinkSync("/proc/self/ns/pid")) ?? "")
  .digest("hex")
  .slice(0, 12);

/** A name of this process that no other has had or will have: `<numbering>.<pid>.<start>`. */
export const processName = `${numbering}.${process.pid}.${statusOf(process.pid)?.started ?? 0}`;

/** Whether the process of this name has ended; undefined when that cannot be seen from here. */
export function hasEnded(name: string): boolean | undefined {
  const [where, number, started] = name.split(".");
  if (where !== numbering || !/^\d+$/.test(number ?? "")) return undefined;
  const pid = Number(number);
  const status = statusOf(pid);
  if (status !== undefined) return status.state === "Z" || status.state === "X" || status.started !== started;
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ESRCH";
  }
}

/** A new name for a temporary file of this process. */
export const temporaryName = () => `${processName}-${randomUUID()}`;

/**
 * Whether a temporary file is left over: its process has ended or, where that cannot be seen as on a share of
 * several machines, nobody has written to it for `olderThan` milliseconds.
 */
export function isLeftOver(name: string, modified: number, olderThan: number): boolean {
  return hasEnded(name.split("-", 1)[0]!) ?? Date.now() - modified > olderThan;
}
