import { setImmediate } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import {
  type Change,
  type Column,
  SqlError,
  type Table,
  type TableDefinition,
  type Tuple,
} from "@overcoat/sources";
import type { Relation } from "../query/relation.ts";
import { Ctids, type ReadRow, tupleBytes } from "./ctids.ts";
import { Folding } from "./fold.ts";
import type { Origin } from "./reads.ts";
import { SpillingList, type SpillSpace } from "./spilling-list.ts";
import { TransactionView } from "./view.ts";
import { completeRow, merge, type OpenTable, rowAfter, TableWrites, type Write } from "./writes.ts";

/** A row to be changed, as it was read. */
type ChangedRow = Pick<ReadRow, "identity" | "version" | "read" | "before">;

export interface TransactionOptions {
  readonly space: SpillSpace;
  /** Bytes that a transaction may write. */
  readonly maxBytes: number;
}

/** No identity of a service begins so: PostgreSQL's text knows no zero byte. */
const provisionalPrefix = "\0new ";
/** Writes that are gathered at a time. */
const turn = 5000;
/** Bytes that a write takes in memory, in the table of its identities, besides its values. */
const writeBytes = 250;

/**
 * The writes of one transaction: kept until they are committed, seen by its own later reads, undone to a savepoint.
 * A read sees the writes that were made before it began.
 */
export class Transaction {
  readonly #space: SpillSpace;
  readonly #writes: SpillingList<Write>;
  readonly #ctids: Ctids;
  readonly #tables = new Map<string, TableWrites>();
  readonly #savepoints: { readonly name: string; readonly length: number }[] = [];
  #sequence = 0;

  constructor({ space, maxBytes }: TransactionOptions) {
    this.#space = space;
    this.#writes = new SpillingList(space, maxBytes);
    this.#ctids = new Ctids(space);
  }

  get hasWrites(): boolean {
    return this.#writes.length > 0;
  }

  /** Grows with each write. */
  get sequence(): number {
    return this.#sequence;
  }

  /** The table as the transaction sees it after the writes up to `sequence`. */
  view(open: OpenTable, sequence: number): Relation {
    return new TransactionView(this.#tableOf(open), sequence, this.#writes, this.#ctids);
  }

  /**
   * Inserts rows. Where the table replaces rows that exist, they are replaced, unless they are to be passed over.
   * @returns the inserted ones
   * @throws SqlError 23505 for a row that exists, unless such are to be passed over
   */
  async insert(
    open: OpenTable,
    rows: readonly Tuple[],
    passOver: boolean,
    signal: AbortSignal,
  ): Promise<Tuple[]> {
    const changes = changesOf(open.table, "insert");
    const writes = this.#tableOf(open);
    const replace = changes.replaces === true && !passOver;
    const identities = rows.map((row) => changes.identity(row));
    const exist = replace ? new Set<string>() : await this.#existing(writes, identities, signal);
    const inserted: Tuple[] = [];
    for (const [index, row] of rows.entries()) {
      const given = identities[index];
      if (given !== undefined && !replace && this.#exists(writes, given, exist)) {
        if (passOver) continue;
        throw duplicate(open.table, given);
      }
      const identity = given ?? `${provisionalPrefix}${this.#sequence}`;
      this.#write(writes, {
        kind: "insert",
        table: writes.number,
        identity,
        provisional: given === undefined,
        before: [],
        after: row,
        replace,
      });
      inserted.push(row);
    }
    return inserted;
  }

  /** The row behind a ctid; undefined when it is none of ours, or the row has been changed since it was read. */
  find(open: OpenTable, ctid: string): ReadRow | undefined {
    const row = this.#ctids.find(ctid);
    const writes = this.#tableOf(open);
    const current = row && (writes.states.get(row.identity)?.sequence ?? 0);
    return row?.table === writes.number && row.sequence === current ? row : undefined;
  }

  /**
   * Changes columns of a row that was read.
   * @returns the row after it
   * @throws SqlError 23505 when the row gets the identity of another one
   */
  async update(open: OpenTable, row: ChangedRow, after: Tuple, signal: AbortSignal): Promise<Tuple> {
    changesOf(open.table, "update");
    const writes = this.#tableOf(open);
    const { identity } = row;
    const state = writes.states.get(identity);
    const earlier = state && this.#writes.get(state.write);
    const before = earlier ? merge(rowAfter(earlier), row.before) : row.before;
    const result = merge(after, before);
    const provisional = identity.startsWith(provisionalPrefix);
    const moved = provisional ? undefined : movedTo(open.table, identity, before, result);
    if (moved !== undefined) {
      const exist = await this.#existing(writes, [moved], signal);
      if (this.#exists(writes, moved, exist)) throw duplicate(open.table, moved);
    }
    const { version } = row;
    this.#write(writes, {
      kind: "update",
      table: writes.number,
      identity,
      ...(moved !== undefined && { moved }),
      provisional,
      ...(version !== undefined && { version }),
      origin: this.#originOf(writes, row),
      before,
      after,
      replace: false,
    });
    return result;
  }

  /** The values of a row that was read, in these columns at least. */
  async values(
    open: OpenTable,
    row: ReadRow,
    columns: readonly number[],
    signal: AbortSignal,
  ): Promise<Tuple> {
    if (columns.every((column) => row.before[column] !== undefined)) return row.before;
    const writes = this.#tableOf(open);
    return (await completeRow(writes, row.before, this.#originOf(writes, row), signal)) ?? row.before;
  }

  delete(open: OpenTable, row: ChangedRow): void {
    changesOf(open.table, "delete");
    const writes = this.#tableOf(open);
    const { identity, version, before } = row;
    this.#write(writes, {
      kind: "delete",
      table: writes.number,
      identity,
      provisional: identity.startsWith(provisionalPrefix),
      ...(version !== undefined && { version }),
      before,
      after: [],
      replace: false,
    });
  }

  savepoint(name: string): void {
    this.#savepoints.push({ name, length: this.#writes.length });
  }

  /** Forgets a savepoint and those after it. @throws SqlError 3B001 when there is none of this name */
  release(name: string): void {
    this.#savepoints.length = this.#indexOf(name);
  }

  /** Undoes what was written after a savepoint, which stays. @throws SqlError 3B001 when there is none */
  rollbackTo(name: string): void {
    const index = this.#indexOf(name);
    const { length } = this.#savepoints[index]!;
    const tables = [...this.#tables.values()];
    for (let last = this.#writes.length - 1; last >= length; last--) {
      const { table, identity, moved } = this.#writes.get(last);
      if (moved !== undefined) tables[table]!.undo(moved);
      tables[table]!.undo(identity);
    }
    this.#writes.truncate(length);
    this.#savepoints.length = index + 1;
  }

  /** What the service must do. Others get their turn while much is gathered. */
  async changes(): Promise<Change[]> {
    const folding = new Folding([...this.#tables.values()]);
    for (let index = 0; index < this.#writes.length; index++) {
      folding.add(this.#writes.get(index));
      if (index % turn === turn - 1) await setImmediate();
    }
    return folding.changes();
  }

  /** Forgets everything. */
  clear(): void {
    for (const { reads } of this.#tables.values()) reads.close();
    this.#writes.clear();
    this.#ctids.clear();
    this.#tables.clear();
    this.#savepoints.length = 0;
  }

  #tableOf(open: OpenTable): TableWrites {
    let writes = this.#tables.get(open.key);
    if (!writes) {
      this.#refuseAltered(open.table.definition);
      writes = new TableWrites(this.#tables.size, open, this.#space);
      this.#tables.set(open.key, writes);
    }
    return writes;
  }

  /** The writes that wait for the commit are of the definition that the table had: a later one would not see them. */
  #refuseAltered({ name, options, remote, columns }: TableDefinition): void {
    for (const { states, open } of this.#tables.values()) {
      const earlier = open.table.definition;
      if (states.size === 0 || !isDeepStrictEqual([earlier.options, earlier.remote], [options, remote]))
        continue;
      if (earlier.name === name || isDeepStrictEqual(earlier.columns, columns))
        throw new SqlError("55006", `this transaction has written to "${name}" under another definition`, {
          hint: "COMMIT between writing to a foreign table and altering it.",
        });
    }
  }

  #write(table: TableWrites, write: Write): void {
    const { identity, moved, kind, before, after } = write;
    const index = this.#writes.length;
    this.#writes.push(write, writeBytes + 2 * identity.length + tupleBytes(before) + tupleBytes(after));
    const sequence = ++this.#sequence;
    table.set(identity, index, sequence, kind === "delete" || moved !== undefined);
    if (moved !== undefined) {
      table.set(moved, index, sequence, false);
      table.moving = true;
    }
    if (kind !== "delete") table.enter(moved ?? identity, rowAfter(write));
  }

  /** Where a row was first read from the service. */
  #originOf({ states }: TableWrites, { identity, read }: ChangedRow): Origin | undefined {
    const state = states.get(identity);
    return state ? this.#writes.get(state.write).origin : { read, identity };
  }

  /** Which of the rows that this transaction has not touched exist in the service. */
  async #existing(
    { states, open }: TableWrites,
    identities: readonly (string | undefined)[],
    signal: AbortSignal,
  ): Promise<Set<string>> {
    const asked = [...new Set(identities)].filter((one) => one !== undefined && !states.has(one)) as string[];
    if (asked.length === 0) return new Set();
    const answers = await open.table.changes!.exist(asked, signal);
    // Whoever has given up waiting must not find the rows later.
    signal.throwIfAborted();
    return new Set(asked.filter((_, index) => answers[index]));
  }

  #exists({ states }: TableWrites, identity: string, inService: ReadonlySet<string>): boolean {
    const state = states.get(identity);
    return state ? !state.gone : inService.has(identity);
  }

  #indexOf(name: string): number {
    const index = this.#savepoints.findLastIndex((savepoint) => savepoint.name === name);
    if (index < 0) throw new SqlError("3B001", `savepoint "${name}" does not exist`);
    return index;
  }
}

const verbs = { insert: "inserts", update: "updates", delete: "deletes" } as const;

/** @throws SqlError 42809 for a table in which this cannot be done */
export function changesOf(table: Table, kind: keyof typeof verbs) {
  const { changes, definition } = table;
  if (changes?.[kind]) return changes;
  throw new SqlError("42809", `foreign table "${definition.name}" does not allow ${verbs[kind]}`, {
    detail: changes
      ? "The service offers no such change for this kind of table."
      : "This kind of table can only be read.",
  });
}

/** The position of a column. @throws SqlError 42703 */
export function columnIndex(table: Table, name: string): number {
  const index = table.definition.columns.findIndex((column: Column) => column.name === name);
  if (index < 0)
    throw new SqlError("42703", `column "${name}" of relation "${table.definition.name}" does not exist`);
  return index;
}

/** The identity that an update gives a row, if it is another one. */
function movedTo({ changes }: Table, identity: string, before: Tuple, after: Tuple): string | undefined {
  // Where the identity does not follow from what was read, it is not known how it would change.
  try {
    if (changes!.identity(before) !== identity) return undefined;
  } catch (error) {
    if (error instanceof SqlError) return undefined;
    throw error;
  }
  const moved = changes!.identity(after);
  return moved === identity ? undefined : moved;
}

function duplicate({ definition }: Table, identity: string): SqlError {
  return new SqlError(
    "23505",
    `duplicate key value violates unique constraint of table "${definition.name}"`,
    {
      detail: `A row with the key (${identity}) already exists.`,
    },
  );
}
