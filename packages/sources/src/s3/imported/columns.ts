import { SqlError } from "../../error.ts";
import type { Column, Options, Row } from "../../source.ts";
import type { Bucket } from "../bucket/bucket.ts";
import type { Listed } from "../bucket/object.ts";
import { CsvReader, csvOptions } from "../files/csv.ts";
import { FileFormat, fileName, remoteBuffer } from "../files/format.ts";
import type { Kind } from "../files/parquet/kind.ts";
import { fieldsOfFile, readMetadata } from "../files/parquet/read.ts";
import { codesOf } from "../files/records.ts";
import { typeOfJson, typeOfText, widen } from "./infer.ts";

/** Bytes at the beginning of a file that are looked at. */
const sampleSize = 256 * 1024;

/** Columns that a table of PostgreSQL can have. */
const mostColumns = 1600;

/**
 * The columns of a file and their types, from the beginning of what stands in it; of Parquet from its schema.
 * @throws SqlError 22P04 and others where it cannot be read
 */
export async function fileColumns(
  bucket: Bucket,
  file: Listed,
  options: Options,
  signal: AbortSignal,
): Promise<Column[]> {
  const format = new FileFormat(options);
  const found = await (async () => {
    if (format.name === "parquet") {
      const metadata = await readMetadata(remoteBuffer(bucket, file, signal), fileName(bucket, file));
      return fieldsOfFile(metadata).map(({ name, kind }) => [name, sqlType(kind)] as const);
    }
    const sample = await readSample(format.text(bucket, file, undefined, signal));
    return format.name === "csv" ? csvColumns(sample, options) : jsonColumns(sample);
  })();
  const named = new Map(found.filter(([name]) => name !== ""));
  return Array.from(named, ([name, type]) => ({ name, type, options: {} })).slice(0, mostColumns);
}

interface Sample {
  readonly text: string;
  readonly isWhole: boolean;
}

/** The beginning of a file, up to the end of a line. */
async function readSample(chunks: AsyncIterable<Buffer>): Promise<Sample> {
  const taken: Buffer[] = [];
  let length = 0;
  let isWhole = true;
  for await (const chunk of chunks) {
    taken.push(chunk);
    length += chunk.length;
    if (length < sampleSize) continue;
    isWhole = false;
    break;
  }
  const bytes = Buffer.concat(taken);
  const text = bytes.subarray(0, isWhole ? length : bytes.lastIndexOf("\n") + 1).toString();
  return { text: text.replace(/^\ufeff/, ""), isWhole };
}

type Named = readonly (readonly [name: string, type: string])[];

function csvColumns({ text, isWhole }: Sample, options: Options): Named {
  const csv = csvOptions(options);
  const target = { columns: [], outputs: [], pseudoName: undefined, key: "" };
  const codes = codesOf(text);
  const header = new CsvReader(target, { ...csv, hasHeader: true });
  header.read(text, codes, isWhole, []);
  const { names } = header;
  const hasHeader =
    new Set(names).size === names.length && names.every((name) => typeOfText(name) === "text");
  const columns = names.map((name, i) => ({
    name: hasHeader ? name : `column${i + 1}`,
    type: "text",
    options: {},
  }));
  const outputs = columns.map((_, field) => ({ field }));
  const reader = new CsvReader({ ...target, columns, outputs }, { ...csv, hasHeader });
  const rows: Row[] = [];
  reader.read(text, codes, isWhole, rows);
  return columns.map(({ name }, i) => {
    let type: string | undefined;
    for (const { [i]: value } of rows)
      if (typeof value === "string" && value !== "") type = widen(type, typeOfText(value));
    return [name, type ?? "text"];
  });
}

function jsonColumns({ text }: Sample): Named {
  const types = new Map<string, string | undefined>();
  for (const line of text.split("\n")) {
    if (line.trim() === "") continue;
    const value = parseObject(line);
    for (const [name, member] of Object.entries(value)) {
      const type = typeOfJson(member);
      types.set(name, type === undefined ? types.get(name) : widen(types.get(name), type));
    }
  }
  return Array.from(types, ([name, type]) => [name, type ?? "text"]);
}

function parseObject(line: string): object {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    // Told below.
  }
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new SqlError("22P04", "a line is no JSON object");
  return value;
}

function sqlType(kind: Kind): string {
  switch (kind.kind) {
    case "integer": {
      const bits = kind.bits + (kind.signed ? 0 : 1);
      return bits <= 16 ? "smallint" : bits <= 32 ? "integer" : bits <= 64 ? "bigint" : "numeric";
    }
    case "float":
      return "real";
    case "double":
      return "double precision";
    case "string":
      return "text";
    case "bytes":
      return "bytea";
    case "decimal":
      return `numeric(${kind.precision},${kind.scale})`;
    case "timestamp":
      return kind.utc ? "timestamp with time zone" : "timestamp without time zone";
    case "int96":
      return "timestamp without time zone";
    case "time":
      return "time without time zone";
    case "list": {
      const element = sqlType(kind.element.kind);
      return element.endsWith("]") || element === "jsonb" ? "jsonb" : `${element}[]`;
    }
    case "json":
    case "map":
    case "struct":
    case "variant":
      return "jsonb";
    default:
      return kind.kind;
  }
}
