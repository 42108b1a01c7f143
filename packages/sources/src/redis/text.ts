import { isUtf8 } from "node:buffer";
import { SqlError } from "../error.ts";
import type { Value } from "../source.ts";
import type { Bytes } from "./client/node.ts";

/** Thrown by `Decode` for text in which a character is, or replaces, U+FFFD: to be read again as bytes. */
export class Undecodable extends Error {}

/**
 * Turns a string of Redis into a column's value.
 * @throws SqlError 22021 or 22P02, naming `key`, for what the column's type cannot hold
 */
export type Decode = (bytes: Bytes, key: Bytes) => Value;

const json: Decode = (bytes, key) => {
  const text = decodeText(bytes, key);
  try {
    JSON.parse(text);
  } catch {
    throw new SqlError("22P02", `invalid input syntax for type json: ${quoted(text)}`, {
      detail: `It stands in the Redis key ${quoted(key)}.`,
      hint: "Correct the value there, or declare the column as text.",
    });
  }
  return text;
};

const integer = /^\s*[-+]?\d+\s*$/;
const real = /^\s*[-+]?(?:(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?|inf|infinity|nan)\s*$/i;
const syntaxes: Readonly<Record<string, RegExp>> = {
  smallint: integer,
  integer,
  bigint: integer,
  real,
  numeric: real,
  "double precision": real,
  boolean: /^\s*(?:t|tr|tru|true|y|ye|yes|on|1|f|fa|fal|fals|false|n|no|of|off|0)\s*$/i,
  uuid: /^\{?[\da-f]{4}(?:-?[\da-f]{4}){7}\}?$/i,
};

/** `character varying(20)` → `character varying` */
export const plainType = (type: string) => type.replace(/\(.*\)/, "");

export function decoder(type: string): Decode {
  const plain = plainType(type);
  if (plain === "bytea") return toBuffer;
  if (plain === "json" || plain === "jsonb") return json;
  const syntax = syntaxes[plain];
  if (syntax === undefined) return decodeText;
  return (bytes, key) => {
    const text = decodeText(bytes, key);
    if (syntax.test(text)) return text;
    throw new SqlError("22P02", `invalid input syntax for type ${plain}: ${quoted(text)}`, {
      detail: `It stands in the Redis key ${quoted(key)}.`,
      hint: "Correct the value there, or declare the column as text.",
    });
  };
}

function toBuffer(bytes: Bytes): Buffer {
  if (typeof bytes !== "string") return bytes;
  if (bytes.includes("\uFFFD")) throw new Undecodable();
  return Buffer.from(bytes);
}

/** @throws SqlError 22021 for what PostgreSQL's text cannot hold */
export function decodeText(bytes: Bytes, key: Bytes): string {
  if (typeof bytes === "string" && bytes.includes("\uFFFD")) throw new Undecodable();
  return exactText(bytes, key);
}

/** As `decodeText`, of a string that is known to be what Redis holds. */
export function exactText(bytes: Bytes, key: Bytes): string {
  if (typeof bytes !== "string" && !isUtf8(bytes)) throw notText("is not UTF-8", key);
  const text = bytes.toString();
  if (text.includes("\0")) throw notText("holds a zero byte", key);
  return text;
}

function notText(reason: string, key: Bytes): SqlError {
  return new SqlError("22021", `The Redis key ${quoted(key)} cannot be shown as text: it ${reason}`, {
    hint: "Declare the column as bytea to read such keys and values.",
  });
}

/** Text of a column as PostgreSQL prints its type → what is stored. */
export function encode(type: string, text: string): Bytes {
  if (type === "bytea") return Buffer.from(text.slice(2), "hex");
  if (type === "boolean") return text === "t" ? "true" : "false";
  return text;
}

const longestQuote = 100;

/** For messages. */
export function quoted(bytes: Bytes): string {
  const text = typeof bytes === "string" || isUtf8(bytes) ? bytes.toString() : bytes.toString("latin1");
  const shown = text.length > longestQuote ? `${text.slice(0, longestQuote)}…` : text;
  return `"${shown.replace(/[\0-\x1f\x7f-\x9f]/g, (control) => `\\x${control.charCodeAt(0).toString(16).padStart(2, "0")}`)}"`;
}
