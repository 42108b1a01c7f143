import type { TableDefinition } from "@overcoat/sources";
import { aggregates } from "../statement/builtin.ts";
import { names } from "../statement/check.ts";
import type { Form } from "../statement/form.ts";
import type { ModifyStatement, SelectStatement } from "../statement/statement.ts";
import type { Bindings } from "./constant.ts";
import type { Field, QueryContext } from "./context.ts";
import { type DirectSelect, readDirect } from "./direct.ts";
import { pushableConditions } from "./pushdown.ts";
import type { Relation } from "./relation.ts";
import { planTable, type TableRead, tableScope } from "./table.ts";
import { type UsedColumns, usedColumns, visit } from "./used-columns.ts";
import { type FormCondition, readCondition } from "./where.ts";

export async function openTables(
  { tables }: Pick<SelectStatement, "tables">,
  { open }: Pick<QueryContext, "open">,
): Promise<readonly Relation[]> {
  const relations: Relation[] = [];
  for (const { schema, name } of tables) relations.push(await open(schema, name));
  return relations;
}

/** What is found out once for a form and the definitions of its tables. */
export interface Prepared {
  readonly definitions: readonly TableDefinition[];
  readonly direct: DirectSelect | undefined;
  /** For each table, what the scratch database needs of it and which rows it needs. */
  readonly used: readonly UsedColumns[];
  readonly conditions: readonly (readonly FormCondition[])[];
  /** Whether results come from many rows each. */
  readonly aggregates: boolean;
  fields?: readonly Field[];
}

const prepared = new WeakMap<Form, Prepared[]>();
const keptOfAForm = 8;

export function prepare(
  statement: SelectStatement | ModifyStatement,
  relations: readonly Relation[],
): Prepared {
  const { form, lexed } = statement;
  const definitions = relations.map(({ definition }) => definition);
  const kept = prepared.get(form) ?? [];
  const known = kept.find((candidate) =>
    definitions.every((definition, i) => candidate.definitions[i] === definition),
  );
  if (known) return known;
  const direct = definitions.length === 1 ? readDirect(form, definitions[0]!, lexed.names) : undefined;
  const fresh = {
    definitions,
    direct,
    ...scratchNeeds(form, definitions, lexed.names),
    aggregates: hasAggregates(form),
  };
  // Names of columns that the form leaves out may differ from statement to statement.
  const isTable = new Set(statement.tables.flatMap(({ schema, name }) => [schema, name]));
  if (lexed.names.every((name) => isTable.has(name)))
    prepared.set(form, [fresh, ...kept.slice(0, keptOfAForm - 1)]);
  return fresh;
}

function scratchNeeds(
  form: Form,
  definitions: readonly TableDefinition[],
  longNames: readonly string[],
): Pick<Prepared, "used" | "conditions"> {
  const pushable = pushableConditions(form);
  return {
    used: usedColumns(form, definitions, longNames),
    conditions: definitions.map((definition, table) => {
      const scope = tableScope(definition, form.tables[table]!.alias, form.slots, longNames);
      return pushable[table]!.map((node) => readCondition(node, scope)).filter(
        (condition) => condition !== undefined,
      );
    }),
  };
}

function hasAggregates({ tree }: Form): boolean {
  if (tree.kind !== "select") return false;
  let found = tree.select.groupClause !== undefined || tree.select.havingClause !== undefined;
  visit(tree.select.targetList, ({ FuncCall }) => {
    if (FuncCall && aggregates.has(names(FuncCall.funcname).at(-1)!)) found = true;
    return true;
  });
  return found;
}

export function planScratchTables(
  relations: readonly Relation[],
  { used, conditions }: Pick<Prepared, "used" | "conditions">,
  bindings: Bindings,
): Promise<TableRead[]> {
  return Promise.all(
    relations.map((relation, table) => {
      const { columns, ctid } = used[table]!;
      const wanted = { columns: [...columns], identity: ctid, sort: [] };
      return planTable(relation, wanted, conditions[table]!, bindings, false);
    }),
  );
}
