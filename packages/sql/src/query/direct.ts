import type { TableDefinition } from "@overcoat/sources";
import type { Domain } from "../evaluate/domain.ts";
import { domainOf } from "../evaluate/key.ts";
import type { ColumnType } from "../evaluate/type.ts";
import { names } from "../statement/check.ts";
import type { Form } from "../statement/form.ts";
import type { FunctionCall, Node, Select } from "../statement/tree.ts";
import { type Constant, readConstant } from "./constant.ts";
import type { Field } from "./context.ts";
import { tableScope } from "./table.ts";
import { conjuncts, type FormCondition, readCondition, type Scope } from "./where.ts";

/** A SELECT of one table that is evaluated here, without the scratch database. */
export interface DirectSelect {
  readonly fields: readonly Field[];
  readonly outputs: readonly Output[];
  /** Whether the outputs are aggregates, over all rows or, after the columns to group by, over those of a group. */
  readonly isAggregate: boolean;
  readonly isGrouped: boolean;
  readonly conditions: readonly FormCondition[];
  /** The share of rows that ANALYZE asks for. */
  readonly sample: number | undefined;
  readonly sort: readonly Sort[];
  readonly limit: Constant | undefined;
  readonly offset: Constant | undefined;
  /** Columns that are read. */
  readonly columns: readonly number[];
  readonly identity: boolean;
}

export type Output =
  | { readonly kind: "column"; readonly column: number }
  | { readonly kind: "constant"; readonly text: string | null }
  | { readonly kind: "ctid" }
  | { readonly kind: "count"; readonly column: number | undefined }
  | { readonly kind: "sum"; readonly column: number }
  | { readonly kind: "min" | "max"; readonly column: number; readonly domain: Domain };

export interface Sort {
  readonly column: number;
  readonly descending: boolean;
  readonly nullsFirst: boolean;
  readonly domain: Domain;
}

/** `undefined` for what the scratch database must evaluate. */
export function readDirect(
  form: Form,
  definition: TableDefinition,
  longNames: readonly string[],
): DirectSelect | undefined {
  if (form.tree.kind !== "select" || form.tables.length !== 1) return undefined;
  const { select } = form.tree;
  if (select.havingClause) return undefined;
  const scope = tableScope(definition, form.tables[0]!.alias, form.slots, longNames);
  const sample = readSample(select);
  const conditions = sample === undefined || !isRandom(select) ? readConditions(select, scope) : [];
  const outputs = all((select.targetList ?? []).map(({ ResTarget }) => readOutput(ResTarget!.val!, scope)));
  const sort = all((select.sortClause ?? []).map((item) => readSort(item, scope)));
  const [limit, offset] = [select.limitCount, select.limitOffset].map(
    (node) => node && (readConstant(node, form.slots) ?? null),
  );
  if (!conditions || !outputs || !sort || limit === null || offset === null) return undefined;
  if (!select.fromClause?.[0]?.RangeVar && sample === undefined) return undefined;
  const plain = outputs.map(({ output }) => output);
  const isGrouped = select.groupClause !== undefined;
  const isAggregate = isGrouped || plain.some(isAggregateOutput);
  if (
    isAggregate &&
    (sort.length > 0 || limit || offset || !isGroupedBy(select.groupClause ?? [], plain, scope))
  )
    return undefined;
  return {
    fields: outputs.map(({ field }) => field),
    outputs: plain,
    isAggregate,
    isGrouped,
    conditions,
    sample,
    sort,
    limit,
    offset,
    columns: readColumns(plain, conditions, sort),
    identity: plain.some(({ kind }) => kind === "ctid"),
  };
}

/** The items, if none is missing. */
function all<Item>(items: readonly (Item | undefined)[]): readonly Item[] | undefined {
  const present = items.filter((item) => item !== undefined);
  return present.length === items.length ? present : undefined;
}

function readConditions(select: Select, scope: Scope): readonly FormCondition[] | undefined {
  return all(conjuncts(select.whereClause).map((node) => readCondition(node, scope)));
}

/** `WHERE random() < 0.1` or `TABLESAMPLE SYSTEM(10)` */
function readSample(select: Select): number | undefined {
  const percent = select.fromClause?.[0]?.RangeTableSample?.args?.[0]?.A_Const;
  if (percent) return Number(percent.fval?.fval ?? percent.ival?.ival ?? 0) / 100;
  return isRandom(select) ? Number(select.whereClause?.A_Expr?.rexpr.A_Const?.fval?.fval) : undefined;
}

function isRandom({ whereClause }: Select): boolean {
  const call = whereClause?.A_Expr?.lexpr?.FuncCall;
  return call !== undefined && names(call.funcname).at(-1) === "random";
}

interface ReadOutput {
  readonly output: Output;
  readonly field: Field;
}

function readOutput(node: Node, scope: Scope): ReadOutput | undefined {
  if (node.FuncCall) return readAggregate(node.FuncCall, scope);
  const column = scope.column(node);
  const name = scope.name(node) ?? "?column?";
  if (column !== undefined)
    return { output: { kind: "column", column }, field: fieldOf(name, scope.types[column]!) };
  if (name === "ctid") return { output: { kind: "ctid" }, field: { name, typeOid: 27, typeModifier: -1 } };
  const constant = node.A_Const;
  if (constant?.isnull) return { output: { kind: "constant", text: null }, field: plainField(name, 25) };
  // The number of the local table stands for `tableoid`.
  if (constant?.ival && !scope.slots.has(constant.location ?? 0))
    return {
      output: { kind: "constant", text: String(constant.ival.ival ?? 0) },
      field: plainField(name, 23),
    };
  return undefined;
}

const plainField = (name: string, typeOid: number): Field => ({ name, typeOid, typeModifier: -1 });

function fieldOf(name: string, { oid, modifier }: ColumnType): Field {
  return { name, typeOid: oid, typeModifier: modifier };
}

const sumOids: Readonly<Record<string, number>> = { int2: 20, int4: 20, int8: 1700 };

function readAggregate(call: FunctionCall, scope: Scope): ReadOutput | undefined {
  const { funcname, args = [], agg_star, agg_distinct, agg_order, agg_filter, agg_within_group } = call;
  if (agg_distinct || agg_order || agg_filter || agg_within_group) return undefined;
  const name = names(funcname).at(-1)!;
  const column = args.length === 1 ? scope.column(args[0]!) : undefined;
  if (name === "count") {
    if (agg_star) return { output: { kind: "count", column: undefined }, field: plainField(name, 20) };
    return column === undefined
      ? undefined
      : { output: { kind: "count", column }, field: plainField(name, 20) };
  }
  if (column === undefined) return undefined;
  const type = scope.types[column]!;
  const domain = domainOf(type);
  if (!domain) return undefined;
  const sumOid = sumOids[type.name];
  if (name === "sum" && sumOid !== undefined)
    return { output: { kind: "sum", column }, field: plainField(name, sumOid) };
  // Booleans and UUIDs have none, or not in every version; numbers keep their scale, which keys do not.
  if ((name === "min" || name === "max") && !["bool", "uuid", "numeric"].includes(type.name)) {
    const field = type.name === "varchar" ? plainField(name, 25) : plainField(name, type.oid);
    return { output: { kind: name, column, domain }, field };
  }
  return undefined;
}

/** Types of which equal values look the same. */
const groupable = new Set([
  "text",
  "varchar",
  "int2",
  "int4",
  "int8",
  "bool",
  "uuid",
  "date",
  "timestamp",
  "timestamptz",
]);

/** Whether the outputs that are no aggregates are exactly those of GROUP BY 1, 2 … */
function isGroupedBy(groups: readonly Node[], outputs: readonly Output[], { types }: Scope): boolean {
  const positions = new Set(groups.map(({ A_Const }) => (A_Const?.ival?.ival ?? 0) - 1));
  return outputs.every((output, position) => {
    if (!positions.has(position)) return isAggregateOutput(output);
    if (output.kind !== "column") return false;
    const { name, isArray } = types[output.column]!;
    return groupable.has(name) && !isArray;
  });
}

const isAggregateOutput = ({ kind }: Output) => kind !== "column" && kind !== "constant" && kind !== "ctid";

function readSort(item: Node, scope: Scope): Sort | undefined {
  const { node, sortby_dir, sortby_nulls } = item.SortBy!;
  const column = scope.column(node);
  const domain = column === undefined ? undefined : domainOf(scope.types[column]!);
  if (column === undefined || !domain || sortby_dir === "SORTBY_USING") return undefined;
  return {
    column,
    domain,
    descending: sortby_dir === "SORTBY_DESC",
    nullsFirst: sortby_nulls === "SORTBY_NULLS_FIRST",
  };
}

function readColumns(
  outputs: readonly Output[],
  conditions: readonly FormCondition[],
  sort: readonly Sort[],
): number[] {
  const columns = new Set<number>();
  for (const output of outputs)
    if ("column" in output && output.column !== undefined) columns.add(output.column);
  const addAll = (condition: FormCondition) => {
    if ("column" in condition) columns.add(condition.column);
    else if ("parts" in condition) condition.parts.forEach(addAll);
    else if ("part" in condition) addAll(condition.part);
  };
  conditions.forEach(addAll);
  for (const { column } of sort) columns.add(column);
  return [...columns].sort((a, b) => a - b);
}
