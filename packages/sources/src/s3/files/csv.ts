import { SqlError } from "../../error.ts";
import type { Options, Row, Value } from "../../source.ts";
import { booleanOption } from "../options.ts";
import { type Convert, converter } from "./convert.ts";
import type { Codes, RecordReader } from "./records.ts";
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

/** How a field stands in the text. */
const plain = 0;
const quoted = 1;
const unescaped = 2;

/** Records of RFC 4180, and what PostgreSQL's COPY makes of them: unquoted `null` is NULL, "" is not. */
export class CsvReader implements RecordReader {
  readonly #target: Target;
  readonly #options: CsvOptions;
  readonly #delimiter: number;
  readonly #quote: number;
  line = 1;
  /** Of the records, once the first one was read. */
  #width = 0;
  /** By output: the field of its value, -1 for none, and how it is read. */
  #fields: Int32Array = new Int32Array();
  #converts: (Convert | undefined)[] = [];
  #template: Value[];
  #names: readonly string[] = [];
  /** Fields of the record that is being read. */
  #count = 0;
  /** Where the fields of a record begin and end in the text, in turn. */
  #bounds = new Int32Array(64);
  /** By field: whether it has quotes. */
  #kinds = new Uint8Array(32);
  /** Fields whose text is not as it stands within the quotes. */
  readonly #texts = new Map<number, string>();
  /** Line breaks within quotes. */
  #breaks = 0;
  #hasQuotes = false;

  constructor(target: Target, options: CsvOptions) {
    this.#target = target;
    this.#options = options;
    this.#delimiter = options.delimiter.charCodeAt(0);
    this.#quote = options.quote.charCodeAt(0);
    this.#template = emptyRow(target);
  }

  /** What the header names, once it was read; else the table's columns. */
  get names(): readonly string[] {
    return this.#names;
  }

  read(text: string, codes: Codes, last: boolean, rows: Row[]): number {
    const { length } = text;
    let at = 0;
    while (at < length) {
      const next = this.#split(text, codes, at, last);
      if (next < 0) return at;
      const count = this.#count;
      if (this.#width === 0) this.#begin(text, count, rows);
      else if (count === this.#width) rows.push(this.#row(text));
      // An empty line is no record, unless records have one field.
      else if (!(count === 1 && this.#bounds[0] === this.#bounds[1] && this.#kinds[0] === plain))
        throw this.#wrongCount(count);
      this.line += 1 + this.#breaks;
      if (this.#hasQuotes) this.#forgetQuotes();
      at = next;
    }
    return Math.min(at, length);
  }

  /** Finds the fields of a record, and what comes behind it; -1 if it goes on behind the text. */
  #split(text: string, codes: Codes, start: number, last: boolean): number {
    const { length } = codes;
    const delimiter = this.#delimiter;
    const quote = this.#quote;
    const highest = Math.max(delimiter, quote, newline);
    let bounds = this.#bounds;
    let at = start;
    for (let field = 0; ; field++) {
      if (2 * field + 2 > bounds.length) bounds = this.#grow();
      if (codes[at] === quote) {
        at = this.#quotedField(text, at, field, last);
        if (at < 0) return at;
        if (codes[at] === carriageReturn && (at + 1 === length || codes[at + 1] === newline)) at++;
        if (at < length && codes[at] !== delimiter && codes[at] !== newline)
          throw new SqlError("22P04", "more text follows the closing quote of a field");
      } else {
        const begin = at;
        for (; at < length; at++) {
          const code = codes[at]!;
          if (code > highest) continue;
          if (code === delimiter || code === newline) break;
          if (code === quote)
            throw new SqlError("22P04", "a quote stands within a field that does not begin with one", {
              hint: "see the option quote",
            });
        }
        const isLast = at === length || codes[at] === newline;
        bounds[2 * field] = begin;
        bounds[2 * field + 1] = isLast && at > begin && codes[at - 1] === carriageReturn ? at - 1 : at;
      }
      if (codes[at] === delimiter) at++;
      else {
        this.#count = field + 1;
        return at + 1;
      }
    }
  }

  #grow(): Int32Array<ArrayBuffer> {
    const bounds = new Int32Array(2 * this.#bounds.length);
    bounds.set(this.#bounds);
    this.#bounds = bounds;
    const kinds = new Uint8Array(bounds.length / 2);
    kinds.set(this.#kinds);
    this.#kinds = kinds;
    return bounds;
  }

  /** Finds the text within quotes, and what comes behind the closing one; -1 if there is none. */
  #quotedField(text: string, open: number, field: number, last: boolean): number {
    const { quote, escape: escaping } = this.#options;
    this.#hasQuotes = true;
    let value: string | undefined;
    let from = open + 1;
    for (let at = from; ; ) {
      const close = text.indexOf(quote, at);
      const escaped = escaping === quote ? close : text.indexOf(escaping, at);
      const first = escaped >= 0 && (escaped < close || close < 0) ? escaped : close;
      if (first < 0) {
        this.#forgetQuotes();
        if (!last) return -1;
        throw new SqlError("22P04", "a quoted field is not closed before the end of the file", {
          hint: "see the options quote and escape",
        });
      }
      const following = text[first + 1];
      if (first === escaped && (following === quote || following === escaping)) {
        value = (value ?? "") + text.slice(from, first) + following;
        from = at = first + 2;
      } else if (first === close) {
        this.#bounds[2 * field] = from;
        this.#bounds[2 * field + 1] = close;
        this.#kinds[field] = value === undefined ? quoted : unescaped;
        if (value !== undefined) this.#texts.set(field, value + text.slice(from, close));
        this.#breaks += countBreaks(text, open, close);
        return close + 1;
      } else at = first + 1;
    }
  }

  #forgetQuotes(): void {
    this.#kinds.fill(plain);
    this.#texts.clear();
    this.#breaks = 0;
    this.#hasQuotes = false;
  }

  /** The text of a field of the record that was split last. */
  #text(text: string, field: number): string {
    if (this.#kinds[field] === unescaped) return this.#texts.get(field)!;
    return text.slice(this.#bounds[2 * field], this.#bounds[2 * field + 1]);
  }

  #row(text: string): Row {
    const row = this.#template.slice();
    const fields = this.#fields;
    const nullText = this.#options.null;
    for (let i = 0; i < fields.length; i++) {
      const field = fields[i]!;
      if (field < 0) continue;
      const value = this.#text(text, field);
      if (value === nullText && this.#kinds[field] === plain) continue;
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
      return this.#text(text, i);
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

function countBreaks(text: string, start: number, end: number): number {
  let count = 0;
  for (let at = text.indexOf("\n", start); at >= 0 && at < end; at = text.indexOf("\n", at + 1)) count++;
  return count;
}
