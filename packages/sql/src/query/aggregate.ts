import type { Row } from "@overcoat/sources";
import type { Key } from "../evaluate/domain.ts";
import { domainOf, keyReader, UnknownSpelling } from "../evaluate/key.ts";
import type { ColumnType } from "../evaluate/type.ts";
import type { Scratch, TextRow } from "./context.ts";
import type { Output } from "./direct.ts";
import { learn } from "./learn.ts";
import type { Batches, TableRead } from "./table.ts";

interface Aggregate {
  /** Takes a row into account; throws UnknownSpelling before it has changed anything. */
  add(row: Row): void;
  result(): string | null;
}

/** The one row of count(*), sum(n), min(a) … over all rows. */
export async function aggregateRows(
  batches: Batches,
  outputs: readonly Output[],
  read: TableRead,
  types: readonly ColumnType[],
  scratch: Scratch,
  signal: AbortSignal,
): Promise<TextRow> {
  const aggregates = outputs.map((output) => aggregate(output, read, types));
  let rows = 0;
  for await (const batch of batches) {
    rows += batch.length;
    for (const item of aggregates) if (item) await addAll(batch, item, read, scratch, signal);
  }
  return aggregates.map((item) => (item ? item.result() : String(rows)));
}

async function addAll(
  batch: readonly Row[],
  { add }: Aggregate,
  { spellings }: TableRead,
  scratch: Scratch,
  signal: AbortSignal,
) {
  for (let index = 0; index < batch.length; ) {
    try {
      for (; index < batch.length; index++) add(batch[index]!);
    } catch (error) {
      if (!(error instanceof UnknownSpelling)) throw error;
      await learn([error], spellings, scratch, signal);
    }
  }
}

/** `undefined` for count(*) */
function aggregate(
  output: Output,
  { columns, spellings }: TableRead,
  types: readonly ColumnType[],
): Aggregate | undefined {
  if (!("column" in output) || output.column === undefined) return undefined;
  const index = columns.indexOf(output.column);
  const type = types[output.column]!;
  if (output.kind === "count") {
    let count = 0;
    return {
      add(row) {
        if (row[index] !== null && row[index] !== undefined) count++;
      },
      result: () => String(count),
    };
  }
  const read = keyReader(type, domainOf(type)!, spellings);
  if (output.kind === "min" || output.kind === "max") {
    const { domain } = output;
    const sign = output.kind === "min" ? 1 : -1;
    let best: Key | undefined;
    return {
      add(row) {
        const value = row[index];
        if (value === null || value === undefined) return;
        const key = read(value);
        if (best === undefined || sign * domain.compare(key, best) < 0) best = key;
      },
      result: () => (best === undefined ? null : domain.write(best)),
    };
  }
  let sum = 0;
  let large = 0n;
  let any = false;
  return {
    add(row) {
      const value = row[index];
      if (value === null || value === undefined) return;
      const key = read(value) as number | bigint;
      any = true;
      if (typeof key === "number" && Number.isSafeInteger(sum + key)) sum += key;
      else large += BigInt(key);
    },
    result: () => (any ? String(large + BigInt(sum)) : null),
  };
}
