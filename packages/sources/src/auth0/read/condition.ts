import { parseLike } from "../../like.ts";
import type { Filter } from "../../source.ts";
import { columnText, isInteger, isText, isTimestamp, microseconds } from "../values.ts";

type Comparison = "=" | "<>" | "<" | "<=" | ">" | ">=";

/** What a filter asks of an attribute, where that can be decided from the object alone. */
export type Test =
  /** One of these texts; undefined while they are not known. */
  | { readonly kind: "equals"; readonly values: readonly string[] | undefined }
  | { readonly kind: "prefix"; readonly text: string }
  | { readonly kind: "is"; readonly value: boolean }
  | { readonly kind: "number"; readonly operator: Comparison; readonly value: number }
  /** In microseconds since 1970. */
  | { readonly kind: "date"; readonly operator: Comparison; readonly value: bigint };

/** A filter that reading takes care of: it is checked on every object, whatever the service was asked. */
export interface Condition {
  /** The attribute's path, joined by dots. */
  readonly attribute: string;
  readonly test: Test;
}

/** The test of a filter on a column of this type; undefined where the filter is left to others. */
export function testOf(filter: Filter, type: string): Test | undefined {
  if (filter.kind === "in" && isText(type)) return { kind: "equals", values: filter.values };
  if (filter.kind === "like" && isText(type) && filter.pattern !== undefined)
    return ofPattern(filter.pattern);
  if (filter.kind !== "compare") return undefined;
  const { operator, value } = filter;
  if (isText(type) && operator === "=")
    return { kind: "equals", values: value === undefined ? undefined : [value] };
  if (value === undefined) return undefined;
  if (type === "boolean" && (operator === "=" || operator === "<>"))
    return { kind: "is", value: (value === "t") === (operator === "=") };
  if (isInteger(type) && Number.isSafeInteger(Number(value)))
    return { kind: "number", operator, value: Number(value) };
  if (isTimestamp(type)) {
    const point = microseconds(value);
    if (point !== undefined) return { kind: "date", operator, value: point };
  }
  return undefined;
}

/** Whether an attribute's value passes. NULL never does. */
export function holds(value: unknown, test: Test): boolean {
  switch (test.kind) {
    case "equals": {
      const text = columnText(value);
      return text !== undefined && (test.values ?? []).includes(text);
    }
    case "prefix":
      return columnText(value)?.startsWith(test.text) ?? false;
    case "is":
      return value === test.value;
    case "number":
      return typeof value === "number" && compares(value, test.operator, test.value);
    case "date": {
      const point = microseconds(value);
      return point !== undefined && compares(point, test.operator, test.value);
    }
  }
}

function compares<T extends number | bigint>(left: T, operator: Comparison, right: T): boolean {
  switch (operator) {
    case "=":
      return left === right;
    case "<>":
      return left !== right;
    case "<":
      return left < right;
    case "<=":
      return left <= right;
    case ">":
      return left > right;
    case ">=":
      return left >= right;
  }
}

/** LIKE as equality or as a prefix, where it is one of these. */
function ofPattern(pattern: string): Test | undefined {
  const like = parseLike(pattern);
  if (like?.kind === "exact") return { kind: "equals", values: [like.prefix] };
  return like?.kind === "prefix" && like.prefix ? { kind: "prefix", text: like.prefix } : undefined;
}
