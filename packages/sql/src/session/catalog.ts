import type { Column, Connection, Table } from "@overcoat/sources";
import type { CatalogStatement } from "../statement/statement.ts";
import type { TextRow } from "../wire/writer.ts";
import { type Outcome, rowsOutcome, textFields } from "./result.ts";

/** Bytes of PostgreSQL's pages, and those that a row is taken to have. */
const pageBytes = 8192;
const rowBytes = 100;
/** Types whose columns have a collation. */
const collatable = /^(?:text|character|character varying|"char"|name|citext)\b/;

const importFields = textFields(
  "relname",
  "attname",
  "format_type",
  "attnotnull",
  "pg_get_expr",
  "attgenerated",
  "collname",
  "nspname",
);

/** Answers what ANALYZE asks of a table. */
export async function tableStatistics(
  kind: "relation size" | "relation statistics",
  table: Table,
): Promise<Outcome> {
  const columns = table.definition.columns.map((_, index) => index);
  const { rows } = await table.plan({ columns, identity: false, filters: [], sort: [] });
  if (kind === "relation size")
    return rowsOutcome(textFields("?column?"), [[String(Math.ceil((rows * rowBytes) / pageBytes))]]);
  // A foreign table has no TABLESAMPLE: the sample is drawn by random().
  return rowsOutcome(textFields("reltuples", "relkind"), [[String(Math.ceil(rows)), "f"]]);
}

/** Answers what IMPORT FOREIGN SCHEMA asks. */
export async function schemaTables(
  statement: Extract<CatalogStatement, { kind: "schema exists" | "import" }>,
  connection: Connection,
  signal: AbortSignal,
): Promise<Outcome> {
  const { schema } = statement;
  if (statement.kind === "schema exists") {
    const exists = (await connection.tables?.(schema, [], signal)) !== undefined;
    return rowsOutcome(textFields("?column?"), exists ? [["1"]] : []);
  }
  const { limitTo, except = [], collate } = statement;
  const offered = (await connection.tables?.(schema, limitTo, signal)) ?? [];
  const tables = offered
    .filter(({ name }) => !except.includes(name) && (limitTo?.includes(name) ?? true))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const rows = tables.flatMap(({ name, columns }) =>
    columns.length > 0 ? columns.map((column) => importRow(name, column, collate)) : [importRow(name)],
  );
  return rowsOutcome(importFields, rows);
}

function importRow(table: string, column?: Column, collate = false): TextRow {
  const collation = collate && column && collatable.test(column.type) ? ["C", "pg_catalog"] : [null, null];
  return [table, column?.name ?? null, column?.type ?? null, "f", null, null, ...collation];
}
