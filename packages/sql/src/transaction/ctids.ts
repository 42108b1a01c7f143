import { randomInt } from "node:crypto";
import type { Tuple } from "@overcoat/sources";
import { SpillingList, type SpillSpace } from "./spilling-list.ts";

/** A row as it was read for update. */
export interface ReadRow {
  /** The number of the row's table in its transaction. */
  readonly table: number;
  readonly identity: string;
  /** The transaction's last own write of the row at that time; 0 for none. */
  readonly sequence: number;
  readonly version?: string | undefined;
  /** The number of the read, of a row that the transaction had not written. */
  readonly read?: number | undefined;
  /** The values that were read. */
  readonly before: Tuple;
}

const rowsInBlock = 256;
/** Rows of which a second read gives the same ctid as the first. */
const mostRemembered = 100_000;
const mostBytes = 4 * 1024 ** 3;
const rowBytes = 64;
const form = /^\((\d{1,10}),(\d{1,5})\)$/;

/**
 * The ctids of a transaction: they stand for rows as they were read. The first block is random, so that a ctid
 * of another transaction matches nothing.
 */
export class Ctids {
  readonly #rows: SpillingList<ReadRow>;
  #firstBlock: number | undefined;
  /** By table and identity. */
  readonly #known = new Map<string, { readonly number: number; readonly sequence: number }>();

  constructor(space: SpillSpace) {
    this.#rows = new SpillingList(space, mostBytes);
  }

  /** The ctid of a row; `read` tells the values when it is not known yet. */
  assign(
    table: number,
    identity: string,
    sequence: number,
    read: () => Pick<ReadRow, "version" | "read" | "before">,
  ) {
    const key = `${table}:${identity}`;
    const known = this.#known.get(key);
    if (known?.sequence === sequence) return this.#text(known.number);
    const row = { table, identity, sequence, ...read() };
    const number = this.#rows.length;
    this.#rows.push(row, rowBytes + identity.length + (row.version?.length ?? 0) + tupleBytes(row.before));
    if (this.#known.size >= mostRemembered) this.#known.clear();
    this.#known.set(key, { number, sequence });
    return this.#text(number);
  }

  /** The row behind a ctid that this transaction gave out. */
  find(ctid: string): ReadRow | undefined {
    const [, block, offset] = form.exec(ctid) ?? [];
    const number = (Number(block) - (this.#firstBlock ?? 0)) * rowsInBlock + Number(offset) - 1;
    const ours = number >= 0 && number < this.#rows.length && Number(offset) <= rowsInBlock;
    return ours ? this.#rows.get(number) : undefined;
  }

  clear(): void {
    this.#known.clear();
    this.#rows.clear();
  }

  #text(number: number): string {
    this.#firstBlock ??= randomInt(2 ** 31);
    const offset = number % rowsInBlock;
    return `(${this.#firstBlock + (number - offset) / rowsInBlock},${offset + 1})`;
  }
}

/** About as many bytes as the values take. */
export function tupleBytes(tuple: Tuple): number {
  let bytes = 16 * tuple.length;
  for (const value of tuple) if (value) bytes += value.length;
  return bytes;
}
