import type { SqlError } from "@overcoat/sources";
import type { MessageWriter, Status } from "./writer.ts";

/** Who has connected, and with what parameters (`user`, `database`, `options`, `application_name` …). */
export type StartupParameters = ReadonlyMap<string, string>;

/**
 * What answers a client's messages. Each method writes its answer and throws SqlError; one that needs no waiting
 * returns nothing, so that its answer leaves in the same turn. The signal aborts with an SqlError for the client:
 * the statement was cancelled, took too long, or the client is gone.
 */
export interface Session {
  readonly status: Status;
  /** Milliseconds that the client lets its statements take; 0 for any time. */
  readonly statementTimeout: number;
  /** The parameters that the client is told at start-up. */
  readonly parameters: Iterable<readonly [name: string, value: string]>;
  query(text: string, out: MessageWriter, signal: AbortSignal): void | Promise<void>;
  parse(statement: string, text: string, out: MessageWriter, signal: AbortSignal): void | Promise<void>;
  bind(portal: string, statement: string, values: readonly (string | null)[], out: MessageWriter): void;
  describeStatement(name: string, out: MessageWriter, signal: AbortSignal): void | Promise<void>;
  describePortal(name: string, out: MessageWriter, signal: AbortSignal): void | Promise<void>;
  /** @param limit Rows after which the portal is suspended; 0 for all. */
  execute(portal: string, limit: number, out: MessageWriter, signal: AbortSignal): void | Promise<void>;
  closeStatement(name: string, out: MessageWriter): void;
  closePortal(name: string, out: MessageWriter): void;
  /** The end of an extended query; outside of a transaction block what it did is committed. */
  sync(out: MessageWriter, signal: AbortSignal): void | Promise<void>;
  /**
   * A message has failed: a transaction fails with it, and what was done outside of one is undone.
   * @returns what the client is told
   */
  fail(error: unknown): SqlError;
  /** Rolls back and lets everything go. */
  close(): Promise<void>;
}

/** @throws SqlError when the parameters ask for what is not there; the connection is then refused. */
export type OpenSession = (parameters: StartupParameters) => Session;
