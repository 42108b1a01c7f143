import { randomBytes } from "node:crypto";
import http, { type IncomingMessage, type ServerResponse } from "node:http";
import https from "node:https";
import type { AddressInfo } from "node:net";
import { type Objects, ObjectsError } from "@overcoat/objects";
import type { Credential } from "./auth/credentials.ts";
import { authenticate } from "./auth/index.ts";
import { perform, type Rights } from "./authorize.ts";
import { type Context, reply, type Service } from "./context.ts";
import { allowOrigin, preflight } from "./cors.ts";
import { S3Error } from "./errors.ts";
import { Metrics } from "./metrics.ts";
import { route } from "./router.ts";
import { element } from "./xml.ts";

export interface S3ServerOptions {
  readonly objects: Objects;
  readonly region: string;
  /** Without any, everybody may do everything. */
  readonly credentials: readonly Credential[];
  /** Buckets that anybody may read. */
  readonly anonymousRead?: readonly string[];
  readonly v2Auth: boolean;
  /** Domains whose sub-domains are buckets. */
  readonly domains: readonly string[];
  readonly readOnly: boolean;
  /** Origin for `Access-Control-Allow-Origin` on every answer. */
  readonly allowOrigin?: string;
  /** Path before all others. */
  readonly baseUrl?: string;
  readonly responseHeaders: readonly (readonly [string, string])[];
  /** What shown addresses begin with. */
  readonly publicUrl?: string;
  /** Bytes. */
  readonly maxHeaderBytes?: number;
  /** Milliseconds in which a whole request must arrive; 0 for no limit. */
  readonly readTimeout?: number;
  /** Milliseconds that a connection may stand still; 0 for no limit. */
  readonly writeTimeout?: number;
  readonly tls?: { cert: Buffer; key: Buffer; ca?: Buffer; minVersion?: string };
  /** Called once a request, with what a log should hold. */
  readonly log?: (entry: object) => void;
}

const headersTimeout = 30_000;
const standStill = 120_000;
/** Bytes of a refused body that are still read, so that the client sees the answer. */
const drained = 1 << 20;

/** A server of the S3 protocol on objects. */
export class S3Server {
  readonly #options: S3ServerOptions;
  readonly #server: http.Server;
  readonly #metrics = new Metrics();
  readonly #credentials: ReadonlyMap<string, Credential>;
  readonly #rights: Rights;
  readonly #service: Service;
  #requests = 0;

  constructor(options: S3ServerOptions) {
    this.#options = options;
    this.#credentials = new Map(options.credentials.map((one) => [one.accessKeyId, one]));
    this.#rights = {
      open: options.credentials.length === 0,
      anonymousRead: new Set(options.anonymousRead),
      readOnly: options.readOnly,
    };
    this.#service = {
      objects: options.objects,
      region: options.region,
      publicUrl: options.publicUrl,
      v2Auth: options.v2Auth,
      rights: this.#rights,
      lookup: (id) => this.#credentials.get(id),
    };
    const settings: http.ServerOptions = {
      keepAliveTimeout: 65_000,
      headersTimeout,
      requestTimeout: options.readTimeout ?? 0,
      maxHeaderSize: options.maxHeaderBytes ?? 64 * 1024,
      noDelay: true,
    };
    const listener = (request: IncomingMessage, response: ServerResponse) =>
      void this.#handle(request, response);
    const { tls } = options;
    this.#server = tls
      ? https.createServer(
          {
            ...settings,
            cert: tls.cert,
            key: tls.key,
            ca: tls.ca,
            requestCert: tls.ca !== undefined,
            minVersion: tls.minVersion as "TLSv1.2" | undefined,
          },
          listener,
        )
      : http.createServer(settings, listener);
    this.#server.timeout = options.writeTimeout || standStill;
    this.#server.on("clientError", refuseUnparsed);
  }

  get ready(): boolean {
    return this.#server.listening;
  }

  /** @throws when the address cannot be listened on. */
  listen(address: { host?: string; port: number }): Promise<{ host: string; port: number }> {
    return new Promise((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen({ host: address.host, port: address.port }, () => {
        this.#server.off("error", reject);
        const bound = this.#server.address() as AddressInfo;
        resolve({ host: bound.address, port: bound.port });
      });
    });
  }

  /** Stops accepting, lets requests under way finish for `graceMs` milliseconds, then cuts them. */
  async close(graceMs: number): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeIdleConnections();
    const timer = setTimeout(() => this.#server.closeAllConnections(), graceMs);
    await closed;
    clearTimeout(timer);
  }

  /** Counters in Prometheus' text format. */
  metrics(): Promise<string> {
    return this.#metrics.text();
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const start = performance.now();
    const requestId = requestPrefix + (this.#requests++).toString(16).toUpperCase().padStart(8, "0");
    response.setHeader("x-amz-request-id", requestId);
    response.setHeader("x-amz-id-2", requestId);
    response.setHeader("server", "Overcoat");
    for (const [name, value] of this.#options.responseHeaders) response.setHeader(name, value);
    if (this.#options.allowOrigin)
      response.setHeader("access-control-allow-origin", this.#options.allowOrigin);
    let operation = "Unknown";
    let context: Context | undefined;
    try {
      context = this.#context(request, response, requestId);
      if (request.method === "OPTIONS") {
        operation = "Preflight";
        await preflight(context);
      } else {
        await allowOrigin(context);
        const found = route(context);
        operation = found.name;
        await perform(context, found);
      }
    } catch (error) {
      fail(request, response, requestId, error, this.#options.log);
    }
    if (!request.complete) drain(request, response);
    const seconds = (performance.now() - start) / 1000;
    this.#metrics.observe(operation, response.statusCode, seconds);
    this.#options.log?.({
      requestId,
      method: request.method,
      path: request.url?.split("?", 1)[0],
      operation,
      status: response.statusCode,
      accessKeyId: context?.credential?.accessKeyId,
      milliseconds: Math.round(seconds * 1000),
    });
  }

  #context(request: IncomingMessage, response: ServerResponse, requestId: string): Context {
    const url = request.url ?? "/";
    const mark = url.indexOf("?");
    const rawPath = mark < 0 ? url : url.slice(0, mark);
    const rawQuery = mark < 0 ? "" : url.slice(mark + 1);
    if (!rawPath.startsWith("/")) throw new S3Error("InvalidURI");
    const hostBucket = this.#bucketOfHost(request.headers.host ?? "");
    const verified =
      request.method === "OPTIONS"
        ? "anonymous"
        : authenticate(
            { method: request.method ?? "", rawPath, rawQuery, headers: request.headers },
            {
              lookup: this.#service.lookup,
              v2Allowed: this.#options.v2Auth,
              bucketFromHost: hostBucket,
            },
          );
    const base = this.#options.baseUrl?.replace(/^\/*|\/*$/g, "");
    let path = rawPath;
    if (base) {
      if (path !== `/${base}` && !path.startsWith(`/${base}/`)) throw new S3Error("NoSuchBucket");
      path = path.slice(base.length + 1) || "/";
    }
    const target = hostBucket === undefined ? path.slice(1) : `${hostBucket}${path}`;
    const slash = target.indexOf("/");
    return {
      service: this.#service,
      request,
      response,
      requestId,
      bucket: decode(slash < 0 ? target : target.slice(0, slash)),
      key: slash < 0 ? "" : decode(target.slice(slash + 1)),
      query: parseQuery(rawQuery),
      verified,
      credential: verified === "anonymous" ? undefined : verified.credential,
    };
  }

  #bucketOfHost(host: string): string | undefined {
    if (this.#options.domains.length === 0) return undefined;
    const name = host.replace(/:\d+$/, "").toLowerCase();
    for (const domain of this.#options.domains)
      if (name.endsWith(`.${domain}`)) return name.slice(0, -domain.length - 1);
    return undefined;
  }
}

/** A server; it listens when told to. */
export const createS3Server = (options: S3ServerOptions) => new S3Server(options);

const requestPrefix = randomBytes(4).toString("hex").toUpperCase();
const utf8 = new TextDecoder("utf-8", { fatal: true });

/** Percent-decoding. @throws S3Error InvalidURI for what is no UTF-8 */
function decode(text: string): string {
  if (!text.includes("%") && !/[\x80-\xff]/.test(text)) return text;
  try {
    const decoded = /[\x80-\xff]/.test(text) ? utf8.decode(Buffer.from(text, "latin1")) : text;
    return decodeURIComponent(decoded);
  } catch {
    throw new S3Error("InvalidURI");
  }
}

function parseQuery(raw: string): Map<string, string> {
  const query = new Map<string, string>();
  if (raw === "") return query;
  for (const pair of raw.split("&")) {
    if (pair === "") continue;
    const equals = pair.indexOf("=");
    const name = equals < 0 ? pair : pair.slice(0, equals);
    const value = equals < 0 ? "" : pair.slice(equals + 1);
    query.set(decode(name.replaceAll("+", " ")), decode(value.replaceAll("+", " ")));
  }
  return query;
}

/** Node.js' own refusal of what it cannot parse, in S3's form. */
function refuseUnparsed(error: NodeJS.ErrnoException, socket: import("node:stream").Duplex): void {
  if (error.code === "ECONNRESET" || !socket.writable) return void socket.destroy();
  const known =
    error.code === "HPE_HEADER_OVERFLOW"
      ? new S3Error("RequestHeaderSectionTooLarge")
      : error.code === "ERR_HTTP_REQUEST_TIMEOUT"
        ? new S3Error("RequestTimeout")
        : new S3Error("BadRequest");
  const body = errorXml(known, "", "");
  socket.end(
    `HTTP/1.1 ${known.status} Bad Request\r\nContent-Type: application/xml\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
}

function errorXml(error: S3Error, resource: string, requestId: string): string {
  const detail = Object.entries(error.detail).map(([name, value]) => element(name, value));
  return `<?xml version="1.0" encoding="UTF-8"?>\n<Error>${element("Code", error.code)}${element("Message", error.message)}${detail.join("")}${element("Resource", resource)}${element("RequestId", requestId)}<HostId>${requestId}</HostId></Error>`;
}

function asS3Error(error: unknown): S3Error {
  if (error instanceof S3Error) return error;
  if (error instanceof ObjectsError) return new S3Error(error.code, error.message, { ...error.detail });
  const code = (error as NodeJS.ErrnoException)?.code;
  if (code === "ENOSPC" || code === "EDQUOT") return new S3Error("XMinioStorageFull");
  return new S3Error("InternalError");
}

function fail(
  request: IncomingMessage,
  response: ServerResponse,
  requestId: string,
  error: unknown,
  log: S3ServerOptions["log"],
): void {
  const known = asS3Error(error);
  if (known.code === "InternalError" && !request.destroyed && !response.destroyed)
    log?.({ level: "error", requestId, error: error instanceof Error ? error.stack : String(error) });
  const path = request.url?.split("?", 1)[0] ?? "";
  const xml = errorXml(known, path, requestId);
  if (response.headersSent) {
    const whitespace = request.method === "POST" && response.getHeader("content-length") === undefined;
    if (whitespace) response.end(xml.slice(xml.indexOf("\n") + 1));
    else response.destroy();
    return;
  }
  for (const name of response.getHeaderNames())
    if (name === "etag" || name.startsWith("content-") || name.startsWith("x-amz-meta-"))
      response.removeHeader(name);
  if (known.status === 405) response.setHeader("allow", "GET, HEAD, PUT, POST, DELETE");
  if (known.code === "NotModified") {
    const { ETag, LastModified } = known.detail;
    reply({ request, response } as Context, 304, { etag: `"${ETag}"`, "last-modified": LastModified });
    return;
  }
  reply({ request, response } as Context, known.status, { "content-type": "application/xml" }, xml);
}

/** Reads a little of a body that nobody wanted, then gives the connection up. */
function drain(request: IncomingMessage, response: ServerResponse): void {
  let left = drained;
  response.shouldKeepAlive = false;
  request.on("data", (chunk: Buffer) => {
    left -= chunk.length;
    if (left < 0) request.destroy();
  });
  request.resume();
}
