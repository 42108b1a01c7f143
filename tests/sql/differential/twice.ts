import type { Client } from "pg";
import type { Stack } from "../stack.ts";
import type { ComparedNames } from "./compare.ts";
import type { ComparedTable } from "./table.ts";

/** Values of a row by column, as PostgreSQL's text; a column that is NULL is left out. */
export type LocalRow = Readonly<Record<string, string>>;

/** The column definitions of a table, as CREATE TABLE and CREATE FOREIGN TABLE take them. */
export const definitions = (table: ComparedTable) =>
  table.columns.map(({ name, type }) => `${name} ${type}`).join(", ");

/** `{columns}` in `foreign` stands for the column definitions. */
export interface Twice {
  readonly table: ComparedTable;
  readonly rows: readonly LocalRow[];
  /** Statements that make the server and the foreign table `t`. */
  readonly foreign: string;
}

export const names: ComparedNames = { foreign: "t", local: "t_local", ids: "ids" };

/** A new database with the foreign table, the same rows in a table of its own, and a table of some keys. */
export async function openTwice(
  stack: Stack,
  { table, rows, foreign }: Twice,
  creation = "LOCALE 'C.UTF-8' TEMPLATE template0",
): Promise<Client> {
  const { client } = await stack.database(creation);
  const columns = definitions(table);
  await client.query(`
    SET client_min_messages = warning;
    ${foreign.replaceAll("{columns}", columns)};
    CREATE TABLE t_local (${columns.replace(`${table.key} text`, `${table.key} text PRIMARY KEY`)});
    CREATE TABLE ids (k text, n integer);
  `);
  for (const row of rows) {
    const given = Object.keys(row);
    await client.query(
      `INSERT INTO t_local (${given}) VALUES (${given.map((_, i) => `$${i + 1}`)})`,
      Object.values(row),
    );
  }
  await client.query(
    `INSERT INTO ids SELECT ${table.key}, row_number() OVER (ORDER BY md5(${table.unique}::text)) - 1 FROM t_local
     ORDER BY 2 LIMIT 27;
     INSERT INTO ids VALUES ('none', 27), (NULL, 28), ('', 29);
     ANALYZE`,
  );
  return client;
}
