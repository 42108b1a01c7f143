import { readFile } from "node:fs/promises";
import type { AsyncBuffer } from "hyparquet";
import { ByteWriter, parquetWrite } from "hyparquet-writer";
import { describe, expect, test } from "vitest";
import type { Filter, Row } from "../../../source.ts";
import { define } from "../../testing.ts";
import { mostDecoded, readParquet } from "./read.ts";

interface Read {
  readonly rows: Row[];
  /** Bytes that were asked for behind the metadata. */
  readonly bytes: number;
}

async function read(
  file: string | Buffer,
  columns: string,
  filters: readonly Filter[] = [],
  outputs?: readonly number[],
  most = Number.POSITIVE_INFINITY,
): Promise<Read> {
  const whole =
    typeof file === "string" ? await readFile(new URL(`fixtures/${file}.parquet`, import.meta.url)) : file;
  let bytes = 0;
  const buffer: AsyncBuffer = {
    byteLength: whole.length,
    slice(start, end = whole.length) {
      if (end < whole.length) bytes += end - start;
      return new Uint8Array(whole.subarray(start, end)).buffer;
    },
  };
  const { columns: all } = define(columns);
  const fields = outputs ?? all.map((_, i) => i);
  const target = {
    columns: all,
    outputs: fields.map((field) => ({ field })),
    pseudoName: "filename",
    key: "x.parquet",
  };
  const rows: Row[] = [];
  const { signal } = new AbortController();
  for await (const batch of readParquet(buffer, target, filters, most, "s3://b/x.parquet", signal))
    rows.push(...batch);
  return { rows, bytes };
}

describe("types", () => {
  test.each<[column: string, first: unknown, third: unknown]>([
    ["b boolean", true, false],
    ["i8 smallint", -128, 127],
    ["u8 smallint", 0, 255],
    ["i32 integer", -2147483648, 2147483647],
    ["u32 bigint", 0, 4294967295],
    ["i64 bigint", -9223372036854775808n, 9223372036854775807n],
    ["u64 numeric", 0n, 18446744073709551615n],
    ["f32 real", 1.5, Number.NaN],
    ["f64 double precision", 0.1, Number.NEGATIVE_INFINITY],
    ["s text", "é😀", ""],
    ["bin bytea", new Uint8Array([0, 255]), new Uint8Array()],
    ["d9 numeric", "-1234567.89", "0.01"],
    ["d38 numeric", "-1234567890123456789012345678.9012345678", "0.0000000001"],
    ["day date", "2024-02-29", "0001-01-01"],
    ["tsms timestamp without time zone", "2024-02-29 00:00:00.123000", "1969-12-31 23:59:59.999000"],
    ["tsus timestamp with time zone", "2024-02-29 00:00:00.123456+00", "1969-12-31 23:59:59.999999+00"],
    ["tsns timestamp without time zone", "2024-02-29 00:00:00.123456", "1969-12-31 23:59:59.999999"],
    ["tm time without time zone", "23:59:59.999999", "00:00:00"],
    ["lst integer[]", [1, null, 3], []],
    ["lst jsonb", "[1,null,3]", "[]"],
    ["lstd jsonb", "[1.10]", "[null]"],
    ["st jsonb", '{"a":1152921504606846976,"b":["x"]}', '{"a":null,"b":null}'],
    ["mp jsonb", '{"k":1.5}', "{}"],
    ["id uuid", "00010203-0405-0607-0809-0a0b0c0d0e0f", "00000000-0000-0000-0000-000000000000"],
    ["i32 text", "-2147483648", "2147483647"],
    ["s jsonb", undefined, undefined],
  ])("%s", async (column, first, third) => {
    if (first === undefined)
      return expect(read("types-snappy", column)).rejects.toMatchObject({
        sqlState: "22P02",
        detail: "s3://b/x.parquet, row 1",
      });
    expect((await read("types-snappy", column)).rows).toEqual([[first], [null], [third]]);
  });

  test.each(["none", "gzip", "zstd", "brotli", "lz4"])("compressed by %s", async (compression) => {
    const columns = "s text, d38 numeric, st jsonb, lst integer[]";
    expect((await read(`types-${compression}`, columns)).rows).toEqual(
      (await read("types-snappy", columns)).rows,
    );
  });

  test("a value that does not fit is an error that names the row", async () => {
    await expect(read("types-snappy", "u32 integer")).rejects.toMatchObject({
      sqlState: "22003",
      detail: "s3://b/x.parquet, row 3",
    });
  });
});

describe("what is read", () => {
  const n = { kind: "compare", column: 0 } as const;
  const columns =
    "n bigint, s text, day date, at timestamp with time zone, f double precision, sparse integer";

  test("all rows once, in order", async () => {
    const { rows } = await read("groups", columns, [], [0, 1]);
    expect(rows).toEqual(
      Array.from({ length: 400 }, (_, i) => [
        BigInt(i),
        `${"abcd"[Math.floor(i / 100)]}-${String(i).padStart(3, "0")}`,
      ]),
    );
  });

  test.each<[Filter, groups: number[]]>([
    [{ ...n, operator: "=", value: "250" }, [2]],
    [{ ...n, operator: ">", value: "299" }, [3]],
    [{ ...n, operator: ">=", value: "299" }, [2, 3]],
    [{ ...n, operator: "<", value: "100" }, [0]],
    [{ ...n, operator: "<=", value: "100" }, [0, 1]],
    [{ ...n, operator: "<>", value: "100" }, [0, 1, 2, 3]],
    [{ ...n, operator: "=", value: undefined }, [0, 1, 2, 3]],
    [{ kind: "in", column: 0, values: ["1", "399", "1000"] }, [0, 3]],
    [{ kind: "in", column: 0, values: [] }, []],
    [{ kind: "like", column: 1, pattern: "b-1%" }, [1]],
    [{ kind: "like", column: 1, pattern: "%1" }, [0, 1, 2, 3]],
    [{ kind: "compare", column: 1, operator: ">", value: "c" }, [2, 3]],
    [{ kind: "compare", column: 2, operator: "<", value: "2024-04-10" }, [0]],
    [{ kind: "compare", column: 3, operator: ">=", value: "2024-01-13 20:00:00+00" }, [2, 3]],
    [{ kind: "compare", column: 4, operator: "<", value: "50" }, [0]],
    // A NaN lies above all else and does not show in the statistics.
    [{ kind: "compare", column: 4, operator: ">", value: "1000" }, [0, 1, 2, 3]],
    [{ kind: "null", column: 5, isNull: true }, [1, 2, 3]],
    [{ kind: "null", column: 5, isNull: false }, [0]],
    [{ kind: "compare", column: 5, operator: ">", value: "5" }, [0]],
  ])("row groups for %j", async (filter, groups) => {
    const { rows } = await read("groups", columns, [filter], [0]);
    expect(rows.map(([value]) => Number(value))).toEqual(
      groups.flatMap((group) => Array.from({ length: 100 }, (_, i) => group * 100 + i)),
    );
  });

  test("only the columns and row groups that are needed are fetched", async () => {
    const all = await read("groups", columns);
    const one = await read("groups", columns, [{ ...n, operator: "=", value: "1" }], [1]);
    const none = await read("groups", columns, [], []);
    expect(one.bytes).toBeLessThan(all.bytes / 8);
    expect(none.bytes).toBe(0);
    expect(none.rows).toHaveLength(400);
  });

  test("a large row group is decoded part by part, and fetched once", async () => {
    const count = mostDecoded + 10_000;
    const text = (i: number) => (i % 7 === 0 ? null : `${i}`);
    const numbers = Array.from({ length: count }, (_, i) => i);
    const writer = new ByteWriter();
    parquetWrite({
      writer,
      rowGroupSize: count,
      columnData: [
        { name: "n", type: "INT32", data: numbers },
        { name: "s", type: "STRING", nullable: true, data: numbers.map(text) },
      ],
    });
    const file = Buffer.from(writer.getBytes());
    const { rows, bytes } = await read(file, "n integer, s text");
    expect(rows).toHaveLength(count);
    expect(rows.findIndex(([n, s], i) => n !== i || s !== text(i))).toBe(-1);
    expect(bytes).toBeLessThan(file.length);
  });

  test("a limit ends reading", async () => {
    const { rows, bytes } = await read("groups", columns, [], [0], 10);
    expect(rows).toHaveLength(10);
    expect(bytes).toBeLessThan((await read("groups", columns, [], [0])).bytes / 2);
  });
});

describe("errors", () => {
  test("a column that the file lacks, and one that it has itself", async () => {
    await expect(read("groups", "absent text")).rejects.toMatchObject({
      sqlState: "HV005",
      hint: expect.stringContaining('"sparse"'),
    });
  });

  test("damaged files", async () => {
    const whole = await readFile(new URL("fixtures/groups.parquet", import.meta.url));
    const scribbled = Buffer.from(whole);
    scribbled.fill(0xff, 4, 2000);
    for (const file of [Buffer.from("no Parquet at all"), whole.subarray(0, whole.length - 10), scribbled])
      await expect(read(file, "n bigint, s text")).rejects.toMatchObject({ sqlState: "22P04" });
  });
});
