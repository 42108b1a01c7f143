import { setTimeout as sleep } from "node:timers/promises";
import {
  type Change,
  type Connection,
  type Filter,
  type Options,
  type Plan,
  type Query,
  type Source,
  SqlError,
  type Table,
  type TableChanges,
  type TableDefinition,
  type Tuple,
} from "@overcoat/sources";

/** Rows by identity: their first column. */
export type Rows = Map<string, (string | null)[]>;

export interface MemoryService {
  /** By table name: the option `name`, else the foreign table's. */
  readonly tables: Map<string, Rows>;
  /** What was asked, in order. */
  readonly requests: string[];
  readonly commits: Change[][];
  connections: number;
  /** Milliseconds before each batch and before a commit. */
  delay: number;
  /** What waits for ever, deaf to its signal. */
  hangs?: "connect" | "plan" | "scan" | "exist" | "commit" | undefined;
  /** Signals of the scans that have begun. */
  readonly signals: AbortSignal[];
  /** Thrown by `commit` after so many changes. */
  failure?: { readonly after: number; readonly error: Error };
}

export function memoryService(): MemoryService {
  return {
    tables: new Map(),
    requests: [],
    commits: [],
    connections: 0,
    delay: 0,
    signals: [],
  };
}

const none = {};
const forever = () => new Promise<never>(() => undefined);
const batchRows = 100;

/**
 * A service for tests: tables of rows, of which the first column is the key. Server options: `address`, `token` (the
 * secret); table options: `name`, `readonly`, `replace`, `assigned` (the service gives the keys), `batch`.
 */
export function memorySource(service: MemoryService): Source {
  return {
    name: "memory",
    options: {
      server: {
        address: { description: "host:port" },
        at: { description: "host:port", synonymOf: "address" },
      },
      user: { token: { description: "what lets in", secret: true } },
      table: {
        name: { description: "another name" },
        readonly: { description: "only to be read" },
        replace: { description: "INSERT replaces" },
        assigned: { description: "the service gives the keys" },
      },
      column: {},
    },
    secretOption: "token",
    addresses: ({ address }) => (address ? [address] : []),
    async connect(options: Options): Promise<Connection> {
      if (service.hangs === "connect") await forever();
      service.connections++;
      if (options.token === "wrong") throw new SqlError("28000", "the service refuses the token");
      return new MemoryConnection(service);
    },
  };
}

class MemoryConnection implements Connection {
  readonly #service: MemoryService;

  constructor(service: MemoryService) {
    this.#service = service;
  }

  table(definition: TableDefinition): Table {
    const name = definition.options.name ?? definition.remote?.name ?? definition.name;
    const rows = this.#service.tables.get(name) ?? new Map();
    this.#service.tables.set(name, rows);
    return new MemoryTable(definition, name, rows, this.#service);
  }

  async tables(schema: string, names?: readonly string[]): Promise<TableDefinition[] | undefined> {
    if (schema !== "memory") return undefined;
    return [...this.#service.tables.keys()]
      .filter((name) => !names || names.includes(name))
      .map((name) => ({
        name,
        options: none,
        columns: [
          { name: "id", type: "text", options: none },
          { name: "n", type: "integer", options: none },
        ],
      }));
  }

  async commit(changes: readonly Change[], signal: AbortSignal): Promise<void> {
    if (this.#service.delay > 0) await sleep(this.#service.delay, undefined, { signal });
    if (this.#service.hangs === "commit") await forever();
    this.#service.commits.push([...changes]);
    for (const [index, change] of changes.entries()) {
      const { failure } = this.#service;
      if (failure && index === failure.after) throw failure.error;
      (change.table as MemoryTable).apply(change);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#service.connections--;
  }
}

class MemoryTable implements Table {
  readonly definition: TableDefinition;
  readonly changes?: TableChanges;
  readonly #name: string;
  readonly #rows: Rows;
  readonly #service: MemoryService;

  constructor(definition: TableDefinition, name: string, rows: Rows, service: MemoryService) {
    this.definition = definition;
    this.#name = name;
    this.#rows = rows;
    this.#service = service;
    const { readonly, replace, assigned } = definition.options;
    if (readonly) return;
    this.changes = {
      insert: true,
      update: true,
      delete: true,
      ...(replace && { replaces: true }),
      identity: (row) => {
        if (assigned && row[0] == null) return undefined;
        if (row[0] == null)
          throw new SqlError("23502", `null value in column "${definition.columns[0]!.name}"`);
        return row[0];
      },
      exist: async (identities) => {
        if (service.hangs === "exist") await forever();
        service.requests.push(`exist ${identities.join(",")}`);
        return identities.map((one) => rows.has(one));
      },
    };
  }

  plan(query: Query): Plan | Promise<Plan> {
    return this.#service.hangs === "plan" ? forever() : this.#plan(query);
  }

  #plan({ columns, identity, filters, limit }: Query): Plan {
    const key = filters.find((filter) => filter.column === 0 && isKeyed(filter));
    const handled = filters.map((filter) => filter === key);
    const keys = key?.kind === "in" ? key.values : key?.kind === "compare" ? [key.value!] : undefined;
    const request = key ? `get ${this.#name} ${keys?.join(",") ?? "?"}` : `scan ${this.#name}`;
    const service = this.#service;
    const rows = this.#rows;
    const most = handled.every(Boolean) ? (limit ?? Number.POSITIVE_INFINITY) : Number.POSITIVE_INFINITY;
    return {
      handled,
      sorted: false,
      rows: key ? 1 : rows.size,
      calls: key ? 1 : 1 + rows.size / batchRows,
      requests: [request],
      async *scan(signal) {
        service.requests.push(request);
        service.signals.push(signal);
        const found = keys
          ? keys.filter((one) => rows.has(one)).map((one) => rows.get(one)!)
          : [...rows.values()];
        const wanted = found.slice(0, most);
        for (let from = 0; from < wanted.length; from += batchRows) {
          if (service.hangs === "scan") await forever();
          if (service.delay > 0) await sleep(service.delay, undefined, { signal });
          signal.throwIfAborted();
          yield wanted
            .slice(from, from + batchRows)
            .map((row) => [
              ...columns.map((column) => row[column]!),
              ...(identity ? [row[0]!, `v${row[1]}`] : []),
            ]);
        }
      },
    };
  }

  apply(change: Change): void {
    const fill = (after: Tuple, before: Tuple = []) =>
      this.definition.columns.map((_, index) => after[index] ?? before[index] ?? null);
    switch (change.kind) {
      case "insert": {
        const identity = change.identity ?? `assigned-${this.#rows.size}`;
        if (!change.replace && this.#rows.has(identity)) throw new SqlError("40001", `${identity} exists`);
        const [, ...rest] = fill(change.after);
        this.#rows.set(identity, [identity, ...rest]);
        return;
      }
      case "update": {
        const current = this.#rows.get(change.identity);
        if (!current || (change.version && change.version !== `v${current[1]}`))
          throw new SqlError("40001", `${change.identity} has changed`);
        const after = current.map((value, index) =>
          change.after[index] === undefined ? value : change.after[index]!,
        );
        this.#rows.delete(change.identity);
        this.#rows.set(after[0]!, after);
        return;
      }
      case "delete":
        if (!this.#rows.delete(change.identity)) throw new SqlError("40001", `${change.identity} is gone`);
    }
  }
}

function isKeyed(filter: Filter): boolean {
  return (filter.kind === "compare" && filter.operator === "=") || filter.kind === "in";
}
