import { afterAll, beforeAll, expect, test } from "vitest";
import type { Filter, Row } from "../source.ts";
import { compare, define, openTenant, read, type TestTenant } from "./testing.ts";
import { microseconds } from "./values.ts";

const names = [
  "Jane Smith",
  "jane smith",
  "JANE",
  'the "quoted" one',
  "back\\slash",
  "a*b?c",
  "a:b (c) [d] {e} ~f ^g !h +i -j &&k ||l /m",
  "Ünï çødé",
  "ß ẞ İ ı",
  "日本語",
  "!!!",
  " leading",
  "trailing ",
  "two  spaces",
  "no\u00a0break",
  "tab\there",
  "AND",
  "NOT x OR y",
  "100%",
  "under_score",
  "",
  "x".repeat(300),
];
const start = Date.UTC(2024, 1, 28, 23, 59, 59, 990);
const users = names.flatMap((name, i) =>
  ["auth0", "google-oauth2"].map((provider, j) => ({
    user_id: `${provider}|${i}`,
    name,
    nickname: names[(i + 7) % names.length],
    email: `${i % 3 ? "User" : "user"}.${i}@example.com`,
    username: i % 4 ? `Name${i % 5}` : undefined,
    email_verified: i % 2 === 0,
    blocked: i % 3 === 0 ? undefined : i % 3 === 1,
    logins_count: i % 5 === 0 ? undefined : i - 2,
    created_at: new Date(start + (2 * i + j) * 7).toISOString(),
    last_login: i % 4 === 0 ? undefined : new Date(start + i * 1000).toISOString(),
    user_metadata: i % 2 ? { city: names[i] } : { city: i },
  })),
);
const columns = define(
  "user_id text, name text, nickname character varying, email text, username text, email_verified boolean, blocked boolean, logins_count integer, created_at timestamp with time zone, last_login timestamp with time zone, user_metadata.city text",
);
const attributes = columns.columns.map(({ name }) => name);
let tenant: TestTenant;

beforeAll(async () => {
  tenant = await openTenant({ users });
});
afterAll(() => tenant[Symbol.asyncDispose]());

/** PostgreSQL's text of what a row has, for the evaluation below. */
const textOf = (value: unknown) =>
  value instanceof Date
    ? value.toISOString()
    : typeof value === "boolean"
      ? value
        ? "t"
        : "f"
      : String(value);

/** A filter as SQL has it, worked out apart from the source. */
function accepts(filter: Filter, row: Row): boolean {
  const value = row[filter.column];
  if (filter.kind === "null") return (value === null) === filter.isNull;
  if (value === null || value === undefined) return false;
  const text = textOf(value);
  if (filter.kind === "in") return filter.values!.includes(text);
  if (filter.kind === "like") {
    const pattern = filter.pattern!.replace(/\\(.)|%|_|[^\\%_]/gsu, (token, literal) =>
      token === "%" ? ".*" : token === "_" ? "." : RegExp.escape(literal ?? token),
    );
    return new RegExp(`^${pattern}$`, "su").test(text);
  }
  const { type } = columns.columns[filter.column]!;
  const key = (each: string) =>
    type === "integer" ? BigInt(each) : type.startsWith("timestamp") ? microseconds(each)! : each;
  const [left, right] = [key(text), key(filter.value!)];
  const order = left < right ? -1 : left > right ? 1 : 0;
  return {
    "=": order === 0,
    "<>": order !== 0,
    "<": order < 0,
    "<=": order <= 0,
    ">": order > 0,
    ">=": order >= 0,
  }[filter.operator];
}

/** Repeats from a seed, so that a failure can be looked at. */
function randomly(seed: number) {
  let state = seed;
  return (count: number) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * count);
  };
}

const operators = ["=", "<>", "<", "<=", ">", ">="] as const;

function someFilter(pick: (count: number) => number, everything: readonly Row[]): Filter {
  const column = pick(attributes.length);
  const { type } = columns.columns[column]!;
  const known = everything.map((row) => row[column]).filter((value) => value !== null && value !== undefined);
  const sample = () => textOf(known[pick(known.length)]);
  if (pick(10) === 0) return { kind: "null", column, isNull: pick(2) === 0 };
  if (type === "boolean") return compare(column, operators[pick(2)]!, pick(2) ? "t" : "f");
  if (type === "integer") return compare(column, operators[pick(6)]!, String(pick(30) - 5));
  if (type.startsWith("timestamp")) {
    const text = sample().replace("T", " ").replace("Z", "");
    return compare(column, operators[pick(6)]!, `${text}${["", "001", "999"][pick(3)]}+00`);
  }
  const kind = pick(4);
  if (kind === 0) return { kind: "in", column, values: Array.from({ length: pick(4) }, sample) };
  if (kind === 1) {
    const literal = sample()
      .slice(0, 1 + pick(6))
      .replace(/[\\%_]/g, "\\$&");
    return {
      kind: "like",
      column,
      pattern: [`${literal}%`, `%${literal}`, `${literal}_%`, literal][pick(4)]!,
    };
  }
  return compare(column, operators[pick(6)]!, pick(4) ? sample() : sample().toUpperCase());
}

test("600 conditions, one to three at once: what is handled is exact, what is not loses no row", async () => {
  const { rows: everything } = await read(tenant.connection, columns);
  expect(everything).toHaveLength(users.length);
  const pick = randomly(20240229);
  let handled = 0;
  for (let round = 0; round < 600; round++) {
    const filters = Array.from({ length: 1 + pick(3) }, () => someFilter(pick, everything));
    const limit = pick(3) === 0 ? 1 + pick(5) : undefined;
    const { rows, plan } = await read(tenant.connection, columns, { filters, limit });
    const told = JSON.stringify({ filters, requests: plan.requests });
    const exact = filters.filter((_, i) => plan.handled[i]);
    handled += exact.length;
    expect(
      rows.every((row) => exact.every((filter) => accepts(filter, row))),
      told,
    ).toBe(true);
    const left = rows.filter((row) => filters.every((filter) => accepts(filter, row)));
    const expected = everything.filter((row) => filters.every((filter) => accepts(filter, row)));
    if (exact.length === filters.length && limit !== undefined)
      expect(left.length, told).toBe(Math.min(limit, expected.length));
    else expect(new Set(left.map(([id]) => id)), told).toEqual(new Set(expected.map(([id]) => id)));
  }
  expect(handled).toBeGreaterThan(600);
});

test.each<[string, Filter, string | undefined]>([
  ["text without regard to case", compare(1, "=", "Jane Smith"), 'name:"Jane Smith"'],
  ["quotes", compare(1, "=", 'the "quoted" one'), 'name:"the \\"quoted\\" one"'],
  ["IN", { kind: "in", column: 4, values: ["Name1", "Name2"] }, 'username:("Name1" OR "Name2")'],
  ["LIKE with a prefix", { kind: "like", column: 1, pattern: "Jane%" }, "name:jane*"],
  ["LIKE with a prefix, escaped", { kind: "like", column: 0, pattern: "auth0|%" }, "user_id:auth0\\|*"],
  ["booleans", compare(6, "<>", "t"), "blocked:false"],
  ["numbers", compare(7, ">", "3"), "logins_count:[3 TO *]"],
  [
    "dates, outwards",
    compare(9, "<", "2024-02-29 00:00:00.0005+00"),
    "last_login:[* TO 2024\\-02\\-29T00\\:00\\:00.001Z]",
  ],
  ["what differs is not asked for", compare(1, "<>", "Jane"), undefined],
  ["nor other comparisons of text", compare(1, "<", "Jane"), undefined],
  ["nor metadata", compare(10, "=", "Rome"), undefined],
  ["nor values that an index may have in another way", compare(1, "=", "!!!"), undefined],
  ["nor long ones", compare(1, "=", "x".repeat(300)), undefined],
])("%s", async (_, filter, q) => {
  const before = tenant.requests().length;
  await read(tenant.connection, columns, { filters: [filter] });
  const [call = ""] = tenant.requests().slice(before);
  expect(/[?&]q=(.*?)(?:&page=|$)/.exec(call)?.[1]).toBe(q);
});

test("numbers, booleans and dates in metadata may be text there: filters on them are left to PostgreSQL", async () => {
  const values = [
    { n: "17", ok: "true", day: "2024-02-29" },
    { n: 17, ok: true },
    { n: 18, ok: false },
  ];
  await using metadata = await openTenant({
    users: values.map((app_metadata, i) => ({ user_id: `auth0|${i}`, app_metadata })),
  });
  const parts = define(
    "user_id text, app_metadata.n integer, app_metadata.ok boolean, app_metadata.day timestamp with time zone",
  );
  const filters = [compare(1, "=", "17"), compare(2, "=", "t"), compare(3, "=", "2024-02-29 00:00:00+00")];
  const { rows, plan } = await read(metadata.connection, parts, { filters, limit: 1 });
  expect(plan.handled).toEqual([false, false, false]);
  expect(rows).toHaveLength(values.length);
});
