import { SqlError } from "@overcoat/sources";
import { Transaction, type TransactionOptions } from "../transaction/transaction.ts";
import type { Field } from "../wire/writer.ts";
import type { RowStream } from "./row-stream.ts";
import type { Service, ServiceConnection } from "./services.ts";

/** The rows of a SELECT. */
export interface Rows {
  readonly fields: readonly Field[];
  readonly stream: RowStream;
}

export interface Cursor extends Rows {
  /** Runs the SELECT again, on the rows that it saw at first. */
  readonly again: (signal: AbortSignal) => Promise<Rows>;
}

/** A transaction block: one that the client began, or that of a single statement. */
export class Block {
  explicit: boolean;
  readOnly: boolean;
  failed = false;
  readonly transaction: Transaction;
  readonly #cursors = new Map<string, Cursor>();
  /** The cursors that there were at each savepoint. */
  readonly #savepoints: { readonly name: string; readonly cursors: ReadonlySet<string> }[] = [];
  #ended = false;
  #lease: { readonly service: Service; readonly connection: ServiceConnection } | undefined;

  constructor(explicit: boolean, readOnly: boolean, options: TransactionOptions) {
    this.explicit = explicit;
    this.readOnly = readOnly;
    this.transaction = new Transaction(options);
  }

  /** The service's connection, the same one until the block ends. */
  connect(service: Service, signal: AbortSignal): ServiceConnection | Promise<ServiceConnection> {
    if (this.#lease) return this.#lease.connection;
    const connection = service.acquire(signal);
    return connection instanceof Promise
      ? connection.then((opened) => this.#keep(service, opened))
      : this.#keep(service, connection);
  }

  /** @throws SqlError 42P03 for a name that is taken */
  declare(name: string, cursor: Cursor): void {
    if (this.#cursors.has(name)) throw new SqlError("42P03", `cursor "${name}" already exists`);
    this.#cursors.set(name, cursor);
  }

  /** @throws SqlError 34000 */
  cursor(name: string): Cursor {
    const cursor = this.#cursors.get(name);
    if (!cursor) throw noCursor(name);
    return cursor;
  }

  replaceCursor(name: string, cursor: Cursor): void {
    this.cursor(name).stream.close();
    this.#cursors.set(name, cursor);
  }

  /** @throws SqlError 34000 */
  closeCursor(name: string): void {
    this.cursor(name).stream.close();
    this.#cursors.delete(name);
  }

  savepoint(name: string): void {
    this.transaction.savepoint(name);
    this.#savepoints.push({ name, cursors: new Set(this.#cursors.keys()) });
  }

  /** @throws SqlError 3B001 */
  release(name: string): void {
    this.transaction.release(name);
    this.#savepoints.length = this.#savepoints.findLastIndex((savepoint) => savepoint.name === name);
  }

  /** Cursors that were declared after the savepoint are closed. @throws SqlError 3B001 */
  rollbackTo(name: string): void {
    this.transaction.rollbackTo(name);
    const index = this.#savepoints.findLastIndex((savepoint) => savepoint.name === name);
    this.#savepoints.length = index + 1;
    for (const cursor of this.#cursors.keys())
      if (!this.#savepoints[index]!.cursors.has(cursor)) this.closeCursor(cursor);
    this.failed = false;
  }

  /** Forgets all that was not committed. */
  end(): void {
    this.#ended = true;
    for (const { stream } of this.#cursors.values()) stream.close();
    this.#cursors.clear();
    this.transaction.clear();
    this.#lease?.service.release();
    this.#lease = undefined;
  }

  #keep(service: Service, connection: ServiceConnection): ServiceConnection {
    // Two that asked at once hold one lease, and a block that has ended meanwhile none.
    if (this.#lease || this.#ended) service.release();
    else this.#lease = { service, connection };
    return connection;
  }
}

export const noCursor = (name: string) => new SqlError("34000", `cursor "${name}" does not exist`);
