import type { Client } from "pg";
import type { ChangeOptions } from "./changes.ts";
import type { ComparedColumn, ComparedTable, LocalRow } from "./table.ts";

/** The rows of a service, and how a foreign table shows them. */
export interface Twice {
  readonly name: string;
  readonly table: ComparedTable;
  readonly rows: readonly LocalRow[];
  /** The statement that makes the foreign table `{t}` with `{columns}`. */
  readonly foreign: string;
  /** Of a table that is written. */
  readonly changes?: Omit<ChangeOptions, "textOrder"> & {
    /** Brings the service back to `rows`. */
    fill(): Promise<void>;
  };
}

/** The tables of one `Twice` in a database. */
export interface TwiceNames {
  readonly foreign: string;
  readonly local: string;
  /** What the local table holds at first. */
  readonly rows: string;
  readonly ids: string;
}

export const namesOf = ({ name }: Twice): TwiceNames => ({
  foreign: name,
  local: `${name}_local`,
  rows: `${name}_rows`,
  ids: `${name}_ids`,
});

const list = (columns: readonly ComparedColumn[], part: (column: ComparedColumn) => string) =>
  columns.map(part).join(", ");

/** Makes the foreign table, the same rows in a table of its own, and a table of some keys. */
export async function makeTwice(client: Client, twice: Twice): Promise<void> {
  const { columns, key, unique } = twice.table;
  const { foreign, local, rows, ids } = namesOf(twice);
  const stored = columns.filter(({ computed }) => !computed);
  const seen = stored.length < columns.length ? `${foreign}_stored` : foreign;
  const definitions = list(
    stored,
    ({ name, type, options }) => `${name} ${type}${options ? ` OPTIONS (${options})` : ""}`,
  );
  const names = list(stored, ({ name }) => name);
  await client.query(`
    ${twice.foreign.replace("{t}", seen).replace("{columns}", definitions)};
    CREATE TABLE ${local} (${list(
      columns,
      ({ name, type, computed }) =>
        `${name} ${type}${computed ? ` GENERATED ALWAYS AS (${computed}) STORED` : ""}${name === key ? " PRIMARY KEY" : ""}`,
    )});
    CREATE TABLE ${rows} (${list(stored, ({ name, type }) => `${name} ${type}`)});
    CREATE TABLE ${ids} (k text, n integer)`);
  if (seen !== foreign)
    await client.query(
      `CREATE VIEW ${foreign} AS SELECT ${list(columns, ({ name, computed }) => (computed ? `${computed} AS ${name}` : name))} FROM ${seen}`,
    );
  const values = stored.map(({ name }) => twice.rows.map((row) => row[name] ?? null));
  await client.query(
    `INSERT INTO ${rows} SELECT ${list(stored, ({ name, type }) => `r.${name}::${type}`)}
     FROM unnest(${stored.map((_, i) => `$${i + 1}::text[]`)}) AS r (${names})`,
    values,
  );
  await refill(client, twice);
  await client.query(
    `INSERT INTO ${ids} SELECT ${key}, row_number() OVER (ORDER BY md5(${unique}::text)) - 1 FROM ${local}
     ORDER BY 2 LIMIT 27;
     INSERT INTO ${ids} VALUES ('none', 27), (NULL, 28), ('', 29);
     ANALYZE ${seen}, ${local}, ${ids}`,
  );
}

/** Brings the local table back to the rows that it had at first. */
export async function refill(client: Client, twice: Twice): Promise<void> {
  const { local, rows } = namesOf(twice);
  const names = list(
    twice.table.columns.filter(({ computed }) => !computed),
    ({ name }) => name,
  );
  await client.query(`TRUNCATE ${local}; INSERT INTO ${local} (${names}) SELECT ${names} FROM ${rows}`);
}
