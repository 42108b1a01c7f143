import { mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { GetObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { type Auth0Server, startAuth0 } from "@overcoat/simulators";
import pg from "pg";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import { freePort, type RedisClient, startRedis } from "../../packages/sources/src/redis/server.testing.ts";
import { command, plainEnvironment, startProgram, stopAll } from "../process.ts";

/** Of `connection.json`. */
export interface Connections {
  readonly s3: Record<"endpoint" | "accessKeyId" | "secretAccessKey" | "region", string>;
  readonly postgres: { readonly url: string };
  readonly console: { readonly url: string; readonly password: string };
}

/** The console of a running `overcoat up` with the three services as tables, and a browser. */
export interface TestConsole extends AsyncDisposable {
  readonly connections: Connections;
  /** What Overcoat keeps. */
  readonly folder: string;
  readonly browser: Browser;
  /** A client of the gateway. */
  readonly storage: S3Client;
  readonly redis: RedisClient;
  readonly auth0: Auth0Server;
  /** What must never be sent to a browser. */
  readonly secrets: readonly string[];
  /** A window of its own; what its pages did wrong is in `problems`. */
  open(options?: Parameters<Browser["newContext"]>[0]): Promise<Window>;
  /** As `open`, signed in; on no page yet. */
  signIn(options?: Parameters<Browser["newContext"]>[0]): Promise<Window>;
}

export interface Window {
  readonly context: BrowserContext;
  readonly page: Page;
  /** Errors on pages, answers that failed, and what the policy refused. */
  readonly problems: string[];
}

/** Where screenshots go: with OVERCOAT_SCREENSHOTS=docs into the documentation, else to look at. */
const screenshots = fileURLToPath(
  new URL(
    process.env.OVERCOAT_SCREENSHOTS === "docs" ? "../../docs/screenshots/" : "../../.cache/screenshots/",
    import.meta.url,
  ),
);

export async function screenshot(page: Page, name: string): Promise<void> {
  const path = join(screenshots, `${name}.png`);
  await mkdir(dirname(path), { recursive: true });
  await page.screenshot({ path, animations: "disabled" });
}

/** Starts all parts; the first time builds the console, which takes a while. */
export async function openConsole(): Promise<TestConsole> {
  await using parts = new AsyncDisposableStack();
  const redisServer = parts.use(await startRedis());
  const redis = await redisServer.client();
  for (const [id, user] of Object.entries({ "4f3a": "ann", "77aa": "bob", "9c01": "cleo", b2d4: "dan" }))
    await redis.set(
      `session:${id}`,
      JSON.stringify({ user, email: `${user}@example.com`, cart: [user.length] }),
    );
  const auth0 = parts.use(
    await startAuth0({
      clientId: "app",
      clientSecret: "secret-of-the-application",
      users: ["ann", "bob", "cleo", "dan"].map((name) => ({
        user_id: `auth0|${name}`,
        email: `${name}@example.com`,
        name: `${name[0]!.toUpperCase()}${name.slice(1)} Example`,
      })),
    }),
  );
  const work = await mkdtemp(join(tmpdir(), "overcoat-browser-"));
  parts.defer(() => rm(work, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 }));
  const s3 = `127.0.0.1:${await freePort()}`;
  const address = `127.0.0.1:${await freePort()}`;
  const flags = [
    "--s3-addr",
    s3,
    "--workers",
    "1",
    "--no-fsync",
    "--postgres-port",
    "0",
    "--demo",
    "--versions",
  ];
  const running = startProgram(process.execPath, [command, "up", ...flags, "--console-addr", address], {
    cwd: work,
    env: { ...plainEnvironment, OVERCOAT_SECRET_AUTH0: "secret-of-the-application" },
  });
  parts.defer(async () => {
    process.kill(-running.child.pid!, "SIGINT");
    const late = setTimeout(() => stopAll([running.child]), 15_000);
    await running.exit;
    clearTimeout(late);
  });
  await running.printed(" Password ");
  const folder = join(work, "overcoat-data");
  const connections = JSON.parse(await readFile(join(folder, "connection.json"), "utf8")) as Connections;
  await createTables(connections, redisServer.url, auth0.url);
  const storage = openStorage(connections);
  parts.defer(() => storage.destroy());
  parts.use(keepBusy(storage));
  const browser = await chromium.launch({
    executablePath: process.env.OVERCOAT_TEST_CHROMIUM || "/usr/bin/chromium",
    // It has no sandbox for root, as which tests run in containers.
    args: process.getuid?.() === 0 ? ["--no-sandbox"] : [],
  });
  parts.defer(() => browser.close());
  const open: TestConsole["open"] = async (options = {}) => {
    const context = await browser.newContext({ baseURL: connections.console.url, ...options });
    const page = await context.newPage();
    const problems: string[] = [];
    page.on("pageerror", (error) => problems.push(error.message));
    page.on("console", (message) => message.type() === "error" && problems.push(message.text()));
    return { context, page, problems };
  };
  let session: Awaited<ReturnType<typeof startSession>> | undefined;
  const kept = parts.move();
  return {
    connections,
    folder,
    browser,
    storage,
    redis,
    auth0,
    secrets: [
      connections.s3.secretAccessKey,
      new URL(connections.postgres.url).password,
      connections.console.password,
      "secret-of-the-application",
    ],
    open,
    async signIn(options) {
      session ??= await startSession(open, connections.console.password);
      return open({ ...options, storageState: session });
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

/** A client of the gateway. */
function openStorage({ s3 }: Connections): S3Client {
  const { endpoint, region, ...credentials } = s3;
  return new S3Client({ endpoint, region, credentials, forcePathStyle: true, maxAttempts: 1 });
}

/** Has the gateway do something, for the plots. */
function keepBusy(client: S3Client): Disposable {
  const object = { Bucket: "sample", Key: "datasets/train.csv" };
  let count = 0;
  const ask = async () => {
    count += 1;
    const size = 20_000 + 15_000 * Math.sin(count / 3);
    await client.send(new PutObjectCommand({ ...object, Body: "1,cat\n".repeat(size / 6) }));
    await (await client.send(new GetObjectCommand(object))).Body?.transformToByteArray();
    if (count % 5 === 0) await client.send(new GetObjectCommand({ ...object, Key: "missing" }));
  };
  const timer = setInterval(() => ask().catch(() => undefined), 700);
  return {
    [Symbol.dispose]() {
      clearInterval(timer);
    },
  };
}

/** Signs in. @returns the cookies */
async function startSession(open: TestConsole["open"], password: string) {
  const { context, page } = await open();
  await page.goto("/sign-in");
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("heading", { name: "Overview" }).waitFor();
  const state = await context.storageState();
  await context.close();
  return state;
}

async function createTables({ s3, postgres }: Connections, redis: string, auth0: string): Promise<void> {
  const client = new pg.Client(postgres.url);
  await client.connect();
  await client.query(`
    CREATE EXTENSION redis_wrapper; CREATE EXTENSION auth0_wrapper; CREATE EXTENSION s3_wrapper;
    CREATE SERVER redis_server FOREIGN DATA WRAPPER redis_fdw OPTIONS (url '${redis}');
    CREATE SERVER auth0_server FOREIGN DATA WRAPPER auth0_fdw
      OPTIONS (domain '${auth0}', client_id 'app', secret 'AUTH0');
    CREATE SERVER s3_server FOREIGN DATA WRAPPER s3_fdw OPTIONS (endpoint '${s3.endpoint}', bucket 'sample');
    CREATE USER MAPPING FOR PUBLIC SERVER s3_server
      OPTIONS (access_key_id '${s3.accessKeyId}', secret_access_key '${s3.secretAccessKey}');
    CREATE FOREIGN TABLE redis_sessions (session_id TEXT, payload JSONB)
      SERVER redis_server OPTIONS (key_prefix 'session:');
    CREATE FOREIGN TABLE auth0_users (user_id TEXT, email TEXT, profile JSONB) SERVER auth0_server;
    CREATE FOREIGN TABLE s3_files (filename TEXT, url TEXT, metadata JSONB) SERVER s3_server`);
  await client.end();
}
