import { ownerDatabase } from "../database.ts";

export interface TableOf {
  readonly schema: string;
  readonly name: string;
  readonly isForeign: boolean;
  readonly columns: readonly { readonly name: string; readonly type: string }[];
}

const mostTables = 500;

/** Tables and views outside the system's schemas, for completion; those that can be named without schema first. */
export async function databaseTables(): Promise<TableOf[]> {
  const sql = await ownerDatabase();
  return sql<TableOf[]>`
    SELECT nspname AS schema, relname AS name, relkind = 'f' AS "isForeign",
      coalesce((
        SELECT jsonb_agg(jsonb_build_object('name', attname, 'type', format_type(atttypid, atttypmod)) ORDER BY attnum)
        FROM pg_attribute WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped
      ), '[]') AS columns
    FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
    WHERE relkind IN ('r', 'v', 'm', 'f', 'p') AND nspname !~ '^pg_|^(information_schema|overcoat)$'
    ORDER BY NOT pg_table_is_visible(c.oid), nspname, relname
    LIMIT ${mostTables}`;
}
