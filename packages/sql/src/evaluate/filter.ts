import type { Column, Filter, Tuple } from "@overcoat/sources";
import { type Condition, compileCondition } from "./condition.ts";
import { domainOf, keyReader, Spellings, UnknownSpelling } from "./key.ts";
import { type ColumnType, columnType } from "./type.ts";

/**
 * Whether rows satisfy all these filters, whose values must be known; `null` is SQL's unknown. Text compares by
 * code point in all collations of linked tables.
 * The function throws SqlError 22P02 for a value that is none of its column's type.
 */
export function matches(
  filters: readonly Filter[],
  columns: readonly Column[],
): (row: Tuple) => boolean | null {
  const types = columns.map(({ type }) => columnType(type));
  const spellings = new Spellings();
  const shape = { types, spellings, position: (column: number) => column };
  const parts = filters.map((filter) => conditionOf(filter, types, spellings));
  const predicate = compileCondition({ kind: "and", parts }, shape);
  return (row) => {
    try {
      return predicate(row);
    } catch (error) {
      throw error instanceof UnknownSpelling ? error.toSqlError() : error;
    }
  };
}

function conditionOf(filter: Filter, types: readonly ColumnType[], spellings: Spellings): Condition {
  const { column } = filter;
  if (filter.kind === "null") return filter;
  if (filter.kind === "like") return { kind: "like", column, negated: false, pattern: filter.pattern! };
  const type = types[column]!;
  const domain = domainOf(type)!;
  const read = keyReader(type, domain, spellings);
  if (filter.kind === "compare")
    return { kind: "compare", column, operator: filter.operator, domain, key: read(filter.value!) };
  return { kind: "any", column, negated: false, domain, keys: filter.values!.map(read), hasNull: false };
}
