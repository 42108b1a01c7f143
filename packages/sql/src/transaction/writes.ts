import type { Table, Tuple } from "@overcoat/sources";
import { ColumnIndex } from "./column-index.ts";
import { type Origin, Reads } from "./reads.ts";
import type { SpillSpace } from "./spilling-list.ts";

/** A table that a statement refers to. */
export interface OpenTable {
  /** The schema and name that stand in statements: those with the same are the same table. */
  readonly key: string;
  readonly table: Table;
  /** `pg_c_utf8`, `C.utf8` or `C` */
  readonly collation: string;
}

/** One row's change as a transaction did it. */
export interface Write {
  readonly kind: "insert" | "update" | "delete";
  /** The number of the table in its transaction. */
  readonly table: number;
  /** Of the row before it; of an inserted row its own, or a provisional one. */
  readonly identity: string;
  /** The identity after an update that changes it. */
  readonly moved?: string;
  /** The service will assign the identity; until then it has one of ours. */
  readonly provisional: boolean;
  readonly version?: string;
  /** Where the row's other columns can be read; none for a row that the transaction inserted. */
  readonly origin?: Origin | undefined;
  /** The row before it, as far as it is known. */
  readonly before: Tuple;
  /** The whole inserted row, or the changed columns. */
  readonly after: Tuple;
  readonly replace: boolean;
}

/** What a write made of a row. */
export interface RowState {
  /** Of the write in the transaction's list. */
  readonly write: number;
  /** Grows with each write, also after a rollback. */
  readonly sequence: number;
  readonly gone: boolean;
  /** What an earlier write had made of the row. */
  readonly previous: RowState | undefined;
}

/** A table's rows that a transaction has changed. */
export class TableWrites {
  /** The number of the table in its transaction. */
  readonly number: number;
  readonly open: OpenTable;
  /** The last state by identity. */
  readonly states = new Map<string, RowState>();
  /** Whether rows have got other identities. */
  moving = false;
  readonly reads: Reads;
  readonly #indexes = new Map<number, ColumnIndex>();

  constructor(number: number, open: OpenTable, space: SpillSpace) {
    this.number = number;
    this.open = open;
    this.reads = new Reads(open.table, space);
  }

  /** The state of a row after the writes up to `sequence`; undefined for a row that they did not touch. */
  at(identity: string, sequence: number): RowState | undefined {
    let state = this.states.get(identity);
    while (state && state.sequence > sequence) state = state.previous;
    return state;
  }

  set(identity: string, write: number, sequence: number, gone: boolean): void {
    this.states.set(identity, { write, sequence, gone, previous: this.states.get(identity) });
  }

  /** Own rows by a column's value; `row` tells a row after one of its states. */
  index(column: number, row: (state: RowState) => Tuple): ColumnIndex {
    let index = this.#indexes.get(column);
    if (!index) {
      index = new ColumnIndex(column);
      for (const [identity, last] of this.states)
        for (let state: RowState | undefined = last; state; state = state.previous)
          if (!state.gone) index.add(identity, row(state));
      this.#indexes.set(column, index);
    }
    return index;
  }

  /** Brings a row into the indexes that there are. */
  enter(identity: string, row: Tuple): void {
    for (const index of this.#indexes.values()) index.add(identity, row);
  }

  /** Undoes the last `set` of a row. */
  undo(identity: string): void {
    const previous = this.states.get(identity)?.previous;
    if (previous) this.states.set(identity, previous);
    else this.states.delete(identity);
  }
}

/** The row that a write leaves, `undefined` where a column is not known. */
export function rowAfter({ kind, before, after }: Write): Tuple {
  return kind === "insert" ? after.map((value) => value ?? null) : merge(after, before);
}

/** A row with what the service has in its unknown columns; undefined when the service's row is gone. */
export async function completeRow(
  { reads }: TableWrites,
  row: Tuple,
  origin: Origin | undefined,
  signal: AbortSignal,
): Promise<Tuple | undefined> {
  const found = origin && (await reads.find(origin));
  signal.throwIfAborted();
  return found && merge(row, found);
}

/** The values of `first`, and those of `second` where it has none. */
export function merge(first: Tuple, second: Tuple): Tuple {
  const length = Math.max(first.length, second.length);
  return Array.from({ length }, (_, index) => (first[index] === undefined ? second[index] : first[index]));
}
