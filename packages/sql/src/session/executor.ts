import { SqlError } from "@overcoat/sources";
import { type LinkedServer, linkedSchema } from "../link/link.ts";
import type { QueryContext, Scratch } from "../query/context.ts";
import type { Relation } from "../query/relation.ts";
import { select } from "../query/select.ts";
import { parseStatements } from "../statement/parse.ts";
import type { ModifyStatement, SelectStatement, Statement, TableName } from "../statement/statement.ts";
import { changesOf, type TransactionOptions } from "../transaction/transaction.ts";
import type { OpenTable } from "../transaction/writes.ts";
import type { Field, Status } from "../wire/writer.ts";
import { abortable } from "./abortable.ts";
import { Block, type Cursor, noCursor, type Rows } from "./block.ts";
import { schemaTables, tableStatistics } from "./catalog.ts";
import { ExplainRelation } from "./explain-relation.ts";
import { insertRows, modifyRow, returningFields } from "./modifications.ts";
import { explain, modify } from "./pending.ts";
import { done, type Outcome, rowsOutcome, textFields } from "./result.ts";
import { RowStream } from "./row-stream.ts";
import type { Service, ServiceConnection, Services } from "./services.ts";

type Values = readonly (string | null)[];
/** Statements that the session itself deals with. */
type Executed = Exclude<Statement, { kind: "set" | "deallocate" }>;

export interface ExecutorOptions extends TransactionOptions {
  readonly services: Services;
  readonly scratch: Scratch;
}

/** Milliseconds that a commit gets to tell how far it came once it was cancelled or its client is gone. */
const commitGrace = 10_000;
const everything = { filters: [], sort: [] };
const closed = new SqlError("57014", "the rows are no longer wanted");

/** Executes statements in transaction blocks. */
export class Executor {
  readonly #options: ExecutorOptions;
  readonly #link: LinkedServer | undefined;
  #service: Service | undefined;
  #block: Block | undefined;

  constructor(options: ExecutorOptions, link: LinkedServer | undefined) {
    this.#options = options;
    this.#link = link;
  }

  get status(): Status {
    if (!this.#block?.explicit) return "I";
    return this.#block.failed ? "E" : "T";
  }

  /**
   * Executes a statement; its rows are read as they are taken.
   * @throws SqlError 25P02 in a block that has failed
   */
  execute(statement: Executed, values: Values, signal: AbortSignal): Outcome | Promise<Outcome> {
    const outcome = this.#execute(statement, values, signal);
    return outcome instanceof Promise && statement.kind !== "commit" ? abortable(outcome, signal) : outcome;
  }

  #execute(statement: Executed, values: Values, signal: AbortSignal): Outcome | Promise<Outcome> {
    const { kind } = statement;
    if (this.#block?.failed && kind !== "commit" && kind !== "rollback" && kind !== "rollback to")
      throw new SqlError(
        "25P02",
        "current transaction is aborted, commands ignored until end of transaction block",
      );
    switch (kind) {
      case "begin":
        this.#implicit().explicit = true;
        this.#block!.readOnly = statement.readOnly;
        return done("START TRANSACTION");
      case "commit":
        return this.#commit(signal);
      case "rollback":
        this.#end();
        return done("ROLLBACK");
      case "savepoint":
        this.#explicit("SAVEPOINT").savepoint(statement.name);
        return done("SAVEPOINT");
      case "release":
        this.#explicit("RELEASE SAVEPOINT").release(statement.name);
        return done("RELEASE");
      case "rollback to":
        this.#explicit("ROLLBACK TO SAVEPOINT").rollbackTo(statement.name);
        return done("ROLLBACK");
      case "declare":
        return this.#declare(statement.cursor, statement.select, values, signal);
      case "fetch": {
        const rows = { ...this.#cursor(statement.cursor), limit: statement.count };
        return { rows, tag: (count) => `FETCH ${count}` };
      }
      case "rewind":
        return this.#rewind(statement.cursor, signal);
      case "close":
        this.#cursor(statement.cursor);
        this.#block!.closeCursor(statement.cursor);
        return done("CLOSE CURSOR");
      case "select":
        return this.#select(statement, values, this.#implicit().transaction.sequence, signal).then(
          (rows) => ({
            rows: { ...rows, limit: Number.POSITIVE_INFINITY },
            tag: (count) => `SELECT ${count}`,
          }),
        );
      case "explain":
        return this.#explain(statement.statement, signal);
      case "insert":
        return this.#change("INSERT", statement.table, async (open, { transaction }) => {
          changesOf(open.table, "insert");
          return insertRows(statement, values, open, transaction, signal);
        });
      case "update row":
      case "delete row":
        return this.#change(
          kind === "update row" ? "UPDATE" : "DELETE",
          statement.table,
          (open, { transaction }) => modifyRow(statement, values, open, transaction, signal),
        );
      case "update":
      case "delete":
        return this.#change(kind === "update" ? "UPDATE" : "DELETE", statement.table, (open, block) =>
          this.#modify(statement, values, open, block, signal),
        );
      case "truncate":
        return this.#truncate(statement.tables, signal);
      case "relation size":
      case "relation statistics":
        return this.#statistics(kind, statement.table);
      case "schema exists":
      case "import":
        return this.#schema(statement, signal);
    }
  }

  /** The columns of a statement's rows, where they are known before it is executed. */
  fields(statement: Executed): readonly Field[] | undefined {
    switch (statement.kind) {
      case "fetch":
        return this.#cursor(statement.cursor).fields;
      case "explain":
        return explainFields;
      case "insert":
      case "update row":
      case "delete row":
        return statement.returning.length > 0 ? returningFields(statement.returning) : undefined;
      case "update":
      case "delete": {
        const count = returningCount(statement);
        return count > 0 ? returningFields(Array.from({ length: count })) : undefined;
      }
      default:
        return undefined;
    }
  }

  /** Commits what was done outside of a block that the client began. */
  settle(signal: AbortSignal): void | Promise<void> {
    if (!this.#block || this.#block.explicit) return;
    const committed = this.#commit(signal);
    if (committed instanceof Promise) return committed.then(() => undefined);
  }

  /** A statement has failed. */
  fail(): void {
    if (this.#block?.explicit) this.#block.failed = true;
    else this.#end();
  }

  close(): void {
    this.#end();
  }

  #implicit(): Block {
    this.#block ??= new Block(false, false, this.#options);
    return this.#block;
  }

  #explicit(what: string): Block {
    if (this.#block?.explicit) return this.#block;
    throw new SqlError("25P01", `${what} can only be used in transaction blocks`);
  }

  #end(): void {
    this.#block?.end();
    this.#block = undefined;
  }

  #commit(signal: AbortSignal): Outcome | Promise<Outcome> {
    const block = this.#block;
    if (block && !block.failed && block.transaction.hasWrites) return this.#commitWrites(block, signal);
    this.#end();
    return done(block?.failed ? "ROLLBACK" : "COMMIT");
  }

  async #commitWrites(block: Block, signal: AbortSignal): Promise<Outcome> {
    const patience = new AbortController();
    let late: NodeJS.Timeout | undefined;
    const grace = () => {
      late = setTimeout(() => patience.abort(unknownOutcome(signal.reason)), commitGrace);
    };
    signal.addEventListener("abort", grace);
    try {
      const { connection } = await this.#connection(block);
      if (!connection.commit) throw new SqlError("0A000", "the service cannot commit changes");
      await abortable(connection.commit(block.transaction.changes(), signal), patience.signal);
      return done("COMMIT");
    } finally {
      signal.removeEventListener("abort", grace);
      clearTimeout(late);
      this.#end();
    }
  }

  async #declare(
    name: string,
    statement: SelectStatement,
    values: Values,
    signal: AbortSignal,
  ): Promise<Outcome> {
    const block = this.#explicit("DECLARE CURSOR");
    const { sequence } = block.transaction;
    const again = (later: AbortSignal) => this.#select(statement, values, sequence, later);
    const rows = await again(signal);
    block.declare(name, { ...rows, again });
    // The client asks for the first rows next: they are read meanwhile.
    rows.stream.start();
    return done("DECLARE CURSOR");
  }

  async #rewind(name: string, signal: AbortSignal): Promise<Outcome> {
    const { again } = this.#cursor(name);
    this.#block!.replaceCursor(name, { ...(await again(signal)), again });
    return done("MOVE 0");
  }

  #cursor(name: string): Cursor {
    if (!this.#block) throw noCursor(name);
    return this.#block.cursor(name);
  }

  async #select(
    statement: SelectStatement,
    values: Values,
    sequence: number,
    signal: AbortSignal,
  ): Promise<Rows> {
    const ending = new AbortController();
    try {
      const context = this.#context(sequence, ending.signal);
      const result = await abortable(select(statement, values, context), signal);
      return { fields: result.fields, stream: new RowStream(result.rows(), () => ending.abort(closed)) };
    } catch (error) {
      ending.abort(error);
      throw error;
    }
  }

  async #explain(statement: SelectStatement | ModifyStatement, signal: AbortSignal): Promise<Outcome> {
    const context = this.#context(this.#implicit().transaction.sequence, signal);
    const { startupCost, totalCost, rows, width, requests } = await explain(statement, context);
    const cost = `cost=${startupCost.toFixed(2)}..${totalCost.toFixed(2)}`;
    return rowsOutcome(
      explainFields,
      [
        `Foreign Scan  (${cost} rows=${Math.round(rows)} width=${Math.round(width)})`,
        ...requests.map((request) => `  Request: ${request}`),
      ].map((line) => [line]),
      "EXPLAIN",
    );
  }

  #change(
    verb: string,
    table: TableName,
    perform: (open: OpenTable, block: Block) => Promise<Outcome>,
  ): Promise<Outcome> {
    const block = this.#implicit();
    if (block.readOnly) throw new SqlError("25006", `cannot execute ${verb} in a read-only transaction`);
    return Promise.resolve(this.#table(block, table)).then((open) => perform(open, block));
  }

  async #modify(
    statement: ModifyStatement,
    values: Values,
    open: OpenTable,
    { transaction }: Block,
    signal: AbortSignal,
  ): Promise<Outcome> {
    changesOf(open.table, statement.kind);
    const ending = new AbortController();
    const modified = modify(statement, values, this.#context(transaction.sequence, ending.signal));
    async function* apply() {
      for await (const batch of modified) {
        signal.throwIfAborted();
        for (const row of batch)
          if (row.after) await transaction.update(open, row, row.after, signal);
          else transaction.delete(open, row);
        yield batch.map(({ returning }) => returning);
      }
    }
    const stream = new RowStream(apply(), () => ending.abort(closed));
    const verb = statement.kind.toUpperCase();
    if (returningCount(statement) > 0)
      return {
        rows: { fields: this.fields(statement)!, stream, limit: Number.POSITIVE_INFINITY },
        tag: (count) => `${verb} ${count}`,
      };
    return done(`${verb} ${await stream.count(signal)}`);
  }

  async #truncate(tables: readonly TableName[], signal: AbortSignal): Promise<Outcome> {
    for (const name of tables)
      await this.#change("TRUNCATE TABLE", name, async (open, { transaction }) => {
        changesOf(open.table, "delete");
        const plan = await transaction
          .view(open, transaction.sequence)
          .plan({ ...everything, columns: [], identity: true });
        for await (const rows of plan.scan(signal)) {
          signal.throwIfAborted();
          for (const [identity, version] of rows as [string, string | undefined][])
            transaction.delete(open, { identity, version, before: [] });
        }
        return done("TRUNCATE TABLE");
      });
    return done("TRUNCATE TABLE");
  }

  async #statistics(kind: "relation size" | "relation statistics", name: TableName): Promise<Outcome> {
    return tableStatistics(kind, (await this.#table(this.#implicit(), name)).table);
  }

  async #schema(statement: Parameters<typeof schemaTables>[0], signal: AbortSignal): Promise<Outcome> {
    const { connection } = await this.#connection(this.#implicit());
    return schemaTables(statement, connection, signal);
  }

  #context(sequence: number, signal: AbortSignal): QueryContext {
    const block = this.#implicit();
    return {
      open: (schema, name) => this.#relation(block, { schema, name }, sequence, signal),
      scratch: this.#options.scratch,
      signal,
    };
  }

  #relation(
    block: Block,
    name: TableName,
    sequence: number,
    signal: AbortSignal,
  ): Relation | Promise<Relation> {
    const service = this.#connection(block);
    if (service instanceof Promise) return service.then(() => this.#relation(block, name, sequence, signal));
    if (name.schema === linkedSchema) {
      const { definition, collation, explained } = service.tables.read(name.name);
      if (explained !== undefined)
        return new ExplainRelation(definition, collation, () => this.#requests(explained, sequence, signal));
    }
    const open = service.tables.open(service.connection, name.schema, name.name);
    return open instanceof Promise
      ? open.then((table) => block.transaction.view(table, sequence))
      : block.transaction.view(open, sequence);
  }

  /** What services would be asked for a statement. */
  async #requests(text: string, sequence: number, signal: AbortSignal): Promise<readonly string[]> {
    const requests: string[] = [];
    for (const statement of await parseStatements(text)) {
      const { kind } = statement;
      if (kind !== "select" && kind !== "update" && kind !== "delete")
        throw new SqlError("0A000", "only SELECT, UPDATE and DELETE can be explained");
      requests.push(...(await explain(statement, this.#context(sequence, signal))).requests);
    }
    return requests;
  }

  #table(block: Block, { schema, name }: TableName): OpenTable | Promise<OpenTable> {
    const service = this.#connection(block);
    return service instanceof Promise
      ? service.then(({ tables, connection }) => tables.open(connection, schema, name))
      : service.tables.open(service.connection, schema, name);
  }

  #connection(block: Block): ServiceConnection | Promise<ServiceConnection> {
    if (this.#service) return block.connect(this.#service);
    if (!this.#link)
      throw new SqlError("HV00N", "this connection names no foreign server", {
        hint: "The SQL server answers PostgreSQL's foreign tables; connect to the database that has them.",
      });
    return this.#options.services.service(this.#link).then((service) => {
      this.#service ??= service;
      return block.connect(this.#service);
    });
  }
}

const explainFields = textFields("QUERY PLAN");

function returningCount({ form: { tree } }: ModifyStatement): number {
  const clause =
    tree.kind === "update"
      ? tree.update.returningClause
      : tree.kind === "delete"
        ? tree.delete.returningClause
        : undefined;
  return clause?.exprs?.length ?? 0;
}

function unknownOutcome(cause: unknown): SqlError {
  return new SqlError("40003", "the commit was given up: it is not known what the service has applied", {
    cause,
  });
}
