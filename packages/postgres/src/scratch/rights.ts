import pg from "pg";

/** Name of the database and of the role that may work in it. */
export const scratchName = "scratch";

/**
 * Volatile functions that postgres_fdw sends all the same: ANALYZE samples a table by `random()`.
 * https://www.postgresql.org/docs/current/postgres-fdw.html (`analyze_sampling`)
 */
const allowed = ["pg_catalog.random()"];

/**
 * Makes, in a new cluster, the database and a role whose only right in the whole cluster is to make temporary
 * tables there. Of the functions it keeps the immutable ones, which are all that postgres_fdw sends: so it can
 * neither read files, settings or statistics, nor sleep, nor end sessions, nor touch large objects or sequences.
 */
export async function makeScratchDatabase(url: string, password: string, connections: number): Promise<void> {
  await inDatabase(url, "postgres", [
    `CREATE DATABASE ${scratchName}`,
    `CREATE ROLE ${scratchName} LOGIN NOINHERIT CONNECTION LIMIT ${connections} PASSWORD ${pg.escapeLiteral(password)}`,
    `ALTER ROLE ${scratchName} SET search_path = pg_catalog, pg_temp`,
    `REVOKE ALL ON DATABASE ${scratchName}, postgres, template1 FROM PUBLIC`,
    `GRANT CONNECT, TEMPORARY ON DATABASE ${scratchName} TO ${scratchName}`,
  ]);
  await inDatabase(url, scratchName, [
    `DO $$
      DECLARE functions text;
      BEGIN
        SELECT string_agg(oid::regprocedure::text, ', ') INTO functions FROM pg_proc WHERE provolatile <> 'i';
        EXECUTE format('REVOKE ALL ON ROUTINE %s FROM PUBLIC', functions);
      END
    $$`,
    `GRANT EXECUTE ON FUNCTION ${allowed.join(", ")} TO ${scratchName}`,
    "REVOKE ALL ON ALL TABLES IN SCHEMA pg_catalog, information_schema FROM PUBLIC",
    "DROP SCHEMA public",
    "DROP EXTENSION plpgsql",
    "REVOKE USAGE ON LANGUAGE sql FROM PUBLIC",
  ]);
}

async function inDatabase(url: string, database: string, statements: readonly string[]): Promise<void> {
  const client = new pg.Client({
    connectionString: Object.assign(new URL(url), { pathname: database }).href,
    connectionTimeoutMillis: 10_000,
    query_timeout: 60_000,
  });
  client.on("error", () => {});
  await client.connect();
  try {
    for (const statement of statements) await client.query(statement);
  } finally {
    await client.end();
  }
}
