import { SqlError } from "../../error.ts";
import type { Row } from "../../source.ts";
import { type Convert, converter } from "./convert.ts";
import type { Codes, RecordReader } from "./records.ts";
import { emptyRow, type Target } from "./target.ts";

/** Lines as they are, in the table's only column. */
export class LinesReader implements RecordReader {
  readonly #target: Target;
  readonly #convert: Convert;
  line = 1;

  /** @throws SqlError HV005 for a table of more columns */
  constructor(target: Target) {
    const [column, another] = target.columns;
    if (another)
      throw new SqlError("HV005", `files of format 'text' have one column, and no "${another.name}"`, {
        hint: "lines are in the one column, the object's key in filename; see the option format",
      });
    this.#target = target;
    this.#convert = column ? converter(column.type) : (text) => text;
  }

  read(text: string, _: Codes, last: boolean, rows: Row[]): number {
    const template = emptyRow(this.#target);
    const { outputs } = this.#target;
    let at = 0;
    while (at < text.length) {
      let end = text.indexOf("\n", at);
      if (end < 0) {
        if (!last) return at;
        end = text.length;
      }
      const line = text.slice(at, text[end - 1] === "\r" && end > at ? end - 1 : end);
      const row = template.slice();
      for (const [i, output] of outputs.entries()) if ("field" in output) row[i] = this.#convert(line);
      rows.push(row);
      this.line++;
      at = end + 1;
    }
    return Math.min(at, text.length);
  }
}
