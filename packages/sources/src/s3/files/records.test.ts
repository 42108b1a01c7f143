import { describe, expect, test } from "vitest";
import { SqlError } from "../../error.ts";
import type { Options, Row } from "../../source.ts";
import { define } from "../testing.ts";
import { CsvReader, csvOptions } from "./csv.ts";
import { JsonLinesReader } from "./jsonl.ts";
import { LinesReader } from "./lines.ts";
import { type RecordReader, readRecords } from "./records.ts";
import type { Target } from "./target.ts";

const target = (columns: string, outputs?: readonly number[]): Target => {
  const { columns: all } = define(columns);
  return {
    columns: all,
    outputs: (outputs ?? all.map((_, i) => i)).map((field) => ({ field })),
    pseudoName: "filename",
    key: "data.txt",
  };
};
const csv = (columns: string, options: Options = {}, outputs?: readonly number[]) =>
  new CsvReader(target(columns, outputs), csvOptions(options));

/** Reads a text that arrives in pieces of so many bytes. */
async function rowsOf(reader: RecordReader, text: string | Buffer, piece = 7): Promise<Row[]> {
  const bytes = Buffer.from(text);
  async function* chunks() {
    for (let at = 0; at < bytes.length; at += piece) yield bytes.subarray(at, at + piece);
  }
  const rows: Row[] = [];
  for await (const batch of readRecords(chunks(), reader, "s3://b/data.txt")) rows.push(...batch);
  return rows;
}

async function failure(reader: RecordReader, text: string | Buffer, piece = 7): Promise<SqlError> {
  const error = await rowsOf(reader, text, piece).then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(error).toBeInstanceOf(SqlError);
  return error as SqlError;
}

describe("CSV", () => {
  test("columns by the header's names, in any order, some left out", async () => {
    const text = "id,name,size\n1,a,10\n2,b,20\n";
    expect(await rowsOf(csv("size bigint, id integer"), text)).toEqual([
      ["10", "1"],
      ["20", "2"],
    ]);
    expect(await rowsOf(csv("size bigint, name text, id integer", {}, [1]), text)).toEqual([["a"], ["b"]]);
    expect(await rowsOf(csv("size bigint, id integer", {}, []), text)).toEqual([[], []]);
  });

  test("columns by position where the first record names none", async () => {
    expect(await rowsOf(csv("a text, b text"), "1,2\n3,4")).toEqual([
      ["1", "2"],
      ["3", "4"],
    ]);
    expect(await rowsOf(csv("a text, b text", { has_header: "false" }), "a,b\n1,2")).toEqual([
      ["a", "b"],
      ["1", "2"],
    ]);
  });

  test("RFC 4180: quotes, delimiters and line breaks within them, CRLF, no break at the end", async () => {
    const text = 'a,b\r\n"x,""y""\r\nz",""\r\n,"q"\r\n1,2';
    for (const piece of [1, 2, 3, 1000])
      expect(await rowsOf(csv("a text, b text"), text, piece)).toEqual([
        ['x,"y"\r\nz', ""],
        [null, "q"],
        ["1", "2"],
      ]);
  });

  test("a byte order mark, empty lines, and one column with empty lines", async () => {
    for (const piece of [1, 1000]) {
      expect(await rowsOf(csv("a text, b text"), "\ufeffa,b\n\n1,2\n\n", piece)).toEqual([["1", "2"]]);
      expect(await rowsOf(csv("a text"), "a\n1\n\n2\n", piece)).toEqual([["1"], [null], ["2"]]);
    }
  });

  test("other delimiters, quotes, escapes and texts of NULL", async () => {
    const options = { delimiter: "\\t", quote: "'", escape: "\\", null: "NULL" };
    expect(await rowsOf(csv("a text, b text", options), "a\tb\n'it\\'s \\\\'\tNULL\n'NULL'\t\n")).toEqual([
      ["it's \\", null],
      ["NULL", ""],
    ]);
    for (const wrong of [{ delimiter: "ab" }, { quote: "," }, { escape: "" }] as Options[])
      expect(() => csvOptions(wrong)).toThrow(expect.objectContaining({ sqlState: "HV00D" }));
  });

  test("whatever was written is read, however it arrives", async () => {
    let seed = 1;
    const random = (below: number) => {
      seed = (seed * 48271) % 2147483647;
      return seed % below;
    };
    const bits = ["a", '"', ",", "\n", "\r\n", "é", "😀", "", " ", "0", "long ".repeat(30)];
    for (let round = 0; round < 200; round++) {
      const width = 1 + random(4);
      const rows = Array.from({ length: 1 + random(20) }, () =>
        Array.from({ length: width }, () =>
          Array.from({ length: random(4) }, () => bits[random(bits.length)]).join(""),
        ),
      );
      const names = Array.from({ length: width }, (_, i) => `c${i}`);
      const end = random(2) ? "\r\n" : "\n";
      const write = (text: string) =>
        text === "" || /[",\r\n]/.test(text) || random(3) === 0 ? `"${text.replaceAll('"', '""')}"` : text;
      const text = [names, ...rows].map((row) => row.map(write).join(",")).join(end) + (random(2) ? end : "");
      const reader = csv(names.map((name) => `${name} text`).join(", "));
      expect(await rowsOf(reader, text, 1 + random(100))).toEqual(rows);
    }
  });

  test("errors tell object and line", async () => {
    const three = 'a,b\n"x\ny",1\n';
    for (const [text, line, sqlState, message] of [
      [`${three}1,2,3\n`, 4, "22P04", "3 fields instead of 2"],
      [`${three}1\n`, 4, "22P04", "1 fields"],
      [`${three}1,"2`, 4, "22P04", "not closed"],
      [`${three}1,"2"x\n`, 4, "22P04", "closing quote"],
      [`${three}1,2"\n`, 4, "22P04", "quote stands within"],
      [`${three}1,2x\n`, 4, "22P02", 'type integer: "2x"'],
      [`${three}1,99999999999\n`, 4, "22003", "out of range"],
      [Buffer.from("a,b\n1,2\n1,\xff\n", "latin1"), 3, "22021", "UTF-8"],
      ["a,c\n1,2\n", 1, "22P02", 'type integer: "c"'],
    ] as const) {
      const error = await failure(csv("a text, b integer"), text as string);
      expect(error.message).toContain(message);
      expect(error.sqlState).toBe(sqlState);
      expect(error.detail).toContain(`s3://b/data.txt, line ${line}`);
    }
    expect((await failure(csv("a text, x text", { has_header: "true" }), "a,b\n")).sqlState).toBe("HV005");
    expect((await failure(csv("a text"), "filename,a\n")).message).toContain("of its own");
  });

  test("a record that never ends is not kept in memory", async () => {
    const error = await failure(csv("a text, b text"), Buffer.alloc(17 * 1024 * 1024, "x"), 65536);
    expect(error.sqlState).toBe("54000");
  });
});

describe("JSON lines", () => {
  const read = (columns: string, text: string, piece?: number) =>
    rowsOf(new JsonLinesReader(target(columns)), text, piece);

  test("members by name, in any order, missing ones and null as NULL", async () => {
    const text = '{"a":1,"b":"x"}\n\n { "b" : "y\\n\\u00e9" , "a" : null }\r\n{"c":[1,{"d":"}"}]}';
    for (const piece of [1, 1000])
      expect(await read("b text, a integer", text, piece)).toEqual([
        ["x", "1"],
        ["y\né", null],
        [null, null],
      ]);
  });

  test("values keep all their digits, and nested ones their text", async () => {
    const text =
      '{"n":12345678901234567890.10,"j":{"big":12345678901234567890, "s":"\\""},"t":[1.10],"l":["a",null]}';
    expect(await read("n numeric, j jsonb, t text, l text[]", text)).toEqual([
      ["12345678901234567890.10", '{"big":12345678901234567890, "s":"\\""}', "[1.10]", ["a", null]],
    ]);
    expect(await read("b boolean, d date, s jsonb", '{"b":true,"d":"2024-02-29","s":"x"}')).toEqual([
      [true, "2024-02-29", '"x"'],
    ]);
  });

  test("the last of members of one name counts, and names may hold escapes", async () => {
    expect(await read("a text", '{"a":1,"a":2}\n{"\\u0061":3}\n{"b":0,"a":4}\n{}')).toEqual([
      ["2"],
      ["3"],
      ["4"],
      [null],
    ]);
  });

  test("empty objects, and columns that are not asked for", async () => {
    expect(await rowsOf(new JsonLinesReader(target("a text", [])), '{"a":1}\n{}\n')).toEqual([[], []]);
  });

  test.each([
    ['{"a":1', "22P04"],
    ["[1]", "22P04"],
    ['{"a":1}{"a":2}', "22P04"],
    ['{"a" 1}', "22P04"],
    ["{a:1}", "22P04"],
    ['{"a":1,}', "22P04"],
    ['{"a":01}', "22P04"],
    ['{"a":}', "22P04"],
    ['{"b":{"c":1}', "22P04"],
    ['{"a":"x}', "22P04"],
    ['{"b":tru}', "22P04"],
    ['{"a":"x"}', "22P02"],
    ['{"j":{x}}', "22P02"],
  ])("%s is refused", async (line, sqlState) => {
    const error = await failure(
      new JsonLinesReader(target("a integer, j jsonb")),
      `{"a":0}\n${line}\n{"a":0}`,
    );
    expect(error.sqlState).toBe(sqlState);
    expect(error.detail).toContain("s3://b/data.txt, line 2");
  });
});

test("text: each line is a row", async () => {
  const rows = await rowsOf(new LinesReader(target("line text")), "a,b\r\n\n  c");
  expect(rows).toEqual([["a,b"], [""], ["  c"]]);
  expect(() => new LinesReader(target("a text, b text"))).toThrow(
    expect.objectContaining({ sqlState: "HV005" }),
  );
});
