import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import type { Socket } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { pathForServer, serverEnvironment } from "./data-directory.ts";
import { ClusterError } from "./errors.ts";
import type { Log } from "./log.ts";
import type { User } from "./user.ts";

const ready = "database system is ready to accept connections";
const portTaken = /could not bind .*Address already in use/i;
/** A server that recovers tells of it every 10 s. */
const silenceMs = 120_000;
/** Fast shutdown, immediate shutdown, none, and how long each may take. */
const stopSignals = [
  ["SIGINT", 60_000],
  ["SIGQUIT", 10_000],
  ["SIGKILL", 10_000],
] as const;
const lastWordsMs = 500;
const tailLength = 8192;
const toldLines = 4;

export interface ServerOptions {
  readonly bin: string;
  readonly data: string;
  readonly user: User | undefined;
  readonly settings: Readonly<Record<string, string>>;
  readonly log: Log;
}

export interface Server {
  /** Settles when the server has ended by itself. */
  readonly failed: Promise<ClusterError>;
  /** Ends all sessions and stops in order; at once when that takes too long. */
  stop(): Promise<void>;
}

export class PortTaken extends ClusterError {}

/**
 * Starts PostgreSQL and returns when it accepts connections. It stops when this process ends, however that comes.
 * @throws PortTaken @throws ClusterError with what it told before it ended
 */
export async function startServer(options: ServerOptions): Promise<Server> {
  const { bin, data, user, log } = options;
  const settings = Object.entries(options.settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
  // In a session of its own, since Ctrl-C in a terminal reaches all processes of one.
  const child = spawn(join(bin, "postgres"), ["-D", await pathForServer(data, user, bin), ...settings], {
    ...user,
    cwd: data,
    env: serverEnvironment(),
    detached: true,
    stdio: ["ignore", "ignore", "pipe"],
  });
  const closed = once(child, "close").catch(() => {});
  // Sessions outlive a server that was killed, and hold its output open.
  const ended = once(child, "exit").then(
    () => Promise.race([closed, sleep(lastWordsMs)]),
    () => {},
  );
  let watchdog: ChildProcess | undefined;
  let stopping = false;
  const stop = async () => {
    stopping = true;
    for (const [signal, patience] of stopSignals) {
      child.kill(signal);
      if (await Promise.race([ended.then(() => true), sleep(patience, false, { ref: false })])) return;
    }
    throw new ClusterError(`PostgreSQL (process ${child.pid}) does not end`);
  };
  let tail = "";
  try {
    await once(child, "spawn");
    watchdog = startWatchdog(child.pid!, user);
    ended.then(() => watchdog?.kill("SIGKILL"));
    await new Promise<void>((done, failed) => {
      const silence = setTimeout(
        () => failed(new ClusterError(`PostgreSQL did not start in time; see ${log.file}`)),
        silenceMs,
      );
      child.stderr.on("data", (chunk: Buffer) => {
        log.write(chunk);
        tail = (tail + chunk).slice(-tailLength);
        if (!tail.includes(ready)) return silence.refresh();
        clearTimeout(silence);
        done();
      });
      ended.then(() => {
        clearTimeout(silence);
        failed(endError("PostgreSQL did not start", tail, log));
      });
    });
  } catch (error) {
    if (child.pid !== undefined) await stop();
    throw error;
  }
  return {
    failed: new Promise((failed) => {
      ended.then(() => {
        if (!stopping) failed(endError("PostgreSQL ended by itself", tail, log));
      });
    }),
    stop,
  };
}

/**
 * A shell that waits for the end of a pipe that only this process holds, and then asks the server to stop: so it
 * does also when this process is killed.
 */
function startWatchdog(pid: number, user: User | undefined): ChildProcess {
  const watchdog = spawn("/bin/sh", ["-c", 'read -r _; kill -INT "$0"', String(pid)], {
    ...user,
    cwd: "/",
    env: {},
    detached: true,
    stdio: ["pipe", "ignore", "ignore"],
  });
  // Without it a server that is left behind is ended by the next start.
  watchdog.on("error", () => {});
  watchdog.stdin!.on("error", () => {});
  watchdog.unref();
  (watchdog.stdin as Socket).unref();
  return watchdog;
}

function endError(what: string, tail: string, log: Log): ClusterError {
  if (portTaken.test(tail)) return new PortTaken(what);
  const told = tail
    .split("\n")
    .filter((line) => /\b(FATAL|PANIC|HINT): /.test(line))
    .slice(-toldLines);
  return new ClusterError(`${what}: ${told.join("\n") || `see ${log.file}`}`);
}
