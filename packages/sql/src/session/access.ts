import { SqlError } from "@overcoat/sources";
import { type LinkedServer, linkedSchema } from "../link/link.ts";
import type { Relation } from "../query/relation.ts";
import type { TableName } from "../statement/statement.ts";
import type { OpenTable } from "../transaction/writes.ts";
import type { Block } from "./block.ts";
import { ExplainRelation } from "./explain-relation.ts";
import type { Service, ServiceConnection, Services } from "./services.ts";

/** Tells what services would be asked for a statement. */
export type Requests = (statement: string) => Promise<readonly string[]>;

/** What a session reaches: the service that its connection names, and the service's tables. */
export class Access {
  readonly #services: Services;
  readonly #link: LinkedServer | undefined;
  #service: Service | undefined;

  constructor(services: Services, link: LinkedServer | undefined) {
    this.#services = services;
    this.#link = link;
  }

  /** What must not show in errors and logs. */
  get secrets(): readonly string[] {
    return this.#service?.secrets ?? [];
  }

  /** @throws SqlError HV00N, 42501, 42704, 08001 … when the service cannot or must not be reached */
  connection(block: Block, signal: AbortSignal): ServiceConnection | Promise<ServiceConnection> {
    if (this.#service) return block.connect(this.#service, signal);
    if (!this.#link)
      throw new SqlError("HV00N", "this connection names no foreign server", {
        hint: "The SQL server answers PostgreSQL's foreign tables; connect to the database that has them.",
      });
    return this.#services.service(this.#link).then((service) => {
      this.#service ??= service;
      return block.connect(this.#service, signal);
    });
  }

  /** @throws SqlError 42P01 when there is no such table, and what `connection` throws */
  table(block: Block, { schema, name }: TableName, signal: AbortSignal): OpenTable | Promise<OpenTable> {
    return after(this.connection(block, signal), ({ tables, connection }) =>
      tables.open(connection, schema, name),
    );
  }

  /** A table as the block's transaction sees it after its writes up to `sequence`. */
  relation(
    block: Block,
    table: TableName,
    sequence: number,
    requests: Requests,
    signal: AbortSignal,
  ): Relation | Promise<Relation> {
    return after(this.connection(block, signal), ({ tables, connection }) => {
      if (table.schema === linkedSchema) {
        const { definition, collation, explained } = tables.read(table.name);
        if (explained !== undefined)
          return new ExplainRelation(definition, collation, () => requests(explained));
      }
      return after(tables.open(connection, table.schema, table.name), (open) =>
        block.transaction.view(open, sequence),
      );
    });
  }
}

/** Goes on with a value in this turn when it is there. */
function after<T, U>(value: T | Promise<T>, next: (value: T) => U | Promise<U>): U | Promise<U> {
  return value instanceof Promise ? value.then(next) : next(value);
}
