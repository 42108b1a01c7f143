import type { Options, Plan, Query, Row, SortKey, Table, TableDefinition } from "../../source.ts";
import type { Bucket } from "../bucket/bucket.ts";
import { pageSize } from "../bucket/list-objects.ts";
import { objectUrl } from "../object-url.ts";
import { choiceOption, integerOption } from "../options.ts";
import { ListingChanges } from "./changes.ts";
import {
  type ColumnKind,
  type ColumnReader,
  columnKinds,
  columnReader,
  type Needs,
  type ObjectRow,
  type ReaderContext,
} from "./columns.ts";
import { type KeyRange, keyRange } from "./key-range.ts";
import { listedFilter } from "./listed-filter.ts";
import { firstRequest, isEmpty, scanObjects, type Wanted } from "./scan.ts";

/** Keys that a listing is thought to have until it was read to its end. */
const guess = 100_000;

/** A bucket's objects as rows. */
export class ListingTable implements Table {
  readonly definition: TableDefinition;
  readonly bucket: Bucket;
  readonly kinds: readonly ColumnKind[];
  readonly prefix: string;
  /** Whether the metadata column has what HEAD tells too. */
  readonly metadataFromHead: boolean;
  readonly changes: ListingChanges;
  readonly #urlExpiresIn: number | undefined;

  /** `options`: the definition's, or what stands for them. */
  constructor(definition: TableDefinition, options: Options, bucket: Bucket) {
    this.definition = definition;
    this.bucket = bucket;
    this.kinds = columnKinds(definition);
    this.prefix = options.prefix ?? "";
    this.metadataFromHead = choiceOption(options, "metadata_from", ["listing", "head"]) === "head";
    this.#urlExpiresIn = integerOption(options, "url_expires_in", 1, 604_800) ?? bucket.settings.urlExpiresIn;
    this.changes = new ListingChanges(this, options);
  }

  /** The key's column. */
  get keyColumn(): number | undefined {
    const found = this.kinds.indexOf("key");
    return found < 0 ? undefined : found;
  }

  plan(query: Query): Plan {
    const { bucket } = this;
    const { columns } = this.definition;
    const range = keyRange(query.filters, this.keyColumn, this.prefix);
    const { test: accept, handled: onListed } = listedFilter(query.filters, this.kinds, columns);
    const handled = range.handled.map((onKey, i) => onKey || onListed[i]!);
    const sorted = this.#isSorted(query, range);
    const limit = sorted && handled.every(Boolean) ? query.limit : undefined;
    const wanted: Wanted = { range, accept, limit };
    const readers = query.columns.map((column) =>
      columnReader(this.kinds[column]!, columns[column]!, this.#context),
    );
    const needs = most(readers.map((reader) => reader.needs));
    const toRow = rowMaker(readers, query.identity);
    const sign = this.#signer(query.columns);
    return {
      handled,
      sorted,
      ...this.#estimate(wanted, needs),
      requests: this.#requests(wanted, needs),
      async *scan(signal) {
        for await (const rows of scanObjects(bucket, wanted, needs, signal))
          yield (sign ? await sign(rows) : rows).map(toRow);
      },
    };
  }

  get #context(): ReaderContext {
    const { bucket } = this;
    return {
      bucket: bucket.name,
      url: objectUrl(bucket.settings, bucket.name),
      metadataFromHead: this.metadataFromHead,
    };
  }

  /** Keys are unique and none is NULL, so nothing that comes after them in the order counts. */
  #isSorted({ sort }: Query, { keys }: KeyRange): boolean {
    if (sort.length === 0 || (keys && keys.length < 2)) return true;
    const [{ column, descending }] = sort as [SortKey];
    return column === this.keyColumn && !descending && (keys !== undefined || !this.bucket.directory);
  }

  /** Puts signed addresses into the rows, if the columns have any. */
  #signer(columns: readonly number[]) {
    const expiresIn = this.#urlExpiresIn;
    if (expiresIn === undefined || !columns.some((column) => this.kinds[column] === "url")) return undefined;
    return (rows: readonly ObjectRow[]): Promise<ObjectRow[]> =>
      Promise.all(
        rows.map(async (row) => ({ ...row, url: await this.bucket.signedUrl(row.listed.key, expiresIn) })),
      );
  }

  #estimate({ range, accept, limit }: Wanted, needs: Needs): Pick<Plan, "rows" | "calls"> {
    const { keys, prefix, from, to, test } = range;
    const most = limit ?? Number.POSITIVE_INFINITY;
    if (isEmpty(range)) return { rows: 0, calls: 0 };
    if (keys) return { rows: Math.min(keys.length, most), calls: keys.length };
    const all = this.bucket.counts.get(prefix) ?? guess / (prefix === this.prefix ? 1 : 10);
    const listed = all / (from || to ? 3 : 1);
    const share = (test ? 10 : 1) * (accept ? 3 : 1);
    const rows = Math.ceil(Math.min(listed / share, most));
    const pages = Math.ceil(Math.min(listed, most * share) / pageSize) || 1;
    return { rows, calls: pages + (needs === "listing" ? 0 : rows) };
  }

  #requests(wanted: Wanted, needs: Needs): string[] {
    const { range } = wanted;
    if (isEmpty(range)) return [];
    const { bucket } = this;
    const each = needs === "content" ? "GetObject" : "HeadObject";
    const { keys } = range;
    if (keys) {
      const more = keys.length > 1 ? ` and of ${keys.length - 1} more` : "";
      return [`${each} s3://${bucket.name}/${keys[0]}${more}`];
    }
    const { prefix, after, most } = firstRequest(wanted, bucket.directory);
    const list = [`ListObjectsV2 s3://${bucket.name}/${prefix}`, `max-keys ${most}`];
    if (after !== undefined) list.push(`start-after ${JSON.stringify(after)}`);
    if (range.to) list.push(`until ${JSON.stringify(range.to.key)}`);
    return [list.join(" "), ...(needs === "listing" ? [] : [`${each} for each key`])];
  }
}

const order: readonly Needs[] = ["listing", "head", "content"];

const most = (needs: readonly Needs[]): Needs =>
  order[Math.max(0, ...needs.map((one) => order.indexOf(one)))]!;

function rowMaker(readers: readonly ColumnReader[], identity: boolean): (row: ObjectRow) => Row {
  const reads = readers.map(({ read }) => read);
  if (!identity && reads.length === 0) {
    const empty: Row = [];
    return () => empty;
  }
  if (!identity) return (row) => reads.map((read) => read(row));
  return (row) => [...reads.map((read) => read(row)), row.listed.key, row.listed.etag];
}
