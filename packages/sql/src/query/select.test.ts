import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseStatements } from "../statement/parse.ts";
import type { TextRow } from "./context.ts";
import { memoryRelation } from "./memory-relation.testing.ts";
import { startPostgres, type TestPostgres } from "./postgres.testing.ts";
import { type Generated, Generator, loadSample, random, type Sample } from "./sample.testing.ts";
import { select } from "./select.ts";

let postgres: TestPostgres;
let sample: Sample;

beforeAll(async () => {
  postgres = await startPostgres();
  sample = await loadSample(postgres.pool);
});
afterAll(() => postgres?.stop());

async function ours(sql: string, parameters: (string | null)[], handles: boolean) {
  const [statement] = await parseStatements(sql);
  if (statement?.kind !== "select") throw new Error(sql);
  const result = await select(statement, parameters, {
    scratch: postgres.scratch,
    open: (_, name) => memoryRelation(sample.table(name, handles)),
    signal: new AbortController().signal,
  });
  const rows: TextRow[] = [];
  for await (const batch of result.rows()) rows.push(...batch);
  return { rows, fields: result.fields };
}

async function theirs(sql: string, parameters: (string | null)[]) {
  const client = await postgres.pool.connect();
  try {
    await client.query(
      "SET search_path = pg_catalog; SET timezone = 'GMT'; SET extra_float_digits = 3; SET enable_hashagg = off",
    );
    const { rows, fields } = await client.query<(string | null)[]>({
      text: sql,
      values: parameters,
      rowMode: "array",
    });
    return { rows, fields };
  } finally {
    client.release();
  }
}

function canonical(rows: readonly TextRow[], { outputs, ordered }: Generated): string[] {
  const lines = rows.map((row) =>
    JSON.stringify(
      row.map((value, index) => {
        const text = value instanceof Uint8Array ? Buffer.from(value).toString() : value;
        const column = outputs[index];
        return text !== null && column !== undefined ? sample.print(column, text) : text;
      }),
    ),
  );
  return ordered ? lines : lines.sort();
}

async function compare(generated: Generated): Promise<void> {
  const { sql, parameters } = generated;
  // A condition that was thrown away leaves its parameters unused.
  if (!parameters.every((_, index) => sql.includes(`$${index + 1}::`))) return;
  const failure = (error: unknown) => ({
    error:
      (error as { code?: string; sqlState?: string }).code ??
      (error as { sqlState?: string }).sqlState ??
      String(error),
  });
  const expected = await theirs(sql, parameters).catch(failure);
  for (const handles of [false, true]) {
    const got = await ours(sql, parameters, handles).catch(failure);
    const message = `${sql} ${JSON.stringify(parameters)} ${handles}`;
    if ("error" in expected || "error" in got) {
      expect(got, message).toEqual(expected);
      continue;
    }
    expect(canonical(got.rows, generated), message).toEqual(canonical(expected.rows, generated));
    expect(
      got.fields.map(({ typeOid, typeModifier }) => [typeOid, typeModifier]),
      message,
    ).toEqual(expected.fields.map(({ dataTypeID, dataTypeModifier }) => [dataTypeID, dataTypeModifier]));
  }
}

describe("the same answers as PostgreSQL", () => {
  const steps = { single: 8, aggregate: 2, join: 3 } as const;
  for (const [shape, count] of Object.entries(steps) as [keyof typeof steps, number][]) {
    it.each(Array.from({ length: count }, (_, seed) => seed))(`150 statements: ${shape} %i`, async (seed) => {
      const next = random(seed * 100 + shape.length);
      for (let index = 0; index < 150; index++) await compare(new Generator(next, sample)[shape]());
    });
  }

  it.each(
    ["LEFT", "RIGHT", "FULL", "INNER"].flatMap((type) =>
      [
        "(r1.o IS NULL)",
        "(r2.o IS NULL)",
        "(NOT r2.o)",
        "(r1.i > 1)",
        "((r2.t IS NULL) OR (r2.i > 1))",
      ].flatMap((condition) => [
        `SELECT r1.id, r2.id FROM (r.t r1 ${type} JOIN r.u r2 ON (((r1.id = r2.id)))) WHERE (${condition})`,
        ...(type === "FULL"
          ? []
          : [
              `SELECT r1.id, r2.id FROM (r.t r1 ${type} JOIN r.u r2 ON (((r1.id = r2.id)) AND (${condition})))`,
            ]),
      ]),
    ),
  )("%s", (sql) => compare({ sql, parameters: [], ordered: false, outputs: [] }));
});
