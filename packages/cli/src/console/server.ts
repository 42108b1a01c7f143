import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { RunError } from "../errors.ts";

const longestStartMs = 60_000;
/** How long running requests may take when it is told to stop. */
const graceMs = 5000;
const mostOutput = 4000;

export interface ServerOptions {
  /** The console's own folder, and Next.js. */
  readonly folder: string;
  readonly next: string;
  readonly host: string;
  readonly port: number;
  /** What the console reads of its environment. */
  readonly variables: Readonly<Record<string, string>>;
  /** Lines that it prints as errors. */
  onError(text: string): void;
}

export interface ConsoleServer extends AsyncDisposable {
  /** Settles when it has ended by itself. */
  readonly ended: Promise<string>;
}

/** Runs the built console and waits until it answers. @throws RunError when it does not */
export async function startServer(options: ServerOptions): Promise<ConsoleServer> {
  const { folder, next, host, port, variables, onError } = options;
  const child = spawn(process.execPath, [next, "start", folder, "--hostname", host, "--port", String(port)], {
    env: { ...process.env, ...variables, NODE_ENV: "production", NEXT_TELEMETRY_DISABLED: "1" },
    // By the channel it sees that this process is gone.
    stdio: ["ignore", "ignore", "pipe", "ipc"],
  });
  let output = "";
  child.stderr!.setEncoding("utf8").on("data", (text: string) => {
    output = (output + text).slice(-mostOutput);
    onError(text.trimEnd());
  });
  const ended = once(child, "close").then(([code, signal]) => `the console ended by ${signal ?? code}`);
  ended.catch(() => undefined);
  const address = `http://${host.includes(":") ? `[${host}]` : host}:${port}/healthz`;
  for (const end = Date.now() + longestStartMs; Date.now() < end; ) {
    if (hasEnded(child)) throw new RunError(`the console did not start:\n${output}`);
    if (await answers(address)) return { ended, [Symbol.asyncDispose]: () => stop(child, ended) };
    await sleep(100);
  }
  await stop(child, ended);
  throw new RunError(`the console did not answer within ${longestStartMs / 1000} s:\n${output}`);
}

const hasEnded = (child: ChildProcess) => child.exitCode !== null || child.signalCode !== null;

async function stop(child: ChildProcess, ended: Promise<string>): Promise<void> {
  if (hasEnded(child)) return;
  const last = setTimeout(() => child.kill("SIGKILL"), graceMs);
  child.kill("SIGTERM");
  await ended.catch(() => undefined);
  clearTimeout(last);
}

const answers = (address: string) =>
  fetch(address, { signal: AbortSignal.timeout(2000) }).then(
    (response) => response.ok,
    () => false,
  );
