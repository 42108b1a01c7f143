import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import pg from "pg";
import { startPostgres, type Version } from "../../../../tests/postgres/versions.ts";
import { extensionFiles, type Versions } from "./extension.ts";
import { installScript } from "./script.ts";
import { exampleSource } from "./source.testing.ts";

/** Where `npm test` puts the versions that are not embedded. */
const others = new URL("../../../../tests/postgres/node_modules/", import.meta.url);

export interface Kind {
  readonly version: Version;
  /** Whether the SQL is run as a script, where no extension files can be placed. */
  readonly script: boolean;
}

/** Every version that is there. */
export const kinds: readonly Kind[] = [
  { version: 18, script: false },
  { version: 18, script: true },
  ...([17, 16, 15, 14] as const)
    .filter((version) => existsSync(new URL(`postgres-${version}`, others)))
    .map((version) => ({ version, script: false })),
];

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
  readonly version: Version;
  database(creation?: string): Promise<Database>;
  /** Brings files of other versions into its extension folder. */
  writeExtensions(versions?: Versions): Promise<void>;
}

export const settings = { host: "127.0.0.1", port: "54330", user: "overcoat", password: "p w'\\" };

export async function startExampleCluster({ version, script }: Kind): Promise<ExampleCluster> {
  const postgres = await startPostgres(version);
  const clients: pg.Client[] = [];
  let count = 0;
  const connect = async (name: string) => {
    const url = new URL(postgres.url);
    url.pathname = `/${name}`;
    const client = new pg.Client(url.href);
    await client.connect();
    clients.push(client);
    return { client, url: url.href };
  };
  const writeExtensions = async (versions?: Versions) => {
    for (const { name, text } of extensionFiles([exampleSource], versions))
      await writeFile(join(postgres.extensions, name), text);
  };
  await writeExtensions();
  const { client: main } = await connect("postgres");
  return {
    version,
    writeExtensions,
    async database(creation = "") {
      count += 1;
      const name = `d${count}`;
      await main.query(`CREATE DATABASE ${name} ${creation}`);
      const { client, url } = await connect(name);
      const told: string[] = [];
      client.on("notice", ({ severity, message }) => told.push(`${severity}: ${message}`));
      await client.query(
        script
          ? installScript([exampleSource], "library")
          : "CREATE EXTENSION overcoat; CREATE EXTENSION example_wrapper",
      );
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
      await postgres[Symbol.asyncDispose]();
    },
  };
}
