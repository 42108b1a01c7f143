import type { Plan, Query, Row, TableDefinition, Tuple, Value } from "@overcoat/sources";
import { matches } from "../evaluate/filter.ts";
import type { Relation } from "../query/relation.ts";
import type { Ctids, ReadRow } from "./ctids.ts";
import { tupleOfRow } from "./row-tuple.ts";
import type { SpillingList } from "./spilling-list.ts";
import { type RowState, rowAfter, type TableWrites, type Write } from "./writes.ts";

const batchRows = 500;
/** Batches whose rows can still be asked for their ctid: whoever asks reads no further ahead. */
const recentBatches = 4;

/** A table with a transaction's writes up to one moment over the service's rows. */
export class TransactionView implements Relation {
  readonly #table: TableWrites;
  readonly #sequence: number;
  readonly #writes: SpillingList<Write>;
  readonly #ctids: Ctids;
  readonly #recent: ReadBatch[] = [];

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
    if (query.identity) this.#table.readFor = query.filters;
    if (this.#table.states.size === 0) {
      const plan = table.plan(query);
      if (!query.identity) return plan;
      return plan instanceof Promise
        ? plan.then((made) => this.#remembering(made, query))
        : this.#remembering(plan, query);
    }
    const { partial, states } = this.#table;
    const { limit, ...asked } = query;
    const base = table.plan({
      ...asked,
      identity: true,
      // A row that the service would leave out may have become one that is wanted.
      ...(partial ? { filters: [] } : limit !== undefined && { limit: limit + states.size }),
    });
    return base instanceof Promise ? base.then((made) => this.#over(made, query)) : this.#over(base, query);
  }

  ctid(identity: string): string {
    const { number } = this.#table;
    const state = this.#table.at(identity, this.#sequence);
    return this.#ctids.assign(number, identity, state?.sequence ?? 0, () => {
      // What the service had is guarded by the transaction's first write of the row.
      if (state) return { before: this.#rowOf(state) };
      for (const batch of this.#recent) {
        const row = batch.find(identity);
        if (row) return row;
      }
      return { before: [] };
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
    const { partial, states } = this.#table;
    return {
      handled: partial ? query.filters.map(() => false) : base.handled,
      sorted: false,
      rows: base.rows + states.size,
      calls: base.calls,
      requests: base.requests,
      scan: (signal) => this.#scan(base, query, signal),
    };
  }

  async *#scan(base: Plan, query: Query, signal: AbortSignal): AsyncIterable<readonly Row[]> {
    const width = query.columns.length;
    const output = (row: Row) => (query.identity ? row : row.slice(0, width));
    for await (const rows of base.scan(signal)) {
      if (query.identity) this.#remember(rows, query.columns);
      const seen: Row[] = [];
      for (const row of rows) {
        const state = this.#table.at(row[width] as string, this.#sequence);
        if (!state) seen.push(output(row));
        else if (!state.gone) {
          const own = this.#rowOf(state);
          if (lacks(own, query.columns)) seen.push(output(row.map(overlaid(own, query.columns))));
        }
      }
      if (seen.length > 0) yield seen;
    }
    yield* this.#ownRows(query);
  }

  async *#ownRows(query: Query): AsyncIterable<readonly Row[]> {
    const { definition } = this;
    const wanted = this.#table.partial ? () => true : matches(query.filters, definition.columns);
    let batch: Row[] = [];
    for (const identity of this.#table.states.keys()) {
      const state = this.#table.at(identity, this.#sequence);
      if (!state || state.gone) continue;
      const row = this.#rowOf(state);
      if (lacks(row, query.columns) || wanted(row) !== true) continue;
      const values = query.columns.map((column) => row[column] as string | null);
      batch.push(query.identity ? [...values, identity] : values);
      if (batch.length < batchRows) continue;
      yield batch;
      batch = [];
    }
    if (batch.length > 0) yield batch;
  }

  #rowOf({ write }: RowState): Tuple {
    return rowAfter(this.#writes.get(write));
  }
}

/** Whether a row's own state lacks a column, so that the service's row must complete it. */
function lacks(row: Tuple, columns: readonly number[]): boolean {
  return columns.some((column) => row[column] === undefined);
}

/** The row's own value where it has one. */
function overlaid(own: Tuple, columns: readonly number[]) {
  return (value: Value, index: number) => {
    const column = columns[index];
    const changed = column === undefined ? undefined : own[column];
    return changed === undefined ? value : changed;
  };
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

  find(identity: string): Pick<ReadRow, "version" | "before"> | undefined {
    const width = this.#columns.length;
    this.#byIdentity ??= new Map(this.#rows.map((row) => [row[width] as string, row]));
    const row = this.#byIdentity.get(identity);
    if (!row) return undefined;
    const before = tupleOfRow(row, this.#columns, this.#definition);
    return { version: row[width + 1] as string | undefined, before };
  }
}
