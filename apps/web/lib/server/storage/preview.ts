import Papa from "papaparse";
import { messageOf } from "../checks.ts";
import type { ObjectDescription } from "./object.ts";
import { parquetRows } from "./parquet.ts";
import { readRange } from "./range.ts";

/** What an object looks like, or its beginning. */
export type Preview =
  | { readonly kind: "image" }
  | {
      readonly kind: "table";
      readonly columns: readonly string[];
      readonly rows: readonly (readonly string[])[];
      /** What is shown of it, for people. */
      readonly extent: string;
    }
  | { readonly kind: "text"; readonly text: string; readonly extent: string }
  | { readonly kind: "none"; readonly why: string };

/** Bytes that are read of a text. */
const mostText = 64 * 1024;
const mostRows = 100;
/** Characters that are shown of a value. */
const mostOfValue = 300;

/** Reads as much of an object as its preview takes. */
export async function previewOf(bucket: string, object: ObjectDescription): Promise<Preview> {
  const { key, size } = object;
  const type = typeOf(object);
  if (type === "image") return { kind: "image" };
  if (size === 0) return { kind: "none", why: "It is empty." };
  try {
    if (type === "parquet") {
      const { columns, rows, rowCount } = await parquetRows({ bucket, key }, size, mostRows);
      return table(columns, rows, `${rows.length} of ${rowCount.toLocaleString("en")} rows`);
    }
    const bytes = await readRange({ bucket, key }, 0, Math.min(size, mostText));
    const text = asText(bytes, size);
    if (text === undefined) return { kind: "none", why: "This kind of file cannot be shown." };
    const isWhole = size <= mostText;
    if (type === "csv") return csvTable(text, isWhole);
    return {
      kind: "text",
      text: type === "json" && isWhole ? indented(text) : text,
      extent: isWhole ? "all of it" : "the first 64 KiB",
    };
  } catch (error) {
    return { kind: "none", why: `It cannot be shown: ${messageOf(error)}` };
  }
}

/** Kinds of file by their content type, or else by the ends of their names. */
const kinds = {
  image: [/^image\/(png|jpeg|gif|webp|avif|bmp|svg\+xml|x-icon)/, /\.(png|jpe?g|gif|webp|avif|bmp|svg|ico)$/],
  parquet: [/^application\/(vnd\.apache\.)?(x-)?parquet/, /\.(parquet|pq)$/],
  csv: [/^text\/(csv|tab-separated-values)/, /\.(csv|tsv)$/],
  json: [/^application\/(json|geo\+json|ld\+json)/, /\.(json|geojson)$/],
} as const;

function typeOf({ key, contentType = "" }: ObjectDescription) {
  const all = Object.entries(kinds) as [keyof typeof kinds, (typeof kinds)[keyof typeof kinds]][];
  return (all.find(([, [type]]) => type.test(contentType)) ??
    all.find(([, [, name]]) => name.test(key.toLowerCase())))?.[0];
}

/** The text that UTF-8 bytes stand for; the last character may be cut. @returns undefined for what is no text */
function asText(bytes: Uint8Array, size: number): string | undefined {
  if (bytes.includes(0)) return undefined;
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes, { stream: bytes.length < size });
  } catch {
    return undefined;
  }
}

function csvTable(text: string, isWhole: boolean): Preview {
  const { data } = Papa.parse<string[]>(text, { skipEmptyLines: true, preview: mostRows + 2 });
  // The last row may be cut.
  const complete = isWhole || data.length === mostRows + 2 ? data : data.slice(0, -1);
  const [columns = [], ...rows] = complete;
  const isAll = isWhole && rows.length <= mostRows;
  const shown = rows.slice(0, mostRows);
  return table(columns, shown, isAll ? `all ${shown.length} rows` : `the first ${shown.length} rows`);
}

const table = (
  columns: readonly string[],
  rows: readonly (readonly string[])[],
  extent: string,
): Preview => ({
  kind: "table",
  columns,
  rows: rows.map((row) => row.map((value) => value.slice(0, mostOfValue))),
  extent,
});

function indented(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
