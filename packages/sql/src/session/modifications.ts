import { SqlError, type Table, type Tuple } from "@overcoat/sources";
import type { QueryContext } from "../query/context.ts";
import { modify } from "../query/modify.ts";
import type { InsertStatement, ModifyRowStatement, ModifyStatement } from "../statement/statement.ts";
import { changesOf, columnIndex, type Transaction } from "../transaction/transaction.ts";
import type { OpenTable } from "../transaction/writes.ts";
import type { Field, TextRow } from "../wire/writer.ts";
import { done, type Outcome, rowsOutcome, textFields } from "./result.ts";
import { RowStream, unwanted } from "./row-stream.ts";

export type ChangeStatement = InsertStatement | ModifyRowStatement | ModifyStatement;

/** What a change is made with. */
export interface Change {
  readonly values: readonly (string | null)[];
  readonly open: OpenTable;
  readonly transaction: Transaction;
  readonly signal: AbortSignal;
}

/** INSERT: its rows come as parameters. */
export async function insertRows(
  { columns, rows, doNothing, returning }: InsertStatement,
  { values, open, transaction, signal }: Change,
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
  { values, open, transaction, signal }: Change,
): Promise<Outcome> {
  const { table } = open;
  const verb = kind === "update row" ? "UPDATE" : "DELETE";
  const row = transaction.find(open, parameterValue(values, ctidParameter) ?? "");
  if (!row) return changed(verb, table, returning, []);
  const columns = returning.filter((name) => name !== undefined).map((name) => columnIndex(table, name));
  const before = await transaction.values(open, row, columns, signal);
  if (kind === "delete row") {
    transaction.delete(open, row);
    return changed(verb, table, returning, [before]);
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
  const updated = await transaction.update(open, { ...row, before }, after, signal);
  return changed(verb, table, returning, [updated]);
}

/** UPDATE and DELETE that are sent as a whole. @param context What finds the rows reads with; ended by the signal */
export async function modifyRows(
  statement: ModifyStatement,
  { values, open, transaction, signal }: Change,
  context: (signal: AbortSignal) => QueryContext,
): Promise<Outcome> {
  changesOf(open.table, statement.kind);
  const ending = new AbortController();
  const modified = modify(statement, values, context(ending.signal));
  async function* apply() {
    for await (const batch of modified) {
      ending.signal.throwIfAborted();
      for (const row of batch)
        if (row.after) await transaction.update(open, row, row.after, ending.signal);
        else transaction.delete(open, row);
      yield batch.map(({ returning }) => returning);
    }
  }
  const stream = new RowStream(apply(), () => ending.abort(unwanted));
  const verb = statement.kind.toUpperCase();
  const fields = returningFields(statement);
  if (!fields) return done(`${verb} ${await stream.count(signal)}`);
  return {
    rows: { fields, stream, limit: Number.POSITIVE_INFINITY },
    tag: (count) => `${verb} ${count}`,
  };
}

/** TRUNCATE: each row is deleted. */
export async function truncate({ open, transaction, signal }: Change): Promise<void> {
  changesOf(open.table, "delete");
  const view = transaction.view(open, transaction.sequence);
  const plan = await view.plan({ columns: [], identity: true, filters: [], sort: [] });
  for await (const rows of plan.scan(signal)) {
    signal.throwIfAborted();
    for (const [identity, version] of rows as [string, string | undefined][])
      transaction.delete(open, { identity, version, before: [] });
  }
}

/** The fields of RETURNING; none without it. Their types are not told: postgres_fdw does not ask. */
export function returningFields(statement: ChangeStatement): readonly Field[] | undefined {
  const names = returningNames(statement);
  return names.length > 0 ? textFields(...names.map((name) => name ?? "?column?")) : undefined;
}

function returningNames(statement: ChangeStatement): readonly (string | undefined)[] {
  if ("returning" in statement) return statement.returning;
  const { tree } = statement.form;
  const clause =
    tree.kind === "update"
      ? tree.update.returningClause
      : tree.kind === "delete"
        ? tree.delete.returningClause
        : undefined;
  return Array.from({ length: clause?.exprs?.length ?? 0 }, () => undefined);
}

type Assignment = readonly [position: number, value: string | null | undefined];

function tupleOf({ definition }: Table, assignments: readonly Assignment[]): Tuple {
  const tuple: (string | null | undefined)[] = definition.columns.map(() => undefined);
  for (const [position, value] of assignments) tuple[position] = value;
  return tuple;
}

/** A parameter's value; undefined for DEFAULT. */
function parameterValue(values: Change["values"], parameter: number | "default"): string | null | undefined {
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
  return rowsOutcome(textFields(...returning.map((name) => name ?? "?column?")), rows, verb);
}
