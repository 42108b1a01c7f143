import { formName, quoteIdentifier } from "../statement/lexical.ts";
import type { ModifyStatement } from "../statement/statement.ts";
import type { Bindings } from "./constant.ts";
import type { QueryContext, TextRow } from "./context.ts";
import type { Modified } from "./modification.ts";
import { modification } from "./modification.ts";
import type { Prepared } from "./prepare.ts";
import type { Relation } from "./relation.ts";
import { readPossibleRows, withCtids } from "./rows.ts";
import { runInChunks, runWhole } from "./scratch.ts";
import { inScratch } from "./scratch-session.ts";
import { oldColumn, type ScratchTable } from "./scratch-table.ts";
import { identityColumn } from "./scratch-text.ts";
import { type Batches, planTable, type TableRead, tableScope } from "./table.ts";

/** Runs the very statement on a copy of the rows, and asks it which it has changed. */
export async function* modifyInScratch(
  { form, lexed }: ModifyStatement,
  relations: readonly Relation[],
  { used, conditions }: Prepared,
  bindings: Bindings,
  { scratch, signal }: QueryContext,
): AsyncGenerator<readonly Modified[]> {
  const target = relations[0]!;
  const statement = modification(form.tree);
  const scope = tableScope(target.definition, form.tables[0]!.alias, form.slots, lexed.names);
  const set =
    "targetList" in statement
      ? statement.targetList.map(({ ResTarget }) => scope.position(ResTarget!.name!))
      : [];
  const old = [...new Set(set.filter((column) => column !== undefined))];
  const reads: TableRead[] = [];
  for (const [number, relation] of relations.entries()) {
    const wanted = {
      columns: [...used[number]!.columns],
      identity: number === 0 || used[number]!.ctid,
      sort: [],
    };
    reads.push(await planTable(relation, wanted, conditions[number]!, bindings, false));
  }
  const tables = relations.map((relation, number): ScratchTable => {
    const isTarget = number === 0;
    const { columns } = reads[number]!;
    return {
      number,
      relation,
      columns,
      ctid: used[number]!.ctid,
      identity: isTarget,
      old: isTarget ? old : [],
    };
  });
  const { columns } = reads[0]!;
  const alias = form.tables[0]!.alias;
  const prefix = alias === undefined ? "" : `${quoteIdentifier(alias)}.`;
  const name = (column: number) =>
    quoteIdentifier(formName(target.definition.columns[column]!.name, lexed.names));
  const outputs = [identityColumn, ...columns.map(name), ...old.map(oldColumn)].map(
    (column) => prefix + column,
  );
  const own = statement.returningClause?.exprs?.length ?? 0;
  const run = {
    form,
    lexed,
    parameters: bindings.parameters!,
    tables,
    suffix: `${own > 0 ? "," : " RETURNING"} ${outputs.join(", ")}`,
  };
  const sources = reads.map((read, number) => {
    const batches = readPossibleRows(read, signal);
    if (number === 0) return withKeys(batches, read, used[0]!.ctid ? target : undefined);
    return used[number]!.ctid ? withCtids(batches, read, relations[number]!) : batches;
  });
  const width = target.definition.columns.length;
  const read = (row: TextRow): Modified => {
    const texts = row as readonly (string | null)[];
    const [identity, version] = JSON.parse(texts[own]!) as [string, string | null];
    const before: (string | null | undefined)[] = new Array(width).fill(undefined);
    const after = new Array<string | null | undefined>(width).fill(undefined);
    for (const [index, column] of columns.entries()) before[column] = texts[own + 1 + index];
    for (const [index, column] of old.entries()) {
      after[column] = before[column];
      before[column] = texts[own + 1 + columns.length + index];
    }
    return {
      identity,
      version: version ?? undefined,
      before,
      after: form.tree.kind === "update" ? after : undefined,
      returning: texts.slice(0, own),
    };
  };
  const results =
    relations.length === 1
      ? runInChunks(scratch, signal, run, sources[0]!)
      : inScratch(scratch, signal, (client) => runWhole(client, run, sources));
  for await (const rows of results) yield rows.map(read);
}

/** Rows with their identity and version in one text, and after it the ctid if it is wanted. */
async function* withKeys(batches: Batches, { columns }: TableRead, relation: Relation | undefined): Batches {
  const length = columns.length;
  for await (const batch of batches)
    yield batch.map((row) => {
      const identity = row[length] as string;
      const key = JSON.stringify([identity, row[length + 1] ?? null]);
      return relation
        ? [...row.slice(0, length), key, relation.ctid(identity)]
        : [...row.slice(0, length), key];
    });
}
