import type {
  Change,
  Column,
  Connection,
  Filter,
  Options,
  Query,
  Row,
  Table,
  Tuple,
  Value,
} from "../source.ts";

/** `{ id: "text" }`, or with options `{ id: ["text", { field: "Id" }] }` */
export type Columns = Readonly<Record<string, string | readonly [type: string, options: Options]>>;

export function tableOf(connection: Connection, options: Options, columns: Columns, name = "t"): Table {
  return connection.table({
    name,
    options,
    columns: Object.entries(columns).map(([column, type]): Column => {
      const [plain, columnOptions] = typeof type === "string" ? [type, {}] : type;
      return { name: column, type: plain, options: columnOptions };
    }),
  });
}

export interface Wanted extends Partial<Query> {
  readonly signal?: AbortSignal;
}

/** All rows of a query, of all columns unless it says otherwise, in the order of their JSON. */
export async function rowsOf(table: Table, { signal, ...query }: Wanted = {}): Promise<Row[]> {
  const rows: Row[] = [];
  const plan = await planOf(table, query);
  for await (const batch of plan.scan(signal ?? AbortSignal.timeout(60_000))) rows.push(...batch);
  return rows.sort((one, other) => (JSON.stringify(one) < JSON.stringify(other) ? -1 : 1));
}

export const planOf = (table: Table, query: Partial<Query> = {}) =>
  table.plan({
    columns: table.definition.columns.map((_, index) => index),
    identity: false,
    filters: [],
    sort: [],
    ...query,
  });

export const equals = (column: number, value: string | undefined): Filter => ({
  kind: "compare",
  column,
  operator: "=",
  value,
});

export const commit = (connection: Connection, ...changes: readonly Change[]) =>
  connection.commit!(changes, AbortSignal.timeout(10_000));

export const insert = (table: Table, after: Tuple, replace = false): Change => ({
  kind: "insert",
  table,
  identity: table.changes!.identity(after),
  after,
  replace,
});

/** The change of the row that a scan with `identity` gave. */
export const update = (table: Table, row: Row, after: Tuple): Change => ({
  kind: "update",
  table,
  ...identified(table, row),
  after,
});

export const remove = (table: Table, row: Row): Change => ({
  kind: "delete",
  table,
  ...identified(table, row),
});

function identified(table: Table, row: Row) {
  const width = table.definition.columns.length;
  return {
    identity: row[width] as string,
    version: row[width + 1] as string | undefined,
    before: row.slice(0, width).map(toText),
  };
}

function toText(value: Value): string | null {
  if (value === null) return null;
  if (value instanceof Uint8Array) return `\\x${Buffer.from(value).toString("hex")}`;
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}
