import { ByteWriter, parquetWrite } from "hyparquet-writer";
import { afterAll, beforeAll, describe, test } from "vitest";
import { openTestGateway, type TestGateway } from "../../../packages/sources/src/s3/testing.ts";
import { type Stack, startStack } from "../stack.ts";
import { makePeople, people } from "./people.ts";
import { expectSameAnswers } from "./suites.ts";
import type { ComparedTable } from "./table.ts";
import { type LocalRow, openTwice } from "./twice.ts";

const minutes = 60_000;
/** A null of JSON is NULL in files of JSON lines, and the writer of Parquet files takes -0 for 0. */
const rows = makePeople(200).map(({ data, score, ...row }) => ({
  ...row,
  ...(data !== undefined && data !== "null" && { data }),
  ...(score !== undefined && { score: score === "-0" ? "0" : score }),
}));
let gateway: TestGateway;
let stack: Stack;
let server: string;

beforeAll(async () => {
  [gateway, stack] = await Promise.all([openTestGateway(), startStack()]);
  server = `CREATE SERVER s3_server FOREIGN DATA WRAPPER s3_fdw OPTIONS (endpoint '${gateway.endpoint}',
    bucket 'data', access_key_id 'test-access', secret_access_key 'test-secret')`;
  await gateway.objects.createBucket("data");
  await put("people/1.csv", csv(rows.slice(0, 90)));
  await put("people/2.csv", csv(rows.slice(90)));
  await put("people.jsonl", rows.map(json).join(""));
  await put("people.parquet", parquet(rows));
});
afterAll(async () => {
  await stack?.[Symbol.asyncDispose]();
  await gateway?.[Symbol.asyncDispose]();
});

async function put(key: string, body: string | Uint8Array): Promise<void> {
  await gateway.objects.putObject("data", key, body);
}

const columnNames = people.columns.map(({ name }) => name);

function csv(people: readonly LocalRow[]): string {
  const quoted = (value: string | undefined) =>
    value === undefined ? "" : `"${value.replaceAll('"', '""')}"`;
  return [
    columnNames.join(","),
    ...people.map((person) => columnNames.map((name) => quoted(person[name])).join(",")),
  ]
    .map((line) => `${line}\r\n`)
    .join("");
}

/** A line in which values have JSON's types where it has them. */
function json(person: LocalRow): string {
  const members = Object.entries(person).map(([name, text]) => {
    const plain = ["n", "level", "big", "amount", "active", "data"].includes(name);
    return `${JSON.stringify(name)}:${plain ? text : JSON.stringify(text)}`;
  });
  return `{${members.join(",")}}\n`;
}

/** Columns have Parquet's types where it has them, the others are text. */
function parquet(people: readonly LocalRow[]): Uint8Array {
  const column = (name: string, type: "STRING" | "INT32" | "INT64" | "BOOLEAN" | "DOUBLE" | "TIMESTAMP") => ({
    name,
    type,
    nullable: true,
    data: people.map(({ [name]: text }) => {
      if (text === undefined) return null;
      if (type === "INT32" || type === "DOUBLE") return Number(text);
      if (type === "INT64") return BigInt(text);
      if (type === "BOOLEAN") return text === "true";
      return text;
    }),
  });
  const writer = new ByteWriter();
  parquetWrite({
    writer,
    rowGroupSize: 50,
    columnData: [
      ...["id", "name", "city", "amount", "born", "seen", "data", "token"].map((name) =>
        column(name, "STRING"),
      ),
      column("n", "INT32"),
      column("level", "INT32"),
      column("big", "INT64"),
      column("score", "DOUBLE"),
      column("active", "BOOLEAN"),
    ],
  });
  return writer.getBytes();
}

describe("objects of S3 and the same rows in a table", () => {
  test.each([
    ["csv", "s3://data/people/*.csv"],
    ["jsonl", "s3://data/people.jsonl"],
    ["parquet", "s3://data/people.parquet"],
  ])(
    "give the same answers from %s",
    async (format, uri) => {
      const foreign = `${server}; CREATE FOREIGN TABLE t ({columns}) SERVER s3_server OPTIONS (format '${format}', uri '${uri}')`;
      const client = await openTwice(stack, { table: people, rows, foreign });
      await expectSameAnswers(client, people, { seed: 3, count: 60 });
    },
    10 * minutes,
  );
});

const prefixes = ["a/", "a/b/", "a-", "é/", "Z"];
const types = ["text/plain", "image/png", "application/json"];
const listed: readonly LocalRow[] = Array.from({ length: 120 }, (_, n) => ({
  filename: `${prefixes[n % prefixes.length]}${n % 3 === 0 ? "x y" : "😀"}${n}`,
  size: String(n + 1),
  content_type: types[n % types.length]!,
  storage_class: "STANDARD",
}));
const listing: ComparedTable = {
  key: "filename",
  unique: "size",
  groups: ["content_type", "storage_class"],
  columns: [
    {
      name: "filename",
      type: "text",
      samples: [...listed.slice(0, 12).map((row) => row.filename!), "a", "b"],
    },
    { name: "size", type: "bigint", samples: ["0", "1", "17", "50", "120", "500"] },
    { name: "content_type", type: "text", samples: [...types, "text/csv"] },
    { name: "storage_class", type: "text", samples: ["STANDARD", "GLACIER"] },
  ],
};

describe("a listing of S3 and the same rows in a table", () => {
  beforeAll(async () => {
    await gateway.objects.createBucket("listed");
    for (const { filename, size, content_type } of listed)
      await gateway.objects.putObject("listed", filename!, "x".repeat(Number(size)), {
        metadata: { headers: { "content-type": content_type! } },
      });
  });

  test(
    "give the same answers",
    async () => {
      const foreign = `${server}; CREATE FOREIGN TABLE t ({columns}) SERVER s3_server OPTIONS (bucket 'listed')`;
      const client = await openTwice(stack, { table: listing, rows: listed, foreign });
      await expectSameAnswers(client, listing, { seed: 4, count: 60 });
    },
    10 * minutes,
  );
});
