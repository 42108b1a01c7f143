import type { IncomingMessage, ServerResponse } from "node:http";
import { TLSSocket } from "node:tls";
import type { Objects } from "@overcoat/objects";
import type { Credential } from "./auth/credentials.ts";
import type { Verified } from "./auth/sigv4.ts";
import type { Rights } from "./authorize.ts";

/** What every operation knows of its server. */
export interface Service {
  readonly rights: Rights;
  readonly v2Auth: boolean;
  /** The key pair of an access key id. */
  lookup(id: string): Credential | undefined;
  readonly objects: Objects;
  readonly region: string;
  readonly publicUrl?: string;
  /** The origin, or `*`, that may use every bucket. */
  readonly allowOrigin?: string;
}

/** One request on its way through an operation. */
export interface Context {
  readonly service: Service;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly requestId: string;
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

type Headers = Record<string, string | number | undefined>;

/** Answers with headers and a body at hand. */
export function reply(
  context: Context,
  status: number,
  headers: Headers = {},
  body: string | Buffer = "",
): void {
  const { response } = context;
  const bytes = typeof body === "string" ? Buffer.from(body) : body;
  for (const name in headers) {
    const value = headers[name];
    if (value !== undefined) response.setHeader(name, value);
  }
  if (status !== 204 && status !== 304 && !response.hasHeader("content-length"))
    response.setHeader("content-length", bytes.length);
  response.writeHead(status);
  if (context.request.method === "HEAD" || bytes.length === 0) response.end();
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
  const scheme = request.socket instanceof TLSSocket ? "https" : "http";
  const bucketUrl =
    service.publicUrl === undefined
      ? `${scheme}://${request.headers.host ?? "localhost"}${bucketPath}`
      : `${service.publicUrl.replace(/\/$/, "")}/${bucket}`;
  return `${bucketUrl}/${key.split("/").map(encodeURIComponent).join("/")}`;
}

/** The owner that S3 answers show for all that is here. */
export const owner = { id: "65a011a29cdf8ec533ec3d1ccaae921c", name: "overcoat" };
