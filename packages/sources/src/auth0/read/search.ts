import { SqlError } from "../../error.ts";
import type { Item } from "../api.ts";
import { itemsOf, mostPaged, pageSize } from "./lists.ts";
import { luceneQuery, range, type Searchable } from "./lucene.ts";
import type { Reading, ReadRequest } from "./request.ts";

/** A list that is searched, with a date that no object lacks and that never changes. */
export interface SearchedList {
  readonly path: string;
  readonly name: string;
  readonly id: string;
  readonly date: string;
  readonly searchable: Searchable;
  /** Attributes that no object lacks and that it may be sorted by. */
  readonly sortable: ReadonlySet<string>;
}

/** Guessed while nothing is known. */
const guessedTotal = 10_000;
/** Guessed share of objects that a condition leaves. */
const guessedShare = 0.1;

/**
 * Searches a list. Since pages end after 1,000 results, each next page begins at the date of the last object,
 * that date included, and objects that came already are left out: so no number of objects is too many, and
 * none is missed when others are deleted meanwhile. Only where the few first of another order are asked for,
 * pages are counted.
 */
export function searched(list: SearchedList, request: ReadRequest): Reading {
  const { api, conditions, fields, sort, limit } = request;
  const { query, exact } = luceneQuery(conditions, list.searchable);
  const counted =
    sort && sort.attribute !== list.date && exact && (limit ?? Number.POSITIVE_INFINITY) <= mostPaged;
  const top = counted && list.sortable.has(sort.attribute) ? sort.attribute : undefined;
  const sorted = top !== undefined || sort?.attribute === list.date;
  const order = sort && sorted ? `${sort.attribute}:${sort.descending ? -1 : 1}` : `${list.date}:1`;
  const total = api.counts.get(list.path) ?? guessedTotal;
  const rows = Math.max(1, Math.round(total * guessedShare ** conditions.length));
  const needed = Math.min(rows, (sorted || !sort) && limit !== undefined ? limit : rows);
  const parameters = {
    sort: order,
    search_engine: list.name === "users" ? "v3" : undefined,
    fields: fields && [...new Set([...fields, list.id, list.date])].join(","),
    include_totals: true,
  };
  const get = async (q: string | undefined, page: number, per_page: number, signal: AbortSignal) => {
    const answer = await api.get(list.path, { ...parameters, q, page, per_page }, signal);
    const { total, limit } = (answer ?? {}) as { total?: number; limit?: number };
    if (q === undefined && total !== undefined) api.counts.set(list.path, total);
    const items = itemsOf(answer, list.name);
    return { items, last: items.length < (limit ?? per_page) };
  };
  // Where objects may fall out by conditions that are only checked here, whole pages are worth asking for.
  const first = exact ? Math.max(1, Math.min(limit ?? pageSize, pageSize)) : pageSize;

  async function* byPage(signal: AbortSignal): AsyncIterable<readonly Item[]> {
    for (let page = 0; page * first + first <= mostPaged; page++) {
      const { items, last } = await get(query, page, first, signal);
      if (items.length > 0) yield items;
      if (last) return;
    }
    throw new SqlError("54000", `Auth0 shows no more than ${mostPaged} ${list.name} in this order`, {
      hint: `Order by ${list.date}, or leave the order out.`,
    });
  }

  async function* byDate(signal: AbortSignal): AsyncIterable<readonly Item[]> {
    let edge: string | undefined;
    let seen = new Set<unknown>();
    for (let page = 0; ; ) {
      const bound =
        edge &&
        (sort?.descending && sorted ? range(list.date, undefined, edge) : range(list.date, edge, undefined));
      const q = bound && query ? `(${query}) AND ${bound}` : (bound ?? query);
      const { items, last } = await get(q, page, edge === undefined ? first : pageSize, signal);
      const fresh = items.filter((item) => !seen.has(item[list.id]));
      if (fresh.length > 0) yield fresh;
      if (last) return;
      const end = String(items.at(-1)![list.date]);
      if (end !== edge) {
        edge = end;
        seen = new Set();
        page = 0;
      } else if (++page * pageSize >= mostPaged)
        throw new SqlError(
          "54000",
          `Auth0 shows no more than ${mostPaged} ${list.name} of the moment ${end}`,
        );
      for (const item of items) if (item[list.date] === end) seen.add(item[list.id]);
    }
  }

  return {
    sorted,
    rows,
    calls: Math.ceil(needed / pageSize),
    requests: [
      `GET ${list.path}?${query ? `q=${query}&` : ""}sort=${order}${parameters.fields ? `&fields=${parameters.fields}` : ""}`,
    ],
    pages: top === undefined ? byDate : byPage,
  };
}
