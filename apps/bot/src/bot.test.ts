import { setTimeout as sleep } from "node:timers/promises";
import { type RunnerHandle, run } from "@grammyjs/runner";
import { startTelegram, type TelegramServer } from "@overcoat/simulators";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { createWrappers, type Wrappers } from "@/integrations/wrappers";
import {
  extensions,
  type Services,
  secrets,
  startServices,
  tables,
} from "../../../tests/sql/ddl/services.ts";
import { startStack } from "../../../tests/sql/stack.ts";
import { createBot } from "./bot.ts";

/** The bot on all that it runs on, of which only Telegram and Auth0 are stand-ins. */

const token = "4242:a-token-that-must-not-show";
const allowed = 7;
const parts = new AsyncDisposableStack();
const logged: string[] = [];
let services: Services;
let telegram: TelegramServer;
let wrappers: Wrappers;
let running: RunnerHandle;

beforeAll(async () => {
  services = parts.use(await startServices());
  const stack = parts.use(await startStack({ secrets }));
  const { client, url } = await stack.database();
  await client.query(extensions + services.servers + tables);
  telegram = parts.use(await startTelegram({ token }));
  const { endpoint } = services.gateway;
  const storage = { endpoint, bucket: "datasets", accessKeyId: "test-access", secretAccessKey: secrets.S3 };
  wrappers = createWrappers({ database: url, storage });
  parts.defer(() => wrappers.close());
  const log = (message: string) => logged.push(message);
  running = run(createBot({ token, allowedUsers: [allowed, 8], wrappers, apiRoot: telegram.url, log }));
  parts.defer(() => running.stop());
});
afterAll(() => parts.disposeAsync());

beforeEach(() => {
  logged.length = 0;
});

const ann = () => telegram.user(allowed);
const put = (key: string, content: string | Uint8Array) =>
  services.gateway.objects.putObject("datasets", key, content);

async function stored(key: string): Promise<string> {
  await using object = await services.gateway.objects.getObject("datasets", key);
  return object.text();
}

test("/help and /start tell what there is", async () => {
  for (const text of ["/help", "/start", "/help@overcoat_bot"]) {
    const answer = await ann().ask(text);
    expect(answer.text).toMatch(/^\/session ID – a session of Redis\n\/user MAIL/);
  }
  expect((await ann().ask("hello")).text).toContain("/help");
});

test("strangers get one refusal and then nothing", async () => {
  const stranger = telegram.user(666, "Mallory");
  expect((await stranger.ask("/session a")).text).toBe("Sorry, this bot is private.");
  stranger.say("/session a");
  stranger.say("/help");
  stranger.sendDocument({ name: "x.txt", bytes: Buffer.from("x") });
  const { messages } = stranger;
  stranger.callback(messages[1]!, "get:1");
  // What Ann asks after that is answered after that.
  await ann().ask("/help");
  await ann().ask("/help");
  expect(stranger.messages.filter(({ from }) => from.is_bot)).toHaveLength(1);
});

test("groups are not answered, whoever writes", async () => {
  const messages = ann().sayInGroup(-100, "/session a");
  await ann().ask("/help");
  expect(messages.filter(({ from }) => from.is_bot)).toEqual([]);
});

test("/session shows a session of Redis", async () => {
  const { text, entities } = await ann().ask("/session a");
  expect(text).toBe('Session a\n{\n  "user": "auth0|1"\n}');
  expect(entities).toEqual([{ type: "pre", language: "json", offset: 10, length: 23 }]);
  expect((await ann().ask("/session none")).text).toBe("There is no session none.");
  expect((await ann().ask("/session")).text).toBe("Which session? /session ID");
  expect((await ann().ask("/session ' OR true --")).text).toBe("There is no session ' OR true --.");
});

test("what is too long for a message comes as a file", async () => {
  const redis = await services.redis.client();
  const payload = { text: "é".repeat(5000) };
  await redis.set("session:long", JSON.stringify(payload));
  const answer = await ann().ask("/session long");
  expect(answer.caption).toBe("Session long");
  expect(JSON.parse(Buffer.from(ann().download(answer)!).toString())).toEqual(payload);
});

test("/user finds a user of Auth0 by mail address and by id", async () => {
  expect((await ann().ask("/user ann@example.com")).text).toMatch(
    /^User ann@example.com\n\{.*"name": "Ann"/s,
  );
  expect((await ann().ask("/user auth0|2")).text).toMatch(/^User bob@example.com\n/);
  expect((await ann().ask("/user none@example.com")).text).toBe("There is no user none@example.com.");
});

test("/files pages by keys, and its buttons fetch files", async () => {
  for (let i = 0; i < 23; i++) await put(`pages/${String(i).padStart(2, "0")} é😀&<b>.txt`, `content ${i}`);
  await put("pages2", "after");
  const first = await ann().ask("/files pages/");
  expect(first.text).toMatch(/^Files under pages\/\n1\. pages\/00 é😀&<b>\.txt 9 bytes\n2\./);
  const labels = (message: typeof first) =>
    message.reply_markup!.inline_keyboard.flat().map(({ text }) => text);
  expect(labels(first)).toEqual([..."123456789", "10", "Next »"]);
  const second = await ann().press(first, "Next »");
  expect(second.text).toMatch(/^Files under pages\/\n1\. pages\/10 /);
  expect(labels(second)).toEqual([..."123456789", "10", "« First", "Next »"]);
  const third = await ann().press(second, "Next »");
  expect(third.text!.split("\n")).toHaveLength(4);
  expect(labels(third)).toEqual(["1", "2", "3", "« First"]);
  ann().click(third, "3");
  const file = await ann().next();
  expect(file.document!.file_name).toBe("22 é😀&<b>.txt");
  expect(Buffer.from(ann().download(file)!).toString()).toBe("content 22");
  expect((await ann().press(third, "« First")).text).toBe(first.text);
  expect((await ann().ask("/files")).text).toMatch(/^Files\n1\. pages\/00/);
  expect((await ann().ask("/files none/")).text).toBe("Files under none/\nThere are none.");
});

test("a page of long keys is cut where Telegram's message ends", async () => {
  const names = Array.from(
    { length: 12 },
    (_, i) => `long/${String.fromCharCode(97 + i).repeat(240)}/${"x".repeat(240)}/${"y".repeat(240)}`,
  );
  for (const name of names) await put(name, "x");
  let page = await ann().ask("/files long/");
  const seen: string[] = [];
  for (;;) {
    const rows = page.text!.split("\n").slice(1);
    seen.push(...rows.map((row) => row.replace(/^\d+\. | 1 byte$/g, "")));
    if (!page.reply_markup!.inline_keyboard.flat().some(({ text }) => text === "Next »")) break;
    page = await ann().press(page, "Next »");
  }
  expect(seen).toEqual(names);
});

test("buttons with data that the bot never made are passed over", async () => {
  const page = await ann().ask("/files pages/");
  for (const data of ["get:99", "get:0", "get:-1", "next; DROP", "{}"]) ann().callback(page, data);
  expect((await ann().ask("/help")).text).toContain("/session");
  expect(logged).toEqual([]);
});

test("/get sends the file, or a link where it is too large", async () => {
  const bytes = Uint8Array.from({ length: 3_000_000 }, (_, i) => i % 251);
  await put("folder/data.bin", bytes);
  const answer = await ann().ask("/get folder/data.bin");
  expect(answer.document!.file_name).toBe("data.bin");
  expect(Buffer.compare(ann().download(answer)!, bytes)).toBe(0);

  const large = new Uint8Array(50_000_001);
  await put("large.bin", large);
  const { text } = await ann().ask("/get large.bin");
  expect(text).toMatch(/^large\.bin has 50 MB, too much for Telegram\. This link is good for an hour:\nhttp/);
  const response = await fetch(text!.split("\n")[1]!);
  expect((await response.arrayBuffer()).byteLength).toBe(large.length);

  await put("empty", "");
  expect((await ann().ask("/get empty")).text).toBe("empty is empty, and Telegram sends no empty files.");
  expect((await ann().ask("/get none")).text).toBe("There is no file none.");
  expect((await ann().ask("/get")).text).toBe("Which file? /get KEY");
  expect(logged).toEqual([]);
});

test("files that are sent to the bot are stored, and none is overwritten", async () => {
  const bytes = Buffer.from("id,label\n1,cat\n");
  const send = async (file: Parameters<ReturnType<typeof ann>["sendDocument"]>[0]) => {
    ann().sendDocument(file);
    return (await ann().next()).text;
  };
  expect(await send({ name: "train.csv", type: "text/csv", bytes })).toBe("Stored train.csv (15 bytes).");
  expect(await stored("train.csv")).toBe("id,label\n1,cat\n");
  expect(await send({ name: "notes", type: "text/markdown", bytes })).toBe("Stored notes (15 bytes).");
  const answer = await fetch(await wrappers.presignDownload("notes"));
  expect(answer.headers.get("content-type")).toBe("text/markdown");
  await answer.body?.cancel();
  expect(await send({ name: "train.csv", bytes: Buffer.from("other") })).toBe(
    "train.csv exists already. Send it with another key as its caption.",
  );
  expect(await stored("train.csv")).toBe("id,label\n1,cat\n");
  expect(await send({ name: "train.csv", bytes, caption: "sets/2026/" })).toBe(
    "Stored sets/2026/train.csv (15 bytes).",
  );
  expect(await send({ name: "train.csv", bytes, caption: "sets/é &.csv" })).toBe(
    "Stored sets/é &.csv (15 bytes).",
  );
  expect(await stored("sets/é &.csv")).toBe("id,label\n1,cat\n");
  expect(await send({ name: "big.bin", bytes, size: 30_000_000 })).toBe(
    "big.bin has 30 MB; Telegram gives bots no more than 20 MB.",
  );
  ann().sendPhoto({ bytes: Buffer.from("not really a photo"), caption: "photos/" });
  expect((await ann().next()).text).toMatch(/^Stored photos\/photo-[\dT-]+\.jpg \(18 bytes\)\.$/);
});

test("/status tells which services answer", async () => {
  expect((await ann().ask("/status")).text).toMatch(
    /^✅ Redis answers \(\d+ ms\)\n✅ Auth0 answers \(\d+ ms\)\n✅ S3 answers \(\d+ ms\)$/,
  );
  services.auth0.fault({ path: /./, times: 100, status: 500 });
  try {
    expect((await ann().ask("/status")).text).toMatch(/^✅ Redis .*\n❌ Auth0: .+\n✅ S3 /);
  } finally {
    services.auth0.clearFaults();
  }
});

test("failures of Telegram are repeated where that is safe, and never show the token", async () => {
  telegram.fault({ method: "sendMessage", retryAfter: 1 });
  expect((await ann().ask("/session b")).text).toContain("auth0|2");
  telegram.fault({ method: "getFile", drop: true });
  ann().sendDocument({ name: "dropped.txt", bytes: Buffer.from("x") });
  expect((await ann().next()).text).toBe("Telegram did not take the answer. Please try again.");
  expect(logged.join()).toContain("getFile");
  expect(logged.join()).not.toContain(token);
});

test("a user who waits for a slow answer holds nobody else up", async () => {
  services.auth0.fault({ path: /users/, times: 1, delay: 1500 });
  ann().say("/user ann@example.com");
  await sleep(200);
  const bob = telegram.user(8, "Bob");
  expect((await bob.ask("/session b")).text).toContain("auth0|2");
  expect(ann().messages.at(-1)!.text).toBe("/user ann@example.com");
  expect((await ann().next()).text).toMatch(/^User ann/);
});

test("a user who blocked the bot does not stop it", async () => {
  const bob = telegram.user(8, "Bob");
  bob.block();
  bob.say("/help");
  expect((await ann().ask("/help")).text).toContain("/session");
  expect(running.isRunning()).toBe(true);
});
