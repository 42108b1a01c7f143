import { SqlError } from "@overcoat/sources";

/** A constant as it stands in a statement, and the text that it means. */
export interface Literal {
  /** With its quotes: `'it''s'`, `E'a\\b'`, `42`. */
  readonly source: string;
  readonly value: string;
}

/** A statement taken apart, so that those which differ in constants and tables only are parsed and planned once. */
export interface Lexed {
  /** The text with `'?'` or `0` for each literal and `"overcoat N"` for each long name. */
  readonly form: string;
  readonly literals: readonly Literal[];
  /** Where each literal begins in `form`, in characters. */
  readonly positions: readonly number[];
  /** Names of more than 63 bytes, which the parser would cut: the `N` of `"overcoat N"` counts them. */
  readonly names: readonly string[];
}

const namePrefix = "overcoat ";

/*
 * Strings as PostgreSQL reads them with standard_conforming_strings on; bit strings stay as they are. Integers
 * are literals only where postgres_fdw compares with them: `(id = 5)`. Comments, dollar quotes and U& are never
 * sent by postgres_fdw.
 */
const token =
  /(?<![\w$\u0080-\uffff])[eE]'(?:[^'\\]|''|\\[\s\S])*'|(?<![\w$\u0080-\uffff])[bBxX]'[^']*'|'(?:[^']|'')*'|"(?:[^"]|"")*"|(?<=[=<>] )\d{1,9}(?=\))|[uU]&|--|\/\*|\$(?!\d)/g;

/** @throws SqlError 0A000 for comments, dollar quotes and Unicode escapes by U&. */
export function lex(sql: string): Lexed {
  const literals: Literal[] = [];
  const positions: number[] = [];
  const names: string[] = [];
  let form = "";
  let end = 0;
  for (const match of sql.matchAll(token)) {
    const source = match[0];
    form += sql.slice(end, match.index);
    end = match.index + source.length;
    const first = source.charCodeAt(0);
    if (first === 0x22) {
      const name = readIdentifier(source);
      if (name.startsWith(namePrefix) || Buffer.byteLength(name) > 63) {
        const known = names.indexOf(name);
        form += `"${namePrefix}${known < 0 ? names.push(name) - 1 : known}"`;
      } else form += source;
    } else if (first === 0x27 || first === 0x45 || first === 0x65) {
      positions.push(form.length);
      literals.push({ source, value: readString(source) });
      form += "'?'";
    } else if (first >= 0x30 && first <= 0x39) {
      positions.push(form.length);
      literals.push({ source, value: String(Number(source)) });
      form += "0";
    } else if (source.endsWith("'")) form += source;
    else throw new SqlError("0A000", `${JSON.stringify(source)} is not accepted in a statement`);
  }
  return { form: form + sql.slice(end), literals, positions, names };
}

/** The name that an identifier of the parsed form stands for. */
export function originalName(identifier: string, names: readonly string[]): string {
  if (!identifier.startsWith(namePrefix)) return identifier;
  const name = names[Number(identifier.slice(namePrefix.length))];
  if (name === undefined) throw new SqlError("42601", `invalid name ${JSON.stringify(identifier)}`);
  return name;
}

/** The identifier that stands in the parsed form for a name. */
export function formName(name: string, names: readonly string[]): string {
  const index = names.indexOf(name);
  return index < 0 ? name : `${namePrefix}${index}`;
}

/** The name in a quoted identifier. */
export function readIdentifier(source: string): string {
  return source.slice(1, -1).replaceAll('""', '"');
}

export function quoteIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/**
 * The text of a string literal, `'…'` or `E'…'`.
 * Escapes: https://www.postgresql.org/docs/current/sql-syntax-lexical.html#SQL-SYNTAX-STRINGS-ESCAPE
 */
export function readString(source: string): string {
  if (source.startsWith("'")) return source.slice(1, -1).replaceAll("''", "'");
  return source.slice(2, -1).replace(/''|\\([\s\S])/g, (pair, escaped: string | undefined) => {
    if (escaped === undefined) return "'";
    if (escaped === "\\" || escaped === "'") return escaped;
    throw new SqlError("0A000", `the escape ${pair} is not accepted in a statement`);
  });
}
