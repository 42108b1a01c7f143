import type { Filter, Plan, Query, Row, TableDefinition } from "@overcoat/sources";
import { type Condition, compileCondition, type Predicate, type RowShape } from "../evaluate/condition.ts";
import { Spellings } from "../evaluate/key.ts";
import { type ColumnType, columnType } from "../evaluate/type.ts";
import type { Form } from "../statement/form.ts";
import { originalName } from "../statement/lexical.ts";
import type { Node } from "../statement/tree.ts";
import { type Bindings, columnName } from "./constant.ts";
import type { Relation } from "./relation.ts";
import { bindCondition, doubt, type FormCondition, filterOf, neverHolds, type Scope } from "./where.ts";

const typesOf = new WeakMap<TableDefinition, readonly ColumnType[]>();

export function columnTypes(definition: TableDefinition): readonly ColumnType[] {
  let types = typesOf.get(definition);
  if (!types) {
    types = definition.columns.map(({ type }) => columnType(type));
    typesOf.set(definition, types);
  }
  return types;
}

/** Columns as conditions on one table name them: with its alias, or without one where no other table is near. */
export function tableScope(
  definition: TableDefinition,
  alias: string | undefined,
  slots: Form["slots"],
  longNames: readonly string[],
): Scope {
  const positions = new Map(definition.columns.map(({ name }, position) => [name, position]));
  const position = (name: string) => positions.get(originalName(name, longNames));
  return {
    types: columnTypes(definition),
    slots,
    position,
    name(node: Node) {
      const named = columnName(node);
      return named && originalName(named.name, longNames);
    },
    column(node: Node) {
      const named = columnName(node);
      return named && (named.alias === undefined || named.alias === alias) ? position(named.name) : undefined;
    },
  };
}

/** What one table is asked, and which conditions are left to check. */
export interface TableRead {
  readonly plan: Plan;
  /** Columns in the order of its rows' values, which the row's identity follows. */
  readonly columns: readonly number[];
  readonly predicate: Predicate | undefined;
  readonly spellings: Spellings;
  /** The conditions that the source does not handle. */
  readonly left: readonly FormCondition[];
}

/**
 * Plans the reading of a table.
 * @throws doubt where a condition holds a constant that only PostgreSQL reads and `mustEvaluate` is set; else such
 * a condition is left to PostgreSQL.
 */
export async function planTable(
  relation: Relation,
  wanted: Pick<Query, "columns" | "identity" | "sort"> & { readonly limit?: number },
  conditions: readonly FormCondition[],
  bindings: Bindings,
  mustEvaluate: boolean,
): Promise<TableRead> {
  if (conditions.some((condition) => neverHolds(condition, bindings))) return nothing(wanted.columns);
  const types = columnTypes(relation.definition);
  const filters: Filter[] = [];
  const filterIndexes = conditions.map((condition) => {
    const filter = filterOf(condition, types, bindings);
    return filter ? filters.push(filter) - 1 : -1;
  });
  const { limit, ...query } = wanted;
  const canStop = limit !== undefined && filters.length === conditions.length;
  const plan = await relation.plan({ ...query, filters, ...(canStop && { limit }) });
  const left = conditions.filter(
    (_, index) => !(filterIndexes[index]! >= 0 && plan.handled[filterIndexes[index]!]),
  );
  const bound = bindings.parameters ? bindAll(left, bindings, mustEvaluate) : [];
  const spellings = new Spellings();
  const position = (column: number) => wanted.columns.indexOf(column);
  return {
    plan,
    columns: wanted.columns,
    predicate: bound.length > 0 ? compileAll(bound, { types, spellings, position }) : undefined,
    spellings,
    left,
  };
}

/** A look-up of NULL, as joins make it, needs no scan to find nothing. */
function nothing(columns: readonly number[]): TableRead {
  const plan = { handled: [], sorted: true, rows: 0, calls: 0, requests: [], async *scan() {} };
  return { plan, columns, predicate: undefined, spellings: new Spellings(), left: [] };
}

function bindAll(
  conditions: readonly FormCondition[],
  bindings: Bindings,
  mustEvaluate: boolean,
): Condition[] {
  const bound: Condition[] = [];
  for (const condition of conditions) {
    try {
      bound.push(bindCondition(condition, bindings));
    } catch (error) {
      if (error !== doubt || mustEvaluate) throw error;
    }
  }
  return bound;
}

function compileAll(conditions: readonly Condition[], shape: RowShape): Predicate {
  return compileCondition(
    conditions.length === 1 ? conditions[0]! : { kind: "and", parts: conditions },
    shape,
  );
}

export type Batches = AsyncIterable<readonly Row[]>;
