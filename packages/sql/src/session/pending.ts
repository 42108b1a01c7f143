import { SqlError, type Tuple } from "@overcoat/sources";
import type { QueryContext, TextRow } from "../query/context.ts";
import type { ModifyStatement, SelectStatement } from "../statement/statement.ts";

interface Modified {
  readonly identity: string;
  readonly version?: string;
  readonly before: Tuple;
  readonly after?: Tuple;
  readonly returning: TextRow;
}

/** Until `query/explain.ts` estimates. */
export async function explain(_statement: SelectStatement | ModifyStatement, _context: QueryContext) {
  const requests: readonly string[] = [];
  return { startupCost: 1, totalCost: 1000, rows: 1000, width: 100, requests };
}

/** Until `query/modify.ts` finds the rows. */
// biome-ignore lint/correctness/useYield: it only refuses
export async function* modify(
  _statement: ModifyStatement,
  _parameters: readonly (string | null)[],
  _context: QueryContext,
): AsyncIterable<readonly Modified[]> {
  throw new SqlError("0A000", "UPDATE and DELETE that are sent as a whole are not there yet");
}
