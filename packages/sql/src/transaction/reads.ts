import type { Filter, Row, Table, Tuple } from "@overcoat/sources";
import { tupleBytes } from "./ctids.ts";
import { tupleOfRow } from "./row-tuple.ts";
import { SpillingList, type SpillSpace } from "./spilling-list.ts";

/** Where a row was read from the service. */
export interface Origin {
  /** The number of the read; undefined for the last one. */
  readonly read?: number | undefined;
  readonly identity: string;
}

const mostBytes = 4 * 1024 ** 3;
const everything = -1;

/**
 * The reads of a table that gave rows to be changed. Such a read asks for few columns; when others of its rows are
 * wanted later, by RETURNING or by a read that must show a changed row, it is done once more with all of them.
 */
export class Reads {
  readonly #table: Table;
  readonly #space: SpillSpace;
  readonly #filters: (readonly Filter[])[] = [];
  readonly #finders = new Map<number, RowFinder>();

  constructor(table: Table, space: SpillSpace) {
    this.#table = table;
    this.#space = space;
  }

  /** @returns the read's number */
  add(filters: readonly Filter[]): number {
    return this.#filters.push(filters) - 1;
  }

  /** A row with all columns, as the service has it now; undefined when it is gone. */
  async find({ read = this.#filters.length - 1, identity }: Origin): Promise<Tuple | undefined> {
    return (await this.#finder(read).find(identity)) ?? this.#finder(everything).find(identity);
  }

  close(): void {
    for (const finder of this.#finders.values()) finder.close();
    this.#finders.clear();
  }

  #finder(read: number): RowFinder {
    let finder = this.#finders.get(read);
    if (!finder) {
      finder = new RowFinder(this.#table, this.#filters[read] ?? [], this.#space);
      this.#finders.set(read, finder);
    }
    return finder;
  }
}

/** Reads rows as far as they are asked for. */
class RowFinder {
  readonly #table: Table;
  readonly #filters: readonly Filter[];
  readonly #columns: readonly number[];
  readonly #ending = new AbortController();
  readonly #seen: SpillingList<Tuple>;
  readonly #places = new Map<string, number>();
  #batches: AsyncIterator<readonly Row[]> | undefined;

  constructor(table: Table, filters: readonly Filter[], space: SpillSpace) {
    this.#table = table;
    this.#filters = filters;
    this.#columns = table.definition.columns.map((_, index) => index);
    this.#seen = new SpillingList(space, mostBytes);
  }

  async find(identity: string): Promise<Tuple | undefined> {
    this.#batches ??= await this.#begin();
    while (!this.#places.has(identity)) {
      const { done, value } = await this.#batches.next();
      if (done) return undefined;
      for (const row of value) {
        const tuple = tupleOfRow(row, this.#columns, this.#table.definition);
        this.#places.set(row[this.#columns.length] as string, this.#seen.length);
        this.#seen.push(tuple, tupleBytes(tuple));
      }
    }
    return this.#seen.get(this.#places.get(identity)!);
  }

  close(): void {
    this.#ending.abort();
    this.#seen.clear();
    this.#places.clear();
  }

  async #begin() {
    const query = { columns: this.#columns, identity: true, filters: this.#filters, sort: [] };
    const plan = await this.#table.plan(query);
    return plan.scan(this.#ending.signal)[Symbol.asyncIterator]();
  }
}
