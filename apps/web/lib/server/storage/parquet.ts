import { parquetMetadataAsync, parquetReadObjects, parquetSchema } from "hyparquet";
import { compressors } from "hyparquet-compressors";
import { readRange } from "./range.ts";
import type { Place } from "./urls.ts";

/** Bytes that are read of a file at most. */
const mostBytes = 32 * 1024 ** 2;
const mostColumns = 50;

export interface ParquetRows {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** Of the whole file. */
  readonly rowCount: number;
}

/** The first rows of a Parquet file. @throws Error for what is none, or cannot be read by small parts */
export async function parquetRows(place: Place, size: number, rowEnd: number): Promise<ParquetRows> {
  let read = 0;
  const file = {
    byteLength: size,
    async slice(start: number, end = size) {
      read += end - start;
      if (read > mostBytes)
        throw new Error("its first rows lie in parts that are too large to be shown here");
      const bytes = await readRange(place, start, end);
      return new Uint8Array(bytes).buffer;
    },
  };
  const metadata = await parquetMetadataAsync(file);
  const names = parquetSchema(metadata).children.map(({ element }) => element.name);
  const columns = names.slice(0, mostColumns);
  const rows = await parquetReadObjects({
    file,
    metadata,
    columns,
    rowEnd,
    compressors,
    useOffsetIndex: true,
  });
  return {
    columns,
    rows: rows.map((row) => columns.map((column) => textOf(row[column]))),
    rowCount: Number(metadata.num_rows),
  };
}

function textOf(value: unknown): string {
  if (value === null || value === undefined) return "";
  if (value instanceof Date) return value.toISOString();
  if (value instanceof Uint8Array) return Buffer.from(value).toString("hex");
  if (typeof value === "object")
    return JSON.stringify(value, (_, inner) => (typeof inner === "bigint" ? String(inner) : inner));
  return String(value);
}
