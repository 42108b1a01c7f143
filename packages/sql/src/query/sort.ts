import type { Row } from "@overcoat/sources";
import type { Key } from "../evaluate/domain.ts";
import { keyReader, UnknownSpelling } from "../evaluate/key.ts";
import type { ColumnType } from "../evaluate/type.ts";
import type { Scratch } from "./context.ts";
import type { Sort } from "./direct.ts";
import { learn } from "./learn.ts";
import { rowSize } from "./row-size.ts";
import { unknownSpellings } from "./rows.ts";
import type { Batches, TableRead } from "./table.ts";

/** Rows and bytes that are sorted in memory. */
const mostRows = 500_000;
const mostBytes = 64 * 1024 * 1024;

interface Sortable {
  readonly row: Row;
  readonly keys: readonly (Key | null)[];
}

/**
 * Sorts rows in memory, and keeps no more than twice `limit` of them. Rows that are too many are given back, with
 * those that are still to come.
 */
export async function sortRows(
  batches: Batches,
  sort: readonly Sort[],
  limit: number,
  read: TableRead,
  types: readonly ColumnType[],
  scratch: Scratch,
  signal: AbortSignal,
): Promise<{ readonly sorted: readonly Row[] } | { readonly tooMany: Batches }> {
  const keysOf = sortKeys(sort, read, types);
  const order = comparator(sort);
  const kept: Sortable[] = [];
  let bytes = 0;
  const source = batches[Symbol.asyncIterator]();
  let finished = false;
  try {
    for (;;) {
      const { value: batch, done } = await source.next();
      if (done) break;
      for (const item of await sortables(batch, keysOf, read, scratch, signal)) {
        kept.push(item);
        bytes += rowSize(item.row);
      }
      if (kept.length > 2 * limit + 1000 || (bytes > mostBytes && kept.length > limit)) {
        kept.sort(order).length = limit;
        bytes = kept.reduce((sum, { row }) => sum + rowSize(row), 0);
      }
      if (kept.length > mostRows || bytes > mostBytes) {
        finished = true;
        return {
          tooMany: chain(
            kept.map(({ row }) => row),
            source,
          ),
        };
      }
    }
    finished = true;
  } finally {
    if (!finished) await source.return?.();
  }
  kept.sort(order);
  return { sorted: kept.map(({ row }) => row) };
}

async function* chain(first: readonly Row[], rest: AsyncIterator<readonly Row[]>): Batches {
  try {
    const step = 1000;
    for (let index = 0; index < first.length; index += step) yield first.slice(index, index + step);
    for (;;) {
      const { value, done } = await rest.next();
      if (done) return;
      yield value;
    }
  } finally {
    await rest.return?.();
  }
}

type KeysOf = (row: Row) => Sortable;

function sortKeys(
  sort: readonly Sort[],
  { columns, spellings }: TableRead,
  types: readonly ColumnType[],
): KeysOf {
  const readers = sort.map(({ column, domain }) => {
    const index = columns.indexOf(column);
    const read = keyReader(types[column]!, domain, spellings);
    return (row: Row) => {
      const value = row[index];
      return value === null || value === undefined ? null : read(value);
    };
  });
  return (row) => ({ row, keys: readers.map((read) => read(row)) });
}

async function sortables(
  batch: readonly Row[],
  keysOf: KeysOf,
  { spellings }: TableRead,
  scratch: Scratch,
  signal: AbortSignal,
) {
  for (;;) {
    try {
      return batch.map(keysOf);
    } catch (error) {
      if (!(error instanceof UnknownSpelling)) throw error;
      await learn(unknownSpellings(batch, keysOf), spellings, scratch, signal);
    }
  }
}

function comparator(sort: readonly Sort[]): (a: Sortable, b: Sortable) => number {
  const steps = sort.map(({ domain, descending, nullsFirst }) => (a: Key | null, b: Key | null) => {
    if (a === null || b === null) {
      if (a === b) return 0;
      return (a === null) === nullsFirst ? -1 : 1;
    }
    const order = domain.compare(a, b);
    return descending ? -order : order;
  });
  return (a, b) => {
    for (let index = 0; index < steps.length; index++) {
      const order = steps[index]!(a.keys[index]!, b.keys[index]!);
      if (order !== 0) return order;
    }
    return 0;
  };
}
