import cluster, { type Worker } from "node:cluster";
import { fileURLToPath } from "node:url";
import { listenAdmin } from "./admin.ts";
import { RunError } from "./errors.ts";
import type { Settings } from "./flags/resolve.ts";
import { type Gateway, openGateway } from "./gateway.ts";
import { createLog } from "./log.ts";
import { mergeMetrics } from "./metrics.ts";
import { removeDeadSocket } from "./sockets.ts";

/** How long running requests may take after a signal. */
const graceMs = 30_000;
const metricsTimeoutMs = 5000;
const firstBackoffMs = 200;
const longestBackoffMs = 15_000;
/** A worker that lived this long starts anew without delay. */
const steadyMs = 60_000;

type ToWorker =
  | { type: "settings"; settings: Settings }
  | { type: "drain" }
  | { type: "metrics"; id: number };
type FromWorker =
  | { type: "started" }
  | { type: "ready"; listening: Gateway["listening"] }
  | { type: "failed"; message: string }
  | { type: "error"; message: string }
  | { type: "metrics"; id: number; text: string };

/** The gateway in one process or several. */
export interface Service {
  /** Where it is reached, as shown to people. */
  readonly urls: readonly string[];
  ready(): boolean;
  metrics(): Promise<string>;
  /** Lets running requests finish. */
  close(): Promise<void>;
}

type Processes = Omit<Service, "urls"> & Pick<Gateway, "listening">;

/**
 * Serves until SIGINT or SIGTERM; returns when all is drained.
 * @param onReady hears where it is reached
 */
export async function serve(settings: Settings, onReady: (urls: readonly string[]) => void): Promise<void> {
  let stopping = false;
  const stopped = stopSignal(["SIGINT", "SIGTERM"]).finally(() => {
    stopping = true;
  });
  let service: Service;
  try {
    service = await openService(settings);
  } catch (error) {
    // The signal has reached the workers as well, which then do not start.
    if (stopping) return;
    throw error;
  }
  let admin: Awaited<ReturnType<typeof listenAdmin>> | undefined;
  try {
    if (settings.adminAddress) admin = await listenAdmin(settings.adminAddress, service);
    onReady(service.urls);
    await stopped;
  } finally {
    await service.close();
    admin?.close();
  }
}

/** @param onError hears of what goes wrong in any process */
export async function openService(
  settings: Settings,
  onError: (message: string) => void = () => {},
): Promise<Service> {
  for (const { path } of settings.addresses) if (path !== undefined) await removeDeadSocket(path);
  const { listening, ...processes } =
    settings.workers === 1 ? await serveHere(settings, onError) : await serveInWorkers(settings, onError);
  return { ...processes, urls: listening.map(({ port }, i) => shownUrl(settings, i, port)) };
}

function shownUrl(settings: Settings, index: number, port: number): string {
  if (settings.publicUrl) return settings.publicUrl;
  const { host = "0.0.0.0", path, tls = settings.tls !== undefined } = settings.addresses[index]!;
  if (path !== undefined) return `unix://${path}`;
  const shown = host.includes(":") ? `[${host}]` : host;
  return `${tls ? "https" : "http"}://${shown}:${port}${settings.baseUrl ?? ""}`;
}

/** Resolves at the first of these signals; one that follows after a second ends the process at once. */
export function stopSignal(
  signals: readonly NodeJS.Signals[] = ["SIGINT", "SIGTERM", "SIGHUP"],
): Promise<undefined> {
  return new Promise((done) => {
    let first = 0;
    const stop = () => {
      if (first === 0) {
        first = Date.now();
        done(undefined);
      } else if (Date.now() - first > 1000) process.exit(1);
    };
    for (const signal of signals) process.on(signal, stop);
    if (process.env.OVERCOAT_WRAPPED && process.channel) {
      process.on("disconnect", stop);
      process.channel.unref();
    }
  });
}

async function serveHere(settings: Settings, onError: (message: string) => void): Promise<Processes> {
  const gateway = await openGateway(settings, createLog(settings, onError));
  return {
    listening: gateway.listening,
    ready: () => gateway.ready,
    metrics: () => gateway.metrics(),
    close: () => gateway.close(graceMs),
  };
}

async function serveInWorkers(settings: Settings, onError: (message: string) => void): Promise<Processes> {
  const log = createLog(settings, onError);
  const ready = new Map<Worker, boolean>();
  const waiting = new Map<number, (text: string) => void>();
  const timers = new Set<NodeJS.Timeout>();
  let closing = false;
  let nextId = 0;
  let backoff = firstBackoffMs;
  // Workers accept by themselves: a connection on its way to one that dies would be lost without a word.
  cluster.schedulingPolicy = cluster.SCHED_NONE;
  cluster.setupPrimary({
    exec: fileURLToPath(new URL("./worker.ts", import.meta.url)),
    args: [],
    serialization: "json",
  });

  const start = (onReady?: (listening: Gateway["listening"]) => void, onEnd?: (error: Error) => void) => {
    const began = Date.now();
    const worker = cluster.fork();
    let failure: string | undefined;
    ready.set(worker, false);
    worker.on("error", () => {});
    worker.on("message", (message: FromWorker) => {
      // A worker asks once it listens: what is sent while its modules still load would be lost.
      if (message.type === "started")
        worker.send((closing ? { type: "drain" } : { type: "settings", settings }) satisfies ToWorker);
      else if (message.type === "ready") {
        ready.set(worker, true);
        onReady?.(message.listening);
      } else if (message.type === "failed") failure = message.message;
      else if (message.type === "error") onError(message.message);
      else if (message.type === "metrics") waiting.get(message.id)?.(message.text);
    });
    worker.on("exit", (code, signal) => {
      const wasReady = ready.get(worker);
      ready.delete(worker);
      const reason = failure ?? `a worker ended ${signal ? `by ${signal}` : `with code ${code}`}`;
      if (closing) return;
      if (onEnd && !wasReady) return onEnd(new RunError(reason));
      backoff = Date.now() - began > steadyMs ? firstBackoffMs : Math.min(backoff * 2, longestBackoffMs);
      log.error(`${reason}; starting another in ${backoff} ms`, { worker: worker.process.pid });
      const timer = setTimeout(() => {
        timers.delete(timer);
        start();
      }, backoff);
      timers.add(timer);
    });
  };

  const close = async () => {
    closing = true;
    for (const timer of timers) clearTimeout(timer);
    await Promise.all(
      [...ready.keys()].map(
        (worker) =>
          new Promise<void>((done) => {
            const last = setTimeout(() => worker.process.kill("SIGKILL"), graceMs + 5000);
            worker.once("exit", () => {
              clearTimeout(last);
              done();
            });
            if (worker.isDead()) done();
            else if (worker.isConnected()) worker.send({ type: "drain" } satisfies ToWorker);
            else worker.process.kill("SIGKILL");
          }),
      ),
    );
  };

  try {
    const all = await Promise.all(
      Array.from(
        { length: settings.workers },
        () => new Promise<Gateway["listening"]>((done, failed) => start(done, failed)),
      ),
    );
    return {
      listening: all[0]!,
      ready: () => !closing && [...ready.values()].includes(true),
      async metrics() {
        const texts = await Promise.all(
          [...ready.keys()].map(
            (worker) =>
              new Promise<string>((done) => {
                const id = nextId++;
                const finish = (text: string) => {
                  waiting.delete(id);
                  clearTimeout(timer);
                  done(text);
                };
                const timer = setTimeout(() => finish(""), metricsTimeoutMs);
                waiting.set(id, finish);
                worker.send({ type: "metrics", id } satisfies ToWorker, (error) => error && finish(""));
              }),
          ),
        );
        return mergeMetrics(texts.filter((text) => text !== ""));
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** The other side: what `worker.ts` runs. */
export function runWorker(): void {
  // The primary hears the signals and tells when to stop.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => {});
  // Node.js would exit in order when the primary has died, which can wait for ever for a transaction of the index.
  process.prependListener("disconnect", () => process.kill(process.pid, "SIGKILL"));
  let opened: Promise<Gateway> | undefined;
  const send = (message: FromWorker) => process.connected && process.send!(message);
  const fail = (error: unknown) => {
    const text = error instanceof RunError ? error.message : ((error as Error)?.stack ?? String(error));
    if (!process.connected) process.exit(1);
    process.send!({ type: "failed", message: text } satisfies FromWorker, () => process.exit(1));
  };
  process.on("uncaughtException", fail);
  process.on("unhandledRejection", fail);
  process.on("message", async (message: ToWorker) => {
    try {
      if (message.type === "settings") {
        const log = createLog(message.settings, (text) => send({ type: "error", message: text }));
        opened = openGateway(message.settings, log);
        send({ type: "ready", listening: (await opened).listening });
      } else if (message.type === "drain") {
        await (await opened)?.close(graceMs);
        process.exit(0);
      } else if (message.type === "metrics") {
        send({ type: "metrics", id: message.id, text: (await (await opened)?.metrics()) ?? "" });
      }
    } catch (error) {
      fail(error);
    }
  });
  send({ type: "started" });
}
