import type { IncomingHttpHeaders } from "node:http";
import { Readable } from "node:stream";
import { proxyAgent } from "./proxy.ts";

export type Headers = Readonly<Record<string, string | undefined>>;

/** Bytes to send, which can be read again when a call is repeated. */
export type RequestBody = string | Uint8Array | { readonly size: number; read(): AsyncIterable<Uint8Array> };

/** A call as it goes over the wire. */
export interface WireRequest {
  readonly method: string;
  /** Sent byte for byte as it is: the signature of a pre-authenticated address breaks when it is written anew. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: RequestBody;
  /** Milliseconds that the service may take on purpose, as for a call that waits for changes. */
  readonly waits?: number;
  readonly signal?: AbortSignal;
}

export interface WireResponse {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Readable;
}

/** Milliseconds. */
export interface TimeOuts {
  readonly connect: number;
  /** From the sent request to the head of the answer. */
  readonly headers: number;
  /** Between two pieces of an answer's body, while they are wanted. */
  readonly idle: number;
}

export interface Transport {
  /** @throws NetworkError, or what the body or the signal threw */
  send(request: WireRequest): Promise<WireResponse>;
  close(): Promise<void>;
}

/** No answer, or only a part of one. */
export class NetworkError extends Error {
  /** Such as `ECONNRESET`. */
  readonly code: string;
  /** Whether nothing of the call can have reached the service. */
  readonly unsent: boolean;

  constructor(error: unknown) {
    const code = String((error as NodeJS.ErrnoException).code ?? (error as Error).name);
    super(code);
    this.name = "NetworkError";
    this.code = code;
    this.unsent = unsentCodes.has(code);
  }
}

const unsentCodes = new Set([
  ...["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "EHOSTUNREACH", "ENETUNREACH", "UND_ERR_CONNECT_TIMEOUT"],
  ...["CERT_HAS_EXPIRED", "DEPTH_ZERO_SELF_SIGNED_CERT", "SELF_SIGNED_CERT_IN_CHAIN"],
  ...["UNABLE_TO_VERIFY_LEAF_SIGNATURE", "ERR_TLS_CERT_ALTNAME_INVALID"],
]);

/** The slowest upload that is not given up, in bytes a millisecond. */
const slowest = 32;

/**
 * HTTP/1.1 over undici: its URL parser stays out of the way, and each connection has a flow window of its own.
 */
export function openTransport({ connect, headers: head, idle }: TimeOuts): Transport {
  const agent = proxyAgent({ allowH2: false, connectTimeout: connect, bodyTimeout: idle });
  return {
    async send({ method, url, headers, body, waits = 0, signal }) {
      const [, origin = "", path] = /^(https?:\/\/[^/?#]+)([^#]*)/i.exec(url) ?? [];
      const source = body === undefined || isBytes(body) ? undefined : new Source(body);
      const length = body === undefined ? 0 : isBytes(body) ? Buffer.byteLength(body) : body.size;
      try {
        const response = await agent.request({
          origin,
          path: path === "" ? "/" : path!,
          method: method as "GET",
          headers: {
            ...headers,
            ...(source && { "content-length": String(length) }),
          },
          body: source ? Readable.from(source.read(), { objectMode: false }) : (body as string | Uint8Array),
          headersTimeout: head + waits + length / slowest,
          signal,
        });
        return {
          status: response.statusCode,
          headers: flat(response.headers),
          body: response.body,
        };
      } catch (error) {
        signal?.throwIfAborted();
        if (source?.failed) throw source.error;
        throw new NetworkError(error);
      }
    },
    // Ends connections at once: who closes a drive has waited for its calls.
    close: () => agent.destroy(),
  };
}

const isBytes = (body: RequestBody): body is string | Uint8Array =>
  typeof body === "string" || body instanceof Uint8Array;

/** A body that remembers that it was not the connection that broke. */
class Source {
  readonly #body: { read(): AsyncIterable<Uint8Array> };
  failed = false;
  error: unknown;

  constructor(body: { read(): AsyncIterable<Uint8Array> }) {
    this.#body = body;
  }

  async *read(): AsyncGenerator<Uint8Array> {
    try {
      yield* this.#body.read();
    } catch (error) {
      this.failed = true;
      this.error = error;
      throw error;
    }
  }
}

function flat(headers: IncomingHttpHeaders): Headers {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(", ") : value]),
  );
}
