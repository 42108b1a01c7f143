import type { IncomingMessage, ServerResponse } from "node:http";
import type { Objects } from "@overcoat/objects";
import type { Credential } from "./auth/credentials.ts";
import type { Verified } from "./auth/sigv4.ts";
import type { Rights } from "./authorize.ts";
import type { Forwarded } from "./forwarded.ts";

/** What every operation knows of its server. */
export interface Service {
  readonly rights: Rights;
  readonly v2Auth: boolean;
  /** The key pair of an access key id. */
  lookup(id: string): Credential | undefined;
  readonly objects: Objects;
  readonly region: string;
  readonly publicUrl?: string;
  readonly forwarded: Forwarded;
  /** Origins, or `*`, that may use every bucket from a browser. */
  readonly allowOrigins: readonly string[];
}

/** Headers by their names in lower case; what is undefined is not sent. */
export type Headers = Record<string, string | number | undefined>;

/** A request and what becomes its answer. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly requestId: string;
  /** What the answer has in any case; headers of the operation itself go before these. */
  readonly headers: Headers;
}

/** One request on its way through an operation. */
export interface Context extends Exchange {
  readonly service: Service;
  /** Empty for the service itself. */
  readonly bucket: string;
  /** Path of the bucket's address: without its name where the Host header has that. */
  readonly bucketPath: string;
  /** Empty for the bucket itself. */
  readonly key: string;
  readonly query: ReadonlyMap<string, string>;
  readonly verified: Verified | "anonymous";
  readonly credential: Credential | undefined;
}

export type Operation = (context: Context) => Promise<void>;

/** Bodies up to this size go out as text together with their head: one write where a buffer would be a second. */
const withHead = 16 * 1024;

/** Sends the head of the answer, all headers at once: one by one they cost Node.js more than the rest of it. */
export function sendHead({ response, headers: always }: Exchange, status: number, headers: Headers): void {
  const list: (string | number)[] = [];
  for (const name in always) {
    const value = always[name];
    if (value !== undefined && headers[name] === undefined) list.push(name, value);
  }
  for (const name in headers) {
    const value = headers[name];
    if (value !== undefined) list.push(name, value);
  }
  response.writeHead(status, list);
}

/** Answers with headers and a body at hand; its length is sent unless the headers have one. */
export function reply(
  exchange: Exchange,
  status: number,
  headers: Headers = {},
  body: string | Buffer = "",
): void {
  const { request, response } = exchange;
  const bytes = typeof body === "string" ? Buffer.from(body) : body;
  if (status !== 204 && status !== 304 && headers["content-length"] === undefined)
    sendHead(exchange, status, { ...headers, "content-length": bytes.length });
  else sendHead(exchange, status, headers);
  if (request.method === "HEAD" || bytes.length === 0) response.end();
  else if (bytes.length <= withHead) response.end(bytes.toString("latin1"), "latin1");
  else response.end(bytes);
}

export const replyXml = (context: Context, xml: string, status = 200) =>
  reply(context, status, { "content-type": "application/xml" }, xml);

/** One request header. */
export function header(context: Context, name: string): string | undefined {
  const value = context.request.headers[name];
  return Array.isArray(value) ? value.join(",") : value;
}

/** The address of an object of the request's bucket, as the client reaches it. */
export function locationOf({ request, service, bucket, bucketPath }: Context, key: string): string {
  const bucketUrl =
    service.publicUrl === undefined
      ? `${service.forwarded.scheme(request)}://${request.headers.host ?? "localhost"}${bucketPath}`
      : `${service.publicUrl.replace(/\/$/, "")}/${bucket}`;
  return `${bucketUrl}/${key.split("/").map(encodeURIComponent).join("/")}`;
}

/** The owner that S3 answers show for all that is here. */
export const owner = { id: "65a011a29cdf8ec533ec3d1ccaae921c", name: "overcoat" };
