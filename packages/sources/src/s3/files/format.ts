import { Readable } from "node:stream";
import type { AsyncBuffer } from "hyparquet";
import type { Filter, Options, Row } from "../../source.ts";
import type { Bucket } from "../bucket/bucket.ts";
import type { Listed } from "../bucket/object.ts";
import { choiceOption } from "../options.ts";
import { readBody, readWhole } from "./body.ts";
import { type Compression, compressionOf, compressions, decompress } from "./compression.ts";
import { CsvReader, csvOptions } from "./csv.ts";
import { JsonLinesReader } from "./jsonl.ts";
import { LinesReader } from "./lines.ts";
import { readParquet } from "./parquet/read.ts";
import { type RecordReader, readRecords } from "./records.ts";
import type { Target } from "./target.ts";

export const formats = ["csv", "jsonl", "parquet", "text"] as const;
export type Format = (typeof formats)[number];

/** How the files of a table are read, by its options. */
export class FileFormat {
  readonly name: Format;
  readonly #compression: Compression | undefined;
  readonly #newReader: (target: Target) => RecordReader;

  /** @throws SqlError HV00D */
  constructor(options: Options) {
    this.name = choiceOption(options, "format", formats)!;
    this.#compression = choiceOption(options, "compress", compressions);
    this.#newReader = readerMaker(this.name, options);
  }

  /**
   * The rows of one file, `most` at most. `whole` is its content where that was fetched already; filters (by position
   * in `target.columns`) may leave rows out that do not satisfy them, and need not.
   */
  rows(
    bucket: Bucket,
    file: Listed,
    whole: Buffer<ArrayBuffer> | undefined,
    target: Target,
    filters: readonly Filter[],
    most: number,
    signal: AbortSignal,
  ): AsyncIterable<readonly Row[]> {
    const name = fileName(bucket, file);
    if (this.name !== "parquet")
      return readRecords(this.text(bucket, file, whole, signal), this.#newReader(target), name);
    const buffer = whole ? wholeBuffer(whole) : remoteBuffer(bucket, file, signal);
    return readParquet(buffer, target, filters, most, name, signal);
  }

  /** What stands in a file of text, behind its compression. */
  text(bucket: Bucket, file: Listed, whole: Buffer | undefined, signal: AbortSignal): AsyncIterable<Buffer> {
    const body = whole ? Readable.from([whole]) : readBody(bucket, file, signal);
    return decompress(body, this.#compression ?? compressionOf(file.key), fileName(bucket, file));
  }
}

export const fileName = (bucket: Bucket, { key }: Listed) => `s3://${bucket.name}/${key}`;

/** Ranges of an object. */
export const remoteBuffer = (bucket: Bucket, file: Listed, signal: AbortSignal): AsyncBuffer => ({
  byteLength: file.size,
  slice: async (start, end) => plainBuffer(await readWhole(bucket, file, signal, start, end)),
});

function wholeBuffer(bytes: Buffer<ArrayBuffer>): AsyncBuffer {
  const buffer = plainBuffer(bytes);
  return { byteLength: buffer.byteLength, slice: (start, end) => buffer.slice(start, end) };
}

const plainBuffer = ({ buffer, byteOffset, length }: Buffer<ArrayBuffer>) =>
  byteOffset === 0 && length === buffer.byteLength ? buffer : buffer.slice(byteOffset, byteOffset + length);

function readerMaker(format: Format, options: Options): (target: Target) => RecordReader {
  switch (format) {
    case "csv": {
      const csv = csvOptions(options);
      return (target) => new CsvReader(target, csv);
    }
    case "jsonl":
      return (target) => new JsonLinesReader(target);
    default:
      return (target) => new LinesReader(target);
  }
}
