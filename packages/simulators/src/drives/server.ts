import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { pipeline } from "node:stream/promises";
import { setTimeout as sleep } from "node:timers/promises";
import type { Call, Operation, Reply } from "./call.ts";
import type { CallLog, LoggedCall } from "./calls.ts";
import type { Clock } from "./clock.ts";
import type { Fault, Faults } from "./faults.ts";

/** Milliseconds before each answer: the same for all, or by end point. */
export type Latency = number | ((endpoint: string) => number);

/** What a stand-in does with calls, given to each of its listeners. */
export interface Service {
  readonly clock: Clock;
  readonly calls: CallLog;
  readonly faults: Faults;
  readonly latency: Latency;
  /** Says what a call asks for. Never throws. */
  route(call: Call): Operation;
  /** What an error is as an answer of the vendor. */
  refuse(error: unknown, call: Call): Reply;
  /** The vendor's own error of a status, for faults. */
  failure(status: number, call: Call): Reply;
}

/** Calls that change the stand-in itself: not counted, never late, never faulty. */
export type Admin = (call: Call) => Promise<Reply> | Reply;

export interface Listener {
  /** `http://127.0.0.1:port` */
  readonly url: string;
  close(): Promise<void>;
}

/** Listens on loopback. @param admin answers what is under `/-/` */
export async function listen(
  service: Service,
  port = 0,
  admin?: Admin,
  host = "127.0.0.1",
): Promise<Listener> {
  const server = createServer((request, response) => {
    answer(service, admin, request, response).catch(() => request.socket.destroy());
  });
  // Clients keep connections longer than Node's five seconds; one that ends under a request looks like a fault.
  server.keepAliveTimeout = 120_000;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, resolve);
  });
  const url = `http://${host}:${(server.address() as AddressInfo).port}`;
  return { url, close: () => close(server) };
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

/** The connection was broken on purpose: there is nobody to answer. */
class Broken extends Error {}

async function answer(
  service: Service,
  admin: Admin | undefined,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const [path = "/", rawQuery = ""] = split(request.url ?? "/");
  let fault: Fault | undefined;
  let logged: LoggedCall | undefined;

  async function* body(): AsyncGenerator<Buffer> {
    // An answer can still be given where only a part was read.
    for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      if (logged) logged.received += chunk.length;
      if (fault?.resetRequestAt !== undefined && logged!.received >= fault.resetRequestAt) reset(request);
      yield chunk;
    }
    if (fault?.resetRequestAt !== undefined) reset(request);
  }

  const call: Call = {
    method: request.method ?? "GET",
    origin: originOf(request),
    path,
    rawQuery,
    query: new URLSearchParams(rawQuery),
    headers: request.headers,
    body: body(),
  };

  let reply: Reply;
  if (admin && path.startsWith("/-/")) {
    reply = await settle(service, call, () => admin(call));
  } else {
    const { method, headers } = call;
    const operation = service.route(call);
    const { endpoint } = operation;
    logged = { endpoint, method, path: request.url ?? "/", headers, status: 0, received: 0, sent: 0 };
    service.calls.add(logged);
    fault = service.faults.take(endpoint, path);
    const wait = typeof service.latency === "number" ? service.latency : service.latency(endpoint);
    if (wait + (fault?.delay ?? 0) > 0) await sleep(wait + (fault?.delay ?? 0), undefined, { ref: false });
    reply = await settle(service, call, () =>
      fault ? meet(service, call, fault, operation) : operation.run(),
    );
    if (fault?.loseAnswer) reset(request);
  }
  // What the client still sends is read, so that it gets to read the answer.
  if (!request.complete) request.resume();
  await send(service, response, reply, call.method === "HEAD", fault, logged);
}

function meet(service: Service, call: Call, fault: Fault, operation: Operation): Promise<Reply> | Reply {
  if (fault.status === undefined) return operation.run();
  const failure = service.failure(fault.status, call);
  return {
    status: fault.status,
    headers: { ...failure.headers, ...fault.headers },
    body: fault.body ?? failure.body,
  };
}

async function settle(service: Service, call: Call, run: () => Promise<Reply> | Reply): Promise<Reply> {
  try {
    return await run();
  } catch (error) {
    if (error instanceof Broken || (error as NodeJS.ErrnoException).code === "ECONNRESET") throw error;
    return service.refuse(error, call);
  }
}

async function send(
  service: Service,
  response: ServerResponse,
  { status, headers, body, bytes }: Reply,
  head: boolean,
  fault: Fault | undefined,
  logged: LoggedCall | undefined,
): Promise<void> {
  const json = body !== undefined && typeof body !== "string";
  const text = json ? JSON.stringify(body) : (body as string | undefined);
  const length = bytes ? bytes.end - bytes.start : Buffer.byteLength(text ?? "");
  response.sendDate = false;
  response.writeHead(status, {
    date: new Date(service.clock.now()).toUTCString(),
    ...(json && { "content-type": "application/json; charset=utf-8" }),
    ...(status !== 204 && status !== 304 && { "content-length": String(length) }),
    ...headers,
  });
  if (logged) logged.status = status;
  const cut = fault?.resetResponseAt ?? fault?.truncateAt;
  const end = cut === undefined ? length : Math.min(cut, length);
  if (head || (end === 0 && cut === undefined)) {
    response.end();
    return;
  }
  const source = bytes
    ? bytes.content.read(bytes.start, bytes.start + end)
    : [Buffer.from(text ?? "").subarray(0, end)];
  async function* counted() {
    for await (const chunk of source as AsyncIterable<Buffer>) {
      if (logged) logged.sent += chunk.length;
      yield chunk;
    }
  }
  if (end === length) {
    await pipeline(counted(), response).catch(() => {});
    return;
  }
  response.flushHeaders();
  for await (const chunk of counted())
    if (!response.write(chunk)) await Promise.race([once(response, "drain"), once(response, "close")]);
  if (fault?.truncateAt !== undefined) {
    response.socket?.end();
    return;
  }
  // A reset throws away what has not gone out yet.
  await sleep(20);
  response.socket?.resetAndDestroy();
}

function once(response: ServerResponse, event: string): Promise<void> {
  return new Promise((resolve) => response.once(event, () => resolve()));
}

function reset(request: IncomingMessage): never {
  request.socket.resetAndDestroy();
  throw new Broken("The connection was reset by a fault");
}

function split(url: string): [string, string] {
  const at = url.indexOf("?");
  return at === -1 ? [url, ""] : [url.slice(0, at), url.slice(at + 1)];
}

/** What answers under a name stands behind a proxy that speaks TLS. */
function originOf({ headers: { host = "127.0.0.1" } }: IncomingMessage): string {
  return `${/^(localhost|\d+\.\d+\.\d+\.\d+)(:|$)/.test(host) ? "http" : "https"}://${host}`;
}
