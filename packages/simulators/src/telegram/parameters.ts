import { BotApiError, badRequest } from "./errors.ts";
import { readForm, type SentFile } from "./form.ts";

/** Bytes of the largest file that a bot may send, as Telegram documents for sendDocument, and some for the form. */
const mostBytes = 50 * 1024 * 1024 + 64 * 1024;

/**
 * What a call was given, by name, whether it came as JSON, as a form or in the query. Each parameter must be asked
 * for: `done` refuses a call that gives one which its method does not know.
 */
export class Parameters {
  readonly #values: ReadonlyMap<string, unknown>;
  readonly #asked = new Set<string>();

  constructor(values: Iterable<readonly [string, unknown]>) {
    this.#values = new Map(values);
  }

  #take(name: string): unknown {
    this.#asked.add(name);
    return this.#values.get(name) ?? undefined;
  }

  text(name: string): string | undefined {
    const value = this.#take(name);
    return value === undefined || typeof value === "object" ? undefined : String(value);
  }

  integer(name: string): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    if (!/^-?\d+$/.test(text)) throw badRequest(`invalid ${name} specified`);
    return Number(text);
  }

  boolean(name: string): boolean {
    return /^(true|1)$/i.test(this.text(name) ?? "");
  }

  /** An object or array, which forms have as JSON in text. */
  json<T>(name: string): T | undefined {
    const value = this.#take(name);
    if (typeof value !== "string") return value as T | undefined;
    try {
      return JSON.parse(value) as T;
    } catch {
      throw badRequest(`can't parse ${name} JSON object`);
    }
  }

  /** A file that is sent along: in the part of this name, or in the one that `attach://PART` names. */
  file(name: string): SentFile | undefined {
    const value = this.#take(name);
    const attached = typeof value === "string" ? /^attach:\/\/(.+)$/.exec(value)?.[1] : undefined;
    const file = attached === undefined ? value : this.#take(attached);
    return typeof file === "object" && file !== null && "bytes" in file ? (file as SentFile) : undefined;
  }

  /** @throws BotApiError for a parameter that nobody asked for: the real service passes over it, and hides a mistake */
  done(): void {
    for (const name of this.#values.keys())
      if (!this.#asked.has(name)) throw badRequest(`parameter "${name}" is unknown to this stand-in`);
  }
}

/** Reads the parameters of a call. @throws BotApiError 413 and for what cannot be read */
export async function readParameters(
  url: URL,
  type: string | undefined,
  body: AsyncIterable<Buffer>,
): Promise<Parameters> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > mostBytes) throw new BotApiError(413, "Request Entity Too Large");
    chunks.push(chunk);
  }
  const bytes = Buffer.concat(chunks);
  const query = [...url.searchParams];
  if (size === 0) return new Parameters(query);
  if (type?.startsWith("application/json")) {
    const values: unknown = JSON.parse(bytes.toString());
    if (typeof values !== "object" || values === null) throw badRequest("can't parse JSON object");
    return new Parameters([...query, ...Object.entries(values)]);
  }
  return new Parameters([...query, ...readForm(bytes, type ?? "")]);
}
