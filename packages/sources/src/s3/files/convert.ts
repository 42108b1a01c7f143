import { SqlError } from "../../error.ts";
import type { Value } from "../../source.ts";

/** From a file's text to a column's value. @throws SqlError of class 22 */
export type Convert = (text: string) => Value;

const invalid = (sqlState: string, type: string, text: string) =>
  new SqlError(sqlState, `invalid input syntax for type ${type}: "${shorten(text)}"`, {
    hint: "declare the column as text to see what the file holds",
  });

const shorten = (text: string) => (text.length > 100 ? `${text.slice(0, 100)}…` : text);

/**
 * Texts pass as they are where PostgreSQL reads them as the same value; they are checked here, where the line is
 * known. Types that are not listed are PostgreSQL's to check.
 */
export function converter(type: string): Convert {
  const name = type.replace(/\(.*?\)/, "");
  switch (name) {
    case "smallint":
      return integer(type, -(2n ** 15n), 2n ** 15n - 1n);
    case "integer":
      return integer(type, -(2n ** 31n), 2n ** 31n - 1n);
    case "bigint":
      return integer(type, -(2n ** 63n), 2n ** 63n - 1n);
    case "boolean":
      return boolean;
    case "json":
    case "jsonb":
      return json(type);
  }
  const syntax = syntaxes[name];
  if (!syntax) return (text) => text;
  const [sqlState, expression] = syntax;
  return (text) => {
    if (!expression.test(text)) throw invalid(sqlState, type, text);
    return text;
  };
}

/** What PostgreSQL accepts, or a little more. */
const syntaxes: Readonly<Record<string, readonly [sqlState: string, RegExp]>> = {
  numeric: ["22P02", /^\s*[+-]?(?:\d+\.?\d*|\.\d+|nan|inf(?:inity)?)(?:e[+-]?\d+)?\s*$/i],
  real: ["22P02", /^\s*[+-]?(?:\d+\.?\d*|\.\d+|nan|inf(?:inity)?)(?:e[+-]?\d+)?\s*$/i],
  "double precision": ["22P02", /^\s*[+-]?(?:\d+\.?\d*|\.\d+|nan|inf(?:inity)?)(?:e[+-]?\d+)?\s*$/i],
  date: ["22007", /\d|infinity|today|epoch/i],
  "timestamp without time zone": ["22007", /\d|infinity|epoch/i],
  "timestamp with time zone": ["22007", /\d|infinity|epoch/i],
  uuid: ["22P02", /^\s*\{?[\da-f-]{32,40}\}?\s*$/i],
};

function integer(type: string, least: bigint, most: bigint): Convert {
  // As many digits always fit.
  const safe = String(most).length - 1;
  return (text) => {
    const { length } = text;
    if (length > 0 && length <= safe && isDigits(text)) return text;
    const trimmed = text.trim();
    if (!/^[+-]?\d+$/.test(trimmed)) throw invalid("22P02", type, text);
    const value = BigInt(trimmed[0] === "+" ? trimmed.slice(1) : trimmed);
    if (value < least || value > most)
      throw new SqlError("22003", `value "${shorten(text)}" is out of range for type ${type}`);
    return String(value);
  };
}

function isDigits(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 48 || code > 57) return false;
  }
  return true;
}

/** PostgreSQL's spellings: any beginning of them that is not ambiguous. */
function boolean(text: string): boolean {
  const word = text.trim().toLowerCase();
  if (word !== "") {
    if (["true", "yes"].some((one) => one.startsWith(word)) || word === "on" || word === "1") return true;
    if (["false", "no"].some((one) => one.startsWith(word)) || /^(off?|0)$/.test(word)) return false;
  }
  throw invalid("22P02", "boolean", text);
}

/** The text itself stays, with all digits of its numbers. */
const json =
  (type: string): Convert =>
  (text) => {
    try {
      JSON.parse(text);
    } catch {
      throw invalid("22P02", type, text);
    }
    return text;
  };
