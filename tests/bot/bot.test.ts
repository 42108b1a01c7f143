import type { ChildProcess } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { startTelegram, type TelegramServer } from "@overcoat/simulators";
import { afterEach, beforeEach, expect, test } from "vitest";
import { plainEnvironment, startProgram, stopAll } from "../process.ts";

/** `npm run bot`, as its operator runs it. */

const root = fileURLToPath(new URL("../..", import.meta.url));
const token = "4242:a-token-that-must-not-show";
const started: ChildProcess[] = [];
let work: string;
let telegram: TelegramServer;

beforeEach(async () => {
  work = await mkdtemp(join(tmpdir(), "overcoat-bot-"));
  telegram = await startTelegram({ token });
});
afterEach(async () => {
  stopAll(started);
  await telegram[Symbol.asyncDispose]();
  await rm(work, { recursive: true, force: true });
});

function bot(environment: NodeJS.ProcessEnv, ...args: string[]) {
  const env = {
    ...plainEnvironment,
    TELEGRAM_API_ROOT: telegram.url,
    TELEGRAM_BOT_TOKEN: token,
    TELEGRAM_ALLOWED_USERS: "7, 8",
    OVERCOAT_DATA: work,
    ...environment,
  };
  const running = startProgram("npm", ["run", "--silent", "bot", "--", ...args], { cwd: root, env });
  started.push(running.child);
  return running;
}

/** As `npm start` leaves it. Nothing answers there. */
const connect = () =>
  writeFile(
    join(work, "connection.json"),
    JSON.stringify({
      s3: {
        endpoint: "http://127.0.0.1:9",
        accessKeyId: "id",
        secretAccessKey: "secret",
        region: "us-east-1",
      },
      postgres: { url: "postgres://nobody:secret@127.0.0.1:9/postgres" },
    }),
  );

test("polls with what npm start wrote, and stops when told to", async () => {
  await connect();
  const running = bot({});
  await running.printed("@overcoat_bot answers 2 users. Press Ctrl-C to stop.");
  const ann = telegram.user(7);
  expect((await ann.ask("/help")).text).toContain("/files [PREFIX]");
  // The services are down: it says so, and goes on.
  expect((await ann.ask("/session a")).text).toContain("ECONNREFUSED");
  expect((await ann.ask("/status")).text).toContain("❌ S3");
  process.kill(-running.child.pid!, "SIGTERM");
  await running.exit;
  expect(running.output()).toMatch(/Stopped\.\n$/);
  expect(running.output()).not.toContain(token);
});

test("--webhook has Telegram call an address", async () => {
  await connect();
  const url = "https://abc.supabase.co/functions/v1/telegram-bot";
  const running = bot({ TELEGRAM_WEBHOOK_SECRET: "the-secret_of-the-webhook" }, "--webhook", url);
  expect(await running.exit, running.output()).toBe(0);
  expect(running.output()).toBe(`Telegram calls ${url} for @overcoat_bot from now on.\n`);
  const answer = await fetch(`${telegram.url}/bot${token}/getWebhookInfo`);
  expect(await answer.json()).toMatchObject({ result: { url } });
});

test.each([
  [{ TELEGRAM_BOT_TOKEN: "" }, 2, "TELEGRAM_BOT_TOKEN must be the token that @BotFather gives"],
  [{ TELEGRAM_BOT_TOKEN: "4242:another-token" }, 1, "Telegram refuses TELEGRAM_BOT_TOKEN"],
  [{ TELEGRAM_ALLOWED_USERS: "" }, 2, "TELEGRAM_ALLOWED_USERS must be the ids of the users"],
  [{ TELEGRAM_ALLOWED_USERS: "@ann" }, 2, "TELEGRAM_ALLOWED_USERS must be the ids of the users"],
  [{ OVERCOAT_DATA: "/nowhere" }, 2, "there is no /nowhere/connection.json: start Overcoat by `npm start`"],
  [{ AWS_ENDPOINT_URL: "http://127.0.0.1:9" }, 2, "S3_BUCKET must be set where AWS_ENDPOINT_URL is"],
  [
    { TELEGRAM_API_ROOT: "http://127.0.0.1:9" },
    1,
    "Telegram cannot be reached: Network request for 'getMe' failed!",
  ],
])("says what is wrong with %j", async (environment, code, message) => {
  await connect();
  const running = bot(environment);
  expect(await running.exit, running.output()).toBe(code);
  expect(running.output()).toContain(message);
  expect(running.output()).not.toMatch(/^ +at |a-token|another-token/m);
});
