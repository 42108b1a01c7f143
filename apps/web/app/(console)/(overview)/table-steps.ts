import type { Sql } from "postgres";
import { type CheckResult, checked } from "@/lib/server/checks";
import { connections } from "@/lib/server/connections";
import { ownerDatabase } from "@/lib/server/database";
import { extensionsSql, serversSql, wrappedTables } from "./seed-sql";
import type { Step } from "./step";

/** From an empty database to tables over the three services. */
export async function tableSteps(): Promise<Step[]> {
  const sql = await ownerDatabase();
  const { endpoint } = (await connections()).s3;
  const isReachable = "Is `overcoat up` running? Its terminal says what happened.";
  const [extensions, servers, ...tables] = await Promise.all([
    checked(isReachable, () => hasExtensions(sql)),
    checked(isReachable, () => hasServers(sql)),
    ...wrappedTables.map(({ name }) =>
      checked("Look at the options of the server and its user mapping, and whether the service runs.", () =>
        answers(sql, name),
      ),
    ),
  ]);
  return [
    { title: "Enable the extensions", how: "pg_extension is looked at.", sql: extensionsSql, ...extensions! },
    {
      title: "Create the servers",
      how: "pg_foreign_server is looked at.",
      sql: serversSql(endpoint),
      ...servers!,
    },
    ...wrappedTables.map(({ title, name, sql }, i) => ({
      title,
      how: `The first row of ${name} is read.`,
      sql,
      ...tables[i]!,
    })),
  ];
}

const missing = (what: string, names: readonly string[], found: ReadonlySet<string>): CheckResult => {
  const lacking = names.filter((name) => !found.has(name));
  if (lacking.length === 0) return { status: "good", found: names.join(", ") };
  return {
    status: "todo",
    found: `missing: ${lacking.join(", ")}`,
    advice: `Create the ${what} on the SQL page or in psql:`,
  };
};

async function hasExtensions(sql: Sql): Promise<CheckResult> {
  const rows = await sql<{ name: string }[]>`SELECT extname AS name FROM pg_extension`;
  const names = ["redis_wrapper", "auth0_wrapper", "s3_wrapper"];
  return missing("extensions", names, new Set(rows.map(({ name }) => name)));
}

async function hasServers(sql: Sql): Promise<CheckResult> {
  const rows = await sql<{ wrapper: string }[]>`
    SELECT fdwname AS wrapper FROM pg_foreign_server s JOIN pg_foreign_data_wrapper w ON w.oid = srvfdw`;
  return missing(
    "servers",
    ["redis_fdw", "auth0_fdw", "s3_fdw"],
    new Set(rows.map(({ wrapper }) => wrapper)),
  );
}

async function answers(sql: Sql, table: string): Promise<CheckResult> {
  const [found] = await sql`SELECT to_regclass(${table}) IS NOT NULL AS is_there`;
  if (!found?.is_there)
    return {
      status: "todo",
      found: `there is no table ${table}`,
      advice: "Create it on the SQL page or in psql:",
    };
  const start = performance.now();
  await sql`SELECT FROM ${sql(table)} LIMIT 1`;
  return {
    status: "good",
    found: `${table} answers in ${Math.max(1, Math.round(performance.now() - start))} ms`,
  };
}
