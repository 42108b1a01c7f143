import type { Column, Options, TableDefinition } from "../source.ts";
import type { Bytes, Command, Reply, Run } from "./client/node.ts";
import type { Redis } from "./client/redis.ts";
import { accepted } from "./errors.ts";
import { type ImportedKeys, importedName } from "./imported-name.ts";
import { type Type, types } from "./layout.ts";
import { Pace, scanKeys } from "./scan.ts";

/** What is looked at to find out what there is. */
const sampledKeys = 20_000;
const sampledOfEach = 20;
const sampledBytes = 64 * 1024;
const mostTables = 500;
/** Hashes with more different fields get one column of JSON. */
const mostFields = 50;
const longestColumn = 63;

/** Keys that would be one table. */
interface Group {
  readonly keys: ImportedKeys;
  readonly sample: Bytes[];
}

/**
 * The tables that keys suggest: one for each type and beginning, such as `session:`, and one for each key
 * without one that is no string. Of a large database a part is looked at.
 */
export async function findTables(
  redis: Redis,
  schema: string,
  names: readonly string[] | undefined,
  signal: AbortSignal = AbortSignal.timeout(60_000),
): Promise<TableDefinition[]> {
  const groups = new Map<string, Group>();
  let left = sampledKeys;
  const scan = scanKeys(await redis.masters(signal), {
    match: undefined,
    prefix: "",
    pace: new Pace(),
    ahead: false,
    signal,
  });
  for await (const keys of scan) {
    const replies = await redis.run(
      keys.map((key) => ["TYPE", key]),
      { signal },
    );
    for (const [index, key] of keys.entries())
      group(groups, key, String(accepted("TYPE", replies[index]!)), names);
    left -= keys.length;
    if (left <= 0) break;
  }
  const tables: TableDefinition[] = [];
  for (const [name, { keys, sample }] of groups) {
    const columns = (await columnsOf(keys, sample, redis.run, signal)).map(
      ([column, type]): Column => ({ name: column, type, options: {} }),
    );
    tables.push({ name, options: importedOptions(keys), columns, remote: { schema, name } });
  }
  return tables.sort((one, other) => (one.name < other.name ? -1 : 1));
}

/** The table options that say the same. */
export function importedOptions({ type, prefix, key }: ImportedKeys): Options {
  return key === undefined ? { type, key_prefix: prefix! } : { type, key };
}

function group(
  groups: Map<string, Group>,
  key: Bytes,
  typeName: string,
  names: readonly string[] | undefined,
): void {
  const type = types.find((each) => each === typeName);
  if (type === undefined || typeof key !== "string") return;
  const prefix = /^[^:]*:/.exec(key)?.[0] ?? /^[^/.|]*[/.|]/.exec(key)?.[0];
  if (prefix === undefined && type === "string") return;
  const keys: ImportedKeys = prefix === undefined ? { type, key } : { type, prefix };
  const name = importedName(keys);
  if (name === undefined || names?.includes(name) === false) return;
  const known = groups.get(name);
  if (known === undefined) {
    if (groups.size < mostTables) groups.set(name, { keys, sample: [key] });
  } else if (known.sample.length < sampledOfEach) known.sample.push(key);
}

type Columns = (readonly [name: string, type: string])[];

async function columnsOf(
  { type, key }: ImportedKeys,
  sample: readonly Bytes[],
  run: Run,
  signal: AbortSignal,
): Promise<Columns> {
  const read = (command: (key: Bytes) => Command) => run(sample.map(command), { signal });
  const keyColumn: Columns = key === undefined ? [["key", "text"]] : [];
  const columns = await contentColumns(type, key !== undefined, read);
  const isRow = type === "string" || (type === "hash" && key === undefined);
  const times = isRow ? await read((each) => ["PTTL", each]) : [];
  const expires = times.some((time) => typeof time === "number" && time >= 0);
  return [...keyColumn, ...columns, ...(expires ? ([["ttl", "interval"]] as const) : [])];
}

type Read = (command: (key: Bytes) => Command) => Promise<readonly Reply[]>;

async function contentColumns(type: Type, single: boolean, read: Read): Promise<Columns> {
  switch (type) {
    case "string":
      return [["value", await valueType(read)]];
    case "hash":
      return single
        ? [
            ["field", "text"],
            ["value", "text"],
          ]
        : await fieldColumns(read);
    case "list":
      return [
        ["index", "bigint"],
        ["value", "text"],
      ];
    case "set":
      return [["member", "text"]];
    case "zset":
      return [
        ["member", "text"],
        ["score", "double precision"],
      ];
    case "stream":
      return [
        ["id", "text"],
        ["fields", "jsonb"],
      ];
  }
}

/** JSON, if all of the values are objects or arrays. */
async function valueType(read: Read): Promise<string> {
  const values = (await read((key) => ["GETRANGE", key, "0", String(sampledBytes)])).filter(
    (value) => typeof value === "string" && value !== "",
  );
  return values.length > 0 && values.every((value) => isDocument(String(value))) ? "jsonb" : "text";
}

function isDocument(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null;
  } catch {
    return false;
  }
}

/** Names that would not be fields. */
const reserved = ["key", "fields", "items", "field"];

async function fieldColumns(read: Read): Promise<Columns> {
  const fields = new Set<string>();
  for (const reply of await read((key) => ["HSCAN", key, "0", "COUNT", String(mostFields)])) {
    if (!Array.isArray(reply)) continue;
    const flat = reply[1] as readonly string[];
    for (let index = 0; index < flat.length; index += 2) fields.add(flat[index]!);
  }
  const names = [...fields];
  const areColumns =
    names.length > 0 &&
    names.length <= mostFields &&
    names.every(
      (name) =>
        name !== "" &&
        !reserved.includes(name) &&
        !/[\0\uFFFD]/.test(name) &&
        Buffer.byteLength(name) <= longestColumn,
    );
  return areColumns ? names.sort().map((name) => [name, "text"] as const) : [["fields", "jsonb"]];
}
