/**
 * What the linker in the database (`extension/`) writes into the options that postgres_fdw carries, so that the
 * SQL server needs no state of its own:
 *
 * - libpq's `options` of the user mapping: `-c overcoat.link=<LinkedServer as JSON>`, its spaces and backslashes
 *   escaped by a backslash, as libpq wants it (https://www.postgresql.org/docs/current/libpq-connect.html).
 * - `schema_name` of each foreign table: `overcoat`; `table_name`: LinkedTable as JSON. A table of another
 *   `schema_name` was imported by stock postgres_fdw and is found by `Connection.tables`.
 */

/** A server and the mapping of the user who asks. */
export interface LinkedServer {
  /** `redis_fdw` */
  readonly wrapper: string;
  /** The server's name in PostgreSQL, for messages. */
  readonly server: string;
  /** Options of the server and, over them, of the mapping; without libpq's and postgres_fdw's own. */
  readonly options: Readonly<Record<string, string>>;
}

/** A foreign table. */
export interface LinkedTable {
  /** The foreign table's name in PostgreSQL, for messages. */
  readonly table: string;
  /** Its options without postgres_fdw's own; left out when there are none. */
  readonly options?: Readonly<Record<string, string>>;
  /**
   * Name (the `column_name` option, else the column's), type as format_type prints it, options if any. A domain
   * travels as the type that it is made of, any other type that is not built in as text.
   */
  readonly columns: readonly (readonly [
    name: string,
    type: string,
    options?: Readonly<Record<string, string>>,
  ])[];
  /** The collation of the text columns: `pg_c_utf8`, `C.utf8` or `C`; left out for `pg_c_utf8`. */
  readonly collation?: string;
  /** The `schema_name` and `table_name` that stood there before: those of an imported table. */
  readonly remote?: readonly [schema: string, name: string];
}

/**
 * A table with this option (of one column, of type text) belongs to no service: its rows are what the services
 * would be asked, and in which order, to answer the option's value, a statement that postgres_fdw would send on
 * this server. `overcoat.explain(text)` in the database makes such tables in `pg_temp`.
 */
export const explainOption = "explain";

/** The `schema_name` of every linked table. */
export const linkedSchema = "overcoat";
