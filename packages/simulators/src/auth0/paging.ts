import { ApiError, invalidQuery } from "./errors.ts";
import type { Call, Item } from "./route.ts";

/** Query parameters of a list that is read by page. */
export const pageQuery = ["page", "per_page", "include_totals"] as const;
/** Query parameters of a list that is read from a checkpoint. */
export const checkpointQuery = ["from", "take"] as const;

/** As many results as pages reach, whatever is asked for. */
const mostPaged = 1000;

/**
 * One page of `items`, in an object under `name` with `include_totals`, else as an array.
 * @throws ApiError for a page past the first 1,000 results, in the words of users or of the other lists
 */
export function page(call: Call, name: string, items: readonly Item[], beyond = beyondPages): unknown {
  const limit = count(call, "per_page", "Number of results per page. Defaults to 50", 1, 100) ?? 50;
  const index = count(call, "page", "Page index of the results to return. First page is 0", 0) ?? 0;
  const start = index * limit;
  if (start + limit > mostPaged) throw beyond(index);
  const part = items.slice(start, start + limit);
  if (!flag(call, "include_totals", false)) return part;
  return { start, limit, length: part.length, total: items.length, [name]: part };
}

/** `page`, or from a checkpoint where `take` or `from` asks for that: `{ [name], next }`, without `next` at the end. */
export function checkpoint(
  call: Call,
  name: string,
  items: readonly Item[],
  id: (item: Item) => unknown,
): unknown {
  const from = call.query.get("from");
  const take = count(call, "take", "Number of results per page. Defaults to 50", 1, 100);
  if (from === null && take === undefined) return page(call, name, select(call, items));
  const start = from === null ? 0 : items.findIndex((item) => id(item) === decode(from)) + 1;
  if (from !== null && start === 0)
    throw new ApiError(400, "The 'from' checkpoint is invalid.", "invalid_paging");
  const end = start + (take ?? 50);
  const next = end < items.length ? encode(id(items[end - 1]!)) : undefined;
  return { [name]: select(call, items.slice(start, end)), next };
}

/** The objects with `fields` only, or without them where `include_fields` is false. */
export function select(call: Call, items: readonly Item[]): Item[] {
  const fields = call.query.get("fields");
  const include = flag(call, "include_fields", true);
  if (!fields) return [...items];
  const names = new Set(fields.split(",").map((name) => name.trim()));
  return items.map((item) =>
    Object.fromEntries(Object.entries(item).filter(([name]) => names.has(name) === include)),
  );
}

/** A query parameter that is true or false. */
export function flag(call: Call, name: string, otherwise: boolean): boolean {
  const text = call.query.get(name);
  if (text === null) return otherwise;
  if (text !== "true" && text !== "false")
    throw invalidQuery(`Expected type boolean but found type string' on property '${name}`);
  return text === "true";
}

/** A query parameter that is a whole number. */
export function count(
  call: Call,
  name: string,
  meaning: string,
  least: number,
  most = Number.MAX_SAFE_INTEGER,
): number | undefined {
  const text = call.query.get(name);
  if (text === null) return undefined;
  const refuse = (problem: string) =>
    new ApiError(
      400,
      `Query validation error: '${problem}' on property ${name} (${meaning}).`,
      "invalid_query_string",
    );
  if (!/^-?\d+$/.test(text)) throw refuse("Expected type integer but found type string");
  const value = Number(text);
  if (value < least) throw refuse(`Value ${value} is less than minimum ${least}`);
  if (value > most) throw refuse(`Value ${value} is greater than maximum ${most}`);
  return value;
}

const beyondPages = (index: number) =>
  new ApiError(
    400,
    `Requesting page ${index} exceeds the allowed maximum of ${mostPaged} records. To fetch results beyond ${mostPaged}, use the checkpoint pagination method.`,
    "invalid_paging",
  );

/** What users and logs say of a page past the first 1,000 results. */
export const beyondSearch = () =>
  new ApiError(
    400,
    `You can only page through the first ${mostPaged} records. See https://auth0.com/docs/users/search/v3/view-search-results-by-page#limitation`,
    "invalid_paging",
  );

const encode = (id: unknown) => Buffer.from(String(id)).toString("base64url");
const decode = (cursor: string) => Buffer.from(cursor, "base64url").toString();
