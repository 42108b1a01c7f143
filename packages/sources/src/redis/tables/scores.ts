import type { Query, SortKey, Value } from "../../source.ts";
import type { Bytes, Command } from "../client/node.ts";
import type { Layout } from "../layout.ts";
import { decoder, plainType } from "../text.ts";
import type { Elements } from "./elements.ts";
import type { Member, MemberColumns } from "./members.ts";

/** Members that are read at once by rank or score; more are read by ZSCAN, which has no order. */
const mostRanked = 10_000;

/** Redis writes the same score in several ways: `0.1` and `0.10000000000000001`; `inf`. */
export const scoreOf = (bytes: Bytes) => Number(String(bytes).replace("inf", "Infinity"));

export function scoreCell(type: string): (member: Member, key: Bytes) => Value {
  if (["double precision", "real"].includes(type)) return ([, score]) => scoreOf(score!);
  const decode = decoder(type);
  return ([, score], key) => decode(String(scoreOf(score!)), key);
}

/** Types in which scores compare as Redis compares them. */
const comparable = ["double precision", "integer", "bigint"];

/** Reads a sorted set by score or by rank where a query asks for that, else as `members` does. */
export function rankedElements(
  { definition, keyspace }: Layout,
  columns: MemberColumns,
  { filters, sort, limit }: Query,
  members: Elements<Member>,
): Elements<Member> {
  const score = definition.columns[columns.payload];
  if (keyspace.only === undefined || score === undefined || !comparable.includes(score.type)) return members;
  if (filters.some(({ column }) => column === columns.name)) return members;

  const bounds = readBounds(filters, columns.payload);
  const order = readOrder(sort, columns, definition.columns[columns.name]!.type);
  const bounded = bounds.handled.length > 0;
  const most = bounds.handled.length === filters.length && (sort.length === 0 || order) ? limit : undefined;
  const ranked = most !== undefined && most <= mostRanked;
  const sorted = ranked && order !== undefined;
  if (!bounded && !sorted) return members;

  const descending = sorted && order === "descending";
  const count = ranked ? most : mostRanked + 1;
  const scores = [
    `${bounds.low.open ? "(" : ""}${bounds.low.value}`,
    `${bounds.high.open ? "(" : ""}${bounds.high.value}`,
  ].map((text) => text.replace("Infinity", "inf"));
  const range = descending ? ["ZREVRANGEBYSCORE", ...scores.reverse()] : ["ZRANGEBYSCORE", ...scores];

  function first(key: Bytes): Command {
    if (bounded) return [range[0]!, key, range[1]!, range[2]!, "WITHSCORES", "LIMIT", "0", String(count)];
    const rank: Command = ["ZRANGE", key, "0", String(count - 1)];
    return descending ? [...rank, "REV", "WITHSCORES"] : [...rank, "WITHSCORES"];
  }

  return {
    ...members,
    first: (key) => (count === 0 ? members.count(key) : first(key)),
    page(reply, asked) {
      if (asked[0] === "ZSCAN") {
        const { elements, next } = members.page(reply, asked);
        return { elements: elements.filter(([, each]) => isWithin(bounds, scoreOf(each!))), next };
      }
      if (!Array.isArray(reply)) return { elements: [] };
      if (reply.length / 2 > mostRanked) return { elements: [], next: members.first(asked[1]!, mostRanked) };
      return {
        elements: Array.from({ length: reply.length / 2 }, (_, index): Member => {
          return [reply[index * 2] as Bytes, reply[index * 2 + 1] as Bytes];
        }),
      };
    },
    words: (key) => first(key).join(" "),
    handled: bounds.handled,
    sorted,
    count: (key) =>
      bounded ? ["ZCOUNT", key, ...(descending ? scores.toReversed() : scores)] : members.count(key),
  };
}

interface Bounds {
  low: { value: number; open: boolean };
  high: { value: number; open: boolean };
  /** The filters that they express. */
  readonly handled: number[];
}

/** A value that is not known yet bounds nothing, but is handled: plans are estimated with it. */
function readBounds(filters: Query["filters"], column: number): Bounds {
  const bounds: Bounds = {
    low: { value: Number.NEGATIVE_INFINITY, open: false },
    high: { value: Number.POSITIVE_INFINITY, open: false },
    handled: [],
  };
  for (const [index, filter] of filters.entries()) {
    if (filter.column !== column || filter.kind !== "compare" || filter.operator === "<>") continue;
    const value = filter.value === undefined ? undefined : Number(filter.value);
    // NaN is greater than all others in PostgreSQL. Of larger integers not all are doubles.
    if (Number.isNaN(value) || (Number.isInteger(value) && !Number.isSafeInteger(value))) continue;
    bounds.handled.push(index);
    if (value === undefined) continue;
    const open = filter.operator === "<" || filter.operator === ">";
    if (filter.operator !== "<" && filter.operator !== "<=") {
      if (value > bounds.low.value || (value === bounds.low.value && open)) bounds.low = { value, open };
    }
    if (filter.operator !== ">" && filter.operator !== ">=") {
      if (value < bounds.high.value || (value === bounds.high.value && open)) bounds.high = { value, open };
    }
  }
  return bounds;
}

function isWithin({ low, high }: Bounds, score: number): boolean {
  return (
    (low.open ? score > low.value : score >= low.value) &&
    (high.open ? score < high.value : score <= high.value)
  );
}

/** Redis orders by score, and members of the same score by their bytes, which is by code point. */
function readOrder(
  [score, name, ...more]: readonly SortKey[],
  columns: MemberColumns,
  nameType: string,
): "ascending" | "descending" | undefined {
  if (score?.column !== columns.payload || more.length > 0) return undefined;
  if (name !== undefined) {
    const isBytes = ["text", "character varying", "bytea"].includes(plainType(nameType));
    if (!isBytes || name.column !== columns.name || name.descending !== score.descending) return undefined;
  }
  return score.descending ? "descending" : "ascending";
}
