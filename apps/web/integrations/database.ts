import type { Sql } from "postgres";
import { asWrapperError, WrapperError } from "./errors.ts";
import type { Statement } from "./statements.ts";

/** What a Supabase client offers of itself here, so that any version of `@supabase/supabase-js` fits. */
export interface RpcClient {
  rpc(name: string, parameters: object): PromiseLike<{ readonly data: unknown; readonly error: unknown }>;
}

/**
 * Where the foreign tables are: the URL of a PostgreSQL, a client of the package `postgres`, or a Supabase client,
 * by which functions (see `rpc.ts`) are called in place of statements.
 */
export type Database = string | Sql | RpcClient;

/** Runs a statement, with arguments in the order of its parameters. @throws WrapperError */
export type Run = (statement: Statement, args: readonly Argument[]) => Promise<readonly unknown[]>;
export type Argument = string | number | boolean | Readonly<Record<string, unknown>>;

const isRpcClient = (database: object): database is RpcClient => "rpc" in database;

/** @returns a `Run`, and what ends the connections that it opened */
export function openDatabase(database: Database): { run: Run; close(): Promise<void> } {
  if (typeof database !== "string" && isRpcClient(database))
    return { run: (statement, args) => call(database, statement, args), close: async () => {} };
  const given = typeof database === "string" ? undefined : (database as Sql);
  let opened: Promise<Sql> | undefined;
  const client = async () => {
    if (given) return given;
    opened ??= connect(database as string);
    return opened;
  };
  return {
    async run({ text }, args) {
      try {
        return await (await client()).unsafe(text, args as never[]);
      } catch (error) {
        throw asWrapperError(error);
      }
    },
    close: async () => (await opened)?.end({ timeout: 5 }),
  };
}

async function connect(url: string): Promise<Sql> {
  // Only where it is needed: runtimes without TCP have Supabase clients.
  const { default: postgres } = await import("postgres");
  return postgres(url, {
    max: 5,
    connect_timeout: 10,
    idle_timeout: 20,
    max_lifetime: 1800,
    // Poolers by transaction keep no prepared statements, and no statement needs types by name.
    prepare: false,
    fetch_types: false,
    connection: { application_name: "overcoat-wrappers", statement_timeout: 30_000 },
    onnotice: () => {},
  });
}

async function call(client: RpcClient, statement: Statement, args: readonly Argument[]) {
  const names = Object.keys(statement.parameters);
  let answer: Awaited<ReturnType<RpcClient["rpc"]>>;
  try {
    answer = await client.rpc(statement.name, Object.fromEntries(names.map((name, i) => [name, args[i]])));
  } catch (error) {
    throw asWrapperError(error);
  }
  if (answer.error) throw asWrapperError(answer.error);
  if (!Array.isArray(answer.data))
    throw new WrapperError("failed", `the function ${statement.name} gave no list of rows`);
  return answer.data as unknown[];
}
