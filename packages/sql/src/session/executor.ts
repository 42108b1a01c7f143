import { SqlError } from "@overcoat/sources";
import type { LinkedServer } from "../link/link.ts";
import type { QueryContext, Scratch } from "../query/context.ts";
import { explain } from "../query/explain.ts";
import { select } from "../query/select.ts";
import { parseStatements } from "../statement/parse.ts";
import type { ModifyStatement, SelectStatement, Statement, TableName } from "../statement/statement.ts";
import type { TransactionOptions } from "../transaction/transaction.ts";
import type { Field, Status } from "../wire/writer.ts";
import { abortable } from "./abortable.ts";
import { Access } from "./access.ts";
import { Block, type Cursor, noCursor, type Rows } from "./block.ts";
import { schemaTables, tableStatistics } from "./catalog.ts";
import { CommitEnding } from "./commit-ending.ts";
import {
  type ChangeStatement,
  insertRows,
  modifyRow,
  modifyRows,
  returningFields,
  truncate,
} from "./modifications.ts";
import { masked, withoutSecrets } from "./redaction.ts";
import { done, type Outcome, rowsOutcome, textFields } from "./result.ts";
import { RowStream, unwanted } from "./row-stream.ts";
import type { Services } from "./services.ts";

type Values = readonly (string | null)[];
/** Statements that the session itself deals with. */
type Executed = Exclude<Statement, { kind: "set" | "deallocate" }>;

export interface ExecutorOptions extends TransactionOptions {
  readonly services: Services;
  readonly scratch: Scratch;
  /** Milliseconds that a commit gets to tell how far it came once it was cancelled or its client is gone. */
  readonly commitTimeout: number;
  readonly log: (entry: object) => void;
}

/** Executes statements in transaction blocks. */
export class Executor {
  readonly #options: ExecutorOptions;
  readonly #access: Access;
  #block: Block | undefined;
  #committing: Promise<Outcome> | undefined;

  constructor(options: ExecutorOptions, link: LinkedServer | undefined) {
    this.#options = options;
    this.#access = new Access(options.services, link);
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
      case "update row":
      case "delete row":
      case "update":
      case "delete":
        return this.#change(statement, values, signal);
      case "truncate":
        return this.#truncate(statement.tables, signal);
      case "relation size":
      case "relation statistics":
        return this.#statistics(kind, statement.table, signal);
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
      case "update":
      case "delete":
        return returningFields(statement);
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

  /** A statement has failed: so has its block. @returns what the client may be told of it */
  fail(error: unknown): SqlError {
    if (this.#block?.explicit) this.#block.failed = true;
    else this.#end();
    const { secrets } = this.#access;
    if (error instanceof SqlError) return withoutSecrets(error, secrets);
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    this.#options.log({ level: "error", msg: "SQL statement failed", error: masked(text, secrets) });
    return new SqlError("XX000", "internal error of the SQL server", {
      detail: "The server's log tells more.",
    });
  }

  /** Rolls back, unless a commit is under way: that is waited for. */
  async close(): Promise<void> {
    this.#end();
    await this.#committing?.catch(() => undefined);
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
    if (block && !block.failed && block.transaction.hasWrites) {
      this.#committing = this.#commitWrites(block, signal);
      return this.#committing;
    }
    this.#end();
    return done(block?.failed ? "ROLLBACK" : "COMMIT");
  }

  /** The block is taken off at once: what a client does that goes away must not touch what is being committed. */
  async #commitWrites(block: Block, signal: AbortSignal): Promise<Outcome> {
    this.#block = undefined;
    using ending = new CommitEnding(signal, this.#options.commitTimeout);
    try {
      const { connection } = await this.#access.connection(block, signal);
      if (!connection.commit) throw new SqlError("0A000", "the service cannot commit changes");
      const committing = connection.commit(await block.transaction.changes(), ending.stop);
      await abortable(committing, ending.giveUp);
      return done("COMMIT");
    } finally {
      block.end();
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
      return { fields: result.fields, stream: new RowStream(result.rows(), () => ending.abort(unwanted)) };
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

  async #change(statement: ChangeStatement, values: Values, signal: AbortSignal): Promise<Outcome> {
    const block = this.#writing(statement.kind);
    const { transaction } = block;
    const open = await this.#access.table(block, statement.table, signal);
    const change = { values, open, transaction, signal };
    switch (statement.kind) {
      case "insert":
        return insertRows(statement, change);
      case "update row":
      case "delete row":
        return modifyRow(statement, change);
      default: {
        const { sequence } = transaction;
        return modifyRows(statement, change, (ending) => this.#context(sequence, ending));
      }
    }
  }

  async #truncate(tables: readonly TableName[], signal: AbortSignal): Promise<Outcome> {
    const block = this.#writing("truncate table");
    const { transaction } = block;
    for (const name of tables) {
      const open = await this.#access.table(block, name, signal);
      await truncate({ values: [], open, transaction, signal });
    }
    return done("TRUNCATE TABLE");
  }

  /** @throws SqlError 25006 in a transaction that only reads */
  #writing(kind: string): Block {
    const block = this.#implicit();
    const [verb] = kind.split(" row");
    if (block.readOnly)
      throw new SqlError("25006", `cannot execute ${verb!.toUpperCase()} in a read-only transaction`);
    return block;
  }

  async #statistics(
    kind: "relation size" | "relation statistics",
    name: TableName,
    signal: AbortSignal,
  ): Promise<Outcome> {
    return tableStatistics(kind, (await this.#access.table(this.#implicit(), name, signal)).table);
  }

  async #schema(statement: Parameters<typeof schemaTables>[0], signal: AbortSignal): Promise<Outcome> {
    const { connection } = await this.#access.connection(this.#implicit(), signal);
    return schemaTables(statement, connection, signal);
  }

  #context(sequence: number, signal: AbortSignal): QueryContext {
    const block = this.#implicit();
    return {
      open: (schema, name) =>
        this.#access.relation(
          block,
          { schema, name },
          sequence,
          (statement) => this.#requests(statement, sequence, signal),
          signal,
        ),
      scratch: this.#options.scratch,
      signal,
    };
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
}

const explainFields = textFields("QUERY PLAN");
