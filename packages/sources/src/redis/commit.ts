import { SqlError } from "../error.ts";
import type { Change, Table } from "../source.ts";
import type { Bytes, Command, Reply, Run } from "./client/node.ts";
import type { Redis } from "./client/redis.ts";
import { accepted, refused } from "./errors.ts";
import { keyIdentity } from "./keys.ts";
import { quoted } from "./text.ts";

/** How a table's changes are written. */
export interface Writer {
  /** The keys that a change reads or writes. */
  keys(change: Change): readonly Bytes[];
  /**
   * Compares what was read with what is there now, and gives the commands of each change, in order. No other
   * client's change of the keys can come between this and the commands.
   * @throws SqlError 40001 when they differ
   */
  prepare(changes: readonly Change[], run: Run): Promise<Prepared>;
}

export interface Prepared {
  /** Of each change. */
  readonly commands: readonly (readonly Command[])[];
  /** What comes when all changes are made. */
  readonly last?: readonly Command[];
}

export interface WritableTable extends Table {
  readonly writer: Writer;
}

/**
 * Applies changes: in one transaction for all keys of a slot, and of everything where there is no cluster.
 * https://redis.io/docs/latest/develop/using-commands/transactions/
 * @throws SqlError 40001 when what was read is no longer so, 08007 when nobody knows whether it was applied
 */
export async function commit(redis: Redis, changes: readonly Change[], signal: AbortSignal): Promise<void> {
  const slots = new Map<number, Change[]>();
  for (const change of changes) {
    const touched = new Set(writerOf(change).keys(change).map(redis.slot));
    if (touched.size > 1) throw severalSlots(change);
    const [slot] = touched;
    const group = slots.get(slot!);
    if (group) group.push(change);
    else slots.set(slot!, [change]);
  }
  let applied = 0;
  for (const group of slots.values()) {
    try {
      const key = writerOf(group[0]!).keys(group[0]!)[0]!;
      await redis.exclusive(key, (run) => transaction(group, run, signal), signal);
    } catch (error) {
      throw applied === 0 ? error : partly(error, applied, changes.length);
    }
    applied += group.length;
  }
}

const writerOf = ({ table }: Change) => (table as WritableTable).writer;

async function transaction(changes: readonly Change[], run: Run, signal: AbortSignal): Promise<void> {
  const keys = new Map<string, Bytes>();
  for (const change of changes) {
    for (const key of writerOf(change).keys(change)) keys.set(keyIdentity(key), key);
  }
  accepted("WATCH", (await run([["WATCH", ...keys.values()]], { signal }))[0]!);

  const commands = new Map<Change, readonly Command[]>();
  const last: Command[] = [];
  // Each statement has a `Table` of its own for the same table.
  for (const group of Map.groupBy(changes, ({ table }) => JSON.stringify(table.definition)).values()) {
    const prepared = await writerOf(group[0]!).prepare(group, (batch, options) =>
      run(batch, { signal, ...options }),
    );
    for (const [index, change] of group.entries()) commands.set(change, prepared.commands[index]!);
    last.push(...(prepared.last ?? []));
  }
  signal.throwIfAborted();
  const all = [...changes.flatMap((change) => commands.get(change)!), ...last];
  if (all.length === 0) return void (await run([["UNWATCH"]], { signal }));

  // From here on it cannot be stopped: whether Redis has got EXEC nobody could tell.
  const replies = await run([["MULTI"], ...all, ["EXEC"]]).catch((error) => {
    throw new SqlError("08007", "The connection was lost while Redis was told to apply the transaction", {
      detail: error instanceof Error ? error.message : String(error),
      hint: "Whether it was applied is not known: look before you repeat it.",
      cause: error,
    });
  });
  const executed = replies.at(-1)!;
  if (executed === null) throw changedMeanwhile("a key");
  if (executed instanceof Error) {
    const index = replies.findIndex((reply) => reply instanceof Error);
    throw refused(all[index - 1]?.[0] ?? "EXEC", replies[index] as typeof executed);
  }
  failedInside(all, executed as readonly Reply[]);
}

/** Redis does not undo a transaction in which a command fails. */
function failedInside(commands: readonly Command[], replies: readonly Reply[]): void {
  const index = replies.findIndex((reply) => reply instanceof Error);
  if (index === -1) return;
  const error = refused(commands[index]![0], replies[index] as Error & Reply as never);
  const others = replies.filter((reply) => !(reply instanceof Error)).length;
  throw new SqlError(error.sqlState, error.message, {
    hint: error.hint,
    detail: `Redis has executed the other ${others} of ${commands.length} commands of the transaction.`,
  });
}

export function changedMeanwhile(key: string): SqlError {
  return new SqlError("40001", `could not serialize access: another client has changed ${key} in Redis`, {
    hint: "Repeat the transaction.",
  });
}

function severalSlots(change: Change): SqlError {
  const keys = writerOf(change).keys(change).map(quoted).join(" and ");
  return new SqlError("0A000", `The keys ${keys} are of different slots of the cluster`, {
    hint: "A key can be renamed within its slot only, as by a hash tag: see {…} in the Redis Cluster specification.",
  });
}

function partly(error: unknown, applied: number, all: number): unknown {
  if (!(error instanceof SqlError)) return error;
  const detail = `Of the transaction's ${all} changes the first ${applied} by slots of the cluster were applied; the others were not.`;
  return new SqlError(error.sqlState, error.message, {
    detail: error.detail === undefined ? detail : `${error.detail} ${detail}`,
    hint: "A Redis Cluster has transactions within a slot only: give keys that change together the same {hash tag}.",
    cause: error,
  });
}
