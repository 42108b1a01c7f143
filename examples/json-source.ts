/** Lists of JSON objects behind HTTP as foreign tables. docs/writing-a-source.md goes through it. */
import {
  type Connection,
  type Options,
  type Source,
  SqlError,
  type Table,
  type TableDefinition,
} from "@overcoat/sources";

export const json: Source = {
  name: "json",
  options: {
    server: { url: { description: "what all paths are appended to, e.g. https://api.example.com" } },
    user: { token: { description: "bearer token", secret: true } },
    table: { path: { description: "path of the list, e.g. /todos" } },
    column: {},
  },
  secretOption: "token",

  addresses({ url }) {
    if (!URL.canParse(url ?? "")) throw new SqlError("HV00B", 'The server option "url" is missing');
    const { hostname, port, protocol } = new URL(url!);
    return [`${hostname}:${port || (protocol === "https:" ? 443 : 80)}`];
  },

  async connect(options): Promise<Connection> {
    return {
      table: (definition) => listTable(definition, options),
      async [Symbol.asyncDispose]() {},
    };
  },
};

function listTable(definition: TableDefinition, options: Options): Table {
  const names = definition.columns.map((column) => column.name);
  const { path } = definition.options;
  if (path === undefined) throw new SqlError("HV00B", 'The table option "path" is missing');
  return {
    definition,
    plan({ columns, filters }) {
      const byId = filters.find(
        (filter) => filter.kind === "compare" && filter.operator === "=" && names[filter.column] === "id",
      );
      const id = byId?.kind === "compare" ? (byId.value ?? "$1") : undefined;
      const request = id === undefined ? path : `${path}/${encodeURIComponent(id)}`;
      return {
        handled: filters.map(() => false),
        sorted: false,
        rows: id === undefined ? 1000 : 1,
        calls: 1,
        requests: [`GET ${request}`],
        async *scan(signal) {
          const objects = await get(request, options, signal);
          yield objects.map((object) => columns.map((column) => object[names[column]!] ?? null));
        },
      };
    },
  };
}

/** A list, or one object as a list; an empty one where there is none. */
async function get(path: string, { url, token }: Options, signal: AbortSignal) {
  const headers = token === undefined ? undefined : { authorization: `Bearer ${token}` };
  const inTime = AbortSignal.any([signal, AbortSignal.timeout(30_000)]);
  const response = await fetch(url + path, { headers, signal: inTime }).catch((error) => {
    signal.throwIfAborted();
    throw new SqlError("08001", `${url} cannot be reached: ${error.cause?.message ?? error.message}`);
  });
  if (response.status === 404) return [];
  if (response.status === 401) throw new SqlError("28000", `${url} refuses the token`);
  if (!response.ok) throw new SqlError("HV000", `GET ${path} was answered with status ${response.status}`);
  return [await response.json()].flat() as Record<string, object>[];
}
