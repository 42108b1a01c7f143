import type { Plan, Query, Row } from "../source.ts";
import { type Access, chooseAccess } from "./access.ts";
import type { Bytes } from "./client/node.ts";
import type { Redis } from "./client/redis.ts";
import type { Layout } from "./layout.ts";
import { batchRows, Pace, scanCommand, scanKeys } from "./scan.ts";
import { quoted, Undecodable } from "./text.ts";

/** The rows of some keys, and how many bytes they took. */
export interface Page {
  readonly rows: readonly Row[];
  readonly bytes: number;
  /** What did not fit. */
  readonly more?: AsyncIterable<readonly Row[]>;
}

/** Reads what a query wants of keys. */
export interface Reader {
  /** Whether keys have to be of the table's type already when they come from a scan. */
  readonly typed: boolean;
  /** Keys that are gone or of another type give no rows. */
  read(keys: readonly Bytes[], options: ReadOptions): Promise<Page>;
  /** What Redis is asked for this key, or for each of those that a scan finds. */
  words(key: string, scanned: boolean): readonly string[];
  /** Most keys of one `read`. */
  readonly keysAtOnce?: number;
  /** Filters that the reading fulfils, by position in the query. */
  readonly handled?: readonly number[];
  /** Whether the rows come as the query sorts them. */
  readonly sorted?: boolean;
  /** How many rows there are, where that can be asked. */
  count?(): Promise<number | undefined>;
}

export interface ReadOptions {
  /** Whether the keys come of a scan, so that they exist and, if `typed`, are of the table's type. */
  readonly scanned: boolean;
  /** Whether text has turned out to be none. */
  readonly binary: boolean;
  readonly signal: AbortSignal;
}

/** What a table needs of its connection. */
export interface Service {
  readonly redis: Redis;
  /** Keys of the database, about. */
  size(): Promise<number>;
}

/** Keys that `requests` names. */
const shownKeys = 3;

/** How a table with this layout answers a query. */
export async function plan(service: Service, layout: Layout, query: Query, reader: Reader): Promise<Plan> {
  const { access, handled } = chooseAccess(layout, query.filters);
  for (const index of reader.handled ?? []) handled[index] = true;
  const sorted = reader.sorted ?? false;
  const limit = handled.every(Boolean) && (sorted || query.sort.length === 0) ? query.limit : undefined;
  const keys = await keyCount(service, access);
  const all = (await reader.count?.()) ?? keys;
  const rows = Math.min(all, limit ?? all);
  return {
    handled,
    sorted,
    rows,
    calls: Math.ceil(rows / batchRows) * (access.kind === "scan" ? 2 : 1) || 1,
    requests: requests(access, layout, reader),
    scan: (signal) => rowsOf(service.redis, access, layout, reader, limit, signal),
  };
}

function keyCount({ size }: Service, access: Access): number | Promise<number> {
  if (access.kind === "keys") return access.keys.length;
  return access.kind === "parameters" ? access.count : size();
}

function requests(access: Access, { type }: Layout, reader: Reader): string[] {
  if (access.kind === "scan") {
    const scan = scanCommand("0", access.match, reader.typed ? type : undefined, batchRows).join(" ");
    return [scan, ...reader.words("(each key)", true)];
  }
  const keys = access.kind === "keys" ? access.keys : Array<string>(access.count).fill("$1");
  const shown = keys.slice(0, shownKeys).flatMap((key) => reader.words(plain(key), false));
  return keys.length > shownKeys ? [...shown, `… and of ${keys.length - shownKeys} more keys`] : shown;
}

/** A key as redis-cli takes it. */
function plain(key: Bytes): string {
  return typeof key === "string" && /^[^\s"'\\\0-\x1f]+$/.test(key) ? key : quoted(key);
}

async function* rowsOf(
  redis: Redis,
  access: Access,
  layout: Layout,
  reader: Reader,
  limit: number | undefined,
  signal: AbortSignal,
): AsyncGenerator<readonly Row[]> {
  signal.throwIfAborted();
  if (limit === 0) return;
  const pace = new Pace(limit);
  const scanned = access.kind === "scan";
  const ahead = limit === undefined;
  let left = limit ?? Number.POSITIVE_INFINITY;
  let pending: Promise<Page> | undefined;
  for await (const keys of keysOf(redis, access, layout, reader, pace, ahead, signal)) {
    const page = readPage(reader, keys, scanned, pace, signal);
    page.catch(() => undefined);
    const ready: Promise<Page> | undefined = ahead ? pending : page;
    pending = ahead ? page : undefined;
    if (ready === undefined) continue;
    for await (const rows of rowsOfPage(await ready)) {
      yield rows.length > left ? rows.slice(0, left) : rows;
      left -= rows.length;
      if (left <= 0) return;
    }
  }
  if (pending) yield* rowsOfPage(await pending);
}

async function* rowsOfPage({ rows, more }: Page): AsyncGenerator<readonly Row[]> {
  if (rows.length > 0) yield rows;
  if (more) yield* more;
}

async function readPage(
  reader: Reader,
  keys: readonly Bytes[],
  scanned: boolean,
  pace: Pace,
  signal: AbortSignal,
): Promise<Page> {
  const page = await reader.read(keys, { scanned, binary: false, signal }).catch((error) => {
    if (error instanceof Undecodable) return reader.read(keys, { scanned, binary: true, signal });
    throw error;
  });
  pace.came(page.rows.length, page.bytes);
  return page;
}

async function* keysOf(
  redis: Redis,
  access: Access,
  { type, keyspace }: Layout,
  reader: Reader,
  pace: Pace,
  ahead: boolean,
  signal: AbortSignal,
): AsyncGenerator<readonly Bytes[]> {
  if (access.kind === "scan") {
    yield* scanKeys(await redis.masters(signal), {
      match: access.match,
      type: reader.typed ? type : undefined,
      prefix: keyspace.prefix,
      pace,
      most: reader.keysAtOnce,
      ahead,
      signal,
    });
    return;
  }
  const keys = access.kind === "keys" ? access.keys : [];
  for (let start = 0; start < keys.length; ) {
    const end = start + Math.min(pace.rows, reader.keysAtOnce ?? pace.rows);
    yield keys.slice(start, end);
    start = end;
  }
}
