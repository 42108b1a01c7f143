import { isAscii, isUtf8 } from "node:buffer";
import { SqlError } from "../../error.ts";
import type { Row } from "../../source.ts";

/** Bytes of the longest record: more is no table. */
export const longestRecord = 16 * 1024 * 1024;

export type Codes = Uint8Array | Uint16Array;

/**
 * Bytes that are read at once, but for the first rows, which are given as soon as they are there: one batch then
 * holds what the reader takes at once, and the next is made while it works.
 */
const worthReading = 256 * 1024;

/** Reads the records of one file, in order. */
export interface RecordReader {
  /**
   * Adds the rows of all whole records in the text and returns how many characters those take. With `last` the
   * text is the file's end. `codes` are the text's UTF-16 units, which are quicker to look at.
   * @throws SqlError 22P04 and others, whose detail is the line that `line` tells.
   */
  read(text: string, codes: Codes, last: boolean, rows: Row[]): number;
  /** Of the record that is read next, or is being read, from 1. */
  readonly line: number;
}

/** The rows of a file of text, batch by batch. Errors name the object and the line. */
export async function* readRecords(
  chunks: AsyncIterable<Buffer>,
  reader: RecordReader,
  name: string,
): AsyncGenerator<Row[]> {
  /** What is left of a record that the chunks so far did not end. */
  let rest: Buffer[] = [];
  let length = 0;
  /** Below this it is not looked at again, so that also a long record is not read over and over. */
  let enough = 0;
  let first = true;
  const take = (last: boolean): Row[] => {
    let bytes = rest.length === 1 ? rest[0]! : Buffer.concat(rest, length);
    if (first && bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) bytes = bytes.subarray(3);
    first = false;
    const whole = last ? bytes.length : bytes.lastIndexOf(newline) + 1;
    const rows: Row[] = [];
    const { text, codes } = decode(bytes.subarray(0, whole), reader.line);
    const used = text === "" ? 0 : reader.read(text, codes, last, rows);
    const usedBytes = used === text.length ? whole : Buffer.byteLength(text.slice(0, used));
    const left = bytes.subarray(usedBytes);
    rest = left.length ? [left] : [];
    length = left.length;
    enough = Math.max(Math.min(2 * length, longestRecord), worthReading);
    if (length > longestRecord)
      throw new SqlError("54000", `a record is longer than ${longestRecord} bytes`, {
        hint: "see the options format, delimiter and quote",
      });
    return rows;
  };
  try {
    for await (const chunk of chunks) {
      rest.push(chunk);
      length += chunk.length;
      if (length < enough || (first && length < 3)) continue;
      const rows = take(false);
      if (rows.length) yield rows;
    }
    if (length) {
      const rows = take(true);
      if (rows.length) yield rows;
    }
  } catch (error) {
    throw locate(error, name, reader.line);
  }
}

const newline = 10;

/** `line` is that of the first byte. */
function decode(bytes: Buffer, line: number): { text: string; codes: Codes } {
  if (isAscii(bytes)) return { text: bytes.toString("latin1"), codes: bytes };
  if (isUtf8(bytes)) {
    const text = bytes.toString();
    return { text, codes: codesOf(text) };
  }
  let bad = line;
  for (let at = 0; ; bad++) {
    const end = bytes.indexOf(newline, at);
    if (end < 0 || !isUtf8(bytes.subarray(at, end))) break;
    at = end + 1;
  }
  throw new LocatedError(bad, "22021", "the file is no text in UTF-8", {
    hint: "see the options format and compress",
  });
}

export function codesOf(text: string): Codes {
  const bytes = Buffer.allocUnsafeSlow(2 * text.length);
  bytes.write(text, "utf16le");
  return new Uint16Array(bytes.buffer);
}

/** An error whose line is known. */
class LocatedError extends SqlError {
  readonly line: number;

  constructor(line: number, ...rest: ConstructorParameters<typeof SqlError>) {
    super(...rest);
    this.line = line;
  }
}

/** Tells where in which file it was. */
function locate(error: unknown, name: string, standsAt: number): unknown {
  const line = error instanceof LocatedError ? error.line : standsAt;
  if (error instanceof SqlError && /^(22|54)/.test(error.sqlState))
    return new SqlError(error.sqlState, error.message, {
      cause: error.cause,
      hint: error.hint,
      detail: `${name}, line ${line}${error.detail ? `: ${error.detail}` : ""}`,
    });
  return error;
}
