import { SqlError } from "../../error.ts";
import type { Column, TableDefinition, Value } from "../../source.ts";
import type { HeadObject, Listed } from "../bucket/object.ts";

/** What a row is made of: the listing, HEAD's answer where a column needs it, the content where one asks for it. */
export interface ObjectRow {
  readonly listed: Listed;
  readonly headers?: HeadObject["headers"];
  readonly content?: Uint8Array;
  /** A signed address, where the table gives such. */
  readonly url?: string;
}

/** The request that a column's value takes, beside the listing itself. */
export type Needs = "listing" | "head" | "content";

export interface ColumnReader {
  readonly needs: Needs;
  read(row: ObjectRow): Value;
}

/** What the columns of a listing can be called, and what they hold. */
export type ColumnKind = "key" | keyof typeof kinds;

type Family = "text" | "number" | "time" | "json" | "bytes";

const kinds = {
  url: "text",
  bucket: "text",
  size: "number",
  etag: "text",
  last_modified: "time",
  storage_class: "text",
  metadata: "json",
  version: "text",
  content_type: "text",
  content_encoding: "text",
  content_language: "text",
  content_disposition: "text",
  cache_control: "text",
  expires: "text",
  user_metadata: "json",
  content: "bytes",
} as const satisfies Readonly<Record<string, Family>>;

const keyNames = ["filename", "key", "name", "path", "object_key"];

const families: Readonly<Record<Family, RegExp>> = {
  text: /^(text|character varying|varchar)/,
  number: /^(smallint|integer|bigint|numeric|real|double precision|text)/,
  time: /^(timestamp|date|text)/,
  json: /^(jsonb?|text)$/,
  bytes: /^(bytea|text)$/,
};

/**
 * Which column is what: by name, and the key by one of its names or else as the first text column that has none
 * of these.
 * @throws SqlError HV005 for a column that no object has, HV004 for a type that does not fit.
 */
export function columnKinds({ name: table, columns }: TableDefinition): readonly ColumnKind[] {
  const isKind = (name: string): name is keyof typeof kinds => Object.hasOwn(kinds, name);
  let key = columns.findIndex(({ name }) => keyNames.includes(name));
  if (key < 0) key = columns.findIndex(({ name, type }) => !isKind(name) && families.text.test(type));
  return columns.map((column, i) => {
    const { name, type } = column;
    const kind = i === key ? "key" : isKind(name) ? name : undefined;
    if (!kind)
      throw new SqlError("HV005", `table "${table}": objects have no "${name}"`, {
        hint: `columns of a listing are the key (${keyNames.join(", ")} or the first text column) and ${Object.keys(kinds).join(", ")}; for the rows inside of files give the options format and uri`,
      });
    const family = kind === "key" ? "text" : kinds[kind];
    if (!families[family].test(type))
      throw new SqlError("HV004", `table "${table}": column "${name}" cannot be of type ${type}`, {
        hint: `declare it as ${{ text: "text", number: "bigint", time: "timestamptz", json: "jsonb", bytes: "bytea or text" }[family]}`,
      });
    return kind;
  });
}

export interface ReaderContext {
  readonly bucket: string;
  readonly url: (key: string) => string;
  /** Whether `metadata` has what HEAD tells too. */
  readonly metadataFromHead: boolean;
}

export function columnReader(kind: ColumnKind, column: Column, context: ReaderContext): ColumnReader {
  const listed = (read: (listed: Listed) => Value): ColumnReader => ({
    needs: "listing",
    read: (row) => read(row.listed),
  });
  const head = (read: (headers: HeadObject["headers"]) => Value | undefined): ColumnReader => ({
    needs: "head",
    read: (row) => read(row.headers!) ?? null,
  });
  const isText = families.text.test(column.type);
  const json = (value: object) => (isText ? JSON.stringify(value) : value);
  switch (kind) {
    case "key":
      return listed(({ key }) => key);
    case "url":
      return { needs: "listing", read: ({ listed, url }) => url ?? context.url(listed.key) };
    case "bucket":
      return listed(() => context.bucket);
    case "size":
      return listed(({ size }) => size);
    case "etag":
      return listed(({ etag }) => etag);
    case "storage_class":
      return listed(({ storageClass }) => storageClass);
    case "last_modified":
      return listed(isText ? ({ modified }) => isoTime(modified) : ({ modified }) => new Date(modified));
    case "metadata":
      return context.metadataFromHead
        ? {
            needs: "head",
            read: (row) => json({ ...listedMetadata(row.listed), ...headMetadata(row.headers!) }),
          }
        : listed((object) => json(listedMetadata(object)));
    case "version":
      return head(({ version }) => version);
    case "content_type":
      return head(({ contentType }) => contentType);
    case "content_encoding":
      return head(({ contentEncoding }) => contentEncoding);
    case "content_language":
      return head(({ contentLanguage }) => contentLanguage);
    case "content_disposition":
      return head(({ contentDisposition }) => contentDisposition);
    case "cache_control":
      return head(({ cacheControl }) => cacheControl);
    case "expires":
      return head(({ expires }) => expires);
    case "user_metadata":
      return head(({ userMetadata }) => json(userMetadata));
    case "content":
      return { needs: "content", read: isText ? textContent : ({ content }) => content! };
  }
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function textContent({ listed, content }: ObjectRow): string {
  let text: string | undefined;
  try {
    text = utf8.decode(content);
  } catch {
    // Told below.
  }
  if (text === undefined || text.includes("\0"))
    throw new SqlError("22021", `the content of "${listed.key}" is no text in UTF-8`, {
      hint: "declare the column content as bytea",
    });
  return text;
}

const isoTime = (milliseconds: number) => `${new Date(milliseconds).toISOString().slice(0, 19)}Z`;

/** What the listing tells, as the metadata column names it. */
export const listedMetadata = ({ size, etag, modified, storageClass }: Listed) => ({
  size,
  etag,
  last_modified: isoTime(modified),
  storage_class: storageClass,
});

/** Names as those of the columns; what an object has not is left out. */
const headMetadata = (headers: HeadObject["headers"]) => ({
  content_type: headers.contentType,
  content_encoding: headers.contentEncoding,
  content_language: headers.contentLanguage,
  content_disposition: headers.contentDisposition,
  cache_control: headers.cacheControl,
  expires: headers.expires,
  version: headers.version,
  user_metadata: headers.userMetadata,
});
