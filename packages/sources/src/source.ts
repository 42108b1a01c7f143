/**
 * What a service must offer to be read and written as tables, and no more. One folder a service implements
 * `Source`; `@overcoat/sql` plans, evaluates and speaks to PostgreSQL, and knows no service.
 */

/** Option values as they stand in SQL's OPTIONS (…), by name. */
export type Options = Readonly<Record<string, string>>;

/** An option that a wrapper accepts; anything else is refused with the list of those that are known. */
export interface OptionDescription {
  /** One line for messages and documentation. */
  readonly description: string;
  /** The option that this one is another name of, e.g. `conn_url` of `url`. */
  readonly synonymOf?: string;
  /** Never shown in errors, logs or `overcoat.explain`. */
  readonly secret?: boolean;
}

export type OptionDescriptions = Readonly<Record<string, OptionDescription>>;

/** A service such as Redis. Its wrapper is `<name>_fdw`, its extension `<name>_wrapper`. */
export interface Source {
  /** Lower-case letters and digits, e.g. `redis`. */
  readonly name: string;
  readonly options: {
    readonly server: OptionDescriptions;
    /** Of user mappings; where a mapping and its server give the same option, the mapping's wins. */
    readonly user: OptionDescriptions;
    readonly table: OptionDescriptions;
    readonly column: OptionDescriptions;
  };
  /**
   * The option that `secret 'NAME'` stands for. The SQL server puts the named secret's value there before
   * `connect`; a source never sees the name.
   */
  readonly secretOption: string;
  /**
   * The `host:port` of every address that these options lead to, so that the SQL server can check them
   * against its allow-list and the addresses a secret is bound to.
   * @throws SqlError when an address is missing or malformed.
   */
  addresses(options: Options): readonly string[];
  /**
   * Opens the service. Options are those of the server and the mapping together, synonyms already replaced.
   * Connections are shared by all sessions with the same options and closed when idle.
   * `allow` is asked before each connection to an address that only the service tells, such as a cluster's node, and
   * throws when it is not to be connected to.
   * @throws SqlError 08001 when the service cannot be reached, 28000 when it refuses the credentials, …
   */
  connect(options: Options, allow?: (address: string) => Promise<void>): Promise<Connection>;
}

/** An open service. */
export interface Connection extends AsyncDisposable {
  /**
   * The table of this definition. Cheap, no call to the service: it is asked for with each statement.
   * @throws SqlError HV00D for options that do not fit together, HV005 for a column the service lacks, …
   */
  table(definition: TableDefinition): Table;
  /**
   * For IMPORT FOREIGN SCHEMA: the tables that a schema of this name offers, only those `names` if given.
   * `undefined` when there is no such schema.
   */
  tables?(
    schema: string,
    names?: readonly string[],
    signal?: AbortSignal,
  ): Promise<readonly TableDefinition[] | undefined>;
  /**
   * Applies a transaction's changes, in their order, as one unit where the service can. What was read and has
   * changed meanwhile is SQLSTATE 40001. Where the service has no transactions a failure in the middle is an
   * error whose detail says what was applied.
   */
  commit?(changes: readonly Change[], signal: AbortSignal): Promise<void>;
}

/** A foreign table as it was declared. */
export interface TableDefinition {
  /** The name in PostgreSQL, for messages. */
  readonly name: string;
  /** The table's own options, synonyms already replaced. */
  readonly options: Options;
  readonly columns: readonly Column[];
  /** Of an imported table: the schema and name that `tables` gave it. */
  readonly remote?: { readonly schema: string; readonly name: string };
}

export interface Column {
  /** The `column_name` option if there is one, else the column's name. */
  readonly name: string;
  /** As PostgreSQL's format_type prints it: `text`, `integer`, `timestamp with time zone`, `jsonb`, `text[]` … */
  readonly type: string;
  readonly options: Options;
}

/** What a statement wants of one table. All of it but `columns` and `identity` is an offer that may be declined. */
export interface Query {
  /** Positions in the definition's columns whose values are needed, none for count(*). */
  readonly columns: readonly number[];
  /** Whether each row must carry its identity, since it may be changed. */
  readonly identity: boolean;
  /** Conditions that must all hold. */
  readonly filters: readonly Filter[];
  readonly sort: readonly SortKey[];
  /** Rows after which reading stops if all filters and the sort are handled; a source may then fetch no more. */
  readonly limit?: number;
}

/**
 * A condition on one column. Values are text as PostgreSQL prints the column's type (`t`/`f` for boolean, ISO
 * dates, GMT); `undefined` means a value that is not known yet: a parameter while the plan is only estimated.
 * NULL never satisfies a comparison, as in SQL. Text compares by code point.
 */
export type Filter =
  | {
      readonly kind: "compare";
      readonly column: number;
      readonly operator: "=" | "<>" | "<" | "<=" | ">" | ">=";
      readonly value: string | undefined;
    }
  | { readonly kind: "in"; readonly column: number; readonly values: readonly string[] | undefined }
  /** SQL's LIKE with its `%`, `_` and backslash. */
  | { readonly kind: "like"; readonly column: number; readonly pattern: string | undefined }
  | { readonly kind: "null"; readonly column: number; readonly isNull: boolean };

export interface SortKey {
  readonly column: number;
  readonly descending: boolean;
  readonly nullsFirst: boolean;
}

/** A table: how it would be read, and what may be changed in it. */
export interface Table {
  readonly definition: TableDefinition;
  /** How this query would be answered. Estimates may ask the service for a count, nothing more. */
  plan(query: Query): Plan | Promise<Plan>;
  /** Absent for a table that is only read. */
  readonly changes?: TableChanges;
}

export interface Plan {
  /** By position in `filters`: true where no row that fails the filter is returned, so it is not checked again. */
  readonly handled: readonly boolean[];
  /** Whether rows come in the order of `sort`. */
  readonly sorted: boolean;
  /** Rows that are expected, an estimate. */
  readonly rows: number;
  /** Calls to the service that are expected, an estimate: it tells a key look-up from a full scan. */
  readonly calls: number;
  /** What the service is asked, in its own words, e.g. `SCAN MATCH session:* COUNT 1000`. Without secrets. */
  readonly requests: readonly string[];
  /**
   * The rows, in batches small enough to hold in memory. Nothing is fetched before the first pull, and no more
   * than a batch or two ahead of the reader. Leaving the loop or the signal stops all calls.
   */
  scan(signal: AbortSignal): AsyncIterable<readonly Row[]>;
}

/**
 * A value of a column. A string is the text that PostgreSQL reads for the column's type; objects and arrays
 * become JSON in json and jsonb columns, arrays become arrays in columns of array type; a Uint8Array is bytea,
 * or in a column of another type its text in UTF-8.
 */
export type Value = null | string | number | bigint | boolean | Date | Uint8Array | object;

/**
 * Values in the order of `Query.columns`; with `identity` one string more, unique among the table's rows, and
 * after it, where the service guards writes by a version such as an ETag, the row's version: a string that the
 * update or delete of this row hands back.
 */
export type Row = readonly Value[];

/** Values of all columns as PostgreSQL's text; `undefined` where it was not read, not given or not changed. */
export type Tuple = readonly (string | null | undefined)[];

export interface TableChanges {
  readonly insert: boolean;
  readonly update: boolean;
  readonly delete: boolean;
  /** Whether an INSERT of a row that exists replaces it (table option `on_conflict 'replace'`). */
  readonly replaces?: boolean;
  /**
   * The identity that a row to be inserted will have; `undefined` where the service assigns it.
   * @throws SqlError 23502 and the like when the row cannot be stored.
   */
  identity(row: Tuple): string | undefined;
  /** Which of these identities exist now. */
  exist(identities: readonly string[], signal: AbortSignal): Promise<readonly boolean[]>;
}

/** One row's change, as `Connection.commit` gets it. */
export type Change =
  | {
      readonly kind: "insert";
      readonly table: Table;
      readonly identity: string | undefined;
      readonly after: Tuple;
      readonly replace: boolean;
    }
  | {
      readonly kind: "update";
      readonly table: Table;
      readonly identity: string;
      /** What the scan gave after the identity when the row was read, if anything. */
      readonly version?: string;
      readonly before: Tuple;
      readonly after: Tuple;
    }
  | {
      readonly kind: "delete";
      readonly table: Table;
      readonly identity: string;
      readonly version?: string;
      readonly before: Tuple;
    };
