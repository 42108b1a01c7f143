import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { ApiError, invalidQuery } from "./errors.ts";
import { type Fault, Faults } from "./faults.ts";
import { type Budget, Rate } from "./rate.ts";
import type { Item, Reply, Route } from "./route.ts";
import { clients } from "./routes/clients.ts";
import { connections } from "./routes/connections.ts";
import { grants } from "./routes/grants.ts";
import { download, jobs } from "./routes/jobs.ts";
import { logs } from "./routes/logs.ts";
import { organizations } from "./routes/organizations.ts";
import { roles } from "./routes/roles.ts";
import { sessions } from "./routes/sessions.ts";
import { userAccess } from "./routes/user-access.ts";
import { users } from "./routes/users.ts";
import { type Seed, Tenant } from "./tenant.ts";
import { Tokens } from "./tokens.ts";

export interface Auth0Options extends Seed {
  /** A free one where not given. */
  readonly port?: number;
  readonly clientId: string;
  readonly clientSecret: string;
  /** Scopes that tokens get; all that operations here ask for where not given. */
  readonly scopes?: readonly string[];
  /** Seconds that a token is good for; a day where not given. */
  readonly expiresIn?: number;
  /** How many requests to the Management API a window takes; 10,000 a second where not given. */
  readonly rate?: Budget;
  /** Milliseconds that user search lags behind writes; 0 where not given. */
  readonly searchDelay?: number;
}

/** A request as it came, for tests. */
export interface LoggedRequest {
  readonly method: string;
  /** Decoded, with the query: `/api/v2/users?q=email:"a@example.com"`. */
  readonly path: string;
  /** 0 where the connection was cut. */
  readonly status: number;
  readonly body: Item;
}

export interface Auth0Server extends AsyncDisposable {
  /** `http://127.0.0.1:port` */
  readonly url: string;
  /** `127.0.0.1:port`, as clients take an Auth0 domain. They reach it by http. */
  readonly domain: string;
  /** The last 10,000 requests, oldest first. */
  readonly requests: readonly LoggedRequest[];
  /** What the tenant holds now; for tests to look at and to change. */
  readonly tenant: Tenant;
  /** Lets requests to come go wrong, in the order of the calls. */
  fault(fault: Fault): void;
  /** Faults that have not met all their requests yet. */
  readonly faults: readonly Fault[];
  clearFaults(): void;
  /** A token of the Management API, as an administrator takes one from the dashboard. */
  token(): string;
  /** Makes all tokens invalid at once. */
  revokeTokens(): void;
  close(): Promise<void>;
}

const base = "/api/v2";
const routes = [
  ...users,
  ...userAccess,
  ...roles,
  ...organizations,
  ...clients,
  ...connections,
  ...logs,
  ...sessions,
  ...grants,
  ...jobs,
].map((route: Route) => ({ ...route, pattern: new URLPattern({ pathname: base + route.path }) }));
const allScopes = [...new Set(routes.flatMap(({ scopes }) => scopes)), "read:client_keys"];
const mostBody = 1024 * 1024;
const mostLogged = 10_000;

/**
 * Starts a stand-in of an Auth0 tenant on loopback: its token endpoint and Management API v2, strict about
 * limits, scopes and parameters. `node -e 'import("@overcoat/simulators").then((s) => s.startAuth0({ port: 4010,
 * clientId: "id", clientSecret: "secret" }))'` tries it out.
 */
export async function startAuth0(options: Auth0Options): Promise<Auth0Server> {
  const tenant = new Tenant(options, options.searchDelay ?? 0);
  const faults = new Faults();
  const rate = new Rate(options.rate ?? { limit: 10_000, windowSeconds: 1 });
  const requests: LoggedRequest[] = [];
  let tokens: Tokens;
  let url = "";

  const server = createServer(async (request, response) => {
    const target = new URL(request.url ?? "/", url);
    const log = (status: number, body: Item = {}) => {
      const path = readable(target.pathname + target.search);
      requests.push({ method: request.method ?? "", path, status, body });
      if (requests.length > mostLogged) requests.shift();
    };
    const fault = faults.take(target.pathname);
    let headers: Record<string, string> = {};
    let body: Item = {};
    let reply: Reply;
    try {
      if (fault?.delay) await sleep(fault.delay, undefined, { ref: false });
      if (fault?.drop) {
        log(0);
        request.socket.destroy();
        return;
      }
      body = await read(request);
      if (fault?.status) throw new ApiError(fault.status, "The server met a fault of the test");
      if (target.pathname.startsWith(`${base}/`)) headers = rate.spend();
      reply = answer(request, target, body);
    } catch (error) {
      const refusal = error instanceof ApiError ? error : new ApiError(500, String(error));
      headers = { ...headers, ...refusal.headers };
      reply = { status: refusal.status, body: refusal.body() };
    }
    log(reply.status, body);
    send(response, reply, headers);
  });

  function answer(request: IncomingMessage, target: URL, body: Item): Reply {
    const { method } = request;
    if (method === "POST" && target.pathname === "/oauth/token") return tokens.answer(body);
    const file = method === "GET" ? download(tenant, target.pathname) : undefined;
    if (file) return { status: 200, body: file };
    const route = routes.find((each) => each.method === method && each.pattern.test(target));
    if (!route) throw new ApiError(404, "Not Found");
    const scopes = tokens.check(request.headers.authorization);
    if (!route.scopes.some((scope) => scopes.has(scope)))
      throw new ApiError(
        403,
        `Insufficient scope, expected any of: ${route.scopes.join(",")}`,
        "insufficient_scope",
      );
    const query = target.searchParams;
    for (const name of query.keys())
      if (!route.query?.includes(name)) throw invalidQuery(`Additional properties not allowed: ${name}`);
    const groups = route.pattern.exec(target)!.pathname.groups;
    const params = Object.fromEntries(
      Object.entries(groups).map(([name, value]) => [name, decodeURIComponent(value ?? "")]),
    );
    return route.run({ tenant, params, query, body, scopes, origin: url });
  }

  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port ?? 0, "127.0.0.1", resolve);
  });
  const domain = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  url = `http://${domain}`;
  tokens = new Tokens({
    clientId: options.clientId,
    clientSecret: options.clientSecret,
    audience: `https://${domain}${base}/`,
    scopes: options.scopes ?? allScopes,
    expiresIn: options.expiresIn ?? 86_400,
  });
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return {
    url,
    domain,
    requests,
    tenant,
    fault: (fault) => faults.add(fault),
    get faults() {
      return faults.pending;
    },
    clearFaults: () => faults.clear(),
    token: () => tokens.issue(),
    revokeTokens: () => tokens.revokeAll(),
    close,
    [Symbol.asyncDispose]: close,
  };
}

function readable(path: string): string {
  try {
    return decodeURIComponent(path.replaceAll("+", " "));
  } catch {
    return path;
  }
}

/** The body as JSON or as a form. @throws ApiError 400, 413 */
async function read(request: IncomingMessage): Promise<Item> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    if (size > mostBody) throw new ApiError(413, "Payload content length greater than maximum allowed");
    chunks.push(chunk);
  }
  if (size === 0) return {};
  const text = Buffer.concat(chunks).toString();
  if (request.headers["content-type"]?.startsWith("application/x-www-form-urlencoded"))
    return Object.fromEntries(new URLSearchParams(text));
  try {
    const body: unknown = JSON.parse(text);
    if (typeof body === "object" && body !== null && !Array.isArray(body)) return body as Item;
  } catch {}
  throw new ApiError(400, "Invalid request payload JSON format", "invalid_body");
}

function send(response: ServerResponse, { status, body }: Reply, headers: Record<string, string>): void {
  const file = Buffer.isBuffer(body);
  const type = file ? "application/gzip" : "application/json; charset=utf-8";
  response.writeHead(status, { ...headers, ...(body !== undefined && { "content-type": type }) });
  response.end(body === undefined || file ? body : JSON.stringify(body));
}
