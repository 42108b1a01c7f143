import type { Row } from "@overcoat/sources";
import type { Predicate } from "../evaluate/condition.ts";
import { UnknownSpelling } from "../evaluate/key.ts";
import type { Scratch } from "./context.ts";
import { learn } from "./learn.ts";
import type { Relation } from "./relation.ts";
import type { Batches, TableRead } from "./table.ts";

/** The rows of a table that satisfy its conditions, in the source's order. */
export async function* readRows(read: TableRead, scratch: Scratch, signal: AbortSignal): Batches {
  const { plan, predicate } = read;
  for await (const batch of plan.scan(signal)) {
    signal.throwIfAborted();
    const rows = predicate ? await filterRows(batch, predicate, read, scratch, signal) : batch;
    if (rows.length > 0) yield rows;
  }
}

/** As readRows for rows whose conditions PostgreSQL checks again: what is not understood here may stay. */
export async function* readPossibleRows({ plan, predicate }: TableRead, signal: AbortSignal): Batches {
  const mayHold = (row: Row) => {
    try {
      return predicate!(row) === true;
    } catch (error) {
      if (error instanceof UnknownSpelling) return true;
      throw error;
    }
  };
  for await (const batch of plan.scan(signal)) {
    signal.throwIfAborted();
    const rows = predicate ? batch.filter(mayHold) : batch;
    if (rows.length > 0) yield rows;
  }
}

/** The rows with a ctid in the place of their identity; it must be asked for soon after a row was read. */
export async function* withCtids(batches: Batches, { columns }: TableRead, relation: Relation): Batches {
  const length = columns.length;
  for await (const batch of batches)
    yield batch.map((row) => [...row.slice(0, length), relation.ctid(row[length] as string)]);
}

async function filterRows(
  batch: readonly Row[],
  predicate: Predicate,
  { spellings }: TableRead,
  scratch: Scratch,
  signal: AbortSignal,
): Promise<readonly Row[]> {
  for (;;) {
    try {
      return batch.filter((row) => predicate(row) === true);
    } catch (error) {
      if (!(error instanceof UnknownSpelling)) throw error;
      await learn(unknownSpellings(batch, predicate), spellings, scratch, signal);
    }
  }
}

/** All that is not understood in a batch, so that PostgreSQL is asked once. */
export function unknownSpellings<Item>(
  items: readonly Item[],
  evaluate: (item: Item) => unknown,
): UnknownSpelling[] {
  const unknown: UnknownSpelling[] = [];
  for (const item of items) {
    try {
      evaluate(item);
    } catch (error) {
      if (!(error instanceof UnknownSpelling)) throw error;
      unknown.push(error);
    }
  }
  return unknown;
}
