import type { Form } from "../statement/form.ts";
import type { SelectStatement } from "../statement/statement.ts";
import { aggregateRows } from "./aggregate.ts";
import { takeAhead } from "./ahead.ts";
import { type Bindings, type Constant, readConstant, textOfConstant } from "./constant.ts";
import type { QueryContext, SelectResult, TextRow } from "./context.ts";
import type { DirectSelect } from "./direct.ts";
import { openTables, type Prepared, planScratchTables, prepare } from "./prepare.ts";
import { projection } from "./project.ts";
import type { Relation } from "./relation.ts";
import { readPossibleRows, readRows, withCtids } from "./rows.ts";
import { describe, evaluateWhole, runInChunks, type ScratchStatement } from "./scratch.ts";
import { inScratch } from "./scratch-session.ts";
import { sortRows } from "./sort.ts";
import { type Batches, columnTypes, planTable } from "./table.ts";
import { doubt } from "./where.ts";

/**
 * Answers a SELECT. Nothing is read before the first row is asked for, but a source may be asked for an estimate.
 * @throws SqlError what PostgreSQL would say of the statement
 */
export async function select(
  statement: SelectStatement,
  parameters: readonly (string | null)[],
  context: QueryContext,
): Promise<SelectResult> {
  const relations = await openTables(statement, context);
  const prepared = prepare(statement, relations);
  const bindings = { lexed: statement.lexed, parameters };
  if (prepared.direct) {
    try {
      return await selectHere(prepared.direct, relations[0]!, statement, bindings, context);
    } catch (error) {
      if (error !== doubt) throw error;
    }
  }
  return await selectInScratch(prepared, relations, statement, bindings, context);
}

async function selectHere(
  direct: DirectSelect,
  relation: Relation,
  statement: SelectStatement,
  bindings: Bindings,
  context: QueryContext,
): Promise<SelectResult> {
  const limit = readCount(direct.limit, bindings) ?? Number.POSITIVE_INFINITY;
  const offset = readCount(direct.offset, bindings) ?? 0;
  const { columns, identity, sort, conditions, outputs, fields } = direct;
  const needed = limit + offset;
  const wanted = {
    columns,
    identity,
    sort,
    ...(Number.isFinite(needed) && !direct.isAggregate && { limit: needed }),
  };
  const read = await planTable(relation, wanted, conditions, bindings, true);
  const types = columnTypes(relation.definition);
  const { scratch, signal } = context;

  function inWholeScratch(batches: Batches): AsyncIterable<readonly TextRow[]> {
    const tables = [{ number: 0, relation, columns, ctid: identity, identity: false, old: [] }];
    const whole = { form: statement.form, lexed: statement.lexed, parameters: bindings.parameters!, tables };
    return takeAhead(inScratch(scratch, signal, (client) => evaluateWhole(client, whole, [batches])));
  }

  async function* rows(): AsyncGenerator<readonly TextRow[]> {
    if (limit === 0) return;
    let batches = readRows(read, scratch, signal);
    if (identity) batches = withCtids(batches, read, relation);
    if (direct.sample !== undefined) batches = sampled(batches, direct.sample);
    if (direct.isAggregate) {
      const rows = await aggregateRows(batches, outputs, direct.isGrouped, read, types, scratch, signal);
      // Nothing was given away yet.
      if (!rows) yield* inWholeScratch(readPossibleRows(read, signal));
      else yield* inSteps(rows);
      return;
    }
    if (sort.length > 0 && !read.plan.sorted) {
      const result = await sortRows(batches, sort, needed, read, types, scratch, signal);
      if ("tooMany" in result) {
        yield* inWholeScratch(result.tooMany);
        return;
      }
      batches = inSteps(result.sorted);
    }
    const project = projection(outputs, columns, types);
    for await (const batch of slice(batches, offset, limit)) yield batch.map(project);
  }
  return { fields, requests: read.plan.requests, rows };
}

/** The number of LIMIT or OFFSET; `undefined` for none. */
function readCount(constant: Constant | undefined, bindings: Bindings): number | undefined {
  const text = constant && textOfConstant(constant, bindings);
  if (text === undefined || text === null) return undefined;
  // PostgreSQL refuses what is negative or no number.
  if (!/^\d{1,15}$/.test(text)) throw doubt;
  return Number(text);
}

async function* sampled(batches: Batches, share: number): Batches {
  for await (const batch of batches) yield batch.filter(() => Math.random() < share);
}

async function* inSteps<Item>(rows: readonly Item[]): AsyncGenerator<readonly Item[]> {
  const step = 1000;
  for (let index = 0; index < rows.length; index += step) yield rows.slice(index, index + step);
}

async function* slice<Item>(
  batches: AsyncIterable<readonly Item[]>,
  offset: number,
  limit: number,
): AsyncGenerator<readonly Item[]> {
  let skip = offset;
  let left = limit;
  for await (const batch of batches) {
    const end = skip + left;
    const part = skip > 0 || batch.length > end ? batch.slice(skip, end) : batch;
    skip = Math.max(0, skip - batch.length);
    left -= part.length;
    if (part.length > 0) yield part;
    if (left <= 0) return;
  }
}

async function selectInScratch(
  prepared: Prepared,
  relations: readonly Relation[],
  { form, lexed }: SelectStatement,
  bindings: Bindings,
  { scratch, signal }: QueryContext,
): Promise<SelectResult> {
  const { used } = prepared;
  const reads = await planScratchTables(relations, prepared, bindings);
  const tables = relations.map((relation, number) => {
    const { columns } = reads[number]!;
    return { number, relation, columns, ctid: used[number]!.ctid, identity: false, old: [] };
  });
  const statement: ScratchStatement = { form, lexed, parameters: bindings.parameters!, tables };
  prepared.fields ??= await describe(statement, scratch, signal);
  async function* rows(): AsyncGenerator<readonly TextRow[]> {
    const sources = reads.map((read, table) => {
      const batches = readPossibleRows(read, signal);
      return used[table]!.ctid ? withCtids(batches, read, relations[table]!) : batches;
    });
    if (isRowByRow(form, prepared)) {
      const results = runInChunks(scratch, signal, statement, sources[0]!);
      yield* slice(results, 0, chunkLimit(form, bindings) ?? Number.POSITIVE_INFINITY);
    } else
      yield* takeAhead(inScratch(scratch, signal, (client) => evaluateWhole(client, statement, sources)));
  }
  return { fields: prepared.fields, requests: reads.flatMap(({ plan }) => plan.requests), rows };
}

/** Whether each row of the result comes from one row of the one table, in the same order. */
function isRowByRow({ tree, tables }: Form, { aggregates }: Prepared): boolean {
  if (tree.kind !== "select" || tables.length !== 1 || aggregates) return false;
  return !tree.select.sortClause && !tree.select.limitOffset;
}

/** LIMIT, which holds for each chunk and thus must hold for all together. */
function chunkLimit({ tree, slots }: Form, bindings: Bindings): number | undefined {
  const node = tree.kind === "select" ? tree.select.limitCount : undefined;
  const constant = node && readConstant(node, slots);
  const text = constant && textOfConstant(constant, bindings);
  return text && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}
