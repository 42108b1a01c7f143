import type { Query, Row, Value } from "../../source.ts";
import type { Bytes, Reply, Run, RunOptions } from "../client/node.ts";
import { accepted } from "../errors.ts";
import { keyIdentity } from "../keys.ts";
import type { Layout } from "../layout.ts";
import type { Page, Reader, ReadOptions } from "../plan.ts";
import { isGone, isTime, timeCell, timeCommand } from "../times.ts";

/** Reads what a row has besides its key and its time to live. */
export interface Content {
  /** Whether a column holds bytes, so that text will not do. */
  readonly binary: boolean;
  /** One reply a key, null for a key that is gone or of another type. */
  fetch(keys: readonly Bytes[], run: Run, options: RunOptions): Promise<readonly Reply[]>;
  /** Of each column that was asked for. */
  readonly cells: readonly ((content: Reply, key: Bytes) => Value)[];
  /**
   * A text that is another when the content is another.
   * @throws Undecodable
   */
  version(content: Reply): string;
  /** What is asked for this key, as one types it; "" for nothing. */
  words(key: string): string;
}

/** Reads the columns at these positions; of no column whether there is a key of the table's type. */
export type ContentOf = (columns: readonly number[]) => Content;

/** Positions of the columns that are neither the key nor a time. */
export function contentColumns({ roles }: Layout): number[] {
  return [...roles.keys()].filter((column) => roles[column] !== "key" && !isTime(roles[column]));
}

/** Reads tables in which a key is a row. */
export function rowReader(layout: Layout, run: Run, query: Query, contentOf: ContentOf): Reader {
  const { columns, identity } = query;
  const { roles, key: shown, type, definition } = layout;
  const isContent = (column: number) => roles[column] !== "key" && !isTime(roles[column]);
  // The version is of all columns.
  const wanted = identity ? contentColumns(layout) : columns.filter(isContent);
  const content = contentOf(wanted);
  const keysSuffice = wanted.length === 0;
  const timed = columns.some((column) => isTime(roles[column]));
  const cells = columns.map(cell);

  function cell(column: number): (key: Bytes, content: Reply, time: Reply, now: number) => Value {
    const role = roles[column];
    if (role === "key") return (key) => shown!.column.show(key);
    if (isTime(role)) {
      const show = timeCell(role, definition.columns[column]!);
      return (_key, _content, time, now) => show(time, now);
    }
    const show = content.cells[wanted.indexOf(column)]!;
    return (key, reply) => show(reply, key);
  }

  async function read(keys: readonly Bytes[], { scanned, binary, signal }: ReadOptions): Promise<Page> {
    const known = scanned && keysSuffice;
    // Sent together.
    const [contents, times] = await Promise.all([
      known ? undefined : content.fetch(keys, run, { binary: binary || content.binary, signal }),
      timed ? run(keys.map(timeCommand), { signal }) : undefined,
    ]);
    const now = Date.now();
    const rows: Row[] = [];
    let bytes = 0;
    for (let index = 0; index < keys.length; index++) {
      const key = keys[index]!;
      const reply = contents ? contents[index]! : "";
      const time = times ? times[index]! : null;
      if (reply === null || (times && isGone(time)) || shown?.column.includes(key) === false) continue;
      const row: Value[] = new Array(cells.length);
      for (let column = 0; column < cells.length; column++)
        row[column] = cells[column]!(key, reply, time, now);
      if (identity) row.push(keyIdentity(key), content.version(reply));
      rows.push(row);
      bytes += key.length + size(reply);
    }
    return { rows, bytes };
  }

  return {
    typed: keysSuffice || type !== "string",
    read,
    words: (key, scanned) =>
      [scanned && keysSuffice ? "" : content.words(key), timed ? `PTTL ${key}` : ""].filter(Boolean),
  };
}

/** Tells whether keys are of the table's type, and no more. */
export function onlyType({ type }: Layout): Content {
  return {
    binary: false,
    async fetch(keys, run, { signal }) {
      const replies = await run(
        keys.map((key) => ["TYPE", key]),
        { signal },
      );
      return replies.map((reply) => (accepted("TYPE", reply) === type ? "" : null));
    },
    cells: [],
    version: () => "",
    words: (key) => `TYPE ${key}`,
  };
}

function size(reply: Reply): number {
  if (typeof reply === "string" || reply instanceof Buffer) return reply.length;
  if (!Array.isArray(reply)) return 8;
  let sum = 0;
  for (const each of reply) sum += size(each);
  return sum;
}
