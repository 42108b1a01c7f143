import type { Column, Filter, Value } from "@overcoat/sources";
import { describe, expect, it } from "vitest";
import { readArray } from "./array.ts";
import { compareText } from "./collate.ts";
import { domains } from "./domain.ts";
import { matches } from "./filter.ts";
import { likeMatcher } from "./like.ts";
import { toText } from "./text.ts";
import { averageWidth, columnType, typeInSql } from "./type.ts";

describe("text of values", () => {
  const bytes = (...values: number[]) => new Uint8Array(values);
  const cases: readonly (readonly [Value, string, string | null])[] = [
    [null, "text", null],
    ["as it is", "integer", "as it is"],
    [1e21, "double precision", "1e+21"],
    [Number.NaN, "double precision", "NaN"],
    [-0, "double precision", "-0"],
    [12n, "bigint", "12"],
    [true, "boolean", "t"],
    [true, "text", "true"],
    [true, "jsonb", "true"],
    ["{}", "jsonb", "{}"],
    [{ a: [1, "ü"] }, "jsonb", '{"a":[1,"ü"]}'],
    [[1, 2], "json", "[1,2]"],
    [{ a: 1 }, "text", '{"a":1}'],
    [bytes(0, 255), "bytea", "\\x00ff"],
    [["a", null, "", "b c", 'q"', "NULL", "{x}"], "text[]", '{a,NULL,"","b c","q\\"","NULL","{x}"}'],
    [
      [
        [1, 2],
        [3, 4],
      ],
      "integer[]",
      "{{1,2},{3,4}}",
    ],
    [new Date("2020-02-03T04:05:06.700Z"), "timestamp with time zone", "2020-02-03 04:05:06.700+00"],
    [new Date("2020-02-03T04:05:06Z"), "timestamp without time zone", "2020-02-03 04:05:06"],
    [new Date("2020-02-03T00:00:00Z"), "date", "2020-02-03"],
    [new Date("-000001-01-01T00:00:00Z"), "date", "0002-01-01 BC"],
    [new Date("+012345-01-01T00:00:00Z"), "date", "12345-01-01"],
    [new Date("2020-02-03T04:05:06Z"), "text", "2020-02-03T04:05:06.000Z"],
    [new Date("2020-02-03T04:05:06Z"), "jsonb", '"2020-02-03T04:05:06.000Z"'],
  ];
  for (const [value, type, text] of cases)
    it(`${String(value)} as ${type} is ${text}`, () => expect(toText(value, type)).toBe(text));

  it("hands UTF-8 through untouched, and nothing else", () => {
    const text = new TextEncoder().encode("ü");
    expect(toText(text, "text")).toBe(text);
    for (const [value, type] of [
      [bytes(0xff), "text"],
      [bytes(0x61, 0), "jsonb"],
      ["a\0", "text"],
    ] as const)
      expect(() => toText(value, type)).toThrow(expect.objectContaining({ sqlState: "22021" }));
    expect(() => toText(new Date(Number.NaN), "date")).toThrow(
      expect.objectContaining({ sqlState: "22007" }),
    );
  });
});

describe("types", () => {
  it.each([
    ["character varying(20)", "varchar", 1043, 24, 'pg_catalog."varchar"(20)'],
    ["numeric(10,2)", "numeric", 1700, 655366, 'pg_catalog."numeric"(10,2)'],
    ["timestamp(3) with time zone", "timestamptz", 1184, 3, 'pg_catalog."timestamptz"(3)'],
    ["integer[]", "int4", 1007, -1, 'pg_catalog."int4"[]'],
    ["double precision", "float8", 701, -1, 'pg_catalog."float8"'],
    ['"char"', "char", 18, -1, 'pg_catalog."char"'],
    ["interval day to second(3)", "interval", 1186, -1, 'pg_catalog."interval"(3)'],
    ["public.mood", "text", 25, -1, 'pg_catalog."text"'],
    ['text; DROP TABLE x --"', "text", 25, -1, 'pg_catalog."text"'],
  ])("%s", (formatted, name, oid, modifier, sql) => {
    const type = columnType(formatted);
    expect([type.name, type.oid, type.modifier, typeInSql(type)]).toEqual([name, oid, modifier, sql]);
  });

  it("widths", () => {
    expect(
      ["integer", "text", "character varying(10)", "uuid", "integer[]"].map((type) =>
        averageWidth(columnType(type)),
      ),
    ).toEqual([4, 32, 14, 16, 32]);
  });
});

describe("domains", () => {
  const inOrder: Readonly<Record<string, readonly string[]>> = {
    text: ["", "A", "a", "ab", "b", "\ud7ff", "\uffee", "😀", "😀a"],
    int8: [
      "-9223372036854775808",
      "-1",
      "0",
      " +7 ",
      "9007199254740992",
      "9007199254740993",
      "9223372036854775807",
    ],
    numeric: [
      "-Infinity",
      "-1e20",
      "-0.1",
      "0",
      "1e-20",
      "0.1",
      "0.30000000000000004",
      "1",
      "123456789012345678",
      "123456789012345678.1",
      "1e200",
      "Infinity",
      "NaN",
    ],
    float8: ["-Infinity", "-1.5", "0", "1e-300", "0.1", "1e300", "Infinity", "NaN"],
    bool: ["f", "t"],
    uuid: ["00000000-0000-0000-0000-00000000000A", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"],
    date: [
      "-infinity",
      "4714-11-24 BC",
      "0001-12-31 BC",
      "0001-01-01",
      "2020-02-29",
      "2020-03-01",
      "5874897-12-31",
      "infinity",
    ],
    timestamp: [
      "-infinity",
      "0044-03-15 12:00:00 BC",
      "1969-12-31 23:59:59.999999",
      "1970-01-01 00:00:00",
      "2020-01-01T00:00",
      "2020-01-01 00:00:00.000001",
      "294276-12-31 23:59:59.999999",
      "infinity",
    ],
    timestamptz: [
      "2020-01-01 00:00:00+02",
      "2019-12-31T23:00:00Z",
      "2020-01-01 00:00:00",
      "2020-01-01 00:00:00-00:30",
    ],
  };
  it.each(Object.entries(inOrder))("order of %s", (name, texts) => {
    const domain = domains.get(name)!;
    const keys = texts.map((text) => domain.read(text)!);
    for (const [i, a] of keys.entries()) {
      expect(a, texts[i]).toBeDefined();
      for (const [j, b] of keys.entries())
        expect(Math.sign(domain.compare(a, b)), `${texts[i]} ${texts[j]}`).toBe(Math.sign(i - j));
      const again = domain.read(domain.write(a))!;
      expect(domain.compare(a, again), texts[i]).toBe(0);
    }
  });

  it.each([
    ["int4", "2147483648"],
    ["int4", "1.0"],
    ["int4", "0x10"],
    ["int8", "9223372036854775808"],
    ["float8", "1e400"],
    ["float8", "1e-400"],
    ["float8", "inf"],
    ["numeric", "1e5000"],
    ["numeric", "."],
    ["bool", "yes"],
    ["uuid", "{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}"],
    ["date", "2019-02-29"],
    ["date", "2020-01-01 00:00:00"],
    ["date", "Jan 1 2020"],
    ["date", "0000-01-01"],
    ["timestamp", "2020-01-01 24:00:00"],
    ["timestamp", "2020-01-01 00:00:00.1234567"],
    ["timestamptz", "2020-01-01 00:00:00 Europe/Berlin"],
    ["timestamp", "294277-01-01 00:00:00"],
  ])("%s leaves %s to PostgreSQL", (name, text) => expect(domains.get(name)!.read(text)).toBeUndefined());

  it("floats print as PostgreSQL's", () => {
    const { write } = domains.get("float8")!;
    expect([0, -0, 1.5, 1e14, 1e15, 123456789012345680, 1e-4, 1e-5, 0.00001234, 1e300].map(write)).toEqual([
      "0",
      "-0",
      "1.5",
      "100000000000000",
      "1e+15",
      "1.2345678901234568e+17",
      "0.0001",
      "1e-05",
      "1.234e-05",
      "1e+300",
    ]);
  });

  it("text is in the order of its bytes", () => {
    const texts = [
      "",
      "a",
      "a\u0301",
      "é",
      "\u07ff",
      "\ud7ff",
      "\ue000",
      "\uffff",
      "\u{10000}",
      "\u{10ffff}",
    ];
    for (const a of texts)
      for (const b of texts)
        expect(Math.sign(compareText(a, b))).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)));
  });
});

describe("LIKE", () => {
  it.each([
    ["", "", true],
    ["", "a", false],
    ["%", "", true],
    ["a%", "abc", true],
    ["%c", "abc", true],
    ["%b%", "abc", true],
    ["_", "😀", true],
    ["__", "😀", false],
    ["a_c", "abc", true],
    ["%_", "", false],
    ["%_", "x", true],
    ["a%b%c", "a--b--b--c", true],
    ["a%b%c", "a--c--b", false],
    ["\\%", "%", true],
    ["\\%", "x", false],
    ["\\\\", "\\", true],
    ["a\\bc", "abc", true],
    ["%\n%", "a\nb", true],
    ["A", "a", false],
    ["%a", "ab", false],
    ["%ab", "aab", true],
  ])("%j on %j", (pattern, text, result) => expect(likeMatcher(pattern)!(text)).toBe(result));

  it("refuses a pattern that ends with its escape, and takes no time to fail", () => {
    expect(likeMatcher("a\\")).toBeUndefined();
    const started = performance.now();
    expect(likeMatcher(`${"%a".repeat(50)}b`)!("a".repeat(20_000))).toBe(false);
    expect(performance.now() - started).toBeLessThan(5000);
  });
});

describe("arrays", () => {
  it.each([
    ["{}", []],
    ["{a,b}", ["a", "b"]],
    ['{"a,b","q\\"\\\\",NULL,"NULL",""}', ["a,b", 'q"\\', null, "NULL", ""]],
    ["{x y}", ["x y"]],
  ] as const)("%s", (text, elements) => expect(readArray(text)).toEqual(elements));
  it.each(["", "a", "{", "{a", "{a}}", "{{a},{b}}", "[0:1]={a,b}", "{a,}", "{,a}", "{a} ", "{ a}", '{"a"b}'])(
    "%s is left to PostgreSQL",
    (text) => expect(readArray(text)).toBeUndefined(),
  );
});

describe("filters", () => {
  const columns: readonly Column[] = ["text", "integer", "boolean", "jsonb"].map((type) => ({
    name: type,
    type,
    options: {},
  }));
  const keep = (...filters: Filter[]) => matches(filters, columns);

  it("hold, do not hold, or are unknown", () => {
    const equal = keep({ kind: "compare", column: 0, operator: "=", value: "a" });
    expect([equal(["a"]), equal(["b"]), equal([null])]).toEqual([true, false, null]);
    const range = keep(
      { kind: "compare", column: 1, operator: ">", value: "9" },
      { kind: "compare", column: 1, operator: "<=", value: "10" },
    );
    expect(["9", "10", "11"].map((n) => range([null, n]))).toEqual([false, true, false]);
    expect(keep({ kind: "in", column: 1, values: ["1", "2"] })([null, "2"])).toBe(true);
    expect(keep({ kind: "in", column: 1, values: [] })([null, "2"])).toBe(false);
    expect(keep({ kind: "like", column: 0, pattern: "a%" })(["ab"])).toBe(true);
    expect(keep({ kind: "null", column: 3, isNull: true })([null, null, null, null])).toBe(true);
    expect(keep({ kind: "compare", column: 2, operator: "=", value: "t" })([null, null, "t"])).toBe(true);
    expect(keep()([])).toBe(true);
  });

  it("refuse what is no value of the type", () => {
    const filter = keep({ kind: "compare", column: 1, operator: "=", value: "1" });
    expect(() => filter([null, "one"])).toThrow(expect.objectContaining({ sqlState: "22P02" }));
  });
});
