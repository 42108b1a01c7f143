import type { Statement } from "./statements.ts";

export interface RpcOptions {
  /** The schema that the API exposes, where the function goes. */
  readonly schema: string;
  /** The schema of the foreign tables, which the API does not expose. */
  readonly tables: string;
  /** Roles that may call the function; nobody else may. */
  readonly roles: readonly string[];
  /** Roles that default privileges of the schema would let call it, as `anon` on Supabase. */
  readonly denied?: readonly string[];
}

const quoted = (name: string) => `"${name.replaceAll('"', '""')}"`;

/**
 * The DDL of the function that stands for a statement where its tables cannot be reached: it runs with the rights
 * of its owner, for the named roles only.
 */
export function rpcFunction(
  statement: Statement,
  { schema, tables, roles, denied = [] }: RpcOptions,
): string {
  const { name, parameters, returns, text } = statement;
  const full = `${quoted(schema)}.${quoted(name)}`;
  const types = Object.values(parameters);
  const signature = `${full}(${types.join(", ")})`;
  const named = Object.entries(parameters).map(([parameter, type]) => `${quoted(parameter)} ${type}`);
  return `CREATE OR REPLACE FUNCTION ${full}(${named.join(", ")})
RETURNS TABLE (${returns})
LANGUAGE sql SECURITY DEFINER SET search_path = ${quoted(tables)}, pg_catalog, pg_temp
AS $$
${text}
$$;
REVOKE ALL ON FUNCTION ${signature} FROM ${["PUBLIC", ...denied.map(quoted)].join(", ")};
GRANT EXECUTE ON FUNCTION ${signature} TO ${roles.map(quoted).join(", ")};
`;
}
