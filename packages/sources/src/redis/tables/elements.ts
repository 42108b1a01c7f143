import type { Query, Row, Value } from "../../source.ts";
import type { Bytes, Command, Reply, Run } from "../client/node.ts";
import { accepted, unlessWrongType } from "../errors.ts";
import { exactKey, identityKey, keyIdentity } from "../keys.ts";
import type { Layout } from "../layout.ts";
import { type Page, plan, type Reader, type ReadOptions, type Service } from "../plan.ts";
import { Seen } from "../seen.ts";
import { Undecodable } from "../text.ts";
import { isGone, isTime, timeCell, timeCommand } from "../times.ts";

/** How the elements of a key are read, each of which is a row. */
export interface Elements<E> {
  /** Whether a column holds bytes, so that text will not do. */
  readonly binary: boolean;
  /** The first page, of about so many elements. */
  first(key: Bytes, count: number): Command;
  /** The elements of a page's reply, null if the key is of another type, and what to ask for the next page. */
  page(reply: Reply, asked: Command): { elements: readonly E[]; next?: Command };
  /** What tells the element from the others, where pages may repeat some; undefined where they do not. */
  readonly repeated?: (element: E) => Bytes;
  cell(column: number): (element: E, key: Bytes) => Value;
  /** Unique among the elements of the key. */
  identity(element: E): string;
  version(element: E): string;
  words(key: string): string;
  /** Filters that the reading fulfils, by position in the query. */
  readonly handled: readonly number[];
  /** Whether the elements of a key come as the query sorts them. */
  readonly sorted: boolean;
  /** Command whose reply is the number of elements. */
  count(key: Bytes): Command;
}

/** Elements of a page: few where many keys are read at once. */
const pageOfOne = 1000;
const pageOfMany = 100;
/** Keys whose first pages are read at once. */
const keysAtOnce = 100;

/** How far the elements of a key have been read. */
interface Reading {
  readonly key: Bytes;
  readonly time: Reply;
  next?: Command;
  /** Elements that have come, where pages may repeat them. */
  seen?: Seen;
}

/** How a table is read in which an element of a key is a row. */
export const planElements = <E>(service: Service, layout: Layout, query: Query, elements: Elements<E>) =>
  plan(service, layout, query, elementReader(layout, service.redis.run, query, elements));

function elementReader<E>(layout: Layout, run: Run, query: Query, elements: Elements<E>): Reader {
  const { columns, identity } = query;
  const { roles, key: shown, definition, keyspace, type } = layout;
  const timed = columns.some((column) => isTime(roles[column]));
  const cells = columns.map(cell);

  function cell(column: number): (element: E, key: Bytes, time: Reply, now: number) => Value {
    const role = roles[column];
    if (role === "key") return (_element, key) => shown!.column.show(key);
    if (isTime(role)) {
      const show = timeCell(role, definition.columns[column]!);
      return (_element, _key, time, now) => show(time, now);
    }
    return elements.cell(column);
  }

  function rowOf(element: E, key: Bytes, time: Reply, now: number): Row {
    const row: Value[] = new Array(cells.length);
    for (let column = 0; column < cells.length; column++)
      row[column] = cells[column]!(element, key, time, now);
    if (identity)
      row.push(elementIdentity(layout, key, elements.identity(element)), elements.version(element));
    return row;
  }

  /** One page; asked for again in bytes if its text turns out to be none. */
  async function pageOf(of: Reading, command: Command, reply: Reply, signal: AbortSignal): Promise<Row[]> {
    of.next = undefined;
    const answer = unlessWrongType(command[0], reply);
    if (answer === null) return [];
    const { elements: found, next } = elements.page(answer, command);
    try {
      const now = Date.now();
      const rows = found.map((element) => rowOf(element, of.key, of.time, now));
      of.next = next;
      const { repeated } = elements;
      if (repeated === undefined || (next === undefined && of.seen === undefined)) return rows;
      of.seen ??= new Seen();
      const names = found.map((element) => exactKey(repeated(element)));
      return rows.filter((_, index) => of.seen!.add(names[index]!));
    } catch (error) {
      if (!(error instanceof Undecodable)) throw error;
      const [again] = await run([command], { signal, binary: true });
      return pageOf(of, command, again!, signal);
    }
  }

  async function read(keys: readonly Bytes[], { signal }: ReadOptions): Promise<Page> {
    const { binary } = elements;
    const size = keys.length === 1 ? pageOfOne : pageOfMany;
    const asked = keys.map((key) => elements.first(key, Math.min(size, query.limit ?? size)));
    const [replies, times] = await Promise.all([
      run(asked, { binary, signal }),
      timed ? run(keys.map(timeCommand), { signal }) : undefined,
    ]);
    const rows: Row[] = [];
    const open: Reading[] = [];
    for (const [index, key] of keys.entries()) {
      const time = times ? times[index]! : null;
      if (shown?.column.includes(key) === false || (times && isGone(time))) continue;
      const reading: Reading = { key, time };
      rows.push(...(await pageOf(reading, asked[index]!, replies[index]!, signal)));
      if (reading.next) open.push(reading);
    }
    return { rows, bytes: 0, more: open.length > 0 ? rest(open, signal) : undefined };
  }

  async function* rest(open: readonly Reading[], signal: AbortSignal): AsyncGenerator<readonly Row[]> {
    const { binary } = elements;
    for (const reading of open) {
      while (reading.next) {
        const command = reading.next;
        const [reply] = await run([command], { binary, signal });
        const rows = await pageOf(reading, command, reply!, signal);
        if (rows.length > 0) yield rows;
      }
    }
  }

  return {
    typed: true,
    read,
    words: (key) => [elements.words(key), ...(timed ? [`PTTL ${key}`] : [])],
    keysAtOnce,
    handled: elements.handled,
    sorted: elements.sorted && keyspace.only !== undefined,
    async count() {
      if (keyspace.only === undefined) return undefined;
      const [reply] = await run([elements.count(keyspace.only)]);
      return Number(unlessWrongType(type, reply!) ?? 0);
    },
  };
}

/** Unique in the table, `element` being unique in the key. */
export function elementIdentity({ keyspace }: Layout, key: Bytes, element: string): string {
  if (keyspace.only !== undefined) return element;
  const text = keyIdentity(key);
  return `${text.length}:${text}${element}`;
}

/** The key's and the element's part of an identity. */
export function splitIdentity({ keyspace }: Layout, identity: string): { key: Bytes; element: string } {
  if (keyspace.only !== undefined) return { key: keyspace.only, element: identity };
  const colon = identity.indexOf(":");
  const end = colon + 1 + Number(identity.slice(0, colon));
  return { key: identityKey(identity.slice(colon + 1, end)), element: identity.slice(end) };
}

/** `[cursor, flat]` of SSCAN, HSCAN and ZSCAN, and the command for what comes next. */
export function scanPage(reply: Reply, asked: Command): { flat: readonly Bytes[]; next?: Command } {
  const [cursor, flat] = accepted(asked[0], reply) as readonly [Bytes, readonly Bytes[]];
  if (String(cursor) === "0") return { flat };
  return { flat, next: [asked[0], asked[1]!, String(cursor), ...asked.slice(3)] };
}
