import { randomBytes } from "node:crypto";
import http, { type IncomingMessage, type ServerResponse, STATUS_CODES } from "node:http";
import https from "node:https";
import type { AddressInfo, Socket } from "node:net";
import { asObjectsError, type Objects, ObjectsError } from "@overcoat/objects";
import type { Credential } from "./auth/credentials.ts";
import { type AuthOptions, authenticate } from "./auth/index.ts";
import { perform, type Rights } from "./authorize.ts";
import { Connections, mostConnections } from "./connections.ts";
import { type Context, type Exchange, type Headers, reply, type Service } from "./context.ts";
import { allowOrigin, granted, preflight } from "./cors.ts";
import { S3Error } from "./errors.ts";
import { Forwarded } from "./forwarded.ts";
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
  /** Origins, or `*`, that may use every bucket from a browser; default none. */
  readonly allowOrigins?: readonly string[];
  /** Path before all others. */
  readonly baseUrl?: string;
  readonly responseHeaders: readonly (readonly [string, string])[];
  /** What shown addresses begin with. */
  readonly publicUrl?: string;
  /** Proxies whose `X-Forwarded-For` and `X-Forwarded-Proto` count, as `Forwarded` takes them; default none. */
  readonly trustedProxies?: readonly string[];
  /** Bytes. */
  readonly maxHeaderBytes?: number;
  /** Milliseconds in which a whole request must arrive; without, it may take long but not stand still. */
  readonly readTimeout?: number;
  /** Milliseconds in which a client that is waited for must send or take something; default 2 minutes. */
  readonly writeTimeout?: number;
  readonly tls?: { cert: Buffer; key: Buffer; ca?: Buffer; minVersion?: string };
  /** Called with what a log should hold. */
  readonly log?: (entry: object) => void;
  /** Whether `log` is told of each request, and not only of those that the server failed at (5xx); default true. */
  readonly logRequests?: boolean;
}

/** Milliseconds between two looks for idle connections while closing. */
const idleCheck = 50;
const headersTimeout = 30_000;
const longestCheck = 10_000;
const standStill = 120_000;
/** Header fields of one request; Node.js would leave out what is more. */
const mostHeaders = 1000;
/** Milliseconds in which a client that is refused may take the answer before the connection is cut. */
const lingering = 2000;
/** Milliseconds in which the rest of a refused body is read, so that the client sees the answer. */
const drained = 5000;

/** A server of the S3 protocol on objects. */
export class S3Server {
  readonly #options: S3ServerOptions;
  readonly #server: http.Server;
  readonly #connections: Connections;
  readonly #metrics = new Metrics();
  readonly #credentials: ReadonlyMap<string, Credential>;
  readonly #rights: Rights;
  readonly #service: Service;
  readonly #auth: AuthOptions;
  /** The path before all others, with its slash before and none behind; empty without one. */
  readonly #base: string;
  /** Headers of every answer. */
  readonly #always: Headers;
  /** Origins that are told only to those who ask from them. */
  readonly #origins: readonly string[];
  #requests = 0;

  constructor(options: S3ServerOptions) {
    this.#options = options;
    this.#credentials = new Map(options.credentials.map((one) => [one.accessKeyId, one]));
    this.#rights = {
      open: options.credentials.length === 0,
      anonymousRead: new Set(options.anonymousRead),
      readOnly: options.readOnly,
    };
    const allowOrigins = options.allowOrigins ?? [];
    const only = allowOrigins.includes("*") ? "*" : allowOrigins.length === 1 ? allowOrigins[0] : undefined;
    this.#always = {
      server: "Overcoat",
      ...Object.fromEntries(options.responseHeaders.map(([name, value]) => [name.toLowerCase(), value])),
      // One is told to everybody, as rclone does.
      ...(only && granted(only)),
    };
    this.#origins = only ? [] : allowOrigins;
    this.#service = {
      objects: options.objects,
      region: options.region,
      publicUrl: options.publicUrl,
      forwarded: new Forwarded(options.trustedProxies),
      allowOrigins,
      v2Auth: options.v2Auth,
      rights: this.#rights,
      lookup: (id) => this.#credentials.get(id),
    };
    const base = options.baseUrl?.replace(/^\/*|\/*$/g, "");
    this.#base = base ? `/${base}` : "";
    this.#auth = {
      lookup: this.#service.lookup,
      v2Allowed: options.v2Auth,
      bucketFromHost: undefined,
      basePath: this.#base || undefined,
    };
    const headersWithin = Math.min(headersTimeout, options.readTimeout || headersTimeout);
    const settings: http.ServerOptions = {
      keepAliveTimeout: 65_000,
      headersTimeout: headersWithin,
      requestTimeout: options.readTimeout ?? 0,
      connectionsCheckingInterval: Math.min(longestCheck, headersWithin / 2),
      maxHeaderSize: options.maxHeaderBytes ?? 64 * 1024,
      noDelay: true,
    };
    const listener = (request: IncomingMessage, response: ServerResponse) => {
      // One answer that cannot be given must not end the process.
      this.#handle(request, response).catch(() => response.destroy());
    };
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
            // OpenSSL refuses the old versions, whatever the least one is, at its usual level.
            ciphers: /^TLSv1(?:\.1)?$/.test(tls.minVersion ?? "") ? "DEFAULT:@SECLEVEL=0" : undefined,
          },
          listener,
        )
      : http.createServer(settings, listener);
    const progressWithin = options.writeTimeout || standStill;
    this.#server.timeout = progressWithin;
    this.#connections = new Connections(progressWithin, (exchange) => {
      const { request, response } = exchange;
      if (response.headersSent) return void request.socket.destroy();
      const timeout = new S3Error("RequestTimeout");
      // Once it is answered Node.js ends the request with its connection no more: who reads it would wait for ever.
      request.socket.once("close", () => request.destroy(timeout));
      response.once("finish", () => cutSoon(request.socket));
      fail(exchange, timeout, options.log);
    });
    this.#server.maxHeadersCount = mostHeaders + 1;
    // Dropped, and not handed to another process, which has no more room.
    Object.assign(this.#server, { maxConnections: mostConnections(), dropMaxConnection: true });
    // The body is asked for when it is read: what is refused by its headers is never sent.
    this.#server.on("checkContinue", listener);
    this.#server.on("connection", (socket: Socket) => this.#metrics.connected(socket));
    // Any other expectation is passed over, as by S3, where Node.js would answer 417.
    this.#server.on("checkExpectation", listener);
    this.#server.on("clientError", (error, socket) => this.#refuseUnparsed(error, socket as Socket));
  }

  get ready(): boolean {
    return this.#server.listening;
  }

  /** @throws when the address cannot be listened on. */
  listen(address: { host?: string; port: number; path?: string }): Promise<{ host: string; port: number }> {
    return new Promise((resolve, reject) => {
      this.#server.once("error", reject);
      const { host, port, path } = address;
      this.#server.listen(path === undefined ? { host, port } : { path }, () => {
        this.#server.off("error", reject);
        const bound = this.#server.address() as AddressInfo | string;
        resolve(
          typeof bound === "string" ? { host: bound, port: 0 } : { host: bound.address, port: bound.port },
        );
      });
    });
  }

  /** Stops accepting, lets requests under way finish for `graceMs` milliseconds, then cuts them. */
  async close(graceMs: number): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    // A client keeps its connection after the request that was under way, too.
    const idle = setInterval(() => this.#server.closeIdleConnections(), idleCheck);
    const timer = setTimeout(() => this.#server.closeAllConnections(), graceMs);
    await closed;
    clearInterval(idle);
    clearTimeout(timer);
    this.#connections.close();
  }

  /** Counters in Prometheus' text format. */
  metrics(): Promise<string> {
    return this.#metrics.text();
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const start = performance.now();
    const requestId = requestPrefix + String(this.#requests++).padStart(8, "0");
    const headers: Headers = { "x-amz-request-id": requestId, "x-amz-id-2": requestId, ...this.#always };
    const { origin } = request.headers;
    if (origin !== undefined && this.#origins.includes(origin))
      Object.assign(headers, { vary: "Origin" }, granted(origin));
    const exchange: Exchange = { request, response, requestId, headers };
    this.#connections.begin(exchange);
    let operation = "Unknown";
    let context: Context | undefined;
    try {
      if (request.rawHeaders.length > 2 * mostHeaders) throw new S3Error("RequestHeaderSectionTooLarge");
      context = this.#context(exchange);
      if (request.method === "OPTIONS") {
        operation = "Preflight";
        await preflight(context);
      } else {
        if (request.headers.origin !== undefined) await allowOrigin(context);
        const found = route(context);
        operation = found.name;
        await perform(context, found);
      }
    } catch (error) {
      fail(exchange, error, this.#options.log);
    }
    if (!request.complete) drain(request);
    const seconds = (performance.now() - start) / 1000;
    this.#metrics.observe(operation, response.statusCode, seconds);
    if (response.statusCode < 500 && this.#options.logRequests === false) return;
    this.#options.log?.({
      requestId,
      method: request.method,
      path: request.url?.split("?", 1)[0],
      operation,
      status: response.statusCode,
      client: this.#service.forwarded.client(request),
      accessKeyId: context?.credential?.accessKeyId,
      milliseconds: Math.round(seconds * 1000),
    });
  }

  /** Answers what Node.js cannot read as a request, and ends the connection. */
  #refuseUnparsed(error: NodeJS.ErrnoException, socket: Socket): void {
    if (error.code === "ECONNRESET" || !socket.writable) return void socket.destroy();
    const exchange = this.#connections.unanswered(socket);
    if (exchange?.request.complete) {
      // What cannot be read follows a whole request: that one's answer goes out undisturbed.
      exchange.response.once("finish", () => this.#refuseUnparsed(error, socket));
      return;
    }
    if (exchange?.response.headersSent) return void socket.destroy();
    const known = unparsed(error.code);
    const body = errorXml(known, "", "");
    const head = `HTTP/1.1 ${known.status} ${STATUS_CODES[known.status]}\r\nContent-Type: application/xml\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n`;
    socket.end(head + body);
    cutSoon(socket);
  }

  #context({ request, response, requestId, headers }: Exchange): Context {
    const url = request.url ?? "/";
    const mark = url.indexOf("?");
    const rawPath = mark < 0 ? url : url.slice(0, mark);
    const rawQuery = mark < 0 ? "" : url.slice(mark + 1);
    if (!rawPath.startsWith("/")) throw new S3Error("InvalidURI");
    const hostBucket = this.#bucketOfHost(request.headers.host ?? "");
    const base = this.#base;
    const verified =
      request.method === "OPTIONS"
        ? "anonymous"
        : authenticate(
            { method: request.method ?? "", rawPath, rawQuery, headers: request.headers },
            hostBucket === undefined ? this.#auth : { ...this.#auth, bucketFromHost: hostBucket },
          );
    let path = rawPath;
    if (base) {
      if (path !== base && !path.startsWith(`${base}/`)) throw new S3Error("NoSuchBucket");
      path = path.slice(base.length) || "/";
    }
    const target = hostBucket === undefined ? path.slice(1) : `${hostBucket}${path}`;
    const slash = target.indexOf("/");
    const bucket = decode(slash < 0 ? target : target.slice(0, slash));
    return {
      request,
      response,
      requestId,
      headers,
      service: this.#service,
      bucket,
      bucketPath: base + (hostBucket === undefined ? `/${bucket}` : ""),
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

/** Why Node.js could not read a request, in S3's terms. */
function unparsed(code: string | undefined): S3Error {
  if (code === "HPE_HEADER_OVERFLOW") return new S3Error("RequestHeaderSectionTooLarge");
  return new S3Error(code === "ERR_HTTP_REQUEST_TIMEOUT" ? "RequestTimeout" : "BadRequest");
}

/** Gives the client a moment to take what was sent, and no more. */
function cutSoon(socket: Socket): void {
  socket.resume();
  const timer = setTimeout(() => socket.destroy(), lingering).unref();
  socket.once("close", () => clearTimeout(timer));
}

function errorXml(error: S3Error, resource: string, requestId: string): string {
  const detail = Object.entries(error.detail).map(([name, value]) => element(name, value));
  return `<?xml version="1.0" encoding="UTF-8"?>\n<Error>${element("Code", error.code)}${element("Message", error.message)}${detail.join("")}${element("Resource", resource)}${element("RequestId", requestId)}<HostId>${requestId}</HostId></Error>`;
}

function asS3Error(thrown: unknown): S3Error {
  const error = asObjectsError(thrown);
  if (error instanceof S3Error) return error;
  if (error instanceof ObjectsError) return new S3Error(error.code, error.message, { ...error.detail });
  const code = (error as NodeJS.ErrnoException)?.code;
  if (code === "EMFILE" || code === "ENFILE") return new S3Error("SlowDown");
  return new S3Error("InternalError");
}

function fail(exchange: Exchange, error: unknown, log: S3ServerOptions["log"]): void {
  const { request, response, requestId } = exchange;
  const known = asS3Error(error);
  if (known.code === "InternalError" && !request.destroyed && !response.destroyed)
    log?.({ level: "error", requestId, error: error instanceof Error ? error.stack : String(error) });
  const path = request.url?.split("?", 1)[0] ?? "";
  const xml = errorXml(known, path, requestId);
  if (response.headersSent) {
    // A POST keeps its client waiting with whitespace before what it answers.
    if (request.method === "POST" && !response.writableEnded) response.end(xml.slice(xml.indexOf("\n") + 1));
    else response.destroy();
    return;
  }
  // Without having been asked for its body, the client may send it or not: nothing else can follow.
  if (request.headers.expect !== undefined && !request.readableDidRead) response.shouldKeepAlive = false;
  if (known.code === "NotModified") {
    const { ETag, LastModified } = known.detail;
    reply(exchange, 304, { etag: `"${ETag}"`, "last-modified": LastModified });
    return;
  }
  const allow = known.status === 405 ? "GET, HEAD, PUT, POST, DELETE" : undefined;
  const wait = known.status === 503 ? known.detail.RetryAfterSeconds : undefined;
  reply(exchange, known.status, { "content-type": "application/xml", allow, "retry-after": wait }, xml);
}

/** Reads the rest of a body that nobody wants, or gives the connection up. */
function drain(request: IncomingMessage): void {
  const timer = setTimeout(() => request.destroy(), drained).unref();
  request.once("close", () => clearTimeout(timer));
  request.resume();
}
