import { SqlError } from "../../error.ts";
import type { Tuple } from "../../source.ts";
import type { Headers, HeadObject } from "../bucket/object.ts";
import type { Stored } from "../bucket/write.ts";
import { listedMetadata } from "./columns.ts";
import type { ListingTable } from "./table.ts";

/** Columns that are stored with an object, as `Stored` names them. */
const storedColumns = {
  content_type: "contentType",
  content_encoding: "contentEncoding",
  content_language: "contentLanguage",
  content_disposition: "contentDisposition",
  cache_control: "cacheControl",
  expires: "expires",
  storage_class: "storageClass",
  user_metadata: "userMetadata",
} as const;

type StoredColumn = keyof typeof storedColumns;

const isStored = (name: string): name is StoredColumn => Object.hasOwn(storedColumns, name);

const writable = new Set(["key", "content", "metadata", ...Object.keys(storedColumns)]);

/** What a change gives of a row, as S3 stores it. */
export interface Written {
  readonly key: string | undefined;
  /** `undefined` where it is not given. */
  readonly content: Uint8Array | undefined;
  /** What is stored besides, after `current`; `undefined` where none of it is given. */
  readonly stored: Stored | undefined;
}

export const nothingStored: Stored = {
  contentType: undefined,
  contentEncoding: undefined,
  contentLanguage: undefined,
  contentDisposition: undefined,
  cacheControl: undefined,
  expires: undefined,
  userMetadata: {},
  storageClass: undefined,
};

export const storedOf = ({ headers: { version, ...headers }, storageClass }: HeadObject): Stored => ({
  ...headers,
  storageClass,
});

/**
 * Reads what a change writes. `current` is the object that an UPDATE changes.
 * @throws SqlError 428C9 for what S3 assigns, 22023 for metadata that cannot be stored
 */
export function readWritten(
  { kinds, definition, metadataFromHead }: ListingTable,
  before: Tuple,
  after: Tuple,
  current: HeadObject | undefined,
): Written {
  let key: string | undefined;
  let content: Uint8Array | undefined;
  const stored: { -readonly [Name in keyof Stored]: Stored[Name] } = current
    ? storedOf(current)
    : { ...nothingStored };
  let given = false;
  // The columns of their own count more than what stands in metadata.
  const order = [...kinds.keys()].sort(
    (a, b) => Number(kinds[b] === "metadata") - Number(kinds[a] === "metadata"),
  );
  for (const i of order) {
    const kind = kinds[i]!;
    const text = after[i];
    // An INSERT gives NULL for what it does not name.
    if (text === undefined || text === before[i] || (!current && text === null)) continue;
    const column = definition.columns[i]!;
    if (!writable.has(kind))
      throw new SqlError("428C9", `column "${column.name}" cannot be written: S3 assigns it`, {
        hint: `these can: ${[...writable].join(", ")}`,
      });
    if (kind === "key" || kind === "content") {
      if (text === null)
        throw new SqlError("23502", `null value in column "${column.name}" violates not-null constraint`);
      if (kind === "key") key = text;
      else content = column.type === "bytea" ? bytea(text) : Buffer.from(text);
      continue;
    }
    given = true;
    if (kind === "metadata") Object.assign(stored, readMetadata(text, current, metadataFromHead));
    else if (kind === "user_metadata") stored.userMetadata = readUserMetadata(text);
    else if (isStored(kind)) Object.assign(stored, { [storedColumns[kind]]: text ?? undefined });
  }
  return { key, content, stored: given ? stored : undefined };
}

/** PostgreSQL's two ways to write bytes. */
function bytea(text: string): Uint8Array {
  if (text.startsWith("\\x")) return Buffer.from(text.slice(2), "hex");
  const bytes = text.replace(/\\(\\|[0-3][0-7]{2})/g, (_, code: string) =>
    code === "\\" ? "\\" : String.fromCharCode(Number.parseInt(code, 8)),
  );
  return Buffer.from(bytes, "latin1");
}

function jsonObject(text: string | null): Record<string, unknown> {
  const value: unknown = text === null ? {} : JSON.parse(text);
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new SqlError("22023", "metadata must be a JSON object");
  return value as Record<string, unknown>;
}

/**
 * The members of a metadata column that are stored. What S3 assigns may stand there as it was; what is missing stays
 * as it is, unless the column holds all of it.
 */
function readMetadata(text: string | null, current: HeadObject | undefined, whole: boolean): Partial<Stored> {
  const members = jsonObject(text);
  const { storageClass, ...rest } = nothingStored;
  const stored: Record<string, unknown> = whole ? { ...rest } : {};
  const assigned: Record<string, unknown> = current
    ? { ...listedMetadata(current), version: current.headers.version }
    : {};
  for (const [name, value] of Object.entries(members)) {
    if (name === "user_metadata") stored.userMetadata = readUserMetadata(JSON.stringify(value));
    else if (name !== "storage_class" && isStored(name)) {
      if (typeof value !== "string" && value !== null)
        throw new SqlError("22023", `metadata: ${name} must be a string`);
      stored[storedColumns[name] satisfies keyof Headers | "storageClass"] = value ?? undefined;
    } else if (current && assigned[name] !== value)
      throw new SqlError("428C9", `metadata: ${name} cannot be written`, {
        hint: `these can: ${Object.keys(storedColumns)
          .filter((one) => one !== "storage_class")
          .join(", ")}; names of your own belong into user_metadata`,
      });
  }
  return stored;
}

function readUserMetadata(text: string | null): Record<string, string> {
  return Object.fromEntries(
    Object.entries(jsonObject(text)).map(([name, value]) => {
      if (!/^[!#$%&'*+.^_`|~0-9a-z-]+$/.test(name))
        throw new SqlError("22023", `user metadata cannot have the name ${JSON.stringify(name)}`, {
          hint: "names are lower-case ASCII letters, digits and hyphens",
        });
      if (!["string", "number", "boolean"].includes(typeof value) || /[\r\n\0]/.test(String(value)))
        throw new SqlError("22023", `user metadata "${name}" must be a text of one line`);
      return [name, String(value)];
    }),
  );
}
