import type { Client } from "pg";

/** What a statement gave: its rows as PostgreSQL's text, or the SQLSTATE of its error. */
export type Answer =
  | { readonly rows: readonly string[] }
  | { readonly error: string; readonly message: string };

const asText = { getTypeParser: () => (value: string | null) => value };

/** Runs a statement; an error within a transaction is undone to before it. */
export async function answer(client: Client, text: string, ordered: boolean): Promise<Answer> {
  try {
    const { rows } = await client.query({ text, rowMode: "array", types: asText as never });
    const lines = rows.map((row) => JSON.stringify(row));
    return { rows: ordered ? lines : lines.sort() };
  } catch (error) {
    const { code, message } = error as { code?: string; message: string };
    if (code === undefined) throw error;
    return { error: code, message };
  }
}

/** Why two answers differ, or undefined. Two errors count as the same: which row fails first is not defined. */
export function difference(foreign: Answer, local: Answer): string | undefined {
  if ("error" in foreign && "error" in local) return undefined;
  if ("error" in foreign) return `foreign: ${foreign.error} ${foreign.message}`;
  if ("error" in local) return `local: ${local.error} ${local.message}, foreign: ${foreign.rows.length} rows`;
  if (foreign.rows.length === local.rows.length && foreign.rows.every((row, i) => row === local.rows[i])) {
    return undefined;
  }
  const rest = new Map<string, number>();
  for (const row of local.rows) rest.set(row, (rest.get(row) ?? 0) + 1);
  const extra: string[] = [];
  for (const row of foreign.rows) {
    const count = rest.get(row) ?? 0;
    if (count > 0) rest.set(row, count - 1);
    else extra.push(row);
  }
  const missing = [...rest].filter(([, count]) => count > 0).map(([row]) => row);
  if (extra.length === 0 && missing.length === 0) return "the same rows in another order";
  return `missing: ${missing.slice(0, 3).join(" ")} | extra: ${extra.slice(0, 3).join(" ")} (of ${local.rows.length} and ${foreign.rows.length})`;
}

/** Puts the tables' names into a generated text. */
export function named(text: string, table: string, ids: string): string {
  return text.replaceAll("{t}", table).replaceAll("{ids}", ids);
}
