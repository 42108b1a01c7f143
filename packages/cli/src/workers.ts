import cluster, { type Worker } from "node:cluster";
import { fileURLToPath } from "node:url";
import { listenAdmin } from "./admin.ts";
import { RunError } from "./errors.ts";
import type { Settings } from "./flags/resolve.ts";
import { type Gateway, openGateway } from "./gateway.ts";
import { createLog } from "./log.ts";
import { mergeMetrics } from "./metrics.ts";
import type { Place } from "./remotes/place.ts";
import { removeDeadSocket } from "./sockets.ts";

/** How long running requests may take after a signal. */
const graceMs = 30_000;
const metricsTimeoutMs = 5000;
const mapTimeoutMs = 60_000;
const firstBackoffMs = 200;
const longestBackoffMs = 15_000;
/** A worker that lived this long starts anew without delay. */
const steadyMs = 60_000;

type Question = { type: "metrics" } | { type: "map"; bucket: string; place: Place };
type ToWorker = { type: "settings"; settings: Settings } | { type: "drain" } | (Question & { id: number });
type FromWorker =
  | { type: "started" }
  | { type: "ready"; listening: Gateway["listening"] }
  | { type: "failed"; message: string }
  | { type: "error"; message: string }
  | { type: "metrics"; id: number; text: string }
  | { type: "mapped"; id: number; error?: string };

type Answer = Extract<FromWorker, { id: number }>;

/** The gateway in one process or several. */
export interface Service {
  /** Where it is reached, as shown to people. */
  readonly urls: readonly string[];
  ready(): boolean;
  metrics(): Promise<string>;
  /** As `ServedDrive.map`, in all processes. */
  map(bucket: string, place: Place): Promise<void>;
  /** Lets running requests finish. */
  close(): Promise<void>;
}

type Processes = Omit<Service, "urls"> & Pick<Gateway, "listening">;

/**
 * Serves until SIGINT or SIGTERM; returns when all is drained.
 * @param onReady hears where it is reached
 */
export async function serve(settings: Settings, onReady: (urls: readonly string[]) => void): Promise<void> {
  const stop = stopSignal(["SIGINT", "SIGTERM"]);
  let service: Service;
  try {
    service = await openService(settings);
  } catch (error) {
    // The signal has reached the workers as well, which then do not start.
    if (stop.asked) return;
    throw error;
  }
  let admin: Awaited<ReturnType<typeof listenAdmin>> | undefined;
  try {
    if (settings.adminAddress) admin = await listenAdmin(settings.adminAddress, service);
    onReady(service.urls);
    await stop.signal;
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

export interface Stop {
  /** Resolves when it is asked for. */
  readonly signal: Promise<undefined>;
  readonly asked: boolean;
}

/** Asked for by the first of these signals; one that follows after a second ends the process at once. */
export function stopSignal(signals: readonly NodeJS.Signals[] = ["SIGINT", "SIGTERM", "SIGHUP"]): Stop {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  let first: number | undefined;
  const stop = () => {
    if (first === undefined) {
      first = Date.now();
      resolve(undefined);
    } else if (Date.now() - first > 1000) process.exit(1);
  };
  for (const signal of signals) process.on(signal, stop);
  if (process.env.OVERCOAT_WRAPPED && process.channel) {
    process.on("disconnect", stop);
    process.channel.unref();
  }
  return {
    signal: promise,
    get asked() {
      return first !== undefined;
    },
  };
}

async function serveHere(settings: Settings, onError: (message: string) => void): Promise<Processes> {
  const gateway = await openGateway(settings, createLog(settings, onError));
  return {
    listening: gateway.listening,
    ready: () => gateway.ready,
    metrics: () => gateway.metrics(),
    map: gateway.map,
    close: () => gateway.close(graceMs),
  };
}

async function serveInWorkers(settings: Settings, onError: (message: string) => void): Promise<Processes> {
  const log = createLog(settings, onError);
  const ready = new Map<Worker, boolean>();
  const waiting = new Map<number, (answer: Answer) => void>();
  const mapped = new Map<string, Place>();
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

  /** @returns undefined where no answer comes in time */
  const ask = (worker: Worker, question: Question, timeoutMs: number) =>
    new Promise<Answer | undefined>((done) => {
      const id = nextId++;
      const finish = (answer?: Answer) => {
        waiting.delete(id);
        clearTimeout(timer);
        done(answer);
      };
      const timer = setTimeout(finish, timeoutMs);
      waiting.set(id, finish);
      worker.send({ ...question, id } satisfies ToWorker, (error) => error && finish());
    });

  /** @returns what went wrong, if something did */
  const mapIn = async (worker: Worker, bucket: string, place: Place) => {
    const answer = await ask(worker, { type: "map", bucket, place }, mapTimeoutMs);
    return answer?.type === "mapped" ? answer.error : "a process of the gateway does not answer";
  };

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
        for (const [bucket, place] of mapped)
          void mapIn(worker, bucket, place).then((error) => {
            if (error !== undefined)
              log.error(`the bucket ${bucket} is not served by all processes: ${error}`);
          });
      } else if (message.type === "failed") failure = message.message;
      else if (message.type === "error") onError(message.message);
      else waiting.get(message.id)?.(message);
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
        const answers = await Promise.all(
          [...ready.keys()].map((worker) => ask(worker, { type: "metrics" }, metricsTimeoutMs)),
        );
        const texts = answers.map((answer) => (answer?.type === "metrics" ? answer.text : ""));
        return mergeMetrics(texts.filter((text) => text !== ""));
      },
      async map(bucket, place) {
        mapped.set(bucket, place);
        // Those that are not ready yet get it once they are.
        const able = [...ready].filter(([, isReady]) => isReady);
        const errors = await Promise.all(able.map(([worker]) => mapIn(worker, bucket, place)));
        const error = errors.find((one) => one !== undefined);
        if (error === undefined) return;
        mapped.delete(bucket);
        throw new RunError(error);
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
      } else if (message.type === "map") {
        const { id, bucket, place } = message;
        const error = await (await opened)!.map(bucket, place).then(
          () => undefined,
          (reason: Error) => reason.message,
        );
        send({ type: "mapped", id, error });
      }
    } catch (error) {
      fail(error);
    }
  });
  send({ type: "started" });
}
