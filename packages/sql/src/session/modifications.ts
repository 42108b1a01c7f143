import { SqlError, type Table, type Tuple } from "@overcoat/sources";
import type { InsertStatement, ModifyRowStatement } from "../statement/statement.ts";
import { columnIndex, type Transaction } from "../transaction/transaction.ts";
import type { OpenTable } from "../transaction/writes.ts";
import type { TextRow } from "../wire/writer.ts";
import { done, type Outcome, rowsOutcome, textFields } from "./result.ts";

type Values = readonly (string | null)[];

/** INSERT: its rows come as parameters. */
export async function insertRows(
  { columns, rows, doNothing, returning }: InsertStatement,
  values: Values,
  open: OpenTable,
  transaction: Transaction,
  signal: AbortSignal,
): Promise<Outcome> {
  const { table } = open;
  const positions = columns.map((name) => columnIndex(table, name));
  const tuples = rows.map((row) =>
    tupleOf(
      table,
      row.map((parameter, index): Assignment => [positions[index]!, parameterValue(values, parameter)]),
    ),
  );
  const inserted = await transaction.insert(open, tuples, doNothing, signal);
  return changed("INSERT 0", table, returning, inserted);
}

/** UPDATE … WHERE ctid = $1 and DELETE FROM … WHERE ctid = $1 */
export async function modifyRow(
  { kind, set, ctidParameter, returning }: ModifyRowStatement,
  values: Values,
  open: OpenTable,
  transaction: Transaction,
  signal: AbortSignal,
): Promise<Outcome> {
  const { table } = open;
  const verb = kind === "update row" ? "UPDATE" : "DELETE";
  const row = transaction.find(open, parameterValue(values, ctidParameter) ?? "");
  if (!row) return changed(verb, table, returning, []);
  if (kind === "delete row") {
    const columns = returning.filter((name) => name !== undefined).map((name) => columnIndex(table, name));
    const values = await transaction.values(open, row, columns);
    signal.throwIfAborted();
    transaction.delete(open, row);
    return changed(verb, table, returning, [values]);
  }
  const after = tupleOf(
    table,
    set.map(
      ({ column, parameter }): Assignment => [
        columnIndex(table, column),
        parameterValue(values, parameter) ?? null,
      ],
    ),
  );
  return changed(verb, table, returning, [await transaction.update(open, row, after, signal)]);
}

/** The fields of RETURNING; none without it. */
export function returningFields(returning: readonly (string | undefined)[]) {
  return textFields(...returning.map((name) => name ?? "?column?"));
}

type Assignment = readonly [position: number, value: string | null | undefined];

function tupleOf({ definition }: Table, assignments: readonly Assignment[]): Tuple {
  const tuple: (string | null | undefined)[] = definition.columns.map(() => undefined);
  for (const [position, value] of assignments) tuple[position] = value;
  return tuple;
}

/** A parameter's value; undefined for DEFAULT. */
function parameterValue(values: Values, parameter: number | "default"): string | null | undefined {
  if (parameter === "default") return undefined;
  const value = values[parameter - 1];
  if (value === undefined) throw new SqlError("08P01", `there is no parameter $${parameter}`);
  return value;
}

function changed(
  verb: string,
  table: Table,
  returning: readonly (string | undefined)[],
  tuples: readonly Tuple[],
): Outcome {
  if (returning.length === 0) return done(`${verb} ${tuples.length}`);
  const positions = returning.map((name) => (name === undefined ? undefined : columnIndex(table, name)));
  const rows = tuples.map(
    (tuple): TextRow =>
      positions.map((position) => (position === undefined ? null : (tuple[position] ?? null))),
  );
  return rowsOutcome(returningFields(returning), rows, verb);
}
