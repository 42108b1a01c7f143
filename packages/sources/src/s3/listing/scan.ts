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

/** Contents that are held at once while they are fetched ahead. */
const mostContents = 4;

/** What of a listing is asked: the arguments of its first request. */
export function firstRequest(range: KeyRange, directory: boolean, limit: number | undefined) {
  const { prefix, from, test } = range;
  const most = test || directory || limit === undefined ? pageSize : Math.min(limit, pageSize);
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

/** The objects of the range, page by page; one page is fetched ahead. */
export async function* listRange(
  bucket: Bucket,
  range: KeyRange,
  limit: number,
  signal: AbortSignal,
): AsyncGenerator<readonly Listed[]> {
  if (isEmpty(range) || limit === 0) return;
  const { prefix, from, to, test } = range;
  const { directory } = bucket;
  const request = firstRequest(range, directory, limit);
  const left = new AbortController();
  const either = AbortSignal.any([signal, left.signal]);
  const fetch = (token?: string) => {
    const page = bucket.list({ ...request, token }, either);
    page.catch(() => {});
    return page;
  };
  let count = 0;
  let read = 0;
  let coming: Promise<Page> | undefined = fetch();
  try {
    while (coming) {
      const page: Page = await coming;
      let objects = page.objects;
      read += objects.length;
      let over = false;
      const last = objects.at(-1);
      if (to && !directory && last && !isBelow(last.key, to)) over = true;
      if (from || over || test || directory)
        objects = objects.filter(
          ({ key }) =>
            isAbove(key, from) && isBelow(key, to) && key.startsWith(prefix) && (test?.(key) ?? true),
        );
      if (count + objects.length >= limit) {
        objects = objects.slice(0, limit - count);
        over = true;
      }
      count += objects.length;
      coming = over || page.next === undefined ? undefined : fetch(page.next);
      if (objects.length) yield objects;
      if (page.next === undefined && request.after === undefined) bucket.counts.set(request.prefix, read);
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

/** The objects of the range with what is needed of each, at most `limit`, in batches that memory can hold. */
export async function* scanObjects(
  bucket: Bucket,
  range: KeyRange,
  needs: Needs,
  limit: number,
  signal: AbortSignal,
): AsyncGenerator<readonly ObjectRow[]> {
  if (!range.keys && needs === "listing") {
    for await (const objects of listRange(bucket, range, limit, signal))
      yield objects.map((listed) => ({ listed }));
    return;
  }
  let left = limit;
  let batch: ObjectRow[] = [];
  let bytes = 0;
  if (left <= 0) return;
  for await (const row of lookUp(bucket, range.keys ?? keysOf(bucket, range, limit, signal), needs, signal)) {
    batch.push(row);
    bytes += row.content?.length ?? 0;
    if (--left <= 0) break;
    if (batch.length < 100 && bytes < 1024 * 1024) continue;
    yield batch;
    batch = [];
    bytes = 0;
  }
  if (batch.length) yield batch;
}

async function* keysOf(bucket: Bucket, range: KeyRange, limit: number, signal: AbortSignal) {
  for await (const objects of listRange(bucket, range, limit, signal))
    for (const { key } of objects) yield key;
}
