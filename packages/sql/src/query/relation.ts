import type { Plan, Query, TableDefinition } from "@overcoat/sources";

/** A table as the running transaction sees it: the service's rows with the transaction's own writes over them. */
export interface Relation {
  readonly definition: TableDefinition;
  /** `pg_c_utf8`, `C.utf8` or `C` */
  readonly collation: string;
  /** As `Table.plan`; the rows are what the transaction would see. */
  plan(query: Query): Plan | Promise<Plan>;
  /** The `(block,offset)` that stands for a row's identity until the transaction ends. */
  ctid(identity: string): string;
}

/** Finds relations by the schema and name that stand in the statement: the texts of `link.ts`. */
export type OpenRelation = (schema: string, name: string) => Relation | Promise<Relation>;
