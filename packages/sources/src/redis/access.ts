import type { Filter } from "../source.ts";
import type { Bytes } from "./client/node.ts";
import { fromLike, literal } from "./glob.ts";
import { keyIdentity } from "./keys.ts";
import { type Layout, matchAll } from "./layout.ts";

/** How a table's keys are come by. */
export type Access =
  | { readonly kind: "keys"; readonly keys: readonly Bytes[] }
  /** Keys that are known only when the statement runs. */
  | { readonly kind: "parameters"; readonly count: number }
  | { readonly kind: "scan"; readonly match: string };

/** Values of an IN that is not known yet, for estimates. */
const usualParameters = 10;

/** The best way to the keys that these filters allow, and which of the filters it fulfils. */
export function chooseAccess(
  { keyspace, key }: Layout,
  filters: readonly Filter[],
): { access: Access; handled: boolean[] } {
  const handled = filters.map(() => false);
  const only = keyspace.only;
  if (only !== undefined) return { access: { kind: "keys", keys: [only] }, handled };
  const whole: Access = { kind: "scan", match: matchAll(keyspace) };
  if (key === undefined || keyspace.pattern !== undefined) return { access: whole, handled };

  const { column, position } = key;
  let best: { access: Access; exact: boolean; index: number; cost: number } | undefined;
  for (const [index, filter] of filters.entries()) {
    if (filter.column !== position) continue;
    const found = accessOf(filter);
    if (found && (best === undefined || found.cost < best.cost)) best = { ...found, index };
  }
  if (best === undefined) return { access: whole, handled };
  handled[best.index] = best.exact;
  return { access: best.access, handled };

  function accessOf(filter: Filter): { access: Access; exact: boolean; cost: number } | undefined {
    if (filter.kind === "compare" && filter.operator === "=") {
      return lookUp(filter.value === undefined ? undefined : [filter.value], 1);
    }
    if (filter.kind === "in") return lookUp(filter.values, filter.values?.length ?? usualParameters);
    if (filter.kind !== "like" || !column.isText || filter.pattern === undefined) return undefined;
    const pattern = fromLike(filter.pattern);
    if (pattern === undefined || pattern.glob === "*") return undefined;
    if (pattern.text !== undefined) return lookUp([pattern.text], 1);
    const match = literal(keyspace.hidden) + pattern.glob;
    return match.startsWith(literal(keyspace.prefix))
      ? { access: { kind: "scan", match }, exact: pattern.exact, cost: Number.POSITIVE_INFINITY }
      : undefined;
  }

  function lookUp(texts: readonly string[] | undefined, count: number) {
    if (texts === undefined)
      return { access: { kind: "parameters" as const, count }, exact: true, cost: count };
    const keys = new Map<string, Bytes>();
    for (const text of texts) {
      const bytes = column.key(text);
      if (bytes.length >= keyspace.prefix.length && String(bytes).startsWith(keyspace.prefix))
        keys.set(keyIdentity(bytes), bytes);
    }
    return { access: { kind: "keys" as const, keys: [...keys.values()] }, exact: true, cost: count };
  }
}
