import type { IncomingHttpHeaders } from "node:http";
import type { Content } from "./content.ts";

/** A request to a stand-in. */
export interface Call {
  readonly method: string;
  /** `http://host:port` as the client addressed it. */
  readonly origin: string;
  /** The path as sent, still percent-encoded. */
  readonly path: string;
  /** The query as sent, without its question mark. */
  readonly rawQuery: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  /** Breaks off with an error when the connection does. */
  readonly body: AsyncIterable<Buffer>;
}

export interface Reply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON; text as it is. */
  readonly body?: unknown;
  /** Bytes instead of a body, from `start` up to but without `end`. */
  readonly bytes?: { readonly content: Content; readonly start: number; readonly end: number };
}

/** What a call asks for. */
export interface Operation {
  /** Method and kind of resource, for the call log and for faults: `GET children`. */
  readonly endpoint: string;
  run(): Promise<Reply> | Reply;
}

/** A body that is too large to be read at once. */
export class TooLarge extends Error {}

/** The whole body. @throws TooLarge beyond `most` bytes */
export async function readBody(call: Call, most = 4 * 1024 * 1024): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of call.body) {
    size += chunk.length;
    if (size > most) throw new TooLarge(`The body is larger than ${most} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
