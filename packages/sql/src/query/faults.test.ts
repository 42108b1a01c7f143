import type { Row, TableDefinition } from "@overcoat/sources";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { parseStatements } from "../statement/parse.ts";
import type { TextRow } from "./context.ts";
import { modify } from "./modify.ts";
import { startPostgres, type TestPostgres } from "./postgres.testing.ts";
import type { Relation } from "./relation.ts";
import { select } from "./select.ts";

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await startPostgres();
});
afterAll(() => postgres?.stop());
// Whatever happens, no session stays in use.
afterEach(() => expect(postgres.sessions()).toBe(0));

const definition: TableDefinition = {
  name: "things",
  options: {},
  columns: [
    { name: "k", type: "text", options: {} },
    { name: "n", type: "integer", options: {} },
  ],
};

interface Watched {
  readonly relation: Relation;
  pulled: number;
  ended: boolean;
}

function watched(batches: () => AsyncIterable<readonly Row[]>): Watched {
  const state: Watched = {
    pulled: 0,
    ended: false,
    relation: {
      definition,
      collation: "pg_c_utf8",
      ctid: () => "(0,1)",
      plan: (query) => ({
        handled: query.filters.map(() => false),
        sorted: query.sort.length === 0,
        rows: 1,
        calls: 1,
        requests: [],
        async *scan() {
          try {
            for await (const batch of batches()) {
              state.pulled++;
              yield batch.map((row) => [
                ...query.columns.map((column) => row[column]!),
                ...(query.identity ? [String(row[0])] : []),
              ]);
            }
          } finally {
            state.ended = true;
          }
        },
      }),
    },
  };
  return state;
}

async function* many(count: number): AsyncGenerator<readonly Row[]> {
  for (let batch = 0; batch < count; batch++)
    yield Array.from({ length: 100 }, (_, i) => [`k${batch}-${i}`, i]);
}

async function run(
  sql: string,
  { relation }: Watched,
  signal = new AbortController().signal,
): Promise<TextRow[]> {
  const [statement] = await parseStatements(sql);
  const context = { scratch: postgres.scratch, open: () => relation, signal };
  const rows: TextRow[] = [];
  if (statement?.kind === "update" || statement?.kind === "delete") {
    for await (const batch of modify(statement, [], context))
      rows.push(...batch.map(({ returning }) => returning));
  } else if (statement?.kind === "select") {
    const result = await select(statement, [], context);
    for await (const batch of result.rows()) rows.push(...batch);
  } else throw new Error(sql);
  return rows;
}

const here = "SELECT k FROM r.t WHERE ((n = 5))";
const chunked = "SELECT k FROM r.t WHERE (((n + 1) = 5))";
const whole = "SELECT k, sum((n + 1)) FROM r.t GROUP BY 1";
const update = "UPDATE r.t SET k = (k || 'x'::text) WHERE (((n % 2) = 0))";

it.each([here, chunked, whole, update])("an error of the source ends %s", async (sql) => {
  const table = watched(async function* () {
    yield* many(5);
    throw new Error("the service is gone");
  });
  await expect(run(sql, table)).rejects.toThrow("the service is gone");
  expect(table.ended).toBe(true);
});

it.each([here, chunked, whole, update])("a value that is none of its type ends %s", async (sql) => {
  const table = watched(async function* () {
    yield* many(2);
    yield [["bad", "twelve"]];
    yield* many(5);
  });
  await expect(run(sql, table)).rejects.toMatchObject({
    sqlState: "22P02",
    message: 'invalid input syntax for type integer: "twelve"',
  });
  expect(table.ended).toBe(true);
});

it.each([here, chunked, whole, update])("text with a zero byte ends %s", async (sql) => {
  const table = watched(async function* () {
    yield [["a\0b", 4]];
    yield [["a\0b", 5]];
  });
  await expect(run(sql, table)).rejects.toMatchObject({ sqlState: "22021" });
  expect(table.ended).toBe(true);
});

it.each([here, chunked, whole, update])("the signal ends %s", async (sql) => {
  const controller = new AbortController();
  const table = watched(async function* () {
    yield* many(3);
    controller.abort(new Error("cancelled"));
    yield* many(1_000_000);
  });
  await expect(run(sql, table, controller.signal)).rejects.toThrow("cancelled");
  expect(table.pulled).toBeLessThan(100);
  expect(table.ended).toBe(true);
});

it("the signal ends a statement that the scratch database runs", async () => {
  const controller = new AbortController();
  const table = watched(async function* () {
    yield* many(100);
    setTimeout(() => controller.abort(new Error("cancelled")), 100);
  });
  const sql =
    "SELECT count(*) FROM ((r.t r1 INNER JOIN r.t r2 ON ((TRUE))) INNER JOIN r.t r3 ON (((r1.n + r2.n) < r3.n)))";
  await expect(run(sql, table, controller.signal)).rejects.toThrow("cancelled");
});

it.each([
  ["SELECT k FROM r.t LIMIT 10::bigint", 1],
  ["SELECT k FROM r.t WHERE ((n < 5)) LIMIT 10::bigint OFFSET 3::bigint", 3],
  ["SELECT k FROM r.t WHERE (((n + 1) < 5)) LIMIT 10::bigint", 30],
] as const)("%s reads no more than it needs", async (sql, batches) => {
  const table = watched(() => many(1_000_000));
  expect(await run(sql, table)).toHaveLength(10);
  expect(table.pulled).toBeLessThanOrEqual(batches);
  expect(table.ended).toBe(true);
});

it.each([
  "SELECT k FROM r.t WHERE ((k = NULL::text))",
  "SELECT k FROM r.t WHERE ((n = ANY ('{}'::integer[])))",
  "SELECT k FROM r.t WHERE ((n = ANY ('{NULL}'::integer[]))) AND (((n + 1) = 5))",
  "SELECT k FROM r.t WHERE ((k <> ALL ('{a,NULL}'::text[])))",
  "SELECT k FROM r.t WHERE (false)",
  "DELETE FROM r.t WHERE ((k = NULL::text))",
])("%s asks the source for nothing", async (sql) => {
  const table = watched(() => many(10));
  expect(await run(sql, table)).toEqual([]);
  expect(table.pulled).toBe(0);
});

it("counts nothing where nothing can be", async () => {
  const table = watched(() => many(10));
  expect(await run("SELECT count(*), sum(n) FROM r.t WHERE ((k = NULL::text))", table)).toEqual([
    ["0", null],
  ]);
  expect(table.pulled).toBe(0);
});

it("of rows that are large only those that LIMIT wants are kept", async () => {
  const large = "x".repeat(4_000_000);
  const table = watched(async function* () {
    for (let n = 0; n < 30; n++) yield [[large, (n * 7) % 30]];
  });
  const sql = "SELECT n FROM r.t WHERE ((k > 'a')) ORDER BY n ASC NULLS LAST LIMIT 3::bigint";
  expect(await run(sql, table)).toEqual([["0"], ["1"], ["2"]]);
});

it("nothing is read before the first row is asked for", async () => {
  const table = watched(() => many(10));
  for (const sql of [here, chunked, whole]) {
    const [statement] = await parseStatements(sql);
    if (statement?.kind !== "select") throw new Error(sql);
    await select(statement, [], {
      scratch: postgres.scratch,
      open: () => table.relation,
      signal: new AbortController().signal,
    });
  }
  expect(table.pulled).toBe(0);
});

it.each([
  ["SELECT nothing FROM r.t", "42703"],
  ["SELECT k FROM r.t WHERE ((nothing = 1))", "42703"],
  ["UPDATE r.t SET nothing = 1", "42703"],
  ["SELECT k FROM r.t WHERE ((k = 1))", "42883"],
  ["SELECT k FROM r.t WHERE ((n = 'x'))", "22P02"],
  ["SELECT k FROM r.t LIMIT (-1)::bigint", "2201W"],
  ["SELECT (n / 0) FROM r.t", "22012"],
  ["SELECT k FROM r.t WHERE ((k ~ '('))", "2201B"],
  ["SELECT k FROM r.t WHERE ((k ~~ E'a\\\\'))", "22025"],
] as const)("%s is SQLSTATE %s", async (sql, sqlState) => {
  const table = watched(async function* () {
    yield [["ab", 1]];
  });
  await expect(run(sql, table)).rejects.toMatchObject({ sqlState });
});

it("a sort that is too big for memory goes to the scratch database", async () => {
  const large = "x".repeat(4_000_000);
  const table = watched(async function* () {
    for (let n = 0; n < 12; n++) yield [[`${n % 3}${large}`, 12 - n]];
  });
  const rows = await run("SELECT n, k FROM r.t ORDER BY n ASC NULLS LAST", table);
  expect(rows.map(([n]) => n)).toEqual(Array.from({ length: 12 }, (_, n) => String(n + 1)));
  expect(rows[0]![1]).toHaveLength(large.length + 1);
});

it("groups that are too many for memory go to the scratch database", async () => {
  const table = watched(() => many(2001));
  const rows = await run("SELECT k, count(*), sum(n) FROM r.t GROUP BY 1", table);
  expect(rows).toHaveLength(200_100);
  expect(rows.find(([k]) => k === "k2000-99")).toEqual(["k2000-99", "1", "99"]);
  expect(table.pulled).toBe(2 * 2001);
});

it.each([whole, chunked])("%s holds no session while its rows are taken", async (sql) => {
  const { relation } = watched(() => many(20));
  const [statement] = await parseStatements(sql);
  if (statement?.kind !== "select") throw new Error(sql);
  const context = { scratch: postgres.scratch, open: () => relation, signal: new AbortController().signal };
  const rows = (await select(statement, [], context)).rows()[Symbol.asyncIterator]();
  expect((await rows.next()).done).toBe(false);
  expect(postgres.sessions()).toBe(0);
  await rows.return?.();
});

it("a scratch database that does not answer is SQLSTATE 58000", async () => {
  const [statement] = await parseStatements(chunked);
  if (statement?.kind !== "select") throw new Error(chunked);
  const { relation } = watched(() => many(1));
  const context = {
    scratch: { session: () => Promise.reject(new Error("connect ECONNREFUSED")) },
    open: () => ({ ...relation, definition: { ...definition } }),
    signal: new AbortController().signal,
  };
  await expect(select(statement, [], context)).rejects.toMatchObject({ sqlState: "58000" });
});
