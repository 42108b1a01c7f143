import type { Query, Row, Value } from "../../source.ts";
import type { Bytes, Reply, Run, RunOptions } from "../client/node.ts";
import { accepted } from "../errors.ts";
import { keyIdentity } from "../keys.ts";
import type { Layout } from "../layout.ts";
import type { Page, Reader } from "../plan.ts";
import { isGone, isTime, timeCell, timeCommand } from "../times.ts";

/** Reads what a row has besides its key and its time to live. */
export interface Content {
  /** Whether a column holds bytes, so that text will not do. */
  readonly binary: boolean;
  /** One reply a key, null for a key that is gone or of another type. */
  fetch(keys: readonly Bytes[], run: Run, options: RunOptions): Promise<readonly Reply[]>;
  /** Of each column that was asked for. */
  readonly cells: readonly ((content: Reply, key: Bytes) => Value)[];
  /** A text that is another when the content is another. */
  version(content: Reply): string;
  /** What is asked for this key, as one types it. */
  words(key: string): string;
}

/** Positions of the columns that are neither the key nor a time. */
export function contentColumns({ roles }: Layout): number[] {
  return [...roles.keys()].filter((column) => roles[column] !== "key" && !isTime(roles[column]));
}

/** Reads tables in which a key is a row. `content` reads the columns at these positions. */
export function rowReader(
  layout: Layout,
  run: Run,
  { columns, identity }: Query,
  content: (columns: readonly number[]) => Content,
): Reader {
  const { roles, key: shown, type, definition } = layout;
  const wanted = identity
    ? contentColumns(layout)
    : columns.filter((column) => roles[column] !== "key" && !isTime(roles[column]));
  const reader = wanted.length > 0 ? content(wanted) : undefined;
  const timed = columns.some((column) => isTime(roles[column]));
  const cells = columns.map(cell);

  function cell(column: number): (key: Bytes, content: Reply, time: Reply, now: number) => Value {
    const role = roles[column];
    if (role === "key") return (key) => shown!.column.show(key);
    if (isTime(role)) {
      const show = timeCell(role, definition.columns[column]!);
      return (_key, _content, time, now) => show(time, now);
    }
    const show = reader!.cells[wanted.indexOf(column)]!;
    return (key, content) => show(content, key);
  }

  async function read(
    keys: readonly Bytes[],
    { scanned, binary, signal }: { scanned: boolean; binary: boolean; signal: AbortSignal },
  ): Promise<Page> {
    // Sent together.
    const [contents, times] = await Promise.all([
      reader
        ? reader.fetch(keys, run, { binary: binary || reader.binary, signal })
        : scanned
          ? undefined
          : run(
              keys.map((key) => ["TYPE", key]),
              { signal },
            ),
      timed ? run(keys.map(timeCommand), { signal }) : undefined,
    ]);
    const now = Date.now();
    const rows: Row[] = [];
    let bytes = 0;
    for (let index = 0; index < keys.length; index++) {
      const key = keys[index]!;
      if (shown && !shown.column.includes(key)) continue;
      const content = contents ? contents[index]! : null;
      const time = times ? times[index]! : null;
      if (contents && (reader ? content === null : accepted("TYPE", content) !== type)) continue;
      if (times && isGone(time)) continue;
      const row: Value[] = new Array(cells.length);
      for (let column = 0; column < cells.length; column++)
        row[column] = cells[column]!(key, content, time, now);
      if (identity) row.push(keyIdentity(key), reader ? reader.version(content) : "");
      rows.push(row);
      bytes += key.length + size(content);
    }
    return { rows, bytes };
  }

  return {
    typed: reader === undefined || type !== "string",
    read,
    words(key) {
      const parts = [reader?.words(key), timed ? `PTTL ${key}` : undefined].filter(
        (part) => part !== undefined,
      );
      return parts.join(", ");
    },
  };
}

function size(reply: Reply): number {
  if (typeof reply === "string" || reply instanceof Buffer) return reply.length;
  if (!Array.isArray(reply)) return 8;
  let sum = 0;
  for (const each of reply) sum += size(each);
  return sum;
}
