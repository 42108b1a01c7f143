import { SqlError } from "../../error.ts";
import type { Change } from "../../source.ts";
import type { HeadObject } from "../bucket/object.ts";
import {
  appeared,
  changed,
  copyObject,
  type Deletion,
  deleteObjects,
  largestCopy,
  mostDeletes,
  putObject,
} from "../bucket/write.ts";
import type { ListingTable } from "./table.ts";
import { nothingStored, readWritten, storedOf } from "./written.ts";

/** Objects that are written at once. */
const mostWrites = 16;

/** Part of a commit that stands for these changes. */
interface Task {
  readonly changes: readonly Change[];
  /** Gives those that were applied; where it throws, none was. */
  run(signal: AbortSignal): Promise<Outcome>;
}

interface Outcome {
  readonly applied: readonly Change[];
  /** Why not all of them were. */
  readonly error?: unknown;
}

/**
 * Applies changes object by object: S3 knows no transactions. Changes of different keys go out together; those of
 * one key in their order. The first failure stops the rest, and its detail says what had been applied.
 * @throws SqlError 40001 for an object that was changed by another since it was read
 */
export async function commit(changes: readonly Change[], signal: AbortSignal): Promise<void> {
  const applied: Change[] = [];
  /** Keys that this commit has written: what was read of them is no more. */
  const own = new Set<string>();
  let failure: { readonly error: unknown } | undefined;
  for (const wave of waves(changes)) {
    const tasks = tasksOf(wave, own).values();
    const work = async () => {
      for (const task of tasks) {
        if (failure) return;
        const outcome = await task.run(signal).catch((error: unknown): Outcome => ({ applied: [], error }));
        applied.push(...outcome.applied);
        if ("error" in outcome) failure ??= { error: outcome.error };
      }
    };
    await Promise.all(Array.from({ length: mostWrites }, work));
    if (failure) throw partly(failure.error, applied, changes.length);
    for (const change of wave) for (const key of keysOf(change)) own.add(key);
  }
}

const tableOf = ({ table }: Change) => table as ListingTable;

/** The buckets and keys that a change reads or writes. */
function keysOf(change: Change): string[] {
  const { bucket, keyColumn } = tableOf(change);
  const after = change.kind === "delete" || keyColumn === undefined ? undefined : change.after[keyColumn];
  return [change.identity, after].flatMap((key) =>
    typeof key === "string" ? [`${bucket.name}/${key}`] : [],
  );
}

/** Runs of changes in which no key comes twice. */
function* waves(changes: readonly Change[]): Generator<Change[]> {
  let wave: Change[] = [];
  let keys = new Set<string>();
  for (const change of changes) {
    const touched = keysOf(change);
    if (touched.some((key) => keys.has(key))) {
      yield wave;
      wave = [];
      keys = new Set();
    }
    wave.push(change);
    for (const key of touched) keys.add(key);
  }
  if (wave.length) yield wave;
}

/** Deletions by the thousand, all else one by one. */
function tasksOf(wave: readonly Change[], own: ReadonlySet<string>): Task[] {
  const tasks: Task[] = [];
  const deletions = new Map<string, DeleteChange[]>();
  for (const change of wave) {
    const written = keysOf(change).some((key) => own.has(key));
    switch (change.kind) {
      case "insert":
        tasks.push(one(change, (signal) => insert(change, signal)));
        break;
      case "update":
        tasks.push(one(change, (signal) => update(change, written, signal)));
        break;
      case "delete": {
        const { name } = tableOf(change).bucket;
        let group = deletions.get(name);
        if (!group || group.length === mostDeletes) {
          group = [];
          deletions.set(name, group);
          tasks.push(deletion(group, own));
        }
        group.push(change);
      }
    }
  }
  return tasks;
}

type DeleteChange = Change & { readonly kind: "delete" };
type InsertChange = Change & { readonly kind: "insert" };
type UpdateChange = Change & { readonly kind: "update" };

const one = (change: Change, run: (signal: AbortSignal) => Promise<void>): Task => ({
  changes: [change],
  async run(signal) {
    await run(signal);
    return { applied: [change] };
  },
});

const deletion = (changes: readonly DeleteChange[], own: ReadonlySet<string>): Task => ({
  changes,
  async run(signal) {
    const { bucket } = tableOf(changes[0]!);
    const deletions = changes.map((change): Deletion => {
      const written = keysOf(change).some((key) => own.has(key));
      return { key: change.identity, etag: written ? undefined : etagRead(change) };
    });
    const errors = await deleteObjects(bucket, deletions, signal);
    if (errors.size === 0) return { applied: changes };
    const [error] = errors.values();
    return { applied: changes.filter(({ identity }) => !errors.has(identity)), error };
  },
});

/** The ETag of the row when it was read: with its identity, or in a column. */
function etagRead({ version, before, table }: UpdateChange | DeleteChange): string | undefined {
  const column = (table as ListingTable).kinds.indexOf("etag");
  return version ?? (before[column] || undefined);
}

async function insert(change: InsertChange, signal: AbortSignal): Promise<void> {
  const table = tableOf(change);
  const { bucket } = table;
  const { content, stored } = readWritten(table, [], change.after, undefined);
  const condition = change.replace ? undefined : ({ absent: true } as const);
  await putObject(
    bucket,
    change.identity!,
    content ?? new Uint8Array(),
    stored ?? nothingStored,
    condition,
    signal,
  );
}

/** `own`: this commit has written the object before, so what was read of it is no more. */
async function update(change: UpdateChange, own: boolean, signal: AbortSignal): Promise<void> {
  const { identity: key, before, after } = change;
  const table = tableOf(change);
  const { bucket } = table;
  const current = await bucket.head(key, signal);
  const etag = own ? undefined : etagRead(change);
  if (!current || (etag !== undefined && current.etag !== etag)) throw changed(bucket.name, key);
  const { key: newKey = key, content, stored } = readWritten(table, before, after, current);
  const renamed = newKey !== key;
  // Some services pass over the condition on a copy.
  if (renamed && (await bucket.head(newKey, signal))) throw appeared(bucket.name, newKey);
  const condition = renamed ? ({ absent: true } as const) : { etag: current.etag };
  if (content) await putObject(bucket, newKey, content, stored ?? storedOf(current), condition, signal);
  else if (renamed || stored) {
    mayBeCopied(current);
    // On itself a copy is guarded by the condition on its source.
    await copyObject(bucket, current, newKey, stored, renamed ? condition : undefined, signal);
  }
  if (!renamed) return;
  const errors = await deleteObjects(bucket, [{ key, etag: current.etag }], signal);
  const [error] = errors.values();
  if (error) throw halfRenamed(error, key, newKey);
}

function mayBeCopied({ key, size }: HeadObject): void {
  if (size > largestCopy)
    throw new SqlError("54000", `object "${key}" of ${size} bytes is too large to be copied by S3`, {
      hint: `one request copies up to ${largestCopy} bytes`,
    });
}

function halfRenamed(error: unknown, key: string, newKey: string): unknown {
  if (!(error instanceof SqlError)) return error;
  return new SqlError(error.sqlState, error.message, {
    cause: error,
    detail: `"${newKey}" was written, and "${key}" is still there.`,
    hint: error.hint,
  });
}

/** An error in the middle says what came before it. */
function partly(error: unknown, applied: readonly Change[], count: number): unknown {
  if (!(error instanceof SqlError) || applied.length === 0) return error;
  const shown = applied.slice(0, 10).map(({ kind, identity }) => `${kind.toUpperCase()} of "${identity}"`);
  if (applied.length > shown.length) shown.push("…");
  return new SqlError(error.sqlState, error.message, {
    cause: error,
    detail: `${error.detail ? `${error.detail} ` : ""}${applied.length} of ${count} changes had been applied: ${shown.join(", ")}`,
    hint: error.hint,
  });
}
