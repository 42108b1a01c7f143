import { renewed } from "@overcoat/sql";
import pg from "pg";
import type { LinkSettings } from "./link-settings.ts";

const connectMs = 15_000;
const application = "overcoat";

/** Runs work on a connection of its own, and gives the warnings that came with it. */
export async function onDatabase<T>(
  url: string,
  work: (client: pg.Client) => Promise<T>,
): Promise<{ result: T; warnings: string[] }> {
  const client = new pg.Client({
    connectionString: url,
    connectionTimeoutMillis: connectMs,
    fallback_application_name: application,
  });
  const warnings: string[] = [];
  client.on("notice", ({ severity, message, hint }) => {
    if (severity === "WARNING") warnings.push([message, hint].filter(Boolean).join(" "));
  });
  // What breaks the connection fails the statement too.
  client.on("error", () => {});
  await client.connect();
  try {
    return { result: await work(client), warnings: [...new Set(warnings)] };
  } finally {
    await client.end();
  }
}

/** Whether `overcoat` is there, as what. */
export async function installed(client: pg.Client): Promise<"extension" | "script" | undefined> {
  const { rows } = await client.query(
    `SELECT EXISTS (SELECT FROM pg_extension WHERE extname = 'overcoat') AS extension,
       to_regprocedure('overcoat.relink()') IS NOT NULL AS script`,
  );
  return rows[0].extension ? "extension" : rows[0].script ? "script" : undefined;
}

/** Brings the extensions that are there to what their files hold now, also where the version is the same. */
export async function updateExtensions(client: pg.Client, names: readonly string[]): Promise<void> {
  const { rows } = await client.query(
    `SELECT quote_ident(extname) AS name, extversion = default_version AS same
     FROM pg_extension JOIN pg_available_extensions ON name = extname
     WHERE extname = ANY ($1) ORDER BY extname <> 'overcoat'`,
    [names],
  );
  for (const { name, same } of rows) {
    if (same) await client.query(`ALTER EXTENSION ${name} UPDATE TO ${renewed}`);
    await client.query(`ALTER EXTENSION ${name} UPDATE`);
  }
}

/** Tells the database where its SQL server is now, and links all that it has anew. */
export async function relink(client: pg.Client, settings: LinkSettings): Promise<void> {
  const entries = Object.entries({
    ...settings,
    // From PostgreSQL 16 on libpq then refuses a server that asks for anything less.
    require_auth: "scram-sha-256",
  }).filter(([, value]) => value !== undefined);
  await client.query("BEGIN");
  await client.query("DELETE FROM overcoat.settings");
  for (const [name, value] of entries)
    await client.query("INSERT INTO overcoat.settings VALUES ($1, $2)", [name, String(value)]);
  await client.query("SELECT overcoat.relink()");
  await client.query("COMMIT");
}
