import { readFile } from "node:fs/promises";
import zlib from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Connection, TableDefinition } from "../../source.ts";
import { openTestGateway, read, type TestGateway } from "../testing.ts";
import { typeOfText, widen } from "./infer.ts";

let gateway: TestGateway;
let connection: Connection;

const fixture = (name: string) =>
  readFile(new URL(`../files/parquet/fixtures/${name}.parquet`, import.meta.url));

beforeAll(async () => {
  gateway = await openTestGateway();
  connection = await gateway.connect();
  await gateway.objects.createBucket("data");
  const put = (key: string, body: string | Uint8Array) => gateway.objects.putObject("data", key, body);
  await put(
    "people.csv",
    "id,name,height,born,seen,active,zip,empty,tags\n" +
      '1,Ann,1.70,2000-02-29,2024-01-01T10:00:00Z,true,00123,,"[1]"\n' +
      '3000000000,"Bob, B.",1.8,1999-12-31,2024-01-02T10:00:00+02:00,false,99999,,{}\n',
  );
  await put("plain.tsv", "1\tx\n2\ty\n");
  await put(
    "deep/events.jsonl.gz",
    zlib.gzipSync('{"id":1,"at":"2024-01-01","x":{"a":1}}\n{"id":2.5,"y":null}\n'),
  );
  await put("deep/groups.parquet", await fixture("groups"));
  await put("deep/types.parquet", await fixture("types-zstd"));
  await put("broken.parquet", "no Parquet");
  await put("own.csv", "filename,n\na,1\n");
  await put("empty.csv", "");
  await put("notes.txt", "x");
  await put("image.png", "x");
});
afterAll(() => gateway[Symbol.asyncDispose]());

const types = ({ columns }: TableDefinition) =>
  Object.fromEntries(columns.map(({ name, type }) => [name, type]));
const byName = (tables: readonly TableDefinition[] | undefined) =>
  Object.fromEntries(tables!.map((table) => [table.name, table]));

test("a bucket offers its listing and its files", async () => {
  const tables = byName(await connection.tables!("data"));
  expect(Object.keys(tables).sort()).toEqual([
    "data",
    "deep/events.jsonl.gz",
    "deep/groups.parquet",
    "deep/types.parquet",
    "own.csv",
    "people.csv",
    "plain.tsv",
  ]);
  expect(types(tables["people.csv"]!)).toEqual({
    id: "bigint",
    name: "text",
    height: "numeric",
    born: "date",
    seen: "timestamp with time zone",
    active: "boolean",
    zip: "text",
    empty: "text",
    tags: "jsonb",
  });
  expect(types(tables["plain.tsv"]!)).toEqual({ column1: "integer", column2: "text" });
  expect(types(tables["deep/events.jsonl.gz"]!)).toEqual({
    id: "double precision",
    at: "date",
    x: "jsonb",
    y: "text",
  });
  expect(types(tables["deep/types.parquet"]!)).toEqual({
    b: "boolean",
    i8: "smallint",
    u8: "smallint",
    i32: "integer",
    u32: "bigint",
    i64: "bigint",
    u64: "numeric",
    f32: "real",
    f64: "double precision",
    s: "text",
    bin: "bytea",
    d9: "numeric(9,2)",
    d38: "numeric(38,10)",
    day: "date",
    tsms: "timestamp without time zone",
    tsus: "timestamp with time zone",
    tsns: "timestamp without time zone",
    tm: "time without time zone",
    lst: "integer[]",
    lstd: "numeric(5,2)[]",
    st: "jsonb",
    mp: "jsonb",
    id: "bytea",
  });
});

test("tables are found again by schema and name, and read", async () => {
  const rowCounts: Record<string, number> = {};
  for (const table of (await connection.tables!("data"))!) {
    expect(table.remote).toEqual({ schema: "data", name: table.name });
    rowCounts[table.name] = (await read(connection, table)).rows.length;
  }
  expect(rowCounts).toEqual({
    data: 10,
    "deep/events.jsonl.gz": 2,
    "deep/groups.parquet": 400,
    "deep/types.parquet": 3,
    "own.csv": 1,
    "people.csv": 2,
    "plain.tsv": 2,
  });
});

test("a prefix is a schema too", async () => {
  for (const schema of ["data/deep", "data/deep/"]) {
    const tables = byName(await connection.tables!(schema));
    expect(Object.keys(tables).sort()).toEqual([
      "deep",
      "events.jsonl.gz",
      "groups.parquet",
      "types.parquet",
    ]);
    expect((await read(connection, tables.deep!)).rows).toHaveLength(3);
    expect((await read(connection, tables["groups.parquet"]!)).rows).toHaveLength(400);
  }
});

describe("names", () => {
  test("only those that are asked for are looked at", async () => {
    gateway.requests.length = 0;
    expect(
      Object.keys(byName(await connection.tables!("data", ["people.csv", "absent.csv", "data"]))),
    ).toEqual(["data", "people.csv"]);
    expect(gateway.requests.filter((one) => one.startsWith("GetObject"))).toEqual([
      "GetObject /data/people.csv",
    ]);
    expect(await connection.tables!("data", [])).toEqual([]);
  });

  test("an unreadable file that is asked for is an error", async () => {
    await expect(connection.tables!("data", ["broken.parquet"])).rejects.toMatchObject({ sqlState: "22P04" });
  });

  test("what there is not", async () => {
    expect(await connection.tables!("absent")).toBeUndefined();
    expect(await connection.tables!("data/absent")).toBeUndefined();
    expect(await connection.tables!("No Bucket")).toBeUndefined();
    const table = { name: "t", options: {}, columns: [], remote: { schema: "data", name: "x.png" } };
    expect(() => connection.table(table)).toThrow(expect.objectContaining({ sqlState: "42P01" }));
  });
});

test("options of an imported table count more than what its name says", async () => {
  await gateway.objects.putObject("data", "semicolons.csv", "a;b\n1;2\n");
  const { columns, ...table } = (await connection.tables!("data", ["semicolons.csv"]))![0]!;
  expect(columns).toHaveLength(1);
  const two = ["a", "b"].map((name) => ({ name, type: "integer", options: {} }));
  const { rows } = await read(connection, { ...table, columns: two, options: { delimiter: ";" } });
  expect(rows).toEqual([["1", "2"]]);
});

test.each([
  ["7", "integer"],
  ["-2147483649", "bigint"],
  ["9223372036854775808", "numeric"],
  ["007", "text"],
  ["1.50", "numeric"],
  ["1e5", "double precision"],
  ["2024-13-01", "text"],
  ["2024-01-01 10:00", "timestamp without time zone"],
  ["TRUE", "boolean"],
  ["f81d4fae-7dec-11d0-a765-00a0c91e6bf6", "uuid"],
  ["{x", "text"],
])("%s is %s", (text, type) => expect(typeOfText(text)).toBe(type));

test("types that are seen together", () => {
  expect(widen("integer", "double precision")).toBe("double precision");
  expect(widen("date", "timestamp without time zone")).toBe("timestamp without time zone");
  expect(widen("date", "integer")).toBe("text");
  expect(widen("jsonb", "integer")).toBe("jsonb");
});
