import { SqlError } from "../../error.ts";
import type { Bucket } from "../bucket/bucket.ts";
import { pageSize } from "../bucket/list-objects.ts";
import type { HeadObject, Listed } from "../bucket/object.ts";
import type { Page } from "../bucket/page.ts";
import { mostRequests } from "../client.ts";
import { compareCodePoints, justBelow } from "../code-points.ts";
import { mapOrdered } from "../ordered.ts";
import type { Needs, ObjectRow } from "./columns.ts";
import { isAbove, isBelow, type KeyRange } from "./key-range.ts";

/** What larger objects hold fits no value that PostgreSQL and this process could well keep in memory. */
const largestContent = 64 * 1024 * 1024;

/** What a batch of rows with contents holds. */
const mostRows = 100;
const mostBytes = 1024 * 1024;

/** Contents that are held at once while they are fetched ahead. */
const mostContents = 4;

/** Which objects of a bucket are wanted. */
export interface Wanted {
  readonly range: KeyRange;
  /** What the listing must tell of them besides. */
  readonly accept?: ((object: Listed) => boolean) | undefined;
  /** Rows after which to stop; default all. */
  readonly limit?: number | undefined;
}

/** What of a listing is asked: the arguments of its first request. */
export function firstRequest({ range, accept, limit = pageSize }: Wanted, directory: boolean) {
  const { prefix, from, test } = range;
  const most = test || accept || directory ? pageSize : Math.min(limit, pageSize);
  // A directory bucket takes prefixes that end in a slash, and no start.
  if (directory) return { prefix: prefix.slice(0, prefix.lastIndexOf("/") + 1), after: undefined, most };
  const after = from && (from.inclusive ? justBelow(from.key) : from.key);
  return { prefix, after: after?.startsWith(prefix) && after !== prefix ? after : undefined, most };
}

/** Whether no key of the prefix lies within the bounds, so that nothing need be asked. */
export function isEmpty({ keys, prefix, from, to }: KeyRange): boolean {
  if (keys) return keys.length === 0;
  if (from && compareCodePoints(from.key, prefix) > 0 && !from.key.startsWith(prefix)) return true;
  return to !== undefined && !isBelow(prefix, to);
}

/**
 * The wanted objects, page by page, and more than `limit` if the reader goes on. One page is fetched ahead, unless
 * the reader may have enough.
 */
export async function* listPages(
  bucket: Bucket,
  wanted: Wanted,
  signal: AbortSignal,
): AsyncGenerator<readonly Listed[]> {
  const { range, accept } = wanted;
  if (isEmpty(range)) return;
  const { prefix, from, to, test } = range;
  const { directory } = bucket;
  const request = firstRequest(wanted, directory);
  const left = new AbortController();
  const either = AbortSignal.any([signal, left.signal]);
  const fetch = (token?: string) => {
    const page = bucket.list({ ...request, token }, either);
    page.catch(() => {});
    return page;
  };
  let enough = wanted.limit ?? Number.POSITIVE_INFINITY;
  let read = 0;
  let coming: Promise<Page> | undefined = fetch();
  try {
    while (coming) {
      const { objects: listed, next }: Page = await coming;
      read += listed.length;
      const last = listed.at(-1);
      const isOver = next === undefined || (!directory && last !== undefined && !isBelow(last.key, to));
      let objects = listed;
      if (from || isOver || test || directory)
        objects = objects.filter(
          ({ key }) =>
            isAbove(key, from) && isBelow(key, to) && key.startsWith(prefix) && (test?.(key) ?? true),
        );
      if (accept) objects = objects.filter(accept);
      enough -= objects.length;
      const fetchNext = () => {
        coming = isOver ? undefined : fetch(next);
      };
      // Where these may be enough the reader is waited for.
      if (enough > 0) fetchNext();
      if (objects.length) yield objects;
      if (enough <= 0) fetchNext();
      if (next === undefined && request.after === undefined) bucket.counts.set(request.prefix, read);
    }
  } finally {
    left.abort();
  }
}

/** The objects of these keys that exist, one by one, in their order. */
export async function* lookUp(
  bucket: Bucket,
  keys: Iterable<string> | AsyncIterable<string>,
  needs: Needs,
  signal: AbortSignal,
): AsyncGenerator<ObjectRow> {
  const fetch = needs === "content" ? fetchContent : fetchHead;
  const most = needs === "content" ? mostContents : mostRequests;
  for await (const row of mapOrdered(keys, most, signal, (key, either) => fetch(bucket, key, either)))
    if (row) yield row;
}

const rowOf = ({ headers, ...listed }: HeadObject, content?: Uint8Array): ObjectRow => ({
  listed,
  headers,
  content,
});

async function fetchHead(bucket: Bucket, key: string, signal: AbortSignal): Promise<ObjectRow | undefined> {
  const object = await bucket.head(key, signal);
  return object && rowOf(object);
}

async function fetchContent(
  bucket: Bucket,
  key: string,
  signal: AbortSignal,
): Promise<ObjectRow | undefined> {
  const found = await bucket.get(key, {}, signal);
  if (!found) return undefined;
  const { object, body } = found;
  if (object.size > largestContent) {
    body.destroy();
    throw new SqlError("54000", `object "${key}" of ${object.size} bytes is too large for a column's value`, {
      hint: `content is read up to ${largestContent} bytes; leave it out, or such objects by conditions on filename`,
    });
  }
  return rowOf(object, await bucket.read(body, key, signal));
}

/** The wanted objects with what is needed of each, in batches that memory can hold. */
export async function* scanObjects(
  bucket: Bucket,
  wanted: Wanted,
  needs: Needs,
  signal: AbortSignal,
): AsyncGenerator<readonly ObjectRow[]> {
  const { range, limit = Number.POSITIVE_INFINITY } = wanted;
  if (limit <= 0) return;
  let left = limit;
  const rows =
    range.keys || needs !== "listing"
      ? lookUpWanted(bucket, wanted, needs, signal)
      : listRows(bucket, wanted, signal);
  for await (const batch of rows) {
    yield batch.length > left ? batch.slice(0, left) : batch;
    left -= batch.length;
    if (left <= 0) return;
  }
}

async function* listRows(bucket: Bucket, wanted: Wanted, signal: AbortSignal): AsyncGenerator<ObjectRow[]> {
  for await (const objects of listPages(bucket, wanted, signal)) yield objects.map((listed) => ({ listed }));
}

/** Goes by rounds that grow: no more is looked up than rows are missing, so that a small LIMIT costs little. */
async function* lookUpWanted(
  bucket: Bucket,
  wanted: Wanted,
  needs: Needs,
  signal: AbortSignal,
): AsyncGenerator<ObjectRow[]> {
  const { accept, limit = Number.POSITIVE_INFINITY } = wanted;
  const keys = keysOf(bucket, wanted, signal);
  let isOver = false;
  try {
    for (let round = limit; !isOver; round *= 2) {
      const some = take(keys, round, () => {
        isOver = true;
      });
      let batch: ObjectRow[] = [];
      let bytes = 0;
      for await (const row of lookUp(bucket, some, needs, signal)) {
        // It may have changed since it was listed.
        if (accept && !accept(row.listed)) continue;
        batch.push(row);
        bytes += row.content?.length ?? 0;
        if (batch.length < mostRows && bytes < mostBytes) continue;
        yield batch;
        batch = [];
        bytes = 0;
      }
      if (batch.length) yield batch;
    }
  } finally {
    await keys.return(undefined);
  }
}

async function* keysOf(
  bucket: Bucket,
  wanted: Wanted,
  signal: AbortSignal,
): AsyncGenerator<string, undefined> {
  if (wanted.range.keys) yield* wanted.range.keys;
  else
    for await (const objects of listPages(bucket, wanted, signal)) for (const { key } of objects) yield key;
  return undefined;
}

/** The next ones of what can be gone on with. */
async function* take<Item>(
  items: AsyncGenerator<Item, undefined>,
  count: number,
  ended: () => void,
): AsyncGenerator<Item> {
  for (let i = 0; i < count; i++) {
    const next = await items.next();
    if (next.done) return ended();
    yield next.value;
  }
}
