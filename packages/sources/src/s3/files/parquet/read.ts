import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from "node:zlib";
import {
  type AsyncBuffer,
  type Compressors,
  type FileMetaData,
  type ParquetParsers,
  parquetMetadataAsync,
  parquetScan,
  parquetSchema,
} from "hyparquet";
import { compressors as others } from "hyparquet-compressors";
import { SqlError } from "../../../error.ts";
import type { Filter, Row, Value } from "../../../source.ts";
import { ownColumn } from "../csv.ts";
import { emptyRow, type Target } from "../target.ts";
import { FetchedRanges } from "./fetched-ranges.ts";
import { type Field, fieldsOf, withRawLeaves } from "./kind.ts";
import { type FileFilter, isExcluded } from "./prune.ts";
import { type Read, valueReader } from "./value.ts";

/** Rows that are given at once: no fewer than the reader takes. */
const batch = 4000;

/** Rows of a row group whose values are in memory at once; of nested ones the library cannot read some alone. */
export const mostDecoded = 256 * 1024;
const nested = new Set(["list", "map", "struct", "variant"]);

const compressors: Compressors = {
  ...others,
  GZIP: (input) => gunzipSync(input),
  BROTLI: (input) => brotliDecompressSync(input),
  // Node.js decodes one frame only.
  ZSTD(input, length) {
    const output = zstdDecompressSync(input);
    return output.length === length ? output : others.ZSTD!(input, length);
  },
};

const utf8 = new TextDecoder("utf-8", { ignoreBOM: true });
const decode = (bytes: Uint8Array | undefined) => bytes && utf8.decode(bytes);
const same = (raw: unknown) => raw;

/** Statistics as they are stored. */
const rawParsers: Partial<ParquetParsers> = {
  timestampFromMilliseconds: same,
  timestampFromMicroseconds: same,
  timestampFromNanoseconds: same,
  dateFromDays: same,
  stringFromBytes: same,
  uuidFromBytes: same,
};

/** The metadata at the end of a file. @throws SqlError 22P04 for what is no Parquet file */
export async function readMetadata(file: AsyncBuffer, name: string): Promise<FileMetaData> {
  return damaged(name, () => parquetMetadataAsync(file, { parsers: rawParsers, geoparquet: false }));
}

export const fieldsOfFile = (metadata: FileMetaData): Field[] => fieldsOf(parquetSchema(metadata));

/** The library's errors are plain ones, so all that are not ours are taken for such. */
async function damaged<Result>(name: string, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof SqlError || (error as Error).name === "AbortError") throw error;
    throw new SqlError("22P04", "the object is damaged, or no Parquet file", {
      cause: error,
      detail: `${name}: ${(error as Error).message}`,
      hint: "see the options format and uri",
    });
  }
}

/**
 * The rows of a Parquet file: only the columns that are asked for, and only the row groups that can hold rows which
 * satisfy the filters (by position in `target.columns`); the rest of the filters is for others to check.
 */
export async function* readParquet(
  file: AsyncBuffer,
  target: Target,
  filters: readonly Filter[],
  most: number,
  name: string,
  signal: AbortSignal,
): AsyncGenerator<readonly Row[]> {
  const metadata = await readMetadata(file, name);
  const fields = fieldsOfFile(metadata);
  if (target.pseudoName && fields.some((field) => field.name === target.pseudoName))
    throw ownColumn(target.pseudoName);
  const fieldOf = (column: number): Field => {
    const wanted = target.columns[column]!.name;
    const field = fields.find((one) => one.name === wanted);
    if (!field) throw missing(wanted, fields, name);
    return field;
  };
  const conditions = filters.map((filter): FileFilter => {
    const field = fieldOf(filter.column);
    return { filter, name: field.name, kind: field.kind, type: target.columns[filter.column]!.type };
  });
  const reads = target.outputs.map((output) => {
    if (!("field" in output)) return undefined;
    const field = fieldOf(output.field);
    return { name: field.name, read: valueReader(field, target.columns[output.field]!.type) };
  });
  const columns = [...new Set(reads.flatMap((one) => (one ? [one.name] : [])))];
  const isNested = fields.some(({ name, kind }) => nested.has(kind.kind) && columns.includes(name));
  const mostRows = isNested ? Number.POSITIVE_INFINITY : mostDecoded;
  const fetched = new FetchedRanges(file);
  const scan = await damaged(name, () =>
    parquetScan({
      file: fetched,
      metadata: withRawLeaves(metadata),
      columns,
      compressors,
      // It tells where the few rows of a limit are; the parts of a whole row group share its bytes.
      useOffsetIndex: Number.isFinite(most),
      utf8: false,
      geoparquet: false,
      parsers: { ...rawParsers, stringFromBytes: decode },
    }),
  );
  const template = emptyRow(target);
  let left = most;
  let rowStart = 0;
  for (const group of metadata.row_groups) {
    const start = rowStart;
    rowStart += Number(group.num_rows);
    if (isExcluded(group, conditions)) continue;
    const end = start + Math.min(rowStart - start, left);
    for (let from = start; from < end; from += mostRows) {
      const to = Math.min(from + mostRows, end);
      const data = await damaged(name, () =>
        Promise.all(columns.map((column) => scan.readColumn({ column, rowStart: from, rowEnd: to }))),
      );
      if (to === end) fetched.clear();
      const outputs = reads.map((one) => one && { read: one.read, values: data[columns.indexOf(one.name)]! });
      for (let at = 0; at < to - from; at += batch) {
        signal.throwIfAborted();
        yield rowsOf(outputs, template, at, Math.min(at + batch, to - from), (row, error) =>
          inRow(error, name, from + row),
        );
      }
    }
    left -= end - start;
    if (left <= 0) return;
  }
}

function rowsOf(
  outputs: readonly ({ read: Read; values: ArrayLike<unknown> } | undefined)[],
  template: readonly Value[],
  start: number,
  end: number,
  failed: (row: number, error: unknown) => unknown,
): Row[] {
  const rows: Value[][] = [];
  for (let row = start; row < end; row++) rows.push(template.slice());
  for (let i = 0; i < outputs.length; i++) {
    const output = outputs[i];
    if (!output) continue;
    const { read, values } = output;
    let row = start;
    try {
      for (; row < end; row++) {
        const raw = values[row];
        if (raw !== undefined && raw !== null) rows[row - start]![i] = read(raw as never);
      }
    } catch (error) {
      throw failed(row, error);
    }
  }
  return rows;
}

function inRow(error: unknown, name: string, row: number): unknown {
  if (!(error instanceof SqlError)) return error;
  const { sqlState, message, hint } = error;
  return new SqlError(sqlState, message, { hint, detail: `${name}, row ${row + 1}` });
}

const missing = (wanted: string, fields: readonly Field[], name: string) =>
  new SqlError("HV005", `the file has no column "${wanted}"`, {
    detail: name,
    hint: `it has ${fields
      .slice(0, 50)
      .map((field) => `"${field.name}"`)
      .join(", ")}; the column option column_name names another`,
  });
