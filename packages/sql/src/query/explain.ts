import { averageWidth } from "../evaluate/type.ts";
import type { ModifyStatement, SelectStatement } from "../statement/statement.ts";
import { type Bindings, type Constant, readConstant, textOfConstant } from "./constant.ts";
import type { QueryContext } from "./context.ts";
import type { DirectSelect } from "./direct.ts";
import { openTables, planScratchTables, prepare } from "./prepare.ts";
import type { Relation } from "./relation.ts";
import { columnTypes, planTable, type TableRead } from "./table.ts";
import type { FormCondition } from "./where.ts";

/** Costs in the planner's units, and what the services would be asked. */
export interface Estimate {
  readonly startupCost: number;
  readonly totalCost: number;
  readonly rows: number;
  /** Bytes of an average row. */
  readonly width: number;
  readonly requests: readonly string[];
}

/*
 * postgres_fdw compares these with 100 for each look-up (fdw_startup_cost) and its own work on rows. A look-up
 * by key takes about as long as 50 to 100 rows of a scan, so a row costs more here than in a PostgreSQL whose
 * rows lie at hand: else a look-up would never win, least of all on 14–16.
 */
const callCost = 20;
const rowCost = 1;
/** Of rows that are counted, or summed up, and never sent. */
const countedRowCost = 0.4;
const aggregatedRowCost = 0.7;
const comparisonCost = 0.006;
const groupCost = 0.005;
const scratchStartupCost = 300;
const scratchRowCost = 0.6;

/** Estimates what a statement would take. Its parameters are not known. */
export async function explain(
  statement: SelectStatement | ModifyStatement,
  context: QueryContext,
): Promise<Estimate> {
  const relations = await openTables(statement, context);
  const prepared = prepare(statement, relations);
  const bindings = { lexed: statement.lexed, parameters: undefined };
  if (prepared.direct) return explainDirect(prepared.direct, relations[0]!, bindings);
  const reads = await planScratchTables(relations, prepared, bindings);
  let scanned = 0;
  let calls = 0;
  let rows = 1;
  for (const [table, { plan }] of reads.entries()) {
    scanned += plan.rows;
    calls += plan.calls;
    rows = Math.max(rows, plan.rows * selectivity(prepared.conditions[table]!, reads[table]!));
  }
  const { tree } = statement.form;
  const select = tree.kind === "select" ? tree.select : undefined;
  if (select?.groupClause) rows = Math.max(1, rows / 10);
  else if (prepared.aggregates) rows = 1;
  const limit =
    select && limitOf(select.limitCount && readConstant(select.limitCount, statement.form.slots), bindings);
  const total = scratchStartupCost + calls * callCost + scanned * (rowCost + scratchRowCost);
  return {
    startupCost: reads.length === 1 && !prepared.aggregates ? scratchStartupCost : total,
    totalCost: total,
    rows: Math.min(limit ?? rows, rows),
    width: 16 * (select?.targetList?.length ?? 1),
    requests: reads.flatMap(({ plan }) => plan.requests),
  };
}

async function explainDirect(
  direct: DirectSelect,
  relation: Relation,
  bindings: Bindings,
): Promise<Estimate> {
  const { columns, identity, sort, conditions, isAggregate } = direct;
  const limit = limitOf(direct.limit, bindings);
  const needed = limit === undefined ? undefined : limit + (limitOf(direct.offset, bindings) ?? 0);
  const wanted = { columns, identity, sort, limit: isAggregate ? undefined : needed };
  const read = await planTable(relation, wanted, conditions, bindings, false);
  const { plan } = read;
  const found = Math.max(1, plan.rows * selectivity(conditions, read) * (direct.sample ?? 1));
  const perRow = columns.length === 0 ? countedRowCost : isAggregate ? aggregatedRowCost : rowCost;
  let total = callCost * plan.calls + plan.rows * perRow;
  let startup = callCost;
  const sorts = sort.length > 0 && !plan.sorted;
  if (sorts) {
    const compared = Math.max(2, Math.min(found, needed ?? found));
    total += found * Math.log2(compared) * comparisonCost;
  }
  if (direct.isGrouped) total += found * groupCost;
  if (sorts || isAggregate) startup = total;
  const rows = isAggregate
    ? direct.isGrouped
      ? Math.max(1, found / 10)
      : 1
    : Math.min(found, needed ?? found);
  // Without a sort reading ends with the last row that is wanted.
  if (!sorts && !isAggregate && rows < found) total = startup + ((total - startup) * rows) / found;
  const types = columnTypes(relation.definition);
  const widths = direct.outputs.map((output) =>
    output.kind === "column" ? averageWidth(types[output.column]!) : 8,
  );
  return {
    startupCost: startup,
    totalCost: Math.max(startup, total),
    rows: Math.ceil(rows),
    width: widths.reduce((sum, width) => sum + width, 0),
    requests: plan.requests,
  };
}

function limitOf(constant: Constant | undefined, bindings: Bindings): number | undefined {
  const text = constant && textOfConstant(constant, bindings);
  return text ? Number(text) : undefined;
}

/** The share of rows that satisfy what the source does not handle, by the planner's own rules of thumb. */
function selectivity(conditions: readonly FormCondition[], { left }: TableRead): number {
  let share = 1;
  for (const condition of conditions) if (left.includes(condition)) share *= shareOf(condition);
  return share;
}

function shareOf(condition: FormCondition): number {
  switch (condition.kind) {
    case "compare":
      return condition.operator === "=" ? 0.005 : condition.operator === "<>" ? 0.995 : 1 / 3;
    case "any":
      return condition.negated ? 0.95 : 0.05;
    case "like":
      return condition.negated ? 0.95 : 0.05;
    case "null":
      return condition.isNull ? 0.05 : 0.95;
    case "and":
      return condition.parts.reduce((share, part) => share * shareOf(part), 1);
    case "or":
      return Math.min(
        1,
        condition.parts.reduce((share, part) => share + shareOf(part), 0),
      );
    case "not":
      return 1 - shareOf(condition.part);
    case "is true":
      return 0.5;
    case "constant":
      return condition.value ? 1 : 0;
  }
}
