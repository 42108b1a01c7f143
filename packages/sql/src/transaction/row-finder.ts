import type { Filter, Row, Table, Tuple } from "@overcoat/sources";
import { tupleBytes } from "./ctids.ts";
import { tupleOfRow } from "./row-tuple.ts";
import { SpillingList, type SpillSpace } from "./spilling-list.ts";

const most = 4 * 1024 ** 3;

/**
 * Finds the values of rows that were read for their ctid only: RETURNING asks for them when the row is deleted.
 * The rows are read once more, as far as they are asked for.
 */
export class RowFinder {
  readonly filters: readonly Filter[];
  readonly #table: Table;
  readonly #columns: readonly number[];
  readonly #ending = new AbortController();
  readonly #seen: SpillingList<Tuple>;
  readonly #places = new Map<string, number>();
  #batches: AsyncIterator<readonly Row[]> | undefined;

  constructor(table: Table, filters: readonly Filter[], space: SpillSpace) {
    this.filters = filters;
    this.#table = table;
    this.#columns = table.definition.columns.map((_, index) => index);
    this.#seen = new SpillingList(space, most);
  }

  /** Undefined when the row is no longer there. */
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
    const query = { columns: this.#columns, identity: true, filters: this.filters, sort: [] };
    const plan = await this.#table.plan(query);
    return plan.scan(this.#ending.signal)[Symbol.asyncIterator]();
  }
}
