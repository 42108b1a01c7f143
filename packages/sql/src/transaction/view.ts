import type { Filter, Plan, Query, Row, TableDefinition, Tuple } from "@overcoat/sources";
import { matches } from "../evaluate/filter.ts";
import type { Relation } from "../query/relation.ts";
import { equality } from "./column-index.ts";
import type { Ctids, ReadRow } from "./ctids.ts";
import { tupleOfRow } from "./row-tuple.ts";
import type { SpillingList } from "./spilling-list.ts";
import { completeRow, type RowState, rowAfter, type TableWrites, type Write } from "./writes.ts";

const batchRows = 500;
/** Own rows that are looked through without an index. */
const scanned = 32;
/** Batches whose rows can still be asked for their ctid: whoever asks reads no further ahead. */
const recentBatches = 4;

/** A table with a transaction's writes up to one moment over the service's rows. */
export class TransactionView implements Relation {
  readonly #table: TableWrites;
  readonly #sequence: number;
  readonly #writes: SpillingList<Write>;
  readonly #ctids: Ctids;
  readonly #recent: ReadBatch[] = [];
  /** The number of the last read that gave rows to be changed. */
  #read: number | undefined;

  constructor(table: TableWrites, sequence: number, writes: SpillingList<Write>, ctids: Ctids) {
    this.#table = table;
    this.#sequence = sequence;
    this.#writes = writes;
    this.#ctids = ctids;
  }

  get definition() {
    return this.#table.open.table.definition;
  }

  get collation() {
    return this.#table.open.collation;
  }

  plan(query: Query): Plan | Promise<Plan> {
    const { table } = this.#table.open;
    if (query.identity) this.#read = this.#table.reads.add(query.filters);
    if (this.#table.states.size === 0) {
      const plan = table.plan(query);
      if (!query.identity) return plan;
      return plan instanceof Promise
        ? plan.then((made) => this.#remembering(made, query))
        : this.#remembering(plan, query);
    }
    const { limit, ...asked } = query;
    const base = table.plan({
      ...asked,
      identity: true,
      ...(limit !== undefined && { limit: limit + this.#table.states.size }),
    });
    return base instanceof Promise ? base.then((made) => this.#over(made, query)) : this.#over(base, query);
  }

  ctid(identity: string): string {
    const { number } = this.#table;
    const state = this.#table.at(identity, this.#sequence);
    return this.#ctids.assign(number, identity, state?.sequence ?? 0, () => {
      // What the service had is guarded by the transaction's first write of the row.
      if (state) return { before: rowAfter(this.#writes.get(state.write)) };
      for (const batch of this.#recent) {
        const row = batch.find(identity);
        if (row) return { ...row, read: this.#read };
      }
      return { before: [], read: this.#read };
    });
  }

  #remember(rows: readonly Row[], columns: readonly number[]): void {
    this.#recent.unshift(new ReadBatch(rows, columns, this.definition));
    if (this.#recent.length > recentBatches) this.#recent.pop();
  }

  #remembering(plan: Plan, { columns }: Query): Plan {
    const remember = (rows: readonly Row[]) => this.#remember(rows, columns);
    return {
      ...plan,
      async *scan(signal) {
        for await (const rows of plan.scan(signal)) {
          remember(rows);
          yield rows;
        }
      },
    };
  }

  #over(base: Plan, query: Query): Plan {
    return {
      handled: base.handled,
      sorted: false,
      rows: base.rows + this.#table.states.size,
      calls: base.calls,
      requests: base.requests,
      scan: (signal) => this.#scan(base, query, signal),
    };
  }

  async *#scan(base: Plan, query: Query, signal: AbortSignal): AsyncIterable<readonly Row[]> {
    const width = query.columns.length;
    for await (const rows of base.scan(signal)) {
      if (query.identity) this.#remember(rows, query.columns);
      const untouched = rows.filter((row) => !this.#table.at(row[width] as string, this.#sequence));
      if (untouched.length > 0)
        yield query.identity ? untouched : untouched.map((row) => row.slice(0, width));
    }
    yield* this.#ownRows(query, signal);
  }

  async *#ownRows(query: Query, signal: AbortSignal): AsyncIterable<readonly Row[]> {
    const { columns, filters, identity: withIdentity } = query;
    const wanted = matches(filters, this.definition.columns);
    const needed = [...columns, ...filters.map(({ column }) => column)];
    let batch: Row[] = [];
    for (const identity of this.#candidates(filters)) {
      const state = this.#table.at(identity, this.#sequence);
      const row = state && !state.gone && (await this.#completeRow(state, needed, signal));
      if (!row || wanted(row) !== true) continue;
      const values = columns.map((column) => row[column] ?? null);
      batch.push(withIdentity ? [...values, identity] : values);
      if (batch.length < batchRows) continue;
      yield batch;
      batch = [];
    }
    if (batch.length > 0) yield batch;
  }

  /** The identities of own rows that may pass the filters. */
  #candidates(filters: readonly Filter[]): Iterable<string> {
    const { states } = this.#table;
    const equal = states.size > scanned ? equality(filters, this.definition.columns) : undefined;
    if (!equal) return states.keys();
    const index = this.#table.index(equal.column, ({ write }) => rowAfter(this.#writes.get(write)));
    return index.find(equal.values);
  }

  #completeRow({ write }: RowState, columns: readonly number[], signal: AbortSignal) {
    const known = this.#writes.get(write);
    const row = rowAfter(known);
    return columns.every((column) => row[column] !== undefined)
      ? row
      : completeRow(this.#table, row, known.origin, signal);
  }
}

/** Rows that were read with their identities. */
class ReadBatch {
  readonly #rows: readonly Row[];
  readonly #columns: readonly number[];
  readonly #definition: TableDefinition;
  #byIdentity: Map<string, Row> | undefined;

  constructor(rows: readonly Row[], columns: readonly number[], definition: TableDefinition) {
    this.#rows = rows;
    this.#columns = columns;
    this.#definition = definition;
  }

  find(identity: string): (Pick<ReadRow, "version"> & { before: Tuple }) | undefined {
    const width = this.#columns.length;
    this.#byIdentity ??= new Map(this.#rows.map((row) => [row[width] as string, row]));
    const row = this.#byIdentity.get(identity);
    return (
      row && {
        version: row[width + 1] as string | undefined,
        before: tupleOfRow(row, this.#columns, this.#definition),
      }
    );
  }
}
