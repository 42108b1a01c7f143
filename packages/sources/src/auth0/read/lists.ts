import { SqlError } from "../../error.ts";
import type { Api, Item, Parameters } from "../api.ts";
import type { Reading } from "./request.ts";

export const pageSize = 100;
/** As many results as Auth0's pages reach. */
export const mostPaged = 1000;
/** Calls under way at once. */
const concurrency = 4;

/** The list in an answer; of an answer that is none, nothing. */
export const itemsOf = (answer: unknown, name: string): readonly Item[] => {
  const list = Array.isArray(answer) ? answer : (answer as Item | undefined)?.[name];
  return Array.isArray(list) ? (list as Item[]) : [];
};

/** The list of an object that is not there is empty; a list of the tenant is always there. */
const ask = (api: Api, path: string): Api["get"] =>
  path.lastIndexOf("/") > 0 ? api.find.bind(api) : api.get.bind(api);

/** A list that is read by page. @throws SqlError 54000 where it is longer than pages reach */
export async function* paged(
  api: Api,
  path: string,
  name: string,
  parameters: Parameters,
  signal: AbortSignal,
): AsyncIterable<readonly Item[]> {
  for (let page = 0; page * pageSize < mostPaged; page++) {
    const answer = await ask(api, path)(
      path,
      { ...parameters, page, per_page: pageSize, include_totals: true },
      signal,
    );
    const items = itemsOf(answer, name);
    if (items.length > 0) yield items;
    const { start, total } = (answer ?? {}) as { start?: number; total?: number };
    if (items.length === 0 || (start ?? page * pageSize) + items.length >= (total ?? 0)) return;
  }
  throw new SqlError(
    "54000",
    `Auth0 has more than ${mostPaged} ${name} at ${path} and shows no more of them`,
    {
      hint: "Ask for less, for example for those of one user.",
    },
  );
}

/** A list that is read from checkpoints. */
export async function* checkpoints(
  api: Api,
  path: string,
  name: string,
  parameters: Parameters,
  signal: AbortSignal,
): AsyncIterable<readonly Item[]> {
  let from: string | undefined;
  do {
    const answer = await ask(api, path)(path, { ...parameters, take: pageSize, from }, signal);
    const items = itemsOf(answer, name);
    if (items.length > 0) yield items;
    from = (answer as { next?: string } | undefined)?.next;
  } while (from);
}

/** Reads one part for each value, a few at once, in order. */
export function eachOf<T>(
  values: readonly T[],
  read: (value: T, signal: AbortSignal) => Promise<readonly Item[]>,
): Reading["pages"] {
  return async function* (signal) {
    for (let start = 0; start < values.length; start += concurrency) {
      const parts = await Promise.all(
        values.slice(start, start + concurrency).map((value) => read(value, signal)),
      );
      const items = parts.flat();
      if (items.length > 0) yield items;
    }
  };
}

/** The lists that belong to the objects of another list, one after the other. */
export async function* within(
  outer: AsyncIterable<readonly Item[]>,
  read: (item: Item) => AsyncIterable<readonly Item[]>,
): AsyncIterable<readonly Item[]> {
  for await (const items of outer) for (const item of items) yield* read(item);
}

/** Objects by their ids, each with a call of its own; ids that are none are left out. */
export function byId(
  api: Api,
  { values, count }: { readonly values: readonly string[]; readonly count: number },
  path: (id: string) => string,
  parameters: Parameters = {},
): Reading {
  return {
    rows: count,
    calls: count,
    requests: values.map((id) => `GET ${path(id)}`),
    // An empty id would ask for the list.
    pages: eachOf(values.filter(Boolean), async (id, signal) => {
      const item = await api.find(path(id), parameters, signal);
      return item === undefined ? [] : [item as Item];
    }),
  };
}

export const encoded = encodeURIComponent;
