import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { load, send } from "./load.ts";
import type { RequestShape } from "./requests.ts";
import { type Server, type ServerName, startServer } from "./servers.ts";
import { median } from "./statistics.ts";

/** The same work on several servers, in one run. */
export interface Comparison {
  readonly title: string;
  readonly connections: number;
  /** Bytes of an object that one request moves, where throughput says more than requests. */
  readonly bytes?: number;
  /** Overcoat, what it is held against, then peers as they are found. */
  readonly servers: readonly ServerName[];
  /** Brings the objects in. */
  prepare?(server: Server): Promise<void>;
  requests(round: number): readonly RequestShape[];
}

export interface Measured {
  readonly server: ServerName;
  /** Requests a second: the median of the rounds. */
  readonly perSecond: number;
}

const bucket = "bench";
export const seconds = Number(process.env.BENCH_SECONDS ?? 2);
export const warmUp = Number(process.env.BENCH_WARM_UP ?? 8);
export const rounds = Number(process.env.BENCH_ROUNDS ?? 3);

const small = randomBytes(4096);
const large = randomBytes(64 * 1024 * 1024);
const pad = (number: number) => String(number).padStart(6, "0");
const put = (key: string, body: Buffer): RequestShape => ({ method: "PUT", path: `/${bucket}/${key}`, body });
const get = (key: string): RequestShape => ({ method: "GET", path: `/${bucket}/${key}` });

/** Makes the bucket once the server is ready: MinIO listens before that, and answers 503, also when it has made it. */
async function makeBucket({ port }: Server): Promise<void> {
  for (const deadline = Date.now() + 30_000; ; ) {
    try {
      return await send(port, [{ method: "PUT", path: `/${bucket}` }]);
    } catch (error) {
      const { message } = error as Error;
      if (message.includes("BucketAlreadyOwnedByYou")) return;
      if (!message.startsWith("HTTP/1.1 503") || Date.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
}

async function fill(server: Server, keys: readonly string[], body: Buffer): Promise<void> {
  if (server.name.startsWith("bare")) {
    for (const key of keys) writeFileSync(join(server.folder, key), body);
    return;
  }
  await makeBucket(server);
  await send(
    server.port,
    keys.map((key) => put(key, body)),
  );
}

const keys = (count: number) => Array.from({ length: count }, (_, i) => `object-${pad(i)}`);

export const comparisons: readonly Comparison[] = [
  {
    title: "GET of 4 KiB",
    connections: 16,
    servers: ["overcoat", "bare node:http, from memory", "s3rver", "rclone serve s3", "versitygw", "MinIO"],
    prepare: (server) => fill(server, keys(1000), small),
    requests: () => keys(1000).map(get),
  },
  {
    title: "PUT of 4 KiB, synced to disk",
    connections: 16,
    servers: [
      "overcoat",
      "bare hash, write, sync, rename",
      "bare hash, write, sync, rename, sync the folder",
      "MinIO",
    ],
    prepare: (server) => fill(server, [], small),
    requests: (round) => keys(8000).map((key) => put(`round-${round}-${key}`, small)),
  },
  {
    title: "PUT of 4 KiB, not synced",
    connections: 16,
    servers: ["overcoat --no-fsync", "s3rver", "rclone serve s3", "versitygw"],
    prepare: (server) => fill(server, [], small),
    requests: (round) => keys(8000).map((key) => put(`round-${round}-${key}`, small)),
  },
  {
    title: "LIST of 1,000 keys in a bucket of 10,000",
    connections: 4,
    servers: ["overcoat", "s3rver", "rclone serve s3", "versitygw", "MinIO"],
    prepare: (server) => fill(server, keys(10_000), Buffer.from("x")),
    requests: () =>
      Array.from({ length: 10 }, (_, page) => ({
        method: "GET",
        path: `/${bucket}`,
        query: { marker: page === 0 ? "" : `object-${pad(page * 1000 - 1)}` },
      })),
  },
  {
    title: "GET of 64 MiB",
    connections: 2,
    bytes: large.length,
    servers: ["overcoat", "bare node:http and fs", "s3rver", "rclone serve s3", "versitygw", "MinIO"],
    prepare: (server) => fill(server, ["large"], large),
    requests: () => [get("large")],
  },
  {
    title: "PUT of 64 MiB, synced to disk",
    connections: 2,
    bytes: large.length,
    servers: ["overcoat", "bare hash, write, sync, rename", "MinIO"],
    prepare: (server) => fill(server, [], large),
    requests: (round) => [0, 1, 2, 3].map((i) => put(`large-${round}-${i}`, large)),
  },
  {
    title: "PUT of 64 MiB, not synced",
    connections: 2,
    bytes: large.length,
    servers: ["overcoat --no-fsync", "s3rver", "rclone serve s3", "versitygw"],
    prepare: (server) => fill(server, [], large),
    requests: (round) => [0, 1, 2, 3].map((i) => put(`large-${round}-${i}`, large)),
  },
];

/** Measures all servers of a comparison, taking turns so that a noisy minute hits them alike. */
export async function compare(comparison: Comparison, work: string): Promise<Measured[]> {
  const servers: Server[] = [];
  try {
    for (const name of comparison.servers) {
      const server = await startServer(name, work);
      if (!server) continue;
      servers.push(server);
      await comparison.prepare?.(server);
    }
    const figures = new Map<string, number[]>();
    // The first round warms up and does not count.
    for (let round = 0; round <= rounds; round++)
      for (const { name, port } of servers) {
        const { connections } = comparison;
        const requests = comparison.requests(round);
        const { perSecond } = await load({ port, connections, requests, seconds: round ? seconds : warmUp });
        if (round) figures.set(name, [...(figures.get(name) ?? []), perSecond]);
      }
    return servers.map(({ name }) => ({ server: name as ServerName, perSecond: median(figures.get(name)!) }));
  } finally {
    await Promise.all(servers.map((server) => server.stop()));
  }
}
