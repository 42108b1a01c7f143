import { SqlError } from "../../error.ts";
import type { Column, Filter, Options, Plan, Query, Row, Table, TableDefinition } from "../../source.ts";
import type { Bucket } from "../bucket/bucket.ts";
import type { Listed } from "../bucket/object.ts";
import { type KeyRange, keyRange } from "../listing/key-range.ts";
import { isEmpty, listPages, lookUp } from "../listing/scan.ts";
import { mapOrdered } from "../ordered.ts";
import { readWhole } from "./body.ts";
import { FileFormat } from "./format.ts";
import type { Output, Target } from "./target.ts";
import type { Uri } from "./uri.ts";

/** Rows that files are thought to have until they were read to the end. */
const guess = 100_000;

/** Files up to this size are fetched as a whole, some at a time: many small ones are read as fast as a large one. */
const small = 1024 * 1024;
const mostSmall = 8;

/** The rows inside of objects. */
export class FileTable implements Table {
  readonly definition: TableDefinition;
  readonly #bucket: Bucket;
  readonly #uri: Uri;
  readonly #format: FileFormat;
  /** Position of the column that holds the object's key. */
  readonly #pseudo: number | undefined;
  readonly #pseudoName: string | undefined;
  /** The columns that files have, and by position in the table where they stand among these. */
  readonly #columns: readonly Column[];

  /** `options`: the definition's, or what stands for them. */
  constructor(definition: TableDefinition, options: Options, uri: Uri, bucket: Bucket) {
    const { name, columns } = definition;
    this.definition = definition;
    this.#bucket = bucket;
    this.#uri = uri;
    this.#format = new FileFormat(options);
    this.#pseudoName = (options.filename_column ?? "filename") || undefined;
    const pseudo = columns.findIndex((column) => column.name === this.#pseudoName);
    this.#pseudo = pseudo < 0 ? undefined : pseudo;
    this.#columns = columns.filter((_, i) => i !== pseudo);
    if (pseudo >= 0 && !/^(text|character varying)/.test(columns[pseudo]!.type))
      throw new SqlError(
        "HV004",
        `table "${name}": column "${this.#pseudoName}" holds the object's key: make it text`,
        {
          hint: "if the files have a column of this name, give the table option filename_column ''",
        },
      );
  }

  plan(query: Query): Plan {
    const range = this.#range(query.filters);
    const { handled } = range;
    const sorted = query.sort.length === 0;
    const limit = query.limit !== undefined && sorted && handled.every(Boolean) ? query.limit : undefined;
    const all = this.#bucket.counts.get(this.#countName) ?? guess;
    const share = this.#uri.pattern && range.keys ? 10 : 1;
    const rows = isEmpty(range) ? 0 : Math.ceil(Math.min(all / share, limit ?? Number.POSITIVE_INFINITY));
    return {
      handled,
      sorted,
      rows,
      // A file's rows come as fast as those of a listing.
      calls: isEmpty(range) ? 0 : Math.ceil(rows / 1000) + 1,
      requests: this.#requests(range),
      scan: (signal) => this.#scan(query, range, limit ?? Number.POSITIVE_INFINITY, signal),
    };
  }

  /** The keys that the uri and the filters on the pseudo column leave. */
  #range(filters: readonly Filter[]): KeyRange {
    const { prefix, pattern } = this.#uri;
    const column = this.#pseudo ?? -1;
    if (!pattern) {
      const one: Filter = { kind: "compare", column, operator: "=", value: prefix };
      const range = keyRange([...filters, one], column, "");
      return { ...range, handled: range.handled.slice(0, -1) };
    }
    const range = keyRange(filters, column, prefix);
    const { keys, test } = range;
    const matches = (key: string) => pattern.test(key) && (test?.(key) ?? true);
    return {
      ...range,
      keys: range.isUnknown ? keys : keys?.filter((key) => pattern.test(key)),
      test: matches,
    };
  }

  async *#files(range: KeyRange, signal: AbortSignal): AsyncGenerator<Listed> {
    if (!range.keys) {
      for await (const objects of listPages(this.#bucket, { range }, signal))
        for (const object of objects) if (object.size > 0) yield object;
      return;
    }
    let found = 0;
    for await (const { listed } of lookUp(this.#bucket, range.keys, "head", signal)) {
      found++;
      yield listed;
    }
    if (!this.#uri.pattern && found === 0 && range.keys.length)
      throw new SqlError("58P01", `object "s3://${this.#bucket.name}/${this.#uri.prefix}" does not exist`, {
        hint: "see the table option uri",
      });
  }

  async *#scan(
    query: Query,
    range: KeyRange,
    limit: number,
    signal: AbortSignal,
  ): AsyncGenerator<readonly Row[]> {
    let left = limit;
    if (left <= 0) return;
    const field = (column: number) => this.#columns.indexOf(this.definition.columns[column]!);
    const outputs = query.columns.map(
      (column): Output => (column === this.#pseudo ? { pseudo: true } : { field: field(column) }),
    );
    const filters = query.filters
      .filter(({ column }) => column !== this.#pseudo)
      .map((filter) => ({ ...filter, column: field(filter.column) }));
    const files = mapOrdered(this.#files(range, signal), mostSmall, signal, async (file, either) => ({
      file,
      bytes: file.size <= small ? await readWhole(this.#bucket, file, either) : undefined,
    }));
    let count = 0;
    for await (const { file, bytes } of files) {
      const target: Target = { outputs, columns: this.#columns, pseudoName: this.#pseudoName, key: file.key };
      for await (const rows of this.#format.rows(this.#bucket, file, bytes, target, filters, left, signal)) {
        count += rows.length;
        yield rows.length > left ? rows.slice(0, left) : rows;
        left -= rows.length;
        if (left <= 0) return;
      }
    }
    if (query.filters.length === 0) this.#bucket.counts.set(this.#countName, count);
  }

  get #uriText(): string {
    return this.definition.options.uri ?? `s3://${this.#uri.bucket}/${this.#uri.prefix}`;
  }

  get #countName(): string {
    return `rows of ${this.#uriText}`;
  }

  #requests(range: KeyRange): string[] {
    if (isEmpty(range)) return [];
    const { name } = this.#bucket;
    const { keys } = range;
    if (!keys)
      return [
        `ListObjectsV2 s3://${name}/${range.prefix} for keys like ${this.#uriText}`,
        "GetObject for each key",
      ];
    const more = keys.length > 1 ? ` and of ${keys.length - 1} more` : "";
    return [`GetObject s3://${name}/${keys[0]}${more}`];
  }
}
