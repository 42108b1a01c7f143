import type { Plan, Query, TableDefinition } from "@overcoat/sources";
import { describe, expect, it } from "vitest";
import { parseStatements } from "../statement/parse.ts";
import { type Estimate, explain } from "./explain.ts";

const definition: TableDefinition = {
  name: "sessions",
  options: {},
  columns: [
    { name: "k", type: "text", options: {} },
    { name: "v", type: "jsonb", options: {} },
    { name: "n", type: "integer", options: {} },
  ],
};

const rows = 1_000_000;
const asked: Query[] = [];

/** A key-value store: looks keys up, and reads all otherwise. */
function plan(query: Query): Plan {
  asked.push(query);
  const isLookUp = query.filters.some(
    (filter) => filter.column === 0 && filter.kind === "compare" && filter.operator === "=",
  );
  const limit = query.filters.length === 0 && query.sort.length === 0 ? query.limit : undefined;
  const count = isLookUp ? 1 : Math.min(rows, limit ?? rows);
  return {
    handled: query.filters.map(({ column, kind }) => isLookUp && column === 0 && kind === "compare"),
    sorted: query.sort.length === 0,
    rows: count,
    calls: Math.ceil(count / 1000),
    requests: [isLookUp ? "GET" : "SCAN"],
    async *scan() {},
  };
}

async function estimate(sql: string): Promise<Estimate> {
  const [statement] = await parseStatements(`EXPLAIN ${sql}`);
  if (statement?.kind !== "explain") throw new Error(sql);
  return explain(statement.statement, {
    open: () => ({ definition, collation: "C", plan, ctid: () => "(0,1)" }),
    scratch: { session: () => Promise.reject(new Error("not needed")) },
    signal: new AbortController().signal,
  });
}

describe("estimates", () => {
  it("tell a look-up whose key is a parameter from a scan", async () => {
    const lookUp = await estimate("SELECT k, v FROM r.t WHERE ((k = ((SELECT null::text)::text)))");
    expect(asked.at(-1)?.filters).toEqual([{ kind: "compare", column: 0, operator: "=", value: undefined }]);
    const scan = await estimate("SELECT k, v FROM r.t");
    expect(lookUp).toMatchObject({ rows: 1, requests: ["GET"] });
    expect(scan).toMatchObject({ rows, requests: ["SCAN"], width: 64 });
    // fdw_startup_cost is 100 for each look-up.
    expect((lookUp.totalCost + 100) * 1000).toBeLessThan(scan.totalCost);
    expect((lookUp.totalCost + 100) * 100_000).toBeGreaterThan(scan.totalCost);
  });

  it("know parameters of = ANY, and constants", async () => {
    await estimate("SELECT k FROM r.t WHERE ((k = ANY (((SELECT null::text[])::text[]))))");
    expect(asked.at(-1)?.filters).toEqual([{ kind: "in", column: 0, values: undefined }]);
    await estimate("SELECT k FROM r.t WHERE ((k = 'a')) AND ((n > 5))");
    expect(asked.at(-1)?.filters).toEqual([
      { kind: "compare", column: 0, operator: "=", value: "a" },
      { kind: "compare", column: 2, operator: ">", value: "5" },
    ]);
  });

  it("make LIMIT, counting and filters cheap, and what needs the scratch database dear", async () => {
    const scan = await estimate("SELECT k FROM r.t");
    expect(await estimate("SELECT k FROM r.t LIMIT 10::bigint")).toMatchObject({ rows: 10 });
    expect((await estimate("SELECT k FROM r.t LIMIT 10::bigint")).totalCost).toBeLessThan(100);
    expect((await estimate("SELECT k FROM r.t WHERE ((n = 5))")).rows).toBe(5000);
    const count = await estimate("SELECT count(*) FROM r.t");
    expect(count.totalCost).toBeLessThan(scan.totalCost);
    expect(count).toMatchObject({ rows: 1, startupCost: count.totalCost });
    const groups = await estimate("SELECT n, count(*) FROM r.t GROUP BY 1");
    expect(groups.totalCost).toBeLessThan(scan.totalCost);
    const computed = await estimate("SELECT (n + 1), count(*) FROM r.t GROUP BY 1");
    expect(computed.totalCost).toBeGreaterThan(scan.totalCost);
    expect((await estimate("SELECT k FROM r.t WHERE ((lower(k) = 'a'))")).totalCost).toBeGreaterThan(
      scan.totalCost,
    );
    const join = await estimate("SELECT r1.k FROM (r.t r1 INNER JOIN r.t r2 ON (((r1.k = r2.k))))");
    expect(join.totalCost).toBeGreaterThan(2 * scan.totalCost);
    expect(join.requests).toEqual(["SCAN", "SCAN"]);
  });

  it("are made of UPDATE and DELETE too", async () => {
    expect(await estimate("DELETE FROM r.t WHERE ((k = 'a'))")).toMatchObject({ rows: 1, requests: ["GET"] });
  });
});
