import { SqlError } from "../../error.ts";
import type { Column, TableDefinition } from "../../source.ts";
import type { Bucket } from "../bucket/bucket.ts";
import type { Listed } from "../bucket/object.ts";
import { mapOrdered } from "../ordered.ts";
import { fileColumns } from "./columns.ts";
import { fileOptions, type RemoteSchema } from "./remote.ts";

/** Files of one import, and the pages of a listing in which they are looked for. */
const mostFiles = 1000;
const mostPages = 100;
const atOnce = 8;

/** Bytes of an identifier of PostgreSQL: longer ones are cut. */
const longestName = 63;

/** Of the table that lists the objects: what a listing tells without a request for each row. */
const listingColumns: readonly Column[] = [
  ["filename", "text"],
  ["url", "text"],
  ["size", "bigint"],
  ["etag", "text"],
  ["last_modified", "timestamp with time zone"],
  ["storage_class", "text"],
  ["metadata", "jsonb"],
].map(([name, type]) => ({ name: name!, type: type!, options: {} }));

/**
 * The tables of a bucket or prefix: one that lists the objects, and one for each file of a known kind. Those of
 * `names` only, if given; then an unreadable file is an error, else it is left out.
 */
export async function importedTables(
  bucket: Bucket,
  schema: RemoteSchema,
  schemaName: string,
  names: readonly string[] | undefined,
  signal: AbortSignal,
): Promise<TableDefinition[] | undefined> {
  const { prefix, listing } = schema;
  const { objects } = await bucket.list({ prefix, most: 1 }, signal);
  if (prefix && objects.length === 0) return undefined;
  const define = (name: string, columns: readonly Column[]): TableDefinition => ({
    name,
    options: {},
    columns,
    remote: { schema: schemaName, name },
  });
  const tables = names && !names.includes(listing) ? [] : [define(listing, listingColumns)];
  const taken = new Set([cut(listing)]);
  const files = names ? namedFiles(bucket, prefix, names, signal) : allFiles(bucket, prefix, signal);
  const read = mapOrdered(files, atOnce, signal, async (file, either) => {
    const options = fileOptions(file.key)!;
    const columns = await fileColumns(bucket, file, options, either).catch((error: unknown) => {
      if (names || !(error instanceof SqlError) || !/^(22|54)/.test(error.sqlState)) throw error;
      return [];
    });
    return define(file.key.slice(prefix.length), columns);
  });
  for await (const table of read) {
    if (table.columns.length === 0 || taken.has(cut(table.name))) continue;
    taken.add(cut(table.name));
    tables.push(table);
  }
  return tables;
}

const cut = (name: string) => Buffer.from(name).subarray(0, longestName).toString();

async function* namedFiles(
  bucket: Bucket,
  prefix: string,
  names: readonly string[],
  signal: AbortSignal,
): AsyncGenerator<Listed> {
  for (const name of names) {
    if (!fileOptions(name)) continue;
    const object = await bucket.head(prefix + name, signal);
    if (object && object.size > 0) yield object;
  }
}

async function* allFiles(bucket: Bucket, prefix: string, signal: AbortSignal): AsyncGenerator<Listed> {
  let files = 0;
  let token: string | undefined;
  for (let pages = 0; pages < mostPages; pages++) {
    const { objects, next } = await bucket.list({ prefix, token }, signal);
    for (const object of objects) {
      if (object.size === 0 || !fileOptions(object.key)) continue;
      if (++files > mostFiles) throw tooMany(`more than ${mostFiles} files`);
      yield object;
    }
    if (next === undefined) return;
    token = next;
  }
  throw tooMany("too many objects");
}

const tooMany = (what: string) =>
  new SqlError("54000", `the schema has ${what} to import`, {
    hint: 'name some by LIMIT TO ("file.csv", …), or import a part: IMPORT FOREIGN SCHEMA "bucket/prefix"',
  });
