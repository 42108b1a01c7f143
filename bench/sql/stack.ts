import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { startCluster } from "@overcoat/postgres";
import pg from "pg";
import { command, freePort, largestMemory, listening, onServerCore, stopChild } from "../servers.ts";

/** A PostgreSQL with the wrappers on the client's core, and `overcoat serve sql` on the servers'. */
export interface SqlStack extends AsyncDisposable {
  readonly client: pg.Client;
  /** Of a second PostgreSQL, for stock postgres_fdw. */
  readonly other: URL;
  /** Largest resident set of the SQL server so far, in MiB. */
  peakMemory(): number;
  /** Begins with a new SQL server, and so a new high-water mark. */
  restart(): Promise<void>;
}

/** Starts all parts on free ports of loopback, in a folder of the run. */
export async function startSqlStack(work: string): Promise<SqlStack> {
  await using opened = new AsyncDisposableStack();
  const password = randomBytes(12).toString("hex");
  const login = `bench,${password}`;
  const cluster = async (name: string) => {
    const started = await startCluster({
      folder: join(work, name),
      port: 0,
      superuser: "postgres",
      password,
    });
    opened.defer(() => started.stop());
    return started;
  };
  const [main, second] = [await cluster("postgres"), await cluster("second-postgres")];
  const port = await freePort();
  let server: ChildProcess | undefined;
  const start = async () => {
    const args = [
      "serve",
      "sql",
      "--addr",
      `127.0.0.1:${port}`,
      "--login",
      login,
      "--data",
      join(work, "sql"),
    ];
    const [file, all] = onServerCore(process.execPath, [command, ...args]);
    server = spawn(file, all, { cwd: work, stdio: ["ignore", "ignore", "inherit"] });
    await listening(port, server);
  };
  opened.defer(() => stopChild(server!));
  await start();
  const address = ["--sql-addr", `127.0.0.1:${port}`, "--login", login];
  const installed = spawnSync(process.execPath, [command, "sql", "install", "--url", main.url, ...address]);
  if (installed.status !== 0) throw new Error(`overcoat sql install: ${installed.stderr}`);
  const client = new pg.Client(main.url);
  await client.connect();
  opened.defer(() => client.end());
  for (const name of ["redis_wrapper", "s3_wrapper"])
    await client.query(`CREATE EXTENSION IF NOT EXISTS ${name}`);
  const parts = opened.move();
  return {
    client,
    other: new URL(second.url),
    peakMemory: () => largestMemory(server!.pid!),
    async restart() {
      await stopChild(server!);
      await start();
    },
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  };
}
