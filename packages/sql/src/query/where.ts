import type { Filter } from "@overcoat/sources";
import { readArray } from "../evaluate/array.ts";
import type { Compared, ComparisonOperator, Condition } from "../evaluate/condition.ts";
import { type Decimal, readDecimal } from "../evaluate/decimal.ts";
import { type Domain, domains, type Key } from "../evaluate/domain.ts";
import { domainOf } from "../evaluate/key.ts";
import { likeMatcher } from "../evaluate/like.ts";
import type { ColumnType } from "../evaluate/type.ts";
import { names } from "../statement/check.ts";
import type { Form } from "../statement/form.ts";
import type { Node, OperatorExpression } from "../statement/tree.ts";
import { type Bindings, type Constant, readArrayConstant, readConstant, textOfConstant } from "./constant.ts";

/** A condition of a form that is evaluated here: as `Condition`, but with constants that are not known yet. */
export type FormCondition =
  | ({
      readonly kind: "compare";
      readonly column: number;
      readonly operator: ComparisonOperator;
      readonly constant: Constant;
    } & Compared)
  | ({
      readonly kind: "any";
      readonly column: number;
      readonly negated: boolean;
      /** One array, or its elements. */
      readonly constant: Constant | readonly Constant[];
    } & Compared)
  | {
      readonly kind: "like";
      readonly column: number;
      readonly negated: boolean;
      readonly constant: Constant;
    }
  | { readonly kind: "null"; readonly column: number; readonly isNull: boolean }
  | { readonly kind: "is true"; readonly column: number }
  | { readonly kind: "and" | "or"; readonly parts: readonly FormCondition[] }
  | { readonly kind: "not"; readonly part: FormCondition }
  | { readonly kind: "constant"; readonly value: boolean | null };

/** The table that a condition is about. */
export interface Scope {
  readonly types: readonly ColumnType[];
  /** Position of the table's column that an expression is; `undefined` for any other expression. */
  column(node: Node): number | undefined;
  /** The last name of a column reference. */
  name(node: Node): string | undefined;
  /** Position of the table's column of a name. */
  position(name: string): number | undefined;
  readonly slots: Form["slots"];
}

/** The parts of a WHERE clause that must all hold. */
export function conjuncts(node: Node | undefined): readonly Node[] {
  if (!node) return [];
  return node.BoolExpr?.boolop === "AND_EXPR" ? node.BoolExpr.args.flatMap(conjuncts) : [node];
}

/** `undefined` for what only PostgreSQL evaluates. */
export function readCondition(node: Node, scope: Scope): FormCondition | undefined {
  if (node.BoolExpr) {
    const parts: FormCondition[] = [];
    for (const item of node.BoolExpr.args) {
      const part = readCondition(item, scope);
      if (!part) return undefined;
      parts.push(part);
    }
    if (node.BoolExpr.boolop === "NOT_EXPR") return { kind: "not", part: parts[0]! };
    return { kind: node.BoolExpr.boolop === "AND_EXPR" ? "and" : "or", parts };
  }
  if (node.NullTest) {
    const column = scope.column(node.NullTest.arg);
    return column === undefined
      ? undefined
      : { kind: "null", column, isNull: node.NullTest.nulltesttype === "IS_NULL" };
  }
  if (node.A_Expr) return readOperator(node.A_Expr, scope);
  const column = scope.column(node);
  if (column !== undefined)
    return scope.types[column]!.name === "bool" && !scope.types[column]!.isArray
      ? { kind: "is true", column }
      : undefined;
  const constant = readConstant(node, scope.slots);
  if (constant && typeof constant.source === "object" && "text" in constant.source) {
    if (constant.source.text === null) return { kind: "constant", value: null };
    if (constant.type === "bool") return { kind: "constant", value: constant.source.text === "t" };
  }
  return undefined;
}

const flipped: Readonly<Record<ComparisonOperator, ComparisonOperator>> = {
  "=": "=",
  "<>": "<>",
  "<": ">",
  "<=": ">=",
  ">": "<",
  ">=": "<=",
};

function readOperator(
  { kind, name, lexpr, rexpr }: OperatorExpression,
  scope: Scope,
): FormCondition | undefined {
  if (!lexpr) return undefined;
  const operator = names(name).at(-1)!;
  const left = scope.column(lexpr);
  if (kind === "AEXPR_OP_ANY" && operator === "=" && left !== undefined)
    return readAny(left, rexpr, false, scope);
  if (kind === "AEXPR_OP_ALL" && operator === "<>" && left !== undefined)
    return readAny(left, rexpr, true, scope);
  if (kind !== "AEXPR_OP") return undefined;
  if (operator === "~~" || operator === "!~~") {
    const constant = readConstant(rexpr, scope.slots);
    if (left === undefined || !constant || !isText(scope.types[left]!) || !isTextConstant(constant))
      return undefined;
    return { kind: "like", column: left, negated: operator === "!~~", constant };
  }
  if (!(operator in flipped)) return undefined;
  const column = left ?? scope.column(rexpr);
  const constant = readConstant(left === undefined ? lexpr : rexpr, scope.slots);
  if (column === undefined || !constant) return undefined;
  const compared = compare(scope.types[column]!, constant.type);
  if (!compared) return undefined;
  const comparison = operator as ComparisonOperator;
  return {
    kind: "compare",
    column,
    operator: left === undefined ? flipped[comparison] : comparison,
    constant,
    ...compared,
  };
}

function readAny(column: number, node: Node, negated: boolean, scope: Scope): FormCondition | undefined {
  const elements = (node.A_ArrayExpr ?? node.TypeCast?.arg.A_ArrayExpr)?.elements;
  if (elements && !node.TypeCast) {
    const constants = elements.map((element) => readConstant(element, scope.slots));
    const known = constants.filter((constant) => constant !== undefined);
    const type = known[0]?.type;
    if (known.length < constants.length || known.some((constant) => constant.type !== type)) return undefined;
    const compared = compare(scope.types[column]!, type);
    return compared && { kind: "any", column, negated, constant: known, ...compared };
  }
  const constant = readArrayConstant(node, scope.slots);
  const compared = constant && compare(scope.types[column]!, constant.type);
  return compared && { kind: "any", column, negated, constant, ...compared };
}

const isText = ({ name, isArray }: ColumnType) => !isArray && (name === "text" || name === "varchar");
const isTextConstant = ({ type }: Constant) => type === undefined || type === "text" || type === "varchar";

const integers = new Set(["int2", "int4", "int8"]);
const exactNumbers = new Set([...integers, "numeric"]);

/** How PostgreSQL compares a column with a constant of this type. */
function compare(column: ColumnType, constant: string | undefined): Compared | undefined {
  const domain = domainOf(column);
  if (!domain) return undefined;
  if (constant === undefined || constant === column.name) return { domain };
  const { name } = column;
  if (isText(column)) return constant === "text" || constant === "varchar" ? { domain } : undefined;
  if (integers.has(name)) {
    if (integers.has(constant)) return { domain: domains.get("int8")! };
    if (constant === "numeric") return { domain: domains.get("numeric")!, lift: decimalOfInteger };
    if (constant === "float8") return { domain: domains.get("float8")!, lift: Number };
  }
  if (name === "numeric" && integers.has(constant)) return { domain };
  if (name === "float8" && exactNumbers.has(constant)) return { domain };
  return undefined;
}

function decimalOfInteger(key: Key): number | Decimal {
  return typeof key === "number" && Math.abs(key) < 1e15 ? key : readDecimal(String(key))!;
}

/** Thrown where a constant is in a form that only PostgreSQL reads. */
export const doubt = Symbol("only PostgreSQL can tell");

/** @throws doubt */
export function bindCondition(condition: FormCondition, bindings: Bindings): Condition {
  switch (condition.kind) {
    case "compare": {
      const text = known(condition.constant, bindings);
      if (text === null) return { kind: "constant", value: null };
      const { column, operator, domain, lift } = condition;
      return { kind: "compare", column, operator, domain, lift, key: readKey(domain, text) };
    }
    case "any": {
      const elements = anyElements(condition.constant, bindings);
      if (elements === null) return { kind: "constant", value: null };
      if (elements === undefined) throw doubt;
      const { column, negated, domain, lift } = condition;
      const texts = elements.filter((element) => element !== null);
      const keys = texts.map((text) => readKey(domain, text));
      return { kind: "any", column, negated, domain, lift, keys, hasNull: texts.length < elements.length };
    }
    case "like": {
      const pattern = known(condition.constant, bindings);
      if (pattern === null) return { kind: "constant", value: null };
      if (!likeMatcher(pattern)) throw doubt;
      return { kind: "like", column: condition.column, negated: condition.negated, pattern };
    }
    case "and":
    case "or":
      return { kind: condition.kind, parts: condition.parts.map((part) => bindCondition(part, bindings)) };
    case "not":
      return { kind: "not", part: bindCondition(condition.part, bindings) };
    default:
      return condition;
  }
}

/** Whether a condition's constants alone keep it from being true. */
export function neverHolds(condition: FormCondition, bindings: Bindings): boolean {
  switch (condition.kind) {
    case "constant":
      return condition.value !== true;
    case "compare":
    case "like":
      return textOfConstant(condition.constant, bindings) === null;
    case "any": {
      const elements = anyElements(condition.constant, bindings);
      if (!elements) return elements === null;
      const hasNull = elements.includes(null);
      return condition.negated ? hasNull : elements.every((element) => element === null);
    }
    default:
      return false;
  }
}

function known(constant: Constant, bindings: Bindings): string | null {
  const text = textOfConstant(constant, bindings);
  if (text === undefined) throw doubt;
  return text;
}

function readKey(domain: Domain, text: string): Key {
  const key = domain.read(text);
  if (key === undefined) throw doubt;
  return key;
}

/** `null` for an array that is NULL, `undefined` for one that is not known or not of one dimension. */
function anyElements(
  constant: Constant | readonly Constant[],
  bindings: Bindings,
): readonly (string | null)[] | null | undefined {
  if ("source" in constant) {
    const text = textOfConstant(constant, bindings);
    return typeof text === "string" ? readArray(text) : text;
  }
  const texts = constant.map((element) => textOfConstant(element, bindings));
  return texts.includes(undefined) ? undefined : (texts as (string | null)[]);
}

/**
 * The filter that a source may handle in the place of a condition; it must hold for exactly the rows for which
 * the condition is true. Its value is `undefined` where the constant is not known.
 */
export function filterOf(
  condition: FormCondition,
  types: readonly ColumnType[],
  bindings: Bindings,
): Filter | undefined {
  switch (condition.kind) {
    case "null":
      return condition;
    case "is true":
      return { kind: "compare", column: condition.column, operator: "=", value: "t" };
    case "not":
      return condition.part.kind === "is true"
        ? { kind: "compare", column: condition.part.column, operator: "=", value: "f" }
        : undefined;
    case "like": {
      const pattern = textOfConstant(condition.constant, bindings);
      if (condition.negated || pattern === null) return undefined;
      if (pattern !== undefined && !likeMatcher(pattern)) return undefined;
      return { kind: "like", column: condition.column, pattern };
    }
    case "compare": {
      const { column, operator, constant } = condition;
      const value = filterValue(condition, types[column]!, textOfConstant(constant, bindings));
      return value === null ? undefined : { kind: "compare", column, operator, value };
    }
    case "any": {
      const elements = anyElements(condition.constant, bindings);
      if (condition.negated || elements === null) return undefined;
      if (elements === undefined) {
        const isUnknown =
          "source" in condition.constant && textOfConstant(condition.constant, bindings) === undefined;
        return isUnknown || !("source" in condition.constant)
          ? { kind: "in", column: condition.column, values: undefined }
          : undefined;
      }
      const values = elements
        .filter((element) => element !== null)
        .map((element) => filterValue(condition, types[condition.column]!, element));
      if (!values.every((value) => typeof value === "string")) return undefined;
      return { kind: "in", column: condition.column, values: [...new Set(values)] };
    }
    default:
      return undefined;
  }
}

/** The constant as a value of the column's type, `null` if it is none, `undefined` if it is not known. */
function filterValue(
  { lift }: Compared,
  type: ColumnType,
  text: string | null | undefined,
): string | null | undefined {
  if (lift || text === null) return null;
  if (text === undefined) return undefined;
  const domain = domainOf(type)!;
  const key = domain.read(text);
  if (key === undefined) return null;
  // A key is written without the digits that PostgreSQL keeps, and large ones with an exponent.
  return type.name === "numeric" ? text : domain.write(key);
}
