import type { Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { DriveError } from "../../drive.ts";
import { type Headers, NetworkError } from "./transport.ts";

const mostText = 64 * 1024;
const mostJson = 64 * 1024 * 1024;

/** The first 64 KiB of a body. @throws NetworkError */
export async function readText(body: Readable, headers: Headers): Promise<string> {
  return (await collect(plain(body, headers), mostText, false)).toString();
}

/** A body of at most 64 MiB; undefined where it is no JSON. @throws NetworkError also where it is not whole */
export async function readJson<T>(body: Readable, headers: Headers): Promise<T> {
  if (!headers["content-type"]?.includes("json")) {
    await readText(body, headers);
    return undefined as T;
  }
  const text = (await collect(plain(body, headers), mostJson, true)).toString();
  if (text === "") return undefined as T;
  try {
    return JSON.parse(text) as T;
  } catch {
    throw new NetworkError({ code: "ERR_BROKEN_JSON" });
  }
}

/** The bytes of an answer as they come. They must be read to the end, or iteration or the whole be given up. */
export interface ByteStream extends AsyncIterable<Buffer> {
  /** Gives up what has not been read. */
  destroy(): void;
}

export function byteStream(body: Readable, name: string): ByteStream {
  // Nobody may be listening when the connection breaks: whoever reads on gets to know.
  body.on("error", () => {});
  return { [Symbol.asyncIterator]: () => iterate(body, name), destroy: () => void body.destroy() };
}

async function* iterate(body: Readable, name: string): AsyncGenerator<Buffer> {
  try {
    yield* body as AsyncIterable<Buffer>;
  } catch (error) {
    const { code } = new NetworkError(error);
    throw new DriveError("Unavailable", `The download from ${name} broke off (${code})`);
  }
}

function plain(body: Readable, headers: Headers): AsyncIterable<Buffer> {
  if (headers["content-encoding"] !== "gzip") return body;
  const gunzip = createGunzip();
  body.once("error", (error) => gunzip.destroy(error));
  gunzip.once("close", () => body.destroy());
  return body.pipe(gunzip);
}

async function collect(body: AsyncIterable<Buffer>, most: number, whole: boolean): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of body) {
      size += chunk.length;
      chunks.push(chunk);
      if (size > most) break;
    }
  } catch (error) {
    throw new NetworkError(error);
  }
  if (whole && size > most) throw new NetworkError({ code: "ERR_BODY_TOO_LARGE" });
  return Buffer.concat(chunks).subarray(0, most);
}
