import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Chats, type User } from "./chats.ts";
import { BotApiError } from "./errors.ts";
import { Files } from "./files.ts";
import { methods, type Service } from "./methods.ts";
import { readParameters } from "./parameters.ts";
import { Updates } from "./updates.ts";
import { TelegramUser } from "./user.ts";

export interface TelegramOptions {
  /** Of the one bot that is served, `ID:SECRET`. */
  readonly token: string;
  /** A free one where not given. */
  readonly port?: number;
}

/** A call that the bot made. */
export interface TelegramCall {
  readonly method: string;
  /** As sent by HTTP; 0 where the connection was cut. */
  readonly status: number;
}

/** Lets calls go wrong. */
export interface TelegramFault {
  readonly method: string;
  /** How many calls it meets; 1 where not given. */
  readonly times?: number;
  /** Answer 429 and ask to wait for so many seconds. */
  readonly retryAfter?: number;
  /** Answer with this status. */
  readonly status?: number;
  /** Cut the connection. */
  readonly drop?: boolean;
}

export interface TelegramServer extends AsyncDisposable {
  /** `http://127.0.0.1:port`, what takes the place of `https://api.telegram.org`. */
  readonly url: string;
  /** The last 10,000 calls, oldest first. */
  readonly calls: readonly TelegramCall[];
  /** Somebody who chats with the bot; the same one for the same id. */
  user(id: number, firstName?: string): TelegramUser;
  fault(fault: TelegramFault): void;
}

const mostLogged = 10_000;

/** Starts a stand-in of Telegram's Bot API on loopback, strict about limits and parameters, and its users. */
export async function startTelegram({ token, port = 0 }: TelegramOptions): Promise<TelegramServer> {
  const id = Number(/^(\d+):[\w-]+$/.exec(token)?.[1]);
  if (!id) throw new Error("the token must be of the form ID:SECRET");
  const bot: User = { id, is_bot: true, first_name: "Bot", username: "overcoat_bot" };
  const service: Service = {
    bot,
    chats: new Chats(),
    files: new Files(),
    updates: new Updates(),
    queries: new Map(),
  };
  const calls: TelegramCall[] = [];
  const faults: { readonly fault: TelegramFault; left: number }[] = [];
  const users = new Map<number, TelegramUser>();

  function faultOf(method: string): TelegramFault | undefined {
    const met = faults.find(({ fault, left }) => left > 0 && fault.method === method);
    if (met) met.left -= 1;
    return met?.fault;
  }

  async function call(request: IncomingMessage, url: URL, name: string, fault: TelegramFault | undefined) {
    if (fault?.retryAfter !== undefined)
      throw new BotApiError(429, `Too Many Requests: retry after ${fault.retryAfter}`, {
        retry_after: fault.retryAfter,
      });
    if (fault?.status !== undefined) throw new BotApiError(fault.status, "A fault of the test");
    const method = methods[name];
    if (!method) throw new BotApiError(404, "Not Found: method not found");
    const parameters = await readParameters(url, request.headers["content-type"], request);
    const result = await method(service, parameters);
    parameters.done();
    return result;
  }

  const server = createServer(async (request, response) => {
    const url = new URL(request.url ?? "/", "http://127.0.0.1");
    const [, file, given, name = ""] = /^(\/file)?\/bot([^/]+)\/(.+)$/.exec(url.pathname) ?? [];
    const log = (method: string, status: number) => {
      calls.push({ method, status });
      if (calls.length > mostLogged) calls.shift();
    };
    if (given !== token)
      return refuse(response, new BotApiError(given ? 401 : 404, given ? "Unauthorized" : "Not Found"));
    if (file) {
      const bytes = service.files.at(name);
      log("file", bytes ? 200 : 404);
      response.writeHead(bytes ? 200 : 404).end(bytes);
      return;
    }
    const fault = faultOf(name);
    if (fault?.drop) {
      log(name, 0);
      request.socket.destroy();
      return;
    }
    try {
      const result = await call(request, url, name, fault);
      log(name, 200);
      send(response, 200, { ok: true, result });
    } catch (error) {
      const refusal = error instanceof BotApiError ? error : new BotApiError(500, String(error));
      log(name, refusal.status);
      refuse(response, refusal);
    }
  });

  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls,
    user(userId, firstName = "Ann") {
      const user = users.get(userId) ?? new TelegramUser(service, userId, firstName);
      users.set(userId, user);
      return user;
    },
    fault: (fault) => faults.push({ fault, left: fault.times ?? 1 }),
    async [Symbol.asyncDispose]() {
      service.updates.close();
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
    },
  };
}

const refuse = (response: ServerResponse, error: BotApiError) => send(response, error.status, error.body());

function send(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}
