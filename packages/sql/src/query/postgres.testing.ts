import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openScratch, openScratchPool, startCluster } from "@overcoat/postgres";
import pg from "pg";
import type { Scratch } from "./context.ts";

/** A PostgreSQL to compare with, and a scratch database. */
export interface TestPostgres {
  readonly pool: pg.Pool;
  readonly scratch: Scratch;
  /** Sessions of the scratch that are in use. */
  readonly sessions: () => number;
  stop(): Promise<void>;
}

export async function startPostgres(): Promise<TestPostgres> {
  const folder = await mkdtemp(join(tmpdir(), "query-"));
  const [cluster, server] = await Promise.all([
    startCluster({
      folder: join(folder, "compared"),
      port: 0,
      superuser: "test",
      password: "test",
      settings: { fsync: "off" },
    }),
    openScratch({ folder: join(folder, "scratch") }),
  ]);
  const pool = new pg.Pool({
    connectionString: cluster.url,
    max: 2,
    types: { getTypeParser: () => (text: string) => text },
  });
  // Connections that end with the server
  pool.on("error", () => {});
  pool.on("connect", (client) => client.on("error", () => {}));
  const scratch = openScratchPool({ url: server.url, connections: 4 });
  let sessions = 0;
  return {
    pool,
    sessions: () => sessions,
    scratch: {
      async session() {
        const session = await scratch.session();
        sessions++;
        return {
          client: session.client,
          cancel: () => session.cancel(),
          async [Symbol.asyncDispose]() {
            sessions--;
            await session[Symbol.asyncDispose]();
          },
        };
      },
    },
    async stop() {
      await Promise.all([pool.end(), scratch.close()]);
      await Promise.all([cluster.stop(), server.stop()]);
      await rm(folder, { recursive: true, force: true });
    },
  };
}
