import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { rclone } from "../programs.ts";
import { accessKeyId, secretAccessKey } from "../requests.ts";
import { command, freePort, largestMemory, listening, onServerCore, stopChild } from "../servers.ts";

const latency = "100ms";

/** A simulated OneDrive that waits 100 ms before each answer. */
export interface StandIn {
  /** An rclone.conf that has it as `onedrive:`. */
  readonly config: string;
  /** Calls since the last reset by end point, the parts of batches not counted. */
  calls(): Promise<Record<string, number>>;
  reset(): Promise<void>;
  stop(): Promise<void>;
}

/** Who serves the stand-in as S3. */
export type Gateway = "overcoat" | "rclone serve s3";

export interface Serving {
  readonly name: Gateway;
  readonly port: number;
  peakMemory(): number;
  stop(): Promise<void>;
}

export const gateways = (): Gateway[] => (rclone() ? ["overcoat", "rclone serve s3"] : ["overcoat"]);

const spawned = (file: string, args: readonly string[], work: string): ChildProcess =>
  spawn(file, args, { cwd: work, stdio: ["ignore", "ignore", "inherit"] });

/** Starts one with so many small files, a hundred in a folder. */
export async function startStandIn(work: string, files: number): Promise<StandIn> {
  const port = await freePort();
  const config = join(work, `onedrive-${port}.conf`);
  const args = ["simulate", "onedrive", "--addr", `127.0.0.1:${port}`, "--latency", latency];
  const child = spawned(
    process.execPath,
    [command, ...args, "--files", String(files), "--config", config],
    work,
  );
  await listening(port, child);
  for (const end = Date.now() + 10_000; !written(config); await new Promise((done) => setTimeout(done, 100)))
    if (Date.now() > end) throw new Error(`${config} was not written`);
  const url = `http://127.0.0.1:${port}/-/calls`;
  return {
    config,
    calls: async () => ((await (await fetch(url)).json()) as { calls: Record<string, number> }).calls,
    reset: async () => void (await fetch(url, { method: "DELETE" })),
    stop: () => stopChild(child),
  };
}

function written(config: string): boolean {
  try {
    return readFileSync(config, "utf8").includes("[onedrive]");
  } catch {
    return false;
  }
}

/** Serves a stand-in on the servers' core; `name` tells runs apart that must not know of one another. */
export async function startGateway(
  gateway: Gateway,
  { config }: StandIn,
  work: string,
  name: string,
  flags: readonly string[] = [],
): Promise<Serving> {
  const port = await freePort();
  const key = ["--auth-key", `${accessKeyId},${secretAccessKey}`];
  const all = ["serve", "s3", "onedrive:", "--config", config, "--addr", `127.0.0.1:${port}`, ...key];
  const own = ["--workers", "1", "--data", join(work, `${name}.data`), ...flags];
  const cached = ["--vfs-cache-mode", "full", "--cache-dir", join(work, `${name}.rclone`)];
  const quick = ["--dir-cache-time", "24h", "--vfs-fast-fingerprint", "--vfs-write-back", "100ms"];
  const started =
    gateway === "overcoat"
      ? onServerCore(process.execPath, [command, ...all, ...own])
      : onServerCore(rclone()!, [...all, ...cached, ...quick]);
  const child = spawned(...started, work);
  await listening(port, child);
  return { name: gateway, port, peakMemory: () => largestMemory(child.pid!), stop: () => stopChild(child) };
}
