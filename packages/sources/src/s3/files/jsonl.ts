import { SqlError } from "../../error.ts";
import type { Row, Value } from "../../source.ts";
import { type Convert, converter } from "./convert.ts";
import { ownColumn } from "./csv.ts";
import type { Codes, RecordReader } from "./records.ts";
import { emptyRow, type Target } from "./target.ts";

const code = (char: string) => char.charCodeAt(0);
const space = code(" ");
const quote = code('"');
const backslash = code("\\");
const colon = code(":");
const comma = code(",");
const open = code("{");
const close = code("}");
const openArray = code("[");
const closeArray = code("]");

/**
 * JSON objects, one a line, to columns by the names of their members. The members' values are cut out of the line
 * rather than parsed, so that numbers keep all their digits; what no column asks for is passed over.
 */
export class JsonLinesReader implements RecordReader {
  readonly #template: Value[];
  /** By member: the outputs that take its value. */
  readonly #outputs = new Map<string, number[]>();
  readonly #converts: readonly (((json: string) => Value) | undefined)[];
  readonly #pseudoName: string | undefined;
  /** Members in the order of the line before: most lines have the same. */
  readonly #seen: string[] = [];
  line = 1;

  constructor(target: Target) {
    const { outputs, columns, pseudoName } = target;
    this.#template = emptyRow(target);
    this.#converts = outputs.map((output, i) => {
      if (!("field" in output)) return undefined;
      const { name, type } = columns[output.field]!;
      const taken = this.#outputs.get(name);
      if (taken) taken.push(i);
      else this.#outputs.set(name, [i]);
      return jsonConverter(type);
    });
    this.#pseudoName = outputs.some((output) => "pseudo" in output) ? pseudoName : undefined;
  }

  read(text: string, codes: Codes, last: boolean, rows: Row[]): number {
    let at = 0;
    while (at < text.length) {
      let end = text.indexOf("\n", at);
      if (end < 0) {
        if (!last) return at;
        end = text.length;
      }
      const start = skipSpace(codes, at);
      if (start < end) rows.push(this.#row(text, codes, start, end));
      this.line++;
      at = end + 1;
    }
    return Math.min(at, text.length);
  }

  #row(text: string, codes: Codes, start: number, end: number): Row {
    const row = this.#template.slice();
    if (codes[start] !== open)
      throw malformed(
        "the line is no JSON object",
        "see the option format; one object must stand on each line",
      );
    let at = skipSpace(codes, start + 1);
    for (let member = 0; codes[at] !== close; member++) {
      if (member > 0) {
        if (codes[at] !== comma) throw malformed("a comma or } is missing in the JSON object");
        at = skipSpace(codes, at + 1);
      }
      if (codes[at] !== quote) throw malformed("a member's name is missing in the JSON object");
      const seen = this.#seen[member];
      let name: string;
      if (seen !== undefined && codes[at + 1 + seen.length] === quote && text.startsWith(seen, at + 1)) {
        name = seen;
        at += seen.length + 2;
      } else {
        const nameEnd = endOfString(codes, at, end);
        name = stringOf(text.slice(at, nameEnd));
        // Names with escapes are not recognised by their text.
        if (member < 1000 && nameEnd - at === name.length + 2) this.#seen[member] = name;
        at = nameEnd;
      }
      at = skipSpace(codes, at);
      if (codes[at] !== colon) throw malformed("a colon is missing in the JSON object");
      at = skipSpace(codes, at + 1);
      const valueEnd = endOfValue(text, codes, at, end);
      const outputs = this.#outputs.get(name);
      if (outputs) {
        const value = text.slice(at, valueEnd);
        for (const output of outputs)
          row[output] = value === "null" ? null : this.#convert(output, name, value);
      } else if (name === this.#pseudoName) throw ownColumn(name);
      at = skipSpace(codes, valueEnd);
    }
    if (skipSpace(codes, at + 1) < end) throw malformed("more text follows the JSON object on its line");
    return row;
  }

  #convert(output: number, name: string, json: string): Value {
    try {
      return this.#converts[output]!(json);
    } catch (error) {
      if (!(error instanceof SqlError)) throw error;
      throw new SqlError(error.sqlState, error.message, { hint: error.hint, detail: `member ${name}` });
    }
  }
}

const malformed = (message: string, hint?: string) => new SqlError("22P04", message, { hint });

/** Spaces and tabs and the carriage return of a line's end; line breaks are the reader's. */
function skipSpace(codes: Codes, start: number): number {
  let at = start;
  while (at < codes.length) {
    const char = codes[at];
    if (char !== space && char !== 9 && char !== 13) break;
    at++;
  }
  return at;
}

/** Behind the closing quote. */
function endOfString(codes: Codes, start: number, end: number): number {
  for (let at = start + 1; at < end; at++) {
    const char = codes[at];
    if (char === backslash) at++;
    else if (char === quote) return at + 1;
  }
  throw malformed("a string in the JSON object is not closed on its line");
}

function endOfValue(text: string, codes: Codes, start: number, end: number): number {
  const first = codes[start];
  if (first === quote) return endOfString(codes, start, end);
  if (first === open || first === openArray) return endOfNested(codes, start, end);
  let at = start;
  while (at < end) {
    const char = codes[at];
    if (char === comma || char === close || char === space || char === 9 || char === 13) break;
    at++;
  }
  if (!isScalar(text, start, at)) throw malformed("a value in the JSON object is missing or no JSON");
  return at;
}

const scalar = /(?:true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)(?![^,}\s])/y;

function isScalar(text: string, start: number, end: number): boolean {
  scalar.lastIndex = start;
  return scalar.test(text) && scalar.lastIndex === end;
}

/** Behind the bracket that closes the value; whether it is JSON is seen where it is asked for. */
function endOfNested(codes: Codes, start: number, end: number): number {
  let depth = 0;
  for (let at = start; at < end; at++) {
    const char = codes[at];
    if (char === quote) at = endOfString(codes, at, end) - 1;
    else if (char === open || char === openArray) depth++;
    else if ((char === close || char === closeArray) && --depth === 0) return at + 1;
  }
  throw malformed("a value in the JSON object is not closed on its line");
}

function stringOf(json: string): string {
  if (!json.includes("\\") && !/[\x00-\x1f]/.test(json)) return json.slice(1, -1);
  return parse(json) as string;
}

function parse(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    throw malformed(`a value is no JSON: ${json.slice(0, 100)}`);
  }
}

/** From a member's JSON to a column's value: strings are read as the type's text, arrays fill array columns. */
function jsonConverter(type: string): (json: string) => Value {
  if (/^jsonb?$/.test(type)) return converter(type);
  const convert: Convert = converter(type);
  if (type.endsWith("]"))
    return (json) => (json.charCodeAt(0) === openArray ? (parse(json) as object) : convert(stringOf(json)));
  return (json) => {
    const first = json.charCodeAt(0);
    if (first === quote) return convert(stringOf(json));
    if (first === open || first === openArray) parse(json);
    return convert(json);
  };
}
