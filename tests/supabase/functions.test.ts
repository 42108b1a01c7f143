import { type ChildProcess, execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { startTelegram } from "@overcoat/simulators";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { freePort } from "../../packages/sources/src/redis/server.testing.ts";
import { startProgram, stopAll } from "../process.ts";
import { secrets } from "../sql/ddl/services.ts";
import { keys, type Project, startProject } from "./project.ts";

/** The edge functions of `supabase/`, under Deno and against a project of their migrations. */

const root = fileURLToPath(new URL("../..", import.meta.url));
const functions = fileURLToPath(new URL("../../supabase/functions/", import.meta.url));
const deno = fileURLToPath(new URL("../deno/node_modules/.bin/deno", import.meta.url));
const token = "4242:a-token-that-must-not-show";
const secret = "the-secret_of-the-webhook";
const started: ChildProcess[] = [];
const parts = new AsyncDisposableStack();
let project: Project;
let environment: NodeJS.ProcessEnv;

beforeAll(async () => {
  if (!existsSync(deno)) throw new Error("Deno is missing: npm ci --prefix tests/deno");
  project = parts.use(await startProject());
  environment = {
    PATH: process.env.PATH,
    HOME: process.env.HOME,
    DENO_NO_UPDATE_CHECK: "1",
    SUPABASE_URL: project.url,
    SUPABASE_SERVICE_ROLE_KEY: keys.service_role,
    S3_ENDPOINT: project.services.gateway.endpoint,
    S3_BUCKET: "datasets",
    S3_ACCESS_KEY_ID: "test-access",
    S3_SECRET_ACCESS_KEY: secrets.S3,
  };
});
afterAll(() => {
  stopAll(started);
  return parts.disposeAsync();
});

/** Starts a function; it ends with the tests. @returns its URL, and what it printed so far */
async function startFunction(name: string, variables: NodeJS.ProcessEnv) {
  const port = await freePort();
  const flags = ["--no-prompt", "--no-check", "--no-lock", "--node-modules-dir=manual"];
  const rights = ["--allow-env", "--allow-net=127.0.0.1", "--allow-read", "--allow-sys"];
  const file = `${functions}${name}/index.ts`;
  const args = [deno, "run", ...flags, ...rights, "--config", `${functions}deno.json`, file];
  const env = { ...environment, ...variables, DENO_SERVE_ADDRESS: `tcp:127.0.0.1:${port}` };
  const { child, output } = startProgram(process.execPath, args, { cwd: root, env });
  started.push(child);
  const url = `http://127.0.0.1:${port}`;
  const deadline = Date.now() + 60_000;
  for (;;) {
    const answer = await fetch(url, { method: "OPTIONS" }).catch(() => undefined);
    await answer?.body?.cancel();
    if (answer) return { url, output };
    if (child.exitCode !== null || Date.now() > deadline)
      throw new Error(`the function ${name} did not start:\n${output()}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

test("the functions' imports resolve in Deno", async () => {
  for (const name of ["telegram-bot", "files"])
    await promisify(execFile)(
      process.execPath,
      [
        deno,
        "info",
        "--no-lock",
        "--node-modules-dir=manual",
        "--config",
        `${functions}deno.json`,
        `${functions}${name}/index.ts`,
      ],
      { cwd: root, env: environment },
    ).then(({ stdout }) => expect(stdout).not.toContain("(resolve error)"));
});

test("telegram-bot answers what Telegram sends", async () => {
  const telegram = parts.use(await startTelegram({ token }));
  const { url, output } = await startFunction("telegram-bot", {
    TELEGRAM_API_ROOT: telegram.url,
    TELEGRAM_BOT_TOKEN: token,
    TELEGRAM_ALLOWED_USERS: "7,8",
    TELEGRAM_WEBHOOK_SECRET: secret,
  });
  const webhook = new URLSearchParams({ url: `${url}/telegram-bot`, secret_token: secret });
  await fetch(`${telegram.url}/bot${token}/setWebhook?${webhook}`);
  const ann = telegram.user(7);
  expect((await ann.ask("/session a")).text).toContain('"user": "auth0|1"');
  expect((await ann.ask("/user bob@example.com")).text).toContain('"name": "Bob"');
  expect((await ann.ask("/files")).text).toBe("Files\n1. readme.txt 7 bytes\n2. sales.csv 24 bytes");
  const file = await ann.ask("/get readme.txt");
  expect(Buffer.from(ann.download(file)!).toString()).toBe("read me");
  ann.sendDocument({ name: "sent.txt", bytes: Buffer.from("sent") });
  expect((await ann.next()).text).toBe("Stored sent.txt (4 bytes).");
  expect((await telegram.user(9).ask("/session a")).text).toBe("Sorry, this bot is private.");
  const forged = await fetch(url, { method: "POST", body: "{}" });
  expect(forged.status).toBe(401);
  await forged.text();
  expect(output()).not.toContain(token);
});

describe("files", () => {
  let url: string;
  beforeAll(async () => {
    ({ url } = await startFunction("files", { FILES_ORIGIN: "https://app.example.com" }));
    project.users.set("reader", { files: "read-only" });
    project.users.set("writer", { files: "read-write" });
    project.users.set("nobody", {});
  });

  const ask = (path: string, user?: string, method = "GET") =>
    fetch(url + path, {
      method,
      redirect: "manual",
      headers: user === undefined ? {} : { authorization: `Bearer ${user}` },
    });

  test("are listed by pages", async () => {
    const answer = await ask("/files?limit=1", "reader");
    expect(answer.headers.get("access-control-allow-origin")).toBe("https://app.example.com");
    const page = await answer.json();
    expect(page).toMatchObject({ files: [{ filename: "readme.txt", size: 7 }], next: "readme.txt" });
    const rest = await ask("/files?limit=1&after=readme.txt", "reader");
    expect(await rest.json()).toMatchObject({ files: [{ filename: "sales.csv" }] });
    expect((await ask("/files?limit=0", "reader")).status).toBe(400);
  });

  test("are read and written by links", async () => {
    const read = await ask("/files/readme.txt", "reader");
    expect(read.status).toBe(302);
    expect(await (await fetch(read.headers.get("location")!)).text()).toBe("read me");
    const write = await ask("/files/new/%C3%A9.txt", "writer", "POST");
    const { url: link } = (await write.json()) as { url: string };
    expect((await fetch(link, { method: "PUT", body: "new" })).status).toBe(200);
    await using object = await project.services.gateway.objects.getObject("datasets", "new/é.txt");
    expect(await object.text()).toBe("new");
  });

  test.each([
    ["/files", undefined, "GET", 401],
    ["/files", "unknown", "GET", 401],
    ["/files", keys.anon, "GET", 401],
    ["/files", "nobody", "GET", 403],
    ["/files/readme.txt", "nobody", "GET", 403],
    ["/files/x", "reader", "POST", 403],
    ["/files/none", "reader", "GET", 404],
    ["/files/..%2Fx", "writer", "POST", 400],
    ["/files/%ff", "reader", "GET", 400],
    ["/files/readme.txt", "writer", "DELETE", 405],
    ["/other", "reader", "PUT", 405],
  ])("%s of %s by %s is answered with %i", async (path, user, method, status) => {
    const answer = await ask(path, user, method);
    expect(answer.status).toBe(status);
    await answer.text();
  });

  test("say that they cannot be reached, and not why, when they cannot", async () => {
    await project.owner.query("ALTER FUNCTION public.list_s3_files(text, text, integer) RENAME TO gone");
    try {
      const answer = await ask("/files", "reader");
      expect([answer.status, await answer.json()]).toEqual([
        502,
        { message: "The files cannot be reached now." },
      ]);
    } finally {
      await project.owner.query("ALTER FUNCTION public.gone(text, text, integer) RENAME TO list_s3_files");
    }
  });
});
