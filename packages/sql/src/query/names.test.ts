import type { TableDefinition } from "@overcoat/sources";
import { afterAll, beforeAll, expect, it } from "vitest";
import { quoteIdentifier } from "../statement/lexical.ts";
import { parseStatements } from "../statement/parse.ts";
import type { TextRow } from "./context.ts";
import { memoryRelation } from "./memory-relation.testing.ts";
import { modify } from "./modify.ts";
import { startPostgres, type TestPostgres } from "./postgres.testing.ts";
import { select } from "./select.ts";

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await startPostgres();
});
afterAll(() => postgres?.stop());

const names = [
  "ключ",
  `${"long ".repeat(20)}a`,
  `${"long ".repeat(20)}b`,
  'quo"te',
  "overcoat 1",
  "overcoat ctid",
  "SELECT",
];
const definition: TableDefinition = {
  name: "odd",
  options: { note: "ü".repeat(100) },
  columns: names.map((name) => ({ name, type: "text", options: {} })),
};
const rows = [names.map((_, index) => `a${index}`), names.map((_, index) => `b${index}`)];
const table = `overcoat.${quoteIdentifier(JSON.stringify(definition))}`;

async function run(sql: string): Promise<TextRow[]> {
  const [statement] = await parseStatements(sql);
  const context = {
    scratch: postgres.scratch,
    open: (schema: string, name: string) => {
      expect([schema, name]).toEqual(["overcoat", JSON.stringify(definition)]);
      return memoryRelation({ definition, rows });
    },
    signal: new AbortController().signal,
  };
  const found: TextRow[] = [];
  if (statement?.kind === "select") {
    const result = await select(statement, [], context);
    for (const { name } of result.fields) expect([...names, "ctid"]).toContain(name);
    for await (const batch of result.rows()) found.push(...batch);
  } else if (statement?.kind === "update" || statement?.kind === "delete") {
    for await (const batch of modify(statement, [], context))
      for (const { identity, before, after, returning } of batch)
        found.push([identity, ...returning, ...(after ?? before).filter((text) => text != null)]);
  } else throw new Error(sql);
  return found;
}

it.each(names.map((name, index) => [name, index] as const))("column %s", async (name, index) => {
  const column = quoteIdentifier(name);
  const others = names.map(quoteIdentifier).join(", ");
  expect(await run(`SELECT ${column}, ctid FROM ${table} WHERE ((${column} = 'b${index}'))`)).toEqual([
    [`b${index}`, "(0,2)"],
  ]);
  expect(await run(`SELECT ${column} FROM ${table} WHERE ((upper(${column}) = 'B${index}'))`)).toEqual([
    [`b${index}`],
  ]);
  expect(await run(`SELECT ${others} FROM ${table} WHERE ((lower(${column}) ~~ 'a%'))`)).toEqual([rows[0]]);
  expect(
    await run(
      `SELECT r1.${column}, r2.ctid FROM (${table} r1 INNER JOIN ${table} r2 ON (((r1.${column} = r2.${column})))) WHERE ((r1.${column} > 'b'))`,
    ),
  ).toEqual([[`b${index}`, "(0,2)"]]);
  expect(
    await run(
      `UPDATE ${table} SET ${column} = 'new'::text WHERE ((${column} = 'a${index}')) RETURNING ${column}`,
    ),
  ).toEqual([["row 0", "new", "new"]]);
  expect(
    await run(
      `UPDATE ${table} SET ${column} = (${column} || '!'::text) WHERE ((${column} = 'a${index}')) RETURNING ${column}`,
    ),
  ).toEqual([["row 0", `a${index}!`, `a${index}!`]]);
  expect(await run(`DELETE FROM ${table} WHERE ((upper(${column}) = 'B${index}'))`)).toEqual([
    ["row 1", `b${index}`],
  ]);
});
