import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startCluster } from "@overcoat/postgres";
import pg from "pg";
import type { Scratch } from "./context.ts";

/** A PostgreSQL for tests: to compare with, and as a scratch database. */
export interface TestPostgres {
  readonly pool: pg.Pool;
  readonly scratch: Scratch;
  /** Sessions of the scratch that are in use. */
  readonly sessions: () => number;
  stop(): Promise<void>;
}

export async function startPostgres(): Promise<TestPostgres> {
  const folder = await mkdtemp(join(tmpdir(), "query-"));
  const cluster = await startCluster({
    folder,
    port: 0,
    superuser: "test",
    password: "test",
    settings: { fsync: "off" },
  });
  const pool = new pg.Pool({
    connectionString: cluster.url,
    max: 6,
    types: { getTypeParser: () => (text: string) => text },
  });
  pool.on("error", () => {});
  pool.on("connect", (client) => client.on("error", () => {}));
  let sessions = 0;
  return {
    pool,
    sessions: () => sessions,
    scratch: {
      async session() {
        const client = await pool.connect();
        sessions++;
        const { processID } = client as unknown as { processID: number };
        return {
          client,
          cancel: async () => void (await pool.query("SELECT pg_cancel_backend($1)", [processID])),
          async [Symbol.asyncDispose]() {
            sessions--;
            try {
              await client.query("ROLLBACK");
              await client.query("DISCARD ALL");
              client.release();
            } catch {
              client.release(true);
            }
          },
        };
      },
    },
    async stop() {
      await pool.end();
      await cluster.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
