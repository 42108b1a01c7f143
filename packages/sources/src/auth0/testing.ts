import { type Auth0Options, type Auth0Server, startAuth0 } from "@overcoat/simulators";
import type { Connection, Filter, Options, Query, Row, SortKey, TableDefinition, Value } from "../source.ts";
import { auth0 } from "./index.ts";

/** A tenant of its own and a connection to it, for tests. */
export interface TestTenant extends AsyncDisposable {
  readonly server: Auth0Server;
  readonly connection: Connection;
  /** `GET /users?q=…` of each request to the Management API so far. */
  requests(): string[];
}

export const credentials = { client_id: "test-client", client_secret: "test-secret-0123456789" };

export async function openTenant(
  options: Partial<Auth0Options> = {},
  given: Options = credentials,
): Promise<TestTenant> {
  const server = await startAuth0({
    clientId: credentials.client_id,
    clientSecret: credentials.client_secret,
    ...options,
  });
  const connection = await auth0.connect({ domain: server.url, ...given });
  return {
    server,
    connection,
    requests: () =>
      server.requests
        .filter(({ path }) => path.startsWith("/api/v2"))
        .map(({ method, path }) => `${method} ${path.slice("/api/v2".length)}`),
    async [Symbol.asyncDispose]() {
      await connection[Symbol.asyncDispose]();
      await server.close();
    },
  };
}

/** A definition from `"user_id text, created_at timestamp with time zone"`. */
export function define(columns: string, options: Options = {}): TableDefinition {
  return {
    name: "t",
    options,
    columns: columns.split(/,\s*/).map((column) => {
      const [name = "", ...type] = column.split(" ");
      return { name, type: type.join(" "), options: {} };
    }),
  };
}

export interface Asked {
  readonly columns?: readonly number[];
  readonly filters?: readonly Filter[];
  readonly sort?: readonly SortKey[];
  readonly limit?: number;
  readonly identity?: boolean;
  readonly signal?: AbortSignal;
}

/** What a table answers to a query: all columns unless told otherwise. */
export async function read(
  connection: Connection,
  definition: TableDefinition,
  { signal, ...asked }: Asked = {},
) {
  const query: Query = {
    columns: definition.columns.map((_, i) => i),
    identity: false,
    filters: [],
    sort: [],
    ...asked,
  };
  const plan = await connection.table(definition).plan(query);
  const rows: Row[] = [];
  for await (const batch of plan.scan(signal ?? new AbortController().signal)) rows.push(...batch);
  return { plan, rows };
}

export const compare = (
  column: number,
  operator: "=" | "<>" | "<" | "<=" | ">" | ">=",
  value: string | undefined,
): Filter => ({ kind: "compare", column, operator, value });

/** The first values of rows. */
export const firsts = (rows: readonly Row[]): Value[] => rows.map(([value]) => value!);

/** The users of many tests: one a second, with ids `auth0|00000` and so on. */
export const someUsers = (count: number) =>
  Array.from({ length: count }, (_, index) => ({
    user_id: `auth0|${String(index).padStart(5, "0")}`,
    email: `user${index}@example.com`,
    name: `User ${index}`,
    created_at: new Date(Date.UTC(2024, 0, 1) + index * 1000).toISOString(),
    updated_at: new Date(Date.UTC(2025, 0, 1) - index * 1000).toISOString(),
    logins_count: index,
  }));
