import { SqlError } from "../../error.ts";
import type { Options, Row, Value } from "../../source.ts";
import { booleanOption } from "../options.ts";
import { type Convert, converter } from "./convert.ts";
import type { RecordReader } from "./records.ts";
import { emptyRow, type Target } from "./target.ts";

export interface CsvOptions {
  /** `undefined`: the first record is a header if it names all of the table's columns. */
  readonly hasHeader: boolean | undefined;
  readonly delimiter: string;
  readonly quote: string;
  readonly escape: string;
  /** What, without quotes, stands for NULL. */
  readonly null: string;
}

/** @throws SqlError HV00D */
export function csvOptions(options: Options): CsvOptions {
  const quote = oneCharacter(options, "quote", '"');
  const delimiter = oneCharacter(options, "delimiter", ",");
  if (quote === delimiter) throw new SqlError("HV00D", "options delimiter and quote must differ");
  return {
    hasHeader: booleanOption(options, "has_header"),
    delimiter,
    quote,
    escape: oneCharacter(options, "escape", quote),
    null: options.null ?? "",
  };
}

function oneCharacter(options: Options, name: string, fallback: string): string {
  const text = options[name];
  if (text === undefined) return fallback;
  if (text === "\\t" || text === "tab") return "\t";
  if (text.length !== 1 || /[\r\n]/.test(text))
    throw new SqlError("HV00D", `option ${name} must be one character, not ${JSON.stringify(text)}`, {
      hint: "a tab is written as \\t",
    });
  return text;
}

const newline = 10;
const carriageReturn = 13;

/** Records of RFC 4180, and what PostgreSQL's COPY makes of them: unquoted `null` is NULL, "" is not. */
export class CsvReader implements RecordReader {
  readonly #target: Target;
  readonly #options: CsvOptions;
  readonly #delimiter: number;
  line = 1;
  /** Of the records, once the first one was read. */
  #width = 0;
  /** By output: the field of its value, -1 for none, and how it is read. */
  #fields: Int32Array = new Int32Array();
  #converts: (Convert | undefined)[] = [];
  #template: Value[];
  #names: readonly string[] = [];
  /** Where the fields of a record begin and end in the text, in turn. */
  #bounds = new Int32Array(64);
  /** Fields with quotes, by their position: their text. */
  #quoted = new Map<number, string>();

  constructor(target: Target, options: CsvOptions) {
    this.#target = target;
    this.#options = options;
    this.#delimiter = options.delimiter.charCodeAt(0);
    this.#template = emptyRow(target);
  }

  /** What the header names, once it was read; else the table's columns. */
  get names(): readonly string[] {
    return this.#names;
  }

  read(text: string, last: boolean, rows: Row[]): number {
    const { quote } = this.#options;
    const quoted = this.#quoted;
    let at = 0;
    let nextQuote = text.indexOf(quote);
    while (at < text.length) {
      let end = text.indexOf("\n", at);
      if (end < 0) end = text.length;
      let next = end + 1;
      let lines = 1;
      let count: number;
      if (nextQuote >= 0 && nextQuote < at) nextQuote = text.indexOf(quote, at);
      if (nextQuote < 0 || nextQuote > end) {
        if (end > at && text.charCodeAt(end - 1) === carriageReturn) end--;
        count = this.#split(text, at, end);
      } else {
        const record = this.#splitQuoted(text, at, last);
        if (!record) return at;
        ({ count, next, lines } = record);
      }
      if (this.#width === 0) this.#begin(text, count, rows);
      else if (count === this.#width) rows.push(this.#row(text));
      // An empty line is no record, unless records have one field.
      else if (!(count === 1 && this.#bounds[0] === this.#bounds[1] && quoted.size === 0))
        throw this.#wrongCount(count);
      if (quoted.size) quoted.clear();
      this.line += lines;
      at = next;
    }
    return Math.min(at, text.length);
  }

  /** Finds the fields of a record without quotes. */
  #split(text: string, at: number, end: number): number {
    const delimiter = this.#delimiter;
    let bounds = this.#bounds;
    let count = 0;
    let start = at;
    for (let i = at; i < end; i++) {
      if (text.charCodeAt(i) !== delimiter) continue;
      bounds[count++] = start;
      bounds[count++] = i;
      start = i + 1;
      if (count + 2 > bounds.length) bounds = this.#grow();
    }
    bounds[count++] = start;
    bounds[count++] = end;
    return count / 2;
  }

  #grow(): Int32Array<ArrayBuffer> {
    const bounds = new Int32Array(2 * this.#bounds.length);
    bounds.set(this.#bounds);
    this.#bounds = bounds;
    return bounds;
  }

  /** Finds the fields of any record; `undefined` if the text, which ends with a line break, ends within it. */
  #splitQuoted(text: string, start: number, last: boolean) {
    const { quote } = this.#options;
    let at = start;
    let lines = 1;
    for (let field = 0; ; field++) {
      if (2 * field + 2 > this.#bounds.length) this.#grow();
      const begin = at;
      const value = text[at] === quote ? this.#quotedField(text, at) : undefined;
      if (value) {
        this.#quoted.set(field, value.text);
        lines += countLines(value.text);
        at = value.end;
      } else if (text[at] !== quote) at = this.#endOfPlain(text, at);
      else if (last)
        throw new SqlError("22P04", "a quoted field is not closed before the end of the file", {
          hint: "see the options quote and escape",
        });
      else {
        this.#quoted.clear();
        return undefined;
      }
      this.#bounds[2 * field] = begin;
      this.#bounds[2 * field + 1] = at;
      if (text.charCodeAt(at) === this.#delimiter && at < text.length) {
        at++;
        continue;
      }
      if (text.charCodeAt(at) === carriageReturn) at++;
      if (at < text.length && text.charCodeAt(at) !== newline)
        throw new SqlError("22P04", "more text follows the closing quote of a field");
      return { count: field + 1, next: at + 1, lines };
    }
  }

  /** The text within the quotes and where it ends; `undefined` if it does not. */
  #quotedField(text: string, open: number) {
    const { quote, escape: escaping } = this.#options;
    let value = "";
    let from = open + 1;
    for (let at = from; ; ) {
      const close = text.indexOf(quote, at);
      const escaped = escaping === quote ? close : text.indexOf(escaping, at);
      const first = escaped >= 0 && (escaped < close || close < 0) ? escaped : close;
      if (first < 0) return undefined;
      const following = text[first + 1];
      if (first === escaped && (following === quote || following === escaping)) {
        value += text.slice(from, first) + following;
        from = at = first + 2;
      } else if (first === close) return { text: value + text.slice(from, close), end: close + 1 };
      else at = first + 1;
    }
  }

  /** Where a field without quotes ends: before a delimiter or the line break. */
  #endOfPlain(text: string, start: number): number {
    const quote = this.#options.quote.charCodeAt(0);
    for (let at = start; at < text.length; at++) {
      const code = text.charCodeAt(at);
      if (code === this.#delimiter) return at;
      if (code === newline) return at > start && text.charCodeAt(at - 1) === carriageReturn ? at - 1 : at;
      if (code === quote)
        throw new SqlError("22P04", "a quote stands within a field that does not begin with one", {
          hint: "see the option quote",
        });
    }
    return text.charCodeAt(text.length - 1) === carriageReturn ? text.length - 1 : text.length;
  }

  #row(text: string): Row {
    const row = this.#template.slice();
    const fields = this.#fields;
    const bounds = this.#bounds;
    const nullText = this.#options.null;
    for (let i = 0; i < fields.length; i++) {
      const field = fields[i]!;
      if (field < 0) continue;
      const quoted = this.#quoted.size ? this.#quoted.get(field) : undefined;
      const value = quoted ?? text.slice(bounds[2 * field], bounds[2 * field + 1]);
      if (quoted === undefined && value === nullText) continue;
      const convert = this.#converts[i];
      try {
        row[i] = convert ? convert(value) : value;
      } catch (error) {
        throw this.#inColumn(error, field);
      }
    }
    return row;
  }

  /** Takes the first record: as the header, or as what tells the number of fields. */
  #begin(text: string, count: number, rows: Row[]): void {
    const { columns, outputs, pseudoName } = this.#target;
    const { hasHeader } = this.#options;
    const first = Array.from({ length: count }, (_, i) => {
      return this.#quoted.get(i) ?? text.slice(this.#bounds[2 * i], this.#bounds[2 * i + 1]);
    });
    const trimmed = first.map((name) => name.trim());
    const isHeader = hasHeader ?? columns.every(({ name }) => trimmed.includes(name));
    if (!isHeader && count !== columns.length) {
      const problem = `the first record has ${count} fields, the table ${columns.length} columns`;
      throw new SqlError("22P04", problem, {
        hint:
          hasHeader === undefined
            ? `columns are found by name where the first record names all of them; it has ${quoteNames(trimmed)}`
            : "see the options delimiter and has_header",
      });
    }
    const position = (field: number): number => {
      if (!isHeader) return field;
      const { name } = columns[field]!;
      const found = trimmed.indexOf(name);
      if (found < 0)
        throw new SqlError("HV005", `the file has no column "${name}"`, {
          hint: `it has ${quoteNames(trimmed)}; the column option column_name names another`,
        });
      return found;
    };
    if (isHeader && pseudoName !== undefined && trimmed.includes(pseudoName)) throw ownColumn(pseudoName);
    this.#fields = Int32Array.from(outputs, (output) => ("field" in output ? position(output.field) : -1));
    this.#converts = outputs.map((output) =>
      "field" in output ? converter(columns[output.field]!.type) : undefined,
    );
    this.#names = isHeader ? trimmed : columns.map(({ name }) => name);
    this.#width = count;
    if (!isHeader) rows.push(this.#row(text));
  }

  #wrongCount(count: number): SqlError {
    return new SqlError("22P04", `the record has ${count} fields instead of ${this.#width}`, {
      hint: "see the options delimiter and quote",
    });
  }

  #inColumn(error: unknown, field: number): unknown {
    if (!(error instanceof SqlError)) return error;
    const { sqlState, message, hint } = error;
    return new SqlError(sqlState, message, { hint, detail: `column ${this.#names[field]}` });
  }
}

export const ownColumn = (name: string) =>
  new SqlError("HV00D", `the file has a column "${name}" of its own`, {
    hint: `give the table option filename_column: another name for the objects' keys, or '' for none`,
  });

const quoteNames = (names: readonly string[]) =>
  names
    .slice(0, 50)
    .map((name) => `"${name.slice(0, 63)}"`)
    .join(", ");

function countLines(text: string): number {
  let lines = 0;
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) lines++;
  return lines;
}
