import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { access, mkdir, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Cluster, startCluster } from "../cluster/cluster.ts";
import { ClusterError } from "../cluster/errors.ts";
import { endLeftovers } from "../cluster/leftovers.ts";
import { loopback } from "../cluster/ports.ts";
import { makeScratchDatabase, scratchName } from "./rights.ts";

const defaultConnections = 16;
const ownConnections = 4;
const superuser = "overcoat";
const firstBackoffMs = 200;
const longestBackoffMs = 15_000;
/** A server that ran this long starts anew without much delay. */
const steadyMs = 60_000;

export interface ScratchOptions {
  /** Made if missing; what an earlier scratch left in it is removed. */
  readonly folder: string;
  /** `bin` folder of a PostgreSQL from 14; by default the one that npm brought. */
  readonly binaries?: string;
  /** How many sessions there can be at once, of all processes together; 16 by default. */
  readonly connections?: number;
  /** Told when the server has ended by itself and is started anew. */
  readonly onFailure?: (error: Error) => void;
}

/** A PostgreSQL server for passing work: what is in it is gone with its session. */
export interface Scratch extends AsyncDisposable {
  /**
   * Of the role and database for that work, the same for as long as this process runs. The role can make
   * temporary tables, COPY into and out of them, and use immutable functions; it can do nothing else.
   */
  readonly url: string;
  /** How many sessions there can be at once. */
  readonly connections: number;
  stop(): Promise<void>;
}

/**
 * Starts a server that is new each time, keeps nothing on purpose, and comes back empty should it end by itself.
 * @throws ClusterError when it cannot be started
 */
export async function openScratch(options: ScratchOptions): Promise<Scratch> {
  const { binaries, connections = defaultConnections, onFailure } = options;
  const folder = resolve(options.folder);
  const password = secret();
  const startEmpty = async (port: number): Promise<Cluster> => {
    await clear(folder);
    const cluster = await startCluster({
      folder,
      port,
      superuser,
      password: secret(),
      binaries,
      settings: settings(connections),
    });
    try {
      await makeScratchDatabase(cluster.url, password, connections);
      return cluster;
    } catch (error) {
      await cluster.stop();
      throw error;
    }
  };

  let cluster = await startEmpty(0);
  const { port } = cluster;
  const stopping = new AbortController();
  const kept = keepRunning();

  async function keepRunning(): Promise<void> {
    const { signal } = stopping;
    const aborted = once(signal, "abort").then(() => undefined);
    let failure: Promise<Error> = cluster.failed;
    let started = Date.now();
    let backoff = firstBackoffMs;
    for (;;) {
      const error = await Promise.race([aborted, failure]);
      if (!error) return;
      onFailure?.(error);
      backoff = Date.now() - started > steadyMs ? firstBackoffMs : Math.min(backoff * 2, longestBackoffMs);
      await sleep(backoff, undefined, { signal }).catch(() => {});
      if (signal.aborted) return;
      started = Date.now();
      try {
        await cluster.stop();
        cluster = await startEmpty(port);
        failure = cluster.failed;
      } catch (error) {
        failure = Promise.resolve(error as Error);
      }
    }
  }

  const stop = async () => {
    stopping.abort();
    await kept;
    await cluster.stop();
  };
  return {
    url: `postgres://${scratchName}:${password}@${loopback}:${port}/${scratchName}`,
    connections,
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

const secret = () => randomBytes(24).toString("base64url");

/** Removes what an earlier scratch left, and nothing else. */
async function clear(folder: string): Promise<void> {
  const data = join(folder, "data");
  const marker = join(folder, "scratch");
  await mkdir(folder, { recursive: true });
  try {
    await access(data);
  } catch {
    await writeFile(marker, "The data directory beside this file is emptied at each start.\n");
    return;
  }
  await access(marker).catch((error) => {
    throw new ClusterError(`${data} holds a database to be kept: choose another folder for passing work`, {
      cause: error,
    });
  });
  await endLeftovers(data);
  await rm(data, { recursive: true, force: true });
}

/**
 * Nothing needs to outlive a crash; one statement of one session must not take everything. Autovacuum stays on:
 * each temporary table leaves dead rows in the catalogs.
 */
const settings = (connections: number) => ({
  fsync: "off",
  synchronous_commit: "off",
  full_page_writes: "off",
  wal_level: "minimal",
  max_wal_senders: "0",
  min_wal_size: "32MB",
  max_wal_size: "128MB",
  shared_buffers: "32MB",
  work_mem: "16MB",
  max_connections: String(connections + ownConnections),
  // Temporary tables have no parallel scans.
  max_worker_processes: "0",
  max_logical_replication_workers: "0",
  jit: "off",
  temp_file_limit: "4GB",
  statement_timeout: "15min",
  client_connection_check_interval: "1s",
  // Its errors hold values of rows.
  log_min_messages: "log",
});
