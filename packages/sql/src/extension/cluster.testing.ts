import { existsSync } from "node:fs";
import { chmod, mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Cluster, startCluster } from "@overcoat/postgres";
import pg from "pg";
import { extensionFiles, type Versions } from "./extension.ts";
import { installScript } from "./script.ts";
import { exampleSource } from "./source.testing.ts";

/** PostgreSQL 18 finds extensions in any folder; before it, the same SQL is run as a script. */
export const clusters = [
  { name: "extension, PostgreSQL 18", binaries: undefined },
  { name: "script, PostgreSQL 15 of Debian", binaries: "/usr/lib/postgresql/15/bin" },
].filter(({ binaries }) => binaries === undefined || existsSync(binaries));

/** The columns that a test asks for, all text or as `pg` reads them. */
// biome-ignore lint/suspicious/noExplicitAny: each test knows what it selects.
type Row = Record<string, any>;

export interface Database {
  readonly name: string;
  readonly url: string;
  /** Runs statements one by one as a role, by default the superuser, and returns the last one's rows. */
  query(statements: string | readonly string[], role?: string): Promise<Row[]>;
  /** The only row that a statement gives. */
  row(statement: string): Promise<Row>;
  /** Warnings and notices since the last call. */
  notices(): string[];
}

/** A real PostgreSQL with the example's wrapper in each of its databases. */
export interface ExampleCluster extends AsyncDisposable {
  readonly cluster: Cluster;
  database(creation?: string): Promise<Database>;
  /** Brings files of other versions into its extension folder. */
  writeExtensions(versions?: Versions): Promise<void>;
}

export const settings = { host: "127.0.0.1", port: "54330", user: "overcoat", password: "p w'\\" };

export async function startExampleCluster(binaries: string | undefined): Promise<ExampleCluster> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), "extension-")));
  await chmod(folder, 0o755);
  const cluster = await startCluster({
    folder,
    port: 0,
    superuser: "owner",
    password: "secret",
    settings: { fsync: "off" },
    binaries,
  });
  const clients: pg.Client[] = [];
  let count = 0;
  const connect = async (name: string) => {
    const url = new URL(cluster.url);
    url.pathname = `/${name}`;
    const client = new pg.Client(url.href);
    await client.connect();
    clients.push(client);
    return { client, url: url.href };
  };
  const writeExtensions = async (versions?: Versions) => {
    for (const { name, text } of extensionFiles([exampleSource], versions))
      await writeFile(join(cluster.extensions, name), text);
  };
  await writeExtensions();
  const { client: main } = await connect("postgres");
  return {
    cluster,
    writeExtensions,
    async database(creation = "") {
      count += 1;
      const name = `d${count}`;
      await main.query(`CREATE DATABASE ${name} ${creation}`);
      const { client, url } = await connect(name);
      const told: string[] = [];
      client.on("notice", ({ severity, message }) => told.push(`${severity}: ${message}`));
      if (cluster.version >= 18)
        await client.query("CREATE EXTENSION overcoat; CREATE EXTENSION example_wrapper");
      else await client.query(installScript([exampleSource], "library"));
      for (const [key, value] of Object.entries(settings))
        await client.query("INSERT INTO overcoat.settings VALUES ($1, $2)", [key, value]);
      told.length = 0;
      return {
        name,
        url,
        row: async (statement) => {
          const { rows } = await client.query(statement);
          if (rows.length !== 1) throw new Error(`${rows.length} rows: ${statement}`);
          return rows[0];
        },
        notices: () => told.splice(0),
        async query(statements, role) {
          if (role !== undefined) await client.query(`SET SESSION AUTHORIZATION ${role}`);
          try {
            let rows: Row[] = [];
            for (const statement of [statements].flat()) rows = (await client.query(statement)).rows;
            return rows;
          } finally {
            if (role !== undefined) await client.query("RESET SESSION AUTHORIZATION");
          }
        },
      };
    },
    async [Symbol.asyncDispose]() {
      await Promise.allSettled(clients.map((client) => client.end()));
      await cluster.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
