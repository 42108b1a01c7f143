import { S3Error } from "../errors.ts";

/** A form as far as its file, which is yet to be read. */
export interface Form {
  /** What came before the file, by lower-case name. */
  readonly fields: Map<string, string>;
  /** Without its path. */
  readonly filename: string;
  /** The file's bytes; throws when the form breaks off. */
  readonly file: AsyncIterable<Buffer>;
}

const largestField = 20 * 1024;
const largestPartHeader = 16 * 1024;
const mostFields = 100;
const largestForm = 1024 * 1024;

const malformed = () => new S3Error("MalformedPOSTRequest");
const tooLarge = () =>
  new S3Error(
    "MaxMessageLengthExceeded",
    "Your POST request fields preceding the upload file were too large.",
  );
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function decode(bytes: Buffer): string {
  try {
    return utf8.decode(bytes);
  } catch {
    throw malformed();
  }
}

/** The parameters of a header such as Content-Type, by lower-case name. */
function parameters(value: string): Map<string, string> {
  const found = new Map<string, string>();
  const pattern = /;\s*([^\s=;]+)\s*=\s*(?:"((?:\\"|[^"])*)"|([^;]*))\s*/y;
  const start = value.indexOf(";");
  if (start < 0) return found;
  pattern.lastIndex = start;
  for (let match = pattern.exec(value); match; match = pattern.exec(value))
    found.set(match[1]!.toLowerCase(), match[2]?.replaceAll('\\"', '"') ?? match[3]!.trim());
  return found;
}

/** The name of RFC 5987's `filename*`, where it can be read. */
function extendedName(value: string | undefined): string | undefined {
  const match = /^utf-8'[^']*'(.*)$/i.exec(value ?? "");
  if (!match) return undefined;
  try {
    return decodeURIComponent(match[1]!);
  } catch {
    return undefined;
  }
}

/** Takes bytes off the front of a stream up to a mark. */
class Reader {
  readonly #source: AsyncIterator<Buffer>;
  #held: Buffer = Buffer.from("\r\n");
  #before = 0;

  constructor(source: AsyncIterator<Buffer>) {
    this.#source = source;
  }

  /** @throws S3Error MalformedPOSTRequest at the end, MaxMessageLengthExceeded beyond what a form may have */
  async #more(counted: boolean): Promise<void> {
    const { done, value } = await this.#source.next();
    if (done) throw malformed();
    if (counted && this.#before > largestForm) throw tooLarge();
    this.#held = this.#held.length === 0 ? value : Buffer.concat([this.#held, value]);
  }

  /** What comes before the mark; the mark is dropped. */
  async until(mark: Buffer, most: number): Promise<Buffer> {
    let searched = 0;
    for (;;) {
      const at = this.#held.indexOf(mark, searched);
      if ((at < 0 ? this.#held.length - mark.length : at) > most) throw tooLarge();
      if (at >= 0) {
        const taken = this.#held.subarray(0, at);
        this.#held = this.#held.subarray(at + mark.length);
        this.#before += at + mark.length;
        if (this.#before > largestForm) throw tooLarge();
        return taken;
      }
      searched = Math.max(0, this.#held.length - mark.length + 1);
      await this.#more(true);
    }
  }

  /** As `until`, piece by piece and of any length. */
  async *stream(mark: Buffer): AsyncGenerator<Buffer, void, undefined> {
    for (;;) {
      const at = this.#held.indexOf(mark);
      const ready = at >= 0 ? at : Math.max(0, this.#held.length - mark.length + 1);
      if (ready > 0) {
        const taken = this.#held.subarray(0, ready);
        this.#held = this.#held.subarray(ready);
        yield taken;
      }
      if (at >= 0) return;
      await this.#more(false);
    }
  }

  /** Whether the delimiter just read was the last one. */
  async atEnd(): Promise<boolean> {
    while (this.#held.length < 2) await this.#more(true);
    if (this.#held[0] === 45 && this.#held[1] === 45) return true;
    const padding = await this.until(lineEnd, 256);
    if (/[^ \t]/.test(padding.toString("latin1"))) throw malformed();
    return false;
  }
}

const lineEnd = Buffer.from("\r\n");
const headerEnd = Buffer.from("\r\n\r\n");

/**
 * Reads a multipart/form-data body (RFC 7578) as far as its part `file`. What comes after the file is left.
 * @throws S3Error MalformedPOSTRequest, MaxMessageLengthExceeded, InvalidArgument without a file
 */
export async function readForm(source: AsyncIterator<Buffer>, contentType: string): Promise<Form> {
  const boundary = parameters(contentType).get("boundary");
  if (!boundary || boundary.length > 200) throw malformed();
  const delimiter = Buffer.from(`\r\n--${boundary}`, "latin1");
  const reader = new Reader(source);
  const fields = new Map<string, string>();
  await reader.until(delimiter, largestField);
  while (!(await reader.atEnd())) {
    const lines = decode(await reader.until(headerEnd, largestPartHeader)).split("\r\n");
    const disposition = lines.find((line) => /^content-disposition\s*:\s*form-data\s*;/i.test(line));
    const named = parameters(disposition ?? "");
    const name = named.get("name")?.toLowerCase();
    if (!name) throw malformed();
    if (name === "file") {
      const filename = extendedName(named.get("filename*")) ?? named.get("filename") ?? "";
      return { fields, filename: filename.split(/[\\/]/).at(-1)!, file: reader.stream(delimiter) };
    }
    if (fields.has(name))
      throw new S3Error("InvalidArgument", `The form has more than one field '${name}'.`, {
        ArgumentName: name,
      });
    if (fields.size >= mostFields) throw tooLarge();
    fields.set(name, await value(reader, delimiter));
  }
  throw new S3Error("InvalidArgument", "POST requires exactly one file upload per request.", {
    ArgumentName: "file",
    ArgumentValue: "0",
  });
}

const value = async (reader: Reader, delimiter: Buffer) =>
  decode(await reader.until(delimiter, largestField));
