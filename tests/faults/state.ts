import { readdirSync, readFileSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Gateway } from "../gateway.ts";

/** All files below a folder, as paths relative to it. */
export async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort();
}

/** The temporary files of a gateway, in the served folder and in its spool. */
export async function temporaries({ folder, data }: Pick<Gateway, "folder" | "data">): Promise<string[]> {
  const served = (await filesBelow(folder)).filter((path) => path.includes(".overcoat/tmp/"));
  const spooled = (await readdir(data, { recursive: true })).filter((path) => /(^|\/)tmp-/.test(path));
  return [...served, ...spooled];
}

/** The processes that a process has started. */
export function childrenOf(pid: number): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ").filter(Boolean).map(Number);
}

/** Whether a process runs; one that has ended may still be listed until its parent takes notice. */
export function runs(pid: number): boolean {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}

/** Resident memory in MiB. */
export function residentMemory(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))![1]) / 1024;
}

/** Number of open file descriptors. */
export const openFiles = (pid: number) => readdirSync(`/proc/${pid}/fd`).length;

/** Waits until something holds, as what a server does behind an answer; gives what it was in the end. */
export async function eventually<T>(
  read: () => Promise<T> | T,
  holds: (value: T) => boolean,
  within = 10_000,
): Promise<T> {
  const deadline = Date.now() + within;
  for (;;) {
    const value = await read();
    if (holds(value) || Date.now() > deadline) return value;
    await sleep(20);
  }
}

/** Numbers that look random and are the same in each run. */
export function seeded(seed: number): { below(n: number): number; pick<T>(all: readonly T[]): T } {
  let state = seed >>> 0;
  const next = () => {
    // mulberry32
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  return {
    below: (n) => Math.floor(next() * n),
    pick: (all) => all[Math.floor(next() * all.length)]!,
  };
}
