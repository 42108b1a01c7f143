import { SqlError } from "@overcoat/sources";
import { type ClientBase, DatabaseError, type QueryArrayResult } from "pg";
import { type CopyStreamQuery, from } from "pg-copy-streams";
import type { Scratch, ScratchSession } from "./context.ts";

/** As postgres_fdw sets them in its sessions, so that values read and print the same. */
const settings = `SET search_path = pg_catalog, pg_temp;
  SET timezone = 'GMT'; SET datestyle = ISO; SET intervalstyle = postgres; SET extra_float_digits = 3;
  SET standard_conforming_strings = on; SET bytea_output = hex; SET xmloption = content; SET client_min_messages = error`;

type Values = readonly (string | null)[];

/** A session of the scratch database, whose errors are SqlErrors. */
export class ScratchClient {
  readonly #client: ClientBase;

  constructor(client: ClientBase) {
    this.#client = client;
  }

  /** Values are given and taken as PostgreSQL writes them. */
  async query(
    text: string,
    values?: readonly (Values | string | null)[],
  ): Promise<QueryArrayResult<(string | null)[]>> {
    try {
      return await this.#client.query<(string | null)[]>({
        text,
        ...(values && { values: [...values] }),
        rowMode: "array",
      });
    } catch (error) {
      throw asSqlError(error);
    }
  }

  /** Several statements without results. */
  async execute(statements: readonly string[]): Promise<void> {
    try {
      await this.#client.query(statements.join(";\n"));
    } catch (error) {
      throw asSqlError(error);
    }
  }

  /** Data for `COPY … FROM STDIN`; its errors are PostgreSQL's own. */
  copy(statement: string): CopyStreamQuery {
    return this.#client.query(from(statement));
  }

  async serverVersion(): Promise<number> {
    let version = versions.get(this.#client);
    if (version === undefined) {
      version = Number((await this.query("SHOW server_version_num")).rows[0]![0]);
      versions.set(this.#client, version);
    }
    return version;
  }
}

const versions = new WeakMap<ClientBase, number>();

/**
 * Runs work in a session of the scratch database; the signal cancels what it runs.
 * @throws SqlError what the scratch database says
 */
export async function* inScratch<Item>(
  scratch: Scratch,
  signal: AbortSignal,
  work: (client: ScratchClient) => AsyncIterable<Item>,
): AsyncGenerator<Item> {
  signal.throwIfAborted();
  await using session = await open(scratch, signal);
  let cancelled: Promise<void> | undefined;
  const cancel = () => {
    cancelled = session.cancel().catch(() => {});
  };
  signal.addEventListener("abort", cancel, { once: true });
  try {
    const client = new ScratchClient(session.client);
    await client.execute([settings]);
    yield* work(client);
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    signal.removeEventListener("abort", cancel);
    // So that it hits nothing that the session does next.
    await cancelled;
  }
}

/** Waits for a session no longer than the signal allows; one that comes later is given back. */
async function open(scratch: Scratch, signal: AbortSignal): Promise<ScratchSession> {
  const opening = scratch.session();
  let stop = () => {};
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason);
    signal.addEventListener("abort", stop, { once: true });
  });
  try {
    return await Promise.race([opening, aborted]);
  } catch (error) {
    opening.then((session) => session[Symbol.asyncDispose]()).catch(() => {});
    signal.throwIfAborted();
    throw asSqlError(error);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

export function asSqlError(error: unknown): SqlError {
  if (error instanceof DatabaseError && error.code) {
    return new SqlError(error.code, error.message, { detail: error.detail, hint: error.hint, cause: error });
  }
  if (error instanceof SqlError) return error;
  return new SqlError("58000", "the PostgreSQL that evaluates statements does not answer", { cause: error });
}
