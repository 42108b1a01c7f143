import { invalidQuery } from "../errors.ts";
import type { Item } from "../route.ts";
import { matches, type Schema } from "./match.ts";
import { parseQuery } from "./query.ts";

/** The objects that `q` finds, in the order of `sort`: `field:1` or `field:-1`, objects without it last. */
export function search(
  items: readonly Item[],
  { q, sort }: { q: string | null; sort: string | null },
  schema: Schema,
): Item[] {
  const query = q ? parseQuery(q) : undefined;
  const found = query ? items.filter((item) => matches(query, item, schema)) : [...items];
  if (!sort) return found;
  const [, field, order] = /^([\w.]+):(-?1)$/.exec(sort) ?? [];
  if (!field || !order)
    throw invalidQuery(`String does not match pattern ^((?!.*_metadata).*)(:(-1|1))$: ${sort}`);
  if (/^(app|user)_metadata\b/.test(field)) throw invalidQuery(`Sorting by ${field} is not supported`);
  const key = (item: Item) => {
    const value = item[field];
    if (schema.dates.has(field)) return value === undefined ? undefined : Date.parse(String(value));
    if (typeof value === "string") return schema.folded.has(field) ? value.toLowerCase() : value;
    return typeof value === "number" ? value : typeof value === "boolean" ? Number(value) : undefined;
  };
  return found.sort((one, other) => {
    const [a, b] = [key(one), key(other)];
    if (a === undefined || b === undefined) return Number(a === undefined) - Number(b === undefined);
    return a === b ? 0 : (a < b ? -1 : 1) * Number(order);
  });
}
