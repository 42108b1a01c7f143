import type { Column, Filter } from "../../source.ts";
import type { Listed } from "../bucket/object.ts";
import { compareCodePoints } from "../code-points.ts";
import type { ColumnKind } from "./columns.ts";

/** Conditions on what a listing tells of an object, other than its key. */
export interface ListedFilter {
  /** `undefined` when there are none. */
  readonly test: ((object: Listed) => boolean) | undefined;
  /** By position in the filters: those that the test makes sure of. */
  readonly handled: readonly boolean[];
}

type Test = (object: Listed) => boolean;
type Operator = Extract<Filter, { kind: "compare" }>["operator"];

/**
 * Objects that fail are left out before HEAD or GET is sent for them, and before they count towards a LIMIT.
 * Values that are not known yet, in an estimate, count as any.
 */
export function listedFilter(
  filters: readonly Filter[],
  kinds: readonly ColumnKind[],
  columns: readonly Column[],
): ListedFilter {
  const tests = filters.map((filter) => testOf(filter, kinds[filter.column]!, columns[filter.column]!.type));
  const needed = tests.filter((test) => test !== undefined);
  return {
    test: needed.length ? (object) => needed.every((test) => test(object)) : undefined,
    handled: tests.map((test) => test !== undefined),
  };
}

function testOf(filter: Filter, kind: ColumnKind, type: string): Test | undefined {
  const compare = comparison(kind, type);
  if (!compare) return undefined;
  switch (filter.kind) {
    case "null":
      return () => !filter.isNull;
    case "like":
      return undefined;
    case "in": {
      const { values } = filter;
      if (!values) return () => true;
      const orders = values.map(compare);
      if (orders.includes(undefined)) return undefined;
      return (object) => orders.some((order) => order!(object) === 0);
    }
    case "compare": {
      if (filter.value === undefined) return () => true;
      const order = compare(filter.value);
      const holds = operators[filter.operator];
      return order && ((object) => holds(order(object)));
    }
  }
}

const operators: Readonly<Record<Operator, (order: number) => boolean>> = {
  "=": (order) => order === 0,
  "<>": (order) => order !== 0,
  "<": (order) => order < 0,
  "<=": (order) => order <= 0,
  ">": (order) => order > 0,
  ">=": (order) => order >= 0,
};

/** How an object's value stands to another one, given as text; `undefined` for columns and texts that are not told. */
function comparison(
  kind: ColumnKind,
  type: string,
): ((text: string) => ((object: Listed) => number) | undefined) | undefined {
  if (kind === "size" && /^(smallint|integer|bigint)$/.test(type))
    return (text) => {
      const value = /^-?\d+$/.test(text) ? Number(text) : undefined;
      return value === undefined ? undefined : ({ size }) => size - value;
    };
  if (kind === "last_modified" && type === "timestamp with time zone")
    return (text) => {
      const value = milliseconds(text);
      return value === undefined ? undefined : ({ modified }) => modified - value;
    };
  if (kind === "etag" && type === "text") return (text) => (object) => compareCodePoints(object.etag, text);
  if (kind === "storage_class" && type === "text")
    return (text) => (object) => compareCodePoints(object.storageClass, text);
  return undefined;
}

/** As PostgreSQL prints it in GMT; with fractions of a millisecond. */
function milliseconds(text: string): number | undefined {
  const match = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)(\.\d+)?\+00$/.exec(text);
  return match ? Date.parse(`${match[1]}T${match[2]}Z`) + Number(match[3] ?? 0) * 1000 : undefined;
}
