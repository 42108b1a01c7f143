import type { Change, Table } from "@overcoat/sources";
import { merge, type TableWrites, type Write } from "./writes.ts";

/**
 * Gathers what a service must do for a transaction's writes: several to one row become one, so that what is compared
 * with the service's state is what was read from it. A row that was deleted and inserted again stays two changes. In
 * tables where identities change, writes stay as they are, in their order.
 */
export class Folding {
  readonly #tables: readonly TableWrites[];
  readonly #pending: (Write | undefined)[] = [];
  /** Where the last write of a row stands, of rows with several, by table and identity. */
  readonly #last = new Map<string, number>();

  constructor(tables: readonly TableWrites[]) {
    this.#tables = tables;
  }

  add(write: Write): void {
    const { states, moving } = this.#tables[write.table]!;
    const alone = states.get(write.identity)?.previous === undefined;
    if (alone || (moving && !write.provisional)) {
      this.#pending.push(write);
      return;
    }
    const key = `${write.table}:${write.identity}`;
    const index = this.#last.get(key);
    const earlier = index === undefined ? undefined : this.#pending[index];
    if (index === undefined || !earlier || write.kind === "insert")
      this.#last.set(key, this.#pending.push(write) - 1);
    else this.#pending[index] = join(earlier, write);
  }

  changes(): Change[] {
    const changes: Change[] = [];
    for (const write of this.#pending)
      if (write) changes.push(changeOf(write, this.#tables[write.table]!.open.table));
    return changes;
  }
}

/** One write in place of two to the same row; undefined when nothing is left to do. */
function join(earlier: Write, { kind, after }: Write): Write | undefined {
  if (kind === "update") return { ...earlier, after: merge(after, earlier.after) };
  if (earlier.kind === "update") return { ...earlier, kind: "delete" };
  // What it replaced, if anything, is not known.
  return earlier.replace
    ? { ...earlier, kind: "delete", before: earlier.after.map(() => undefined) }
    : undefined;
}

function changeOf(
  { kind, identity, provisional, version, before, after, replace }: Write,
  table: Table,
): Change {
  const guard = version === undefined ? {} : { version };
  switch (kind) {
    case "insert":
      return {
        kind,
        table,
        identity: provisional ? table.changes!.identity(after) : identity,
        after,
        replace,
      };
    case "update":
      return { kind, table, identity, ...guard, before, after };
    case "delete":
      return { kind, table, identity, ...guard, before };
  }
}
