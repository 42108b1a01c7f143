import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { onPath, rclone } from "./programs.ts";
import { accessKeyId, secretAccessKey } from "./requests.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const serverCore = "0";
const clientCore = "1";

/** Keeps this process off the servers' core, where the system can. */
export function pinClient(): void {
  if (onPath("taskset")) spawnSync("taskset", ["-a", "-c", "-p", clientCore, String(process.pid)]);
}

/** A server under measurement, on loopback. */
export interface Server {
  readonly name: string;
  readonly port: number;
  readonly folder: string;
  /** Largest resident set so far, in MiB. */
  peakMemory(): number;
  stop(): Promise<void>;
}

type Command = readonly [command: string, args: readonly string[], env?: Record<string, string>];

interface Kind {
  /** Undefined when it is not on this machine. */
  command(port: number, folder: string, data: string): Command | undefined;
}

/** The command `overcoat`, for Node.js. */
export const command = join(root, "packages/cli/bin/overcoat.js");

const gateway = (...flags: string[]): Kind => ({
  command: (port, folder, data) => [
    process.execPath,
    [
      command,
      ...["serve", "s3", folder, "--addr", `127.0.0.1:${port}`, "--workers", "1", "--data", data],
      ...["--auth-key", `${accessKeyId},${secretAccessKey}`, ...flags],
    ],
  ],
});

const bare = (kind: string): Kind => ({
  command: (port, folder) => [
    process.execPath,
    [fileURLToPath(new URL("bare.ts", import.meta.url)), kind, String(port), folder],
  ],
});

const peer = (
  find: () => string | undefined,
  args: (port: number, folder: string) => readonly string[],
  env = {},
): Kind => ({
  command(port, folder) {
    const file = find();
    return file ? [file, args(port, folder), { GOMAXPROCS: "1", ...env }] : undefined;
  },
});

/** Where `npm run bench` puts s3rver, which the project itself does not depend on. */
const peers = join(root, ".cache/bench");

const s3rver: Kind = {
  command(port, folder) {
    const file = join(peers, "node_modules/s3rver/bin/s3rver.js");
    if (!existsSync(file)) {
      mkdirSync(peers, { recursive: true });
      const install = ["install", "--no-save", "--no-audit", "--no-fund", "--prefix", peers, "s3rver@3.7.1"];
      spawnSync("npm", install, { stdio: "inherit" });
    }
    if (!existsSync(file)) return undefined;
    return [
      process.execPath,
      [file, "-d", folder, "-a", "127.0.0.1", "-p", String(port), "-s", "--allow-mismatched-signatures"],
    ];
  },
};

export const kinds = {
  overcoat: gateway(),
  "overcoat --no-fsync": gateway("--no-fsync"),
  "bare node:http, from memory": bare("memory"),
  "bare node:http and fs": bare("files"),
  "bare hash, write, sync, rename": bare("write"),
  "bare hash, write, sync, rename, sync the folder": bare("durable"),
  s3rver,
  "rclone serve s3": peer(rclone, (port, folder) => [
    ...["serve", "s3", folder, "--addr", `127.0.0.1:${port}`, "--vfs-cache-mode", "off"],
    ...["--auth-key", `${accessKeyId},${secretAccessKey}`],
  ]),
  versitygw: peer(
    () => onPath("versitygw"),
    (port, folder) => [
      ...["--access", accessKeyId, "--secret", secretAccessKey, "--port", `127.0.0.1:${port}`, "--quiet"],
      ...["posix", folder],
    ],
  ),
  MinIO: peer(
    () => onPath("minio"),
    (port, folder) => ["server", folder, "--address", `127.0.0.1:${port}`, "--quiet"],
    { MINIO_ROOT_USER: accessKeyId, MINIO_ROOT_PASSWORD: secretAccessKey },
  ),
  "redis-server": peer(
    () => onPath("redis-server"),
    (port) => [...["--port", String(port), "--bind", "127.0.0.1", "--save", "", "--logfile", "/dev/null"]],
  ),
} satisfies Record<string, Kind>;

export type ServerName = keyof typeof kinds;

/** Starts a server on one core, on a folder of its own or one given. @returns undefined when its program is not there */
export async function startServer(
  name: ServerName,
  work: string,
  given?: string,
): Promise<Server | undefined> {
  const port = await freePort();
  const folder = given ?? join(work, `${name.replace(/\W+/g, "-")}-${port}`);
  const data = `${folder}.data`;
  mkdirSync(folder, { recursive: true });
  const found = kinds[name].command(port, folder, data);
  if (!found) return undefined;
  const [file, args, env] = found;
  const child = spawn(...onServerCore(file, args), {
    cwd: work,
    env: { ...process.env, ...env },
    stdio: ["ignore", "ignore", "inherit"],
  });
  await listening(port, child);
  return {
    name,
    port,
    folder,
    peakMemory: () => largestMemory(child.pid!),
    stop: () => stopChild(child),
  };
}

/** A command that runs on the servers' core, where the system can. */
export function onServerCore(file: string, args: readonly string[]): [file: string, args: string[]] {
  return onPath("taskset") ? ["taskset", ["-c", serverCore, file, ...args]] : [file, [...args]];
}

export async function stopChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGTERM");
  const late = setTimeout(() => child.kill("SIGKILL"), 5000);
  await exited;
  clearTimeout(late);
}

/** The high-water mark of the largest process of a tree, in MiB. */
export function largestMemory(pid: number): number {
  const mark = Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0) / 1024;
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ").filter(Boolean);
  return Math.max(mark, ...children.map((child) => largestMemory(Number(child))));
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === "string") throw new Error("No port");
  return address.port;
}

/** Waits until a child listens; stops it where it does not in 30 s. @throws Error then, and when it ends before */
export async function listening(port: number, child: ChildProcess): Promise<void> {
  for (const deadline = Date.now() + 30_000; Date.now() < deadline; ) {
    if (child.exitCode !== null) break;
    const open = await new Promise<boolean>((resolve) => {
      const socket = connect({ port, host: "127.0.0.1" }, () => {
        socket.destroy();
        resolve(true);
      });
      socket.on("error", () => resolve(false));
    });
    if (open) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  await stopChild(child);
  throw new Error(`${child.spawnargs.join(" ")} did not start`);
}
