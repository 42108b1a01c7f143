import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { openScratch, openScratchPool } from "@overcoat/postgres";
import type { Source } from "@overcoat/sources";
import { auth0, redis, s3 } from "@overcoat/sources";
import { extensionFiles, openSqlServer } from "@overcoat/sql";
import pg from "pg";
import { startPostgres, type TestPostgres, type Version } from "../postgres/versions.ts";

const sources: readonly Source[] = [redis, auth0, s3];
const login = { user: "overcoat", password: "only for this test" };

export interface StackOptions {
  /** Of the PostgreSQL that has the foreign tables; 18 by default. */
  readonly version?: Version;
  /** Values of named secrets, shown to any address of this machine. */
  readonly secrets?: Readonly<Record<string, string>>;
  /** Addresses that services may lie at. */
  readonly allow?: readonly string[];
}

/** A database and a client of its superuser, which is closed with the stack. */
export interface StackDatabase {
  readonly client: pg.Client;
  readonly url: string;
}

/** A PostgreSQL with the wrappers, and the SQL server behind it. */
export interface Stack extends AsyncDisposable {
  /** What the SQL server told its operator. */
  readonly log: readonly object[];
  readonly postgres: TestPostgres;
  /** A new database, made with these clauses, in which the wrappers are installed. */
  database(creation?: string): Promise<StackDatabase>;
  /** A new database that knows nothing of Overcoat. */
  emptyDatabase(creation?: string): Promise<StackDatabase>;
  /** Tells a database that has the extensions where the SQL server is. */
  settle(client: pg.Client): Promise<void>;
}

/** Starts all parts on free ports of loopback. */
export async function startStack({ version = 18, secrets = {}, allow }: StackOptions = {}): Promise<Stack> {
  await using stack = new AsyncDisposableStack();
  const postgres = stack.use(await startPostgres(version));
  const { folder } = postgres;
  const scratch = stack.use(await openScratch({ folder: join(folder, "scratch") }));
  const pool = stack.use(openScratchPool(scratch));
  const log: object[] = [];
  const server = await openSqlServer({
    listen: [{ host: "127.0.0.1", port: 0 }],
    logins: [login],
    sources,
    secrets: (name) =>
      secrets[name] === undefined ? undefined : { value: secrets[name], addresses: ["127.0.0.1"] },
    ...(allow && { allow }),
    scratch: pool,
    log: (entry) => log.push(entry),
    temporaryDirectory: folder,
  });
  stack.defer(() => server.close());
  for (const { name, text } of extensionFiles(sources))
    await writeFile(join(postgres.extensions, name), text);
  const clients: pg.Client[] = [];
  stack.defer(async () => {
    await Promise.allSettled(clients.map((client) => client.end()));
  });
  const connect = async (name: string) => {
    const url = new URL(postgres.url);
    url.pathname = `/${name}`;
    const client = new pg.Client(url.href);
    await client.connect();
    clients.push(client);
    return { client, url: url.href };
  };
  const { client: main } = await connect("postgres");
  const address = server.addresses[0]!;
  const settings = { ...address, ...login };
  let count = 0;
  const emptyDatabase = async (creation = "") => {
    count += 1;
    await main.query(`CREATE DATABASE d${count} ${creation}`);
    return connect(`d${count}`);
  };
  const settle = async (client: pg.Client) => {
    for (const setting of Object.entries(settings))
      await client.query("INSERT INTO overcoat.settings VALUES ($1, $2)", setting);
  };
  const parts = stack.move();
  return {
    log,
    postgres,
    emptyDatabase,
    settle,
    async database(creation) {
      const database = await emptyDatabase(creation);
      await database.client.query("CREATE EXTENSION overcoat");
      await settle(database.client);
      for (const { name } of sources)
        await database.client.query(`CREATE EXTENSION IF NOT EXISTS ${name}_wrapper`);
      return database;
    },
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  };
}
