import { invalidRequest } from "./errors.ts";

/** `$name` or `name`, as Graph takes both. */
export function option(query: URLSearchParams, name: string): string | null {
  return query.get(`$${name}`) ?? query.get(name);
}

/** @throws GraphError 400 for a query option that an operation does not know */
export function allowOptions(query: URLSearchParams, names: readonly string[]): void {
  for (const name of query.keys())
    if (name.startsWith("$") && !names.includes(name.slice(1)))
      throw invalidRequest(`The query option '${name}' is not supported here.`);
}

/** How many items a page has: 200 where not asked for, never more than 1,000. @throws GraphError 400 */
export function pageSize(query: URLSearchParams): number {
  const text = option(query, "top");
  if (text === null) return 200;
  if (!/^[1-9]\d*$/.test(text)) throw invalidRequest(`The value '${text}' of $top is not a positive number.`);
  return Math.min(1000, Number(text));
}

/** An opaque token. */
export const seal = (state: unknown): string => Buffer.from(JSON.stringify(state)).toString("base64url");

/** What a token holds; undefined for one that is none of ours. */
export function unseal(token: string): Record<string, unknown> | undefined {
  try {
    const state = JSON.parse(Buffer.from(token, "base64url").toString());
    if (typeof state === "object" && state !== null) return state;
  } catch {}
  return undefined;
}
