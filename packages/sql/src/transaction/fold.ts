import type { Change, Table } from "@overcoat/sources";
import { merge, type Write } from "./writes.ts";

type Pending = { -readonly [Key in keyof Write]: Write[Key] };

/**
 * What a service must do for these writes: several to one row become one, so that what is compared with the
 * service's state is what was read from it. A row that was deleted and inserted again stays two changes. In tables
 * where identities change, writes stay as they are, in their order.
 */
export function fold(writes: readonly Write[], tables: readonly Table[]): Change[] {
  const moving = new Set(writes.filter(({ moved }) => moved !== undefined).map(({ table }) => table));
  const last = new Map<string, Pending>();
  const pending = new Set<Pending>();
  for (const write of writes) {
    const key = `${write.table}:${write.identity}`;
    const earlier = write.provisional || !moving.has(write.table) ? last.get(key) : undefined;
    if (earlier && write.kind !== "insert") {
      if (!join(earlier, write)) {
        pending.delete(earlier);
        last.delete(key);
      }
    } else {
      const one = { ...write };
      pending.add(one);
      last.set(key, one);
    }
  }
  return Array.from(pending, (one) => changeOf(one, tables[one.table]!));
}

/** Adds a write to an earlier one of the same row; false when nothing is left to do. */
function join(earlier: Pending, { kind, after }: Write): boolean {
  if (kind === "update") {
    earlier.after = merge(after, earlier.after);
    return true;
  }
  if (earlier.kind === "insert" && !earlier.replace) return false;
  if (earlier.kind === "insert") earlier.before = earlier.after.map(() => undefined);
  earlier.kind = "delete";
  return true;
}

function changeOf(
  { kind, identity, provisional, version, before, after, replace }: Pending,
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
