import pg from "pg";
import { connections } from "../connections.ts";
import { ownerDatabase, readerUrl } from "../database.ts";

/** Who runs what a reader typed: the role that can only read, or the database's owner, who may change everything. */
export type Role = "reader" | "owner";

const longestStatementMs = 10 * 60_000;
/** Values come as PostgreSQL writes them. */
export const asText: pg.CustomTypesConfig = { getTypeParser: () => (value: string) => value };

/** On a connection of its own, so that no setting outlives it. An abort cancels what runs there. */
export async function withConnection<T>(
  role: Role,
  signal: AbortSignal,
  work: (client: pg.Client) => Promise<T>,
): Promise<T> {
  const connectionString = role === "reader" ? await readerUrl() : (await connections()).postgres.url;
  const client = new pg.Client({
    connectionString,
    connectionTimeoutMillis: 10_000,
    statement_timeout: longestStatementMs,
    application_name: "overcoat-console",
    types: asText,
  });
  // Told by the query that it breaks.
  client.on("error", () => {});
  await client.connect();
  const cancel = () => void cancelBackend(client);
  signal.addEventListener("abort", cancel, { once: true });
  try {
    signal.throwIfAborted();
    return await work(client);
  } finally {
    signal.removeEventListener("abort", cancel);
    await client.end();
  }
}

async function cancelBackend(client: pg.Client): Promise<void> {
  const { processID } = client as unknown as { processID: number };
  const sql = await ownerDatabase();
  await sql`SELECT pg_cancel_backend(${processID})`.catch(() => undefined);
}
