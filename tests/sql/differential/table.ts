/** A table that exists twice with the same rows: in a service, as a foreign table, and locally. */
export interface ComparedTable {
  readonly columns: readonly ComparedColumn[];
  /** A column by which the service finds a row. */
  readonly key: string;
  /** A column of numbers without NULLs and repetitions. */
  readonly unique: string;
  /** Columns of few distinct values. */
  readonly groups: readonly string[];
}

export interface ComparedColumn {
  readonly name: string;
  readonly type:
    | "text"
    | "integer"
    | "bigint"
    | "numeric"
    | "double precision"
    | "boolean"
    | "date"
    | "timestamp with time zone"
    | "jsonb"
    | "uuid";
  /** Text of values that occur in it, and of some that do not. */
  readonly samples: readonly string[];
  /** Of the foreign table's column, as OPTIONS has them. */
  readonly options?: string;
  /** An expression over the other columns, which the service does not store: a view over the foreign table has it. */
  readonly computed?: string;
}

/** Values of a row by column, as PostgreSQL's text; a column that is NULL is left out. */
export type LocalRow = Readonly<Record<string, string>>;

/** `{t}` stands for the compared table, `{ids}` for a local table of its keys: `ids(k, n)`. */
export interface GeneratedQuery {
  readonly text: string;
  /** Whether the order of rows is part of the answer. */
  readonly ordered: boolean;
}
