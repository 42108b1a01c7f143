import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { startTelegram, type TelegramServer } from "@overcoat/simulators";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Wrappers } from "@/integrations/wrappers";
import { createBot } from "./bot.ts";
import { webhook } from "./webhook.ts";

const token = "4242:a-token-that-must-not-show";
const secret = "the-secret_of-the-webhook";
let telegram: TelegramServer;
let server: Server;
let url: string;

beforeAll(async () => {
  telegram = await startTelegram({ token });
  const options = { token, allowedUsers: [7], apiRoot: telegram.url, log: () => undefined };
  // None of the commands that are sent here asks a service.
  const handle = webhook(createBot({ ...options, wrappers: {} as Wrappers }), secret);
  server = createServer(async (request, response) => {
    const init = { method: request.method, headers: request.headers as Record<string, string> };
    const body =
      request.method === "POST" ? { body: request as unknown as ReadableStream, duplex: "half" } : {};
    const answer = await handle(new Request(new URL(request.url!, url), { ...init, ...body } as RequestInit));
    response.writeHead(answer.status, Object.fromEntries(answer.headers)).end(await answer.text());
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(async () => {
  await telegram[Symbol.asyncDispose]();
  server.close();
  server.closeAllConnections();
});

const call = (method: string, parameters: Record<string, unknown>) =>
  fetch(`${telegram.url}/bot${token}/${method}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(parameters),
  });

test("what Telegram sends with the secret token is answered", async () => {
  await call("setWebhook", { url, secret_token: secret });
  const ann = telegram.user(7);
  expect((await ann.ask("/help")).text).toContain("/session ID");
  expect((await telegram.user(666).ask("/help")).text).toBe("Sorry, this bot is private.");
});

test.each([
  ["without a secret token", {}],
  ["with another", { "x-telegram-bot-api-secret-token": "the-secret_of-the-webhooK" }],
  ["with the beginning", { "x-telegram-bot-api-secret-token": "the-secret" }],
])("what comes %s is refused unread", async (_, headers) => {
  const calls = telegram.calls.length;
  const update = {
    update_id: 1,
    message: { text: "/help", from: { id: 7 }, chat: { id: 7, type: "private" } },
  };
  const answer = await fetch(url, { method: "POST", headers, body: JSON.stringify(update) });
  expect(answer.status).toBe(401);
  await answer.text();
  expect(telegram.calls).toHaveLength(calls);
});

test("only POST is taken", async () => {
  const answer = await fetch(url, { headers: { "x-telegram-bot-api-secret-token": secret } });
  expect(answer.status).toBe(405);
});

test("a secret that could be guessed is refused", () => {
  const bot = createBot({ token, allowedUsers: [], wrappers: {} as Wrappers, log: () => undefined });
  for (const weak of ["", "short", "with spaces in it and long"])
    expect(() => webhook(bot, weak)).toThrow("16 to 256 characters");
});
