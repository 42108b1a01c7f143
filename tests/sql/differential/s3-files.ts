import { ByteWriter, parquetWrite } from "hyparquet-writer";
import { makePeople, people } from "./people.ts";
import { Random } from "./random.ts";
import type { ComparedTable, LocalRow } from "./table.ts";
import type { Twice } from "./twice.ts";

/** Objects of one format, and the rows that are in them. */
export interface Files {
  readonly objects: Readonly<Record<string, string | Uint8Array>>;
  readonly twice: Twice;
}

/** A null of JSON is NULL in files of JSON lines. */
const rows = makePeople(120).map(({ data, ...row }) => ({
  ...row,
  ...(data !== undefined && data !== "null" && { data }),
}));

/** The files of a format, whose rows `part` writes. */
function filesOf(format: string, part: (rows: readonly LocalRow[]) => string | Uint8Array): Files {
  const parts = { [`people/1.${format}`]: rows.slice(0, 50), [`people/2 é.${format}`]: rows.slice(50) };
  const names = Object.keys(parts);
  return {
    objects: Object.fromEntries(Object.entries(parts).map(([name, rows]) => [name, part(rows)])),
    twice: {
      name: format,
      table: {
        ...people,
        groups: [...people.groups, "filename"],
        columns: [...people.columns, { name: "filename", type: "text", samples: [...names, "people/"] }],
      },
      rows: Object.entries(parts).flatMap(([filename, rows]) => rows.map((row) => ({ ...row, filename }))),
      foreign: foreign(format, `people/*.${format}`),
    },
  };
}

const foreign = (format: string, pattern: string) =>
  `CREATE FOREIGN TABLE {t} ({columns}) SERVER s3_server OPTIONS (format '${format}', uri 's3://data/${pattern}')`;

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

/** Lines in which values have JSON's types where it has them. */
function jsonl(people: readonly LocalRow[]): string {
  const plain = ["n", "level", "big", "amount", "active", "data"];
  return people
    .map((person) => {
      const members = Object.entries(person).map(
        ([name, text]) => `${JSON.stringify(name)}:${plain.includes(name) ? text : JSON.stringify(text)}`,
      );
      return `{${members.join(",")}}\n`;
    })
    .join("");
}

/** Columns have Parquet's types where it has them, the others are text. */
function parquet(people: readonly LocalRow[]): Uint8Array {
  const column = (name: string, type: "STRING" | "INT32" | "INT64" | "BOOLEAN" | "DOUBLE") => ({
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
    rowGroupSize: 30,
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

const words = ["Ada", "zoe", "é", "日本", "😀", "a%b", "_", "\\", "'", '"q"', "10", "\t", "x,y"];

/** Lines of all lengths from none to `count` - 1. */
function makeLines(count: number): string[] {
  const random = new Random(5);
  return Array.from({ length: count }, (_, length) => {
    const characters: string[] = [];
    while (characters.length < length) characters.push(...random.pick(words), " ");
    return characters.slice(0, length).join("");
  });
}

function text(): Files {
  const lines = makeLines(60);
  const parts = { "lines/1.txt": lines.slice(20), "lines/2.txt": lines.slice(0, 20) };
  const table: ComparedTable = {
    key: "line",
    unique: "length",
    groups: ["filename"],
    columns: [
      { name: "line", type: "text", samples: [...lines.slice(0, 9), ...words] },
      { name: "filename", type: "text", samples: [...Object.keys(parts), "lines/3.txt"] },
      {
        name: "length",
        type: "integer",
        samples: ["0", "1", "7", "30", "59", "60", "-1"],
        computed: "length(line)",
      },
    ],
  };
  return {
    objects: Object.fromEntries(Object.entries(parts).map(([name, lines]) => [name, lines.join("\n")])),
    twice: {
      name: "lines",
      table,
      rows: Object.entries(parts).flatMap(([filename, lines]) => lines.map((line) => ({ line, filename }))),
      foreign: foreign("text", "lines/*.txt"),
    },
  };
}

/** Of each format that files can have. */
export const makeFiles = (): readonly Files[] => [
  filesOf("csv", csv),
  filesOf("jsonl", jsonl),
  filesOf("parquet", parquet),
  text(),
];
