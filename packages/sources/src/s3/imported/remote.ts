import type { Options } from "../../source.ts";
import type { Format } from "../files/format.ts";
import type { Uri } from "../files/uri.ts";

/** What a schema of IMPORT FOREIGN SCHEMA stands for: a bucket, or `bucket/prefix`. */
export interface RemoteSchema {
  readonly bucket: string;
  /** Empty, or ends in a slash. */
  readonly prefix: string;
  /** The name of the table that lists the objects. */
  readonly listing: string;
}

/** `undefined` for what no bucket can be called. */
export function readSchema(schema: string): RemoteSchema | undefined {
  const [, bucket, path = ""] = /^([a-z0-9][a-z0-9._-]*[a-z0-9])(?:\/(.*))?$/is.exec(schema) ?? [];
  if (!bucket) return undefined;
  const prefix = path === "" || path.endsWith("/") ? path : `${path}/`;
  return { bucket, prefix, listing: prefix.split("/").at(-2) || bucket };
}

/** Endings of files, and how these are read. */
const recognised: Readonly<Record<string, Options & { readonly format: Format }>> = {
  csv: { format: "csv" },
  tsv: { format: "csv", delimiter: "\\t" },
  jsonl: { format: "jsonl" },
  ndjson: { format: "jsonl" },
  parquet: { format: "parquet" },
};

const compressed = /\.(?:gz|gzip|zz|zlib|zst|zstd|bz2|xz|br)$/i;

/** The table options of a file by its name; `undefined` when its ending is not known. */
export function fileOptions(key: string): (Options & { readonly format: Format }) | undefined {
  const plain = key.replace(compressed, "");
  const ending = /[^/]\.([a-z]+)$/i.exec(plain)?.[1]?.toLowerCase() ?? "";
  const options = Object.hasOwn(recognised, ending) ? recognised[ending] : undefined;
  return options?.format === "parquet" && plain !== key ? undefined : options;
}

/** The one object behind an imported table: its name is the key below the schema's prefix. */
export const fileUri = ({ bucket, prefix }: RemoteSchema, name: string): Uri => ({
  bucket,
  prefix: prefix + name,
  pattern: undefined,
});
