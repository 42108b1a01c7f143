import { afterAll, beforeAll, expect, it } from "vitest";
import { parseStatements } from "../statement/parse.ts";
import { memoryRelation, printedText } from "./memory-relation.testing.ts";
import { type Modified, modify } from "./modify.ts";
import { startPostgres, type TestPostgres } from "./postgres.testing.ts";
import { definition, Generator, loadSample, pick, random, type Sample } from "./sample.testing.ts";

let postgres: TestPostgres;
let sample: Sample;

beforeAll(async () => {
  postgres = await startPostgres();
  sample = await loadSample(postgres.pool);
});
afterAll(() => postgres?.stop());

async function ours(sql: string, parameters: (string | null)[], handles: boolean): Promise<Modified[]> {
  const [statement] = await parseStatements(sql);
  if (statement?.kind !== "update" && statement?.kind !== "delete") throw new Error(sql);
  const modified: Modified[] = [];
  const batches = modify(statement, parameters, {
    scratch: postgres.scratch,
    open: (_, name) => memoryRelation(sample.table(name, handles)),
    signal: new AbortController().signal,
  });
  for await (const batch of batches) modified.push(...batch);
  return modified;
}

/** What RETURNING gives, and the table's rows by id after the statement. */
async function theirs(sql: string, parameters: (string | null)[]) {
  const client = await postgres.pool.connect();
  try {
    await client.query(
      "SET search_path = pg_catalog; SET timezone = 'GMT'; SET extra_float_digits = 3; BEGIN",
    );
    const returned = await client.query<(string | null)[]>({
      text: sql,
      values: parameters,
      rowMode: "array",
    });
    const rows = await client.query<(string | null)[]>({ text: "SELECT * FROM r.t", rowMode: "array" });
    return { returned: returned.rows, rows: new Map(rows.rows.map((row) => [row[0]!, row])) };
  } finally {
    await client.query("ROLLBACK");
    client.release();
  }
}

const sqlState = (error: unknown) => {
  const { code, sqlState: state } = error as { code?: string; sqlState?: string };
  return { error: code ?? state ?? String(error) };
};

async function compare(
  sql: string,
  parameters: (string | null)[],
  outputs: readonly number[],
): Promise<void> {
  const expected = await theirs(sql, parameters).catch(sqlState);
  for (const handles of [false, true]) {
    const message = `${sql} ${JSON.stringify(parameters)} ${handles}`;
    const got = await ours(sql, parameters, handles).catch(sqlState);
    if ("error" in expected || "error" in got) {
      expect(got, message).toEqual(expected);
      continue;
    }
    const returned = got.map(({ returning }) =>
      returning.map((value, index) => (value === null ? null : sample.print(outputs[index]!, String(value)))),
    );
    if (outputs.length > 0)
      expect(returned.map((row) => JSON.stringify(row)).sort(), message).toEqual(
        expected.returned.map((row) => JSON.stringify(row)).sort(),
      );
    const changed = new Map(got.map((modified) => [modified.identity, modified]));
    expect(changed.size, message).toBe(got.length);
    for (const [number, row] of sample.table("t", false).rows.entries()) {
      const modified = changed.get(`row ${number}`);
      const after = expected.rows.get(String(number));
      if (sql.startsWith("DELETE")) {
        expect(modified === undefined, message).toBe(after !== undefined);
        if (modified) expect(modified.after).toBeUndefined();
        continue;
      }
      const before = row.map((value, column) => printedText(value, column, sample.table("t", false)));
      const result = before.map((value, column) => {
        const set = modified?.after?.[column];
        return set === undefined ? value : set === null ? null : sample.print(column, set);
      });
      expect(result, message).toEqual(after);
      for (const [column, value] of modified?.before.entries() ?? [])
        if (value !== undefined && value !== null)
          expect(sample.print(column, value), message).toBe(before[column]);
    }
  }
}

const columns = definition.columns;
const names = (sources: readonly number[]) => sources.map((column) => columns[column]!.name).join(", ");

it("200 UPDATE and DELETE change the rows that PostgreSQL changes", async () => {
  const next = random(5);
  for (let index = 0; index < 200; index++) {
    const generator = new Generator(next, sample);
    const returning = next() < 0.5 ? [0, generator.column()] : [];
    const suffix = returning.length > 0 ? ` RETURNING ${names(returning)}` : "";
    const sets: string[] = [];
    const column = pick([1, 3, 7, 12], next);
    const { name, type } = columns[column]!;
    const plain = type.replace("character varying(6)", "text");
    sets.push(
      pick(
        [
          () => `${name} = NULL::${plain}`,
          () => `${name} = ${name}`,
          () => {
            const constant = generator.constant(column, generator.value(column));
            return `${name} = ${constant.includes("::") ? constant : `${constant}::${plain}`}`;
          },
          () => "t = (t || 'x'::text)",
          () => "i = (i + 1)",
          () => "v = (v)::text",
          () => "n2 = n",
        ],
        next,
      )(),
    );
    const where = generator.where("");
    const sql = next() < 0.6 ? `UPDATE r.t SET ${sets}${where}${suffix}` : `DELETE FROM r.t${where}${suffix}`;
    const { parameters } = generator;
    if (!parameters.every((_, number) => sql.includes(`$${number + 1}::`))) continue;
    await compare(sql, parameters, returning);
  }
});

it("joins of tables of one server are changed as a whole", async () => {
  await compare(
    "UPDATE r.t r1 SET t = (r2.t || r1.t) FROM r.u r2 WHERE ((r1.id = r2.id)) AND ((r2.i > 0)) RETURNING r1.id, r1.t",
    [],
    [0, 1],
  );
  await compare(
    "DELETE FROM r.t r1 USING r.u r2 WHERE ((r1.id = r2.id)) AND ((r2.o)) RETURNING r1.id, r2.t",
    [],
    [0, 1],
  );
});
