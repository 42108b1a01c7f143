import { parseLike } from "../../like.ts";
import type { Filter } from "../../source.ts";
import { compareCodePoints } from "../code-points.ts";

/** Which keys can satisfy the filters on the key column, all of which are handled exactly here. */
export interface KeyRange {
  /** The only keys that can, in order and without repetitions; `undefined` when they are no list. */
  readonly keys: readonly string[] | undefined;
  /** Whether the only key stands for one that is not known yet: the range is for an estimate. */
  readonly isUnknown: boolean;
  readonly prefix: string;
  /** Keys above this one, or from it on. */
  readonly from: Bound | undefined;
  /** Keys below this one, or up to it. */
  readonly to: Bound | undefined;
  /** Whether a key of the prefix and the bounds satisfies the rest of the filters; `undefined` when all do. */
  readonly test: ((key: string) => boolean) | undefined;
  /** Positions of the filters that the range satisfies; the others cannot be told here. */
  readonly handled: readonly boolean[];
}

/** Bytes of the longest key that S3 knows. */
export const longestKey = 1024;

export interface Bound {
  readonly key: string;
  readonly inclusive: boolean;
}

/** `prefix` is that of the table. */
export function keyRange(
  filters: readonly Filter[],
  keyColumn: number | undefined,
  prefix: string,
): KeyRange {
  const prefixes = [prefix];
  const tests: ((key: string) => boolean)[] = [];
  let keys: Set<string> | undefined;
  let from: Bound | undefined;
  let to: Bound | undefined;
  let isOne = false;

  const only = (values: readonly string[]) => {
    const given = new Set(values);
    keys = keys ? keys.intersection(given) : given;
  };
  const atLeast = (key: string, inclusive: boolean) => {
    const order = from ? compareCodePoints(key, from.key) : 1;
    if (order > 0 || (order === 0 && !inclusive)) from = { key, inclusive };
  };
  const atMost = (key: string, inclusive: boolean) => {
    const order = to ? compareCodePoints(key, to.key) : -1;
    if (order < 0 || (order === 0 && !inclusive)) to = { key, inclusive };
  };
  const matching = (pattern: string): boolean => {
    const like = parseLike(pattern);
    if (!like) return false;
    if (like.kind === "exact") only([like.prefix]);
    else prefixes.push(like.prefix);
    if (like.kind === "pattern") tests.push(like.test);
    return true;
  };

  const take = (filter: Filter): boolean => {
    if (filter.column !== keyColumn) return false;
    switch (filter.kind) {
      case "null":
        if (filter.isNull) only([]);
        return true;
      case "in":
        if (filter.values) only(filter.values);
        else isOne = true;
        return true;
      case "like":
        return filter.pattern === undefined || matching(filter.pattern);
      case "compare": {
        const { operator, value } = filter;
        if (value === undefined) isOne ||= operator === "=";
        else if (operator === "=") only([value]);
        else if (operator === "<>") tests.push((key) => key !== value);
        else if (operator === ">" || operator === ">=") atLeast(value, operator === ">=");
        else atMost(value, operator === "<=");
        return true;
      }
    }
  };
  const handled = filters.map(take);

  // The longest prefix is asked for. The others are the beginning of it, or no key satisfies all.
  const longest = prefixes.reduce((one, other) => (other.length > one.length ? other : one));
  if (!prefixes.every((one) => longest.startsWith(one))) only([]);
  const test = tests.length ? (key: string) => tests.every((one) => one(key)) : undefined;
  const within = (key: string) =>
    key !== "" &&
    Buffer.byteLength(key) <= longestKey &&
    key.startsWith(longest) &&
    (test?.(key) ?? true) &&
    isAbove(key, from) &&
    isBelow(key, to);
  const isUnknown = isOne && keys === undefined;
  return {
    keys: isUnknown ? [`${longest}?`] : keys && [...keys].filter(within).sort(compareCodePoints),
    isUnknown,
    prefix: longest,
    from,
    to,
    test,
    handled,
  };
}

export function isAbove(key: string, bound: Bound | undefined): boolean {
  if (!bound) return true;
  const order = compareCodePoints(key, bound.key);
  return order > 0 || (bound.inclusive && order === 0);
}

export function isBelow(key: string, bound: Bound | undefined): boolean {
  if (!bound) return true;
  const order = compareCodePoints(key, bound.key);
  return order < 0 || (bound.inclusive && order === 0);
}
