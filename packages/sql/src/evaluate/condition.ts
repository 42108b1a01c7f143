import type { Value } from "@overcoat/sources";
import type { Domain, Key } from "./domain.ts";
import { domainOf, keyReader, type Spellings } from "./key.ts";
import { likeMatcher } from "./like.ts";
import type { ColumnType } from "./type.ts";

export type ComparisonOperator = "=" | "<>" | "<" | "<=" | ">" | ">=";

/** A condition on one row whose constants are known, in SQL's three-valued logic. */
export type Condition =
  | ({
      readonly kind: "compare";
      readonly column: number;
      readonly operator: ComparisonOperator;
    } & Compared & {
        readonly key: Key;
      })
  /** `= ANY (…)`, or `<> ALL (…)` if negated. */
  | ({
      readonly kind: "any";
      readonly column: number;
      readonly negated: boolean;
      readonly keys: readonly Key[];
      readonly hasNull: boolean;
    } & Compared)
  | { readonly kind: "like"; readonly column: number; readonly negated: boolean; readonly pattern: string }
  | { readonly kind: "null"; readonly column: number; readonly isNull: boolean }
  /** A boolean column. */
  | { readonly kind: "is true"; readonly column: number }
  | { readonly kind: "and" | "or"; readonly parts: readonly Condition[] }
  | { readonly kind: "not"; readonly part: Condition }
  | { readonly kind: "constant"; readonly value: boolean | null };

/** How a column is compared: in the column's own domain, or in another that its keys are lifted to. */
export interface Compared {
  readonly domain: Domain;
  readonly lift?: (key: Key) => Key;
}

/** true, false or SQL's unknown. */
export type Predicate = (row: readonly (Value | undefined)[]) => boolean | null;

/** Where a condition finds its columns. */
export interface RowShape {
  readonly types: readonly ColumnType[];
  /** Position in the row of a column of the table. */
  position(column: number): number;
  readonly spellings: Spellings;
}

/** The predicate throws UnknownSpelling (see `key.ts`). */
export function compileCondition(condition: Condition, shape: RowShape): Predicate {
  switch (condition.kind) {
    case "constant": {
      const { value } = condition;
      return () => value;
    }
    case "null": {
      const index = shape.position(condition.column);
      const { isNull } = condition;
      return (row) => (row[index] === null || row[index] === undefined) === isNull;
    }
    case "is true": {
      const read = reader(condition.column, shape);
      return (row) => {
        const key = read(row);
        return key === undefined ? null : key === 1;
      };
    }
    case "like": {
      const read = reader(condition.column, shape);
      const match = likeMatcher(condition.pattern)!;
      const { negated } = condition;
      return (row) => {
        const text = read(row);
        return text === undefined ? null : match(text as string) !== negated;
      };
    }
    case "compare":
      return compileComparison(condition, reader(condition.column, shape, condition.lift));
    case "any":
      return compileAny(condition, reader(condition.column, shape, condition.lift));
    case "not": {
      const part = compileCondition(condition.part, shape);
      return (row) => {
        const value = part(row);
        return value === null ? null : !value;
      };
    }
    case "and":
    case "or":
      return compileJunction(condition.kind === "or", condition.parts, shape);
  }
}

type KeyOf = (row: readonly (Value | undefined)[]) => Key | undefined;

function reader(column: number, shape: RowShape, lift?: (key: Key) => Key): KeyOf {
  const type = shape.types[column]!;
  const read = keyReader(type, domainOf(type)!, shape.spellings);
  const index = shape.position(column);
  const isText = (type.name === "text" || type.name === "varchar") && type.modifiers.length === 0;
  return (row) => {
    const value = row[index];
    if (value === null || value === undefined) return undefined;
    if (isText && typeof value === "string") return value;
    const key = read(value);
    return lift ? lift(key) : key;
  };
}

function compileComparison(
  { operator, domain, key: constant }: Extract<Condition, { kind: "compare" }>,
  read: KeyOf,
): Predicate {
  const { compare } = domain;
  const test = (holds: (order: number) => boolean): Predicate => {
    return (row) => {
      const key = read(row);
      return key === undefined ? null : holds(compare(key, constant));
    };
  };
  switch (operator) {
    case "=":
      if (!domain.plain) return test((order) => order === 0);
      return (row) => {
        const key = read(row);
        return key === undefined ? null : key === constant;
      };
    case "<>":
      return test((order) => order !== 0);
    case "<":
      return test((order) => order < 0);
    case "<=":
      return test((order) => order <= 0);
    case ">":
      return test((order) => order > 0);
    case ">=":
      return test((order) => order >= 0);
  }
}

function compileAny(
  { keys, hasNull, negated, domain }: Extract<Condition, { kind: "any" }>,
  read: KeyOf,
): Predicate {
  // A set takes NaN for equal to itself, as PostgreSQL does; decimals of many digits are objects.
  const set = new Set(keys);
  const decimals = keys.filter((key) => typeof key === "object");
  const has = (key: Key) =>
    typeof key === "object" ? decimals.some((other) => domain.compare(key, other) === 0) : set.has(key);
  const otherwise = hasNull ? null : negated;
  return (row) => {
    const key = read(row);
    // Over an empty array even NULL is decided.
    if (key === undefined) return keys.length === 0 && !hasNull ? negated : null;
    return has(key) ? !negated : otherwise;
  };
}

/** OR is decided by true, AND by false. */
function compileJunction(decisive: boolean, parts: readonly Condition[], shape: RowShape): Predicate {
  const predicates = parts.map((part) => compileCondition(part, shape));
  return (row) => {
    let result: boolean | null = !decisive;
    for (const predicate of predicates) {
      const value = predicate(row);
      if (value === decisive) return decisive;
      if (value === null) result = null;
    }
    return result;
  };
}
