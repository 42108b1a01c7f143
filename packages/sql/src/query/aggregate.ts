import type { Row } from "@overcoat/sources";
import type { Key } from "../evaluate/domain.ts";
import { domainOf, keyReader, UnknownSpelling } from "../evaluate/key.ts";
import { textOf } from "../evaluate/text.ts";
import type { ColumnType } from "../evaluate/type.ts";
import type { Scratch, TextRow } from "./context.ts";
import type { Output } from "./direct.ts";
import { learn } from "./learn.ts";
import { unknownSpellings } from "./rows.ts";
import type { Batches, TableRead } from "./table.ts";

/** Groups, and characters of their keys, that are kept in memory. */
const mostGroups = 200_000;
const mostCharacters = 32 * 1024 * 1024;

interface Group {
  rows: number;
  readonly keys: readonly (string | null)[];
  readonly accumulators: readonly Accumulator[];
}

interface Accumulator {
  /** Takes a row into account; throws UnknownSpelling before it has changed anything. */
  add(row: Row): void;
  result(): string | null;
}

/**
 * The rows of a SELECT of aggregates: one, or one for each group where there are outputs to group by.
 * `undefined` if there are too many groups.
 */
export async function aggregateRows(
  batches: Batches,
  outputs: readonly Output[],
  isGrouped: boolean,
  read: TableRead,
  types: readonly ColumnType[],
  scratch: Scratch,
  signal: AbortSignal,
): Promise<readonly TextRow[] | undefined> {
  const isKey = ({ kind }: Output) => kind === "column";
  const starts = outputs.filter((output) => !isKey(output)).map((output) => accumulator(output, read, types));
  const start = (keys: Group["keys"]): Group => ({
    rows: 0,
    keys,
    accumulators: starts.map((make) => make()),
  });
  const all = isGrouped ? undefined : start([]);
  const groups = new Groups(outputs.filter(isKey), read, types, start);
  const { spellings } = read;
  for await (const batch of batches) {
    const grouped =
      all ?? (await groups.find(batch, (unknown) => learn(unknown, spellings, scratch, signal)));
    if (!grouped) return undefined;
    if (all) all.rows += batch.length;
    const groupOf = Array.isArray(grouped) ? (index: number) => grouped[index] as Group : () => all!;
    for (const [number] of starts.entries()) {
      for (let index = 0; index < batch.length; ) {
        try {
          for (; index < batch.length; index++) groupOf(index).accumulators[number]!.add(batch[index]!);
        } catch (error) {
          if (!(error instanceof UnknownSpelling)) throw error;
          await learn([error], spellings, scratch, signal);
        }
      }
    }
  }
  return (all ? [all] : groups.all()).map((group) => {
    let key = 0;
    let result = 0;
    return outputs.map((output) => {
      if (isKey(output)) return group.keys[key++]!;
      const own = group.accumulators[result++]!.result();
      return output.kind === "count" && output.column === undefined ? String(group.rows) : own;
    });
  });
}

class Groups {
  readonly #groups = new Map<string, Group>();
  readonly #readers: readonly ((row: Row) => { readonly key: Key; readonly text: string } | null)[];
  readonly #start: (keys: Group["keys"]) => Group;
  #characters = 0;

  constructor(
    outputs: readonly Output[],
    { columns, spellings }: TableRead,
    types: readonly ColumnType[],
    start: (keys: Group["keys"]) => Group,
  ) {
    this.#start = start;
    this.#readers = outputs.map((output) => {
      const column = (output as Extract<Output, { kind: "column" }>).column;
      const index = columns.indexOf(column);
      const type = types[column]!;
      const domain = domainOf(type)!;
      const read = keyReader(type, domain, spellings);
      const text = textOf(type);
      const isText = type.name === "text" || type.name === "varchar";
      return (row) => {
        const value = row[index];
        if (value === null || value === undefined) return null;
        const key = read(value);
        // Text is checked for what PostgreSQL cannot hold.
        return { key, text: isText ? String(text(key as string)) : domain.write(key) };
      };
    });
  }

  /** The group of each row; counts them. `undefined` if there are too many groups. */
  async find(
    batch: readonly Row[],
    learnAll: (unknown: UnknownSpelling[]) => Promise<void>,
  ): Promise<readonly Group[] | undefined> {
    const groupOf = (row: Row) => this.#groupOf(row);
    for (;;) {
      try {
        const found = batch.map(groupOf);
        for (const group of found) group.rows++;
        return this.#groups.size > mostGroups || this.#characters > mostCharacters ? undefined : found;
      } catch (error) {
        if (!(error instanceof UnknownSpelling)) throw error;
        await learnAll(unknownSpellings(batch, groupOf));
      }
    }
  }

  all(): readonly Group[] {
    return [...this.#groups.values()];
  }

  #groupOf(row: Row): Group {
    const texts: (string | null)[] = [];
    let id = "";
    for (const read of this.#readers) {
      const key = read(row);
      texts.push(key === null ? null : key.text);
      // No text holds the separator.
      id += key === null ? "\0n" : `\0${key.text}\0`;
    }
    let group = this.#groups.get(id);
    if (!group) {
      group = this.#start(texts);
      this.#groups.set(id, group);
      this.#characters += id.length;
    }
    return group;
  }
}

const uncounted: Accumulator = { add: () => {}, result: () => null };

function accumulator(
  output: Output,
  { columns, spellings }: TableRead,
  types: readonly ColumnType[],
): () => Accumulator {
  // count(*) is the group's number of rows.
  if (!("column" in output) || output.column === undefined) return () => uncounted;
  const index = columns.indexOf(output.column);
  const type = types[output.column]!;
  if (output.kind === "count") return () => counter(index);
  const read = keyReader(type, domainOf(type)!, spellings);
  if (output.kind === "sum") return () => sum(index, read as (value: unknown) => number | bigint);
  const { domain, kind } = output as Extract<Output, { kind: "min" | "max" }>;
  const sign = kind === "min" ? 1 : -1;
  return () => {
    let best: Key | undefined;
    return {
      add(row) {
        const value = row[index];
        if (value === null || value === undefined) return;
        const key = read(value);
        // Of 0 and -0, which are equal, the last counts.
        if (best === undefined || sign * domain.compare(key, best) <= 0) best = key;
      },
      result: () => (best === undefined ? null : domain.write(best)),
    };
  };
}

function counter(index: number): Accumulator {
  let count = 0;
  return {
    add(row) {
      if (row[index] !== null && row[index] !== undefined) count++;
    },
    result: () => String(count),
  };
}

function sum(index: number, read: (value: unknown) => number | bigint): Accumulator {
  let small = 0;
  let large = 0n;
  let any = false;
  return {
    add(row) {
      const value = row[index];
      if (value === null || value === undefined) return;
      const key = read(value);
      any = true;
      if (typeof key === "number" && Number.isSafeInteger(small + key)) small += key;
      else large += BigInt(key);
    },
    result: () => (any ? String(large + BigInt(small)) : null),
  };
}
