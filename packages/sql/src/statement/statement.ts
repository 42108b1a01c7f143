import type { Form } from "./form.ts";
import type { Lexed } from "./lexical.ts";

/**
 * The statements that postgres_fdw sends (https://github.com/postgres/postgres/tree/master/contrib/postgres_fdw:
 * deparse.c, connection.c, postgres_fdw.c), after parsing and checking. Nothing else passes.
 */
export type Statement =
  | {
      readonly kind: "begin";
      readonly isolation: "repeatable read" | "serializable";
      readonly readOnly: boolean;
    }
  | { readonly kind: "commit" }
  | { readonly kind: "rollback" }
  | { readonly kind: "savepoint" | "release" | "rollback to"; readonly name: string }
  | { readonly kind: "set"; readonly name: string; readonly value: string }
  | { readonly kind: "declare"; readonly cursor: string; readonly select: SelectStatement }
  | { readonly kind: "fetch"; readonly cursor: string; readonly count: number }
  /** MOVE BACKWARD ALL */
  | { readonly kind: "rewind"; readonly cursor: string }
  | { readonly kind: "close"; readonly cursor: string }
  | { readonly kind: "deallocate"; readonly name: string | undefined }
  | { readonly kind: "explain"; readonly statement: SelectStatement | ModifyStatement }
  | SelectStatement
  | ModifyStatement
  | InsertStatement
  | ModifyRowStatement
  | { readonly kind: "truncate"; readonly tables: readonly TableName[] }
  | CatalogStatement;

/** The schema and name of a foreign table as they stand in the statement (see `link.ts`). */
export interface TableName {
  readonly schema: string;
  readonly name: string;
}

/** Any SELECT, checked: only built-in immutable functions, only tables of ours, FOR UPDATE/SHARE allowed. */
export interface SelectStatement extends Checked {
  readonly kind: "select";
}

/** A direct UPDATE or DELETE: … WHERE … that is shipped as a whole. */
export interface ModifyStatement extends Checked {
  readonly kind: "update" | "delete";
  readonly table: TableName;
}

/** A statement that `query/` plans. */
interface Checked {
  /** What it has in common with statements that differ in constants only: plans are kept by it. */
  readonly form: Form;
  /** Its constants, and the names that the form leaves out. */
  readonly lexed: Lexed;
  /** Tables in the order of the form's. */
  readonly tables: readonly TableName[];
}

/** INSERT INTO t(…) VALUES ($1, …), … or DEFAULT VALUES; as many parameters as columns times rows. */
export interface InsertStatement {
  readonly kind: "insert";
  readonly table: TableName;
  readonly columns: readonly string[];
  /** A row's values: a parameter's number, or `default`. */
  readonly rows: readonly (readonly (number | "default")[])[];
  readonly doNothing: boolean;
  /** Columns of RETURNING; `undefined` stands for NULL. */
  readonly returning: readonly (string | undefined)[];
}

/** UPDATE t SET a = $2, … WHERE ctid = $1, or DELETE FROM t WHERE ctid = $1. */
export interface ModifyRowStatement {
  readonly kind: "update row" | "delete row";
  readonly table: TableName;
  /** Changed columns and the numbers of their parameters, none for DELETE. */
  readonly set: readonly { readonly column: string; readonly parameter: number | "default" }[];
  readonly ctidParameter: number;
  readonly returning: readonly (string | undefined)[];
}

/** What ANALYZE and IMPORT FOREIGN SCHEMA ask of the catalogue. */
export type CatalogStatement =
  | { readonly kind: "relation size"; readonly table: TableName }
  | { readonly kind: "relation statistics"; readonly table: TableName }
  | { readonly kind: "schema exists"; readonly schema: string }
  | {
      readonly kind: "import";
      readonly schema: string;
      readonly limitTo?: readonly string[];
      readonly except?: readonly string[];
      readonly collate: boolean;
    };
