import { type Auth0Server, startAuth0 } from "@overcoat/simulators";
import pg from "pg";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type RedisClient, startRedis } from "../../../packages/sources/src/redis/server.testing.ts";
import { openTestGateway, type TestGateway } from "../../../packages/sources/src/s3/testing.ts";
import { type StackDatabase, startStack } from "../../../tests/sql/stack.ts";
import { rpcFunction } from "./rpc.ts";
import { statements } from "./statements.ts";
import { createWrappers, getRedisSession, type RpcClient, WrapperError, type Wrappers } from "./wrappers.ts";

const parts = new AsyncDisposableStack();
let redis: RedisClient;
let auth0: Auth0Server;
let gateway: TestGateway;
let database: StackDatabase;
let commands: string[];
let byUrl: Wrappers;
let byRpc: Wrappers;

beforeAll(async () => {
  const redisServer = parts.use(await startRedis());
  redis = await redisServer.client();
  commands = [];
  const monitor = await redisServer.client();
  await monitor.monitor((line) => commands.push(String(line).replace(/^\S+ \[[^\]]*\] /, "")));
  auth0 = parts.use(
    await startAuth0({
      clientId: "app",
      clientSecret: "of-the-app",
      users: [
        {
          user_id: "auth0|ann",
          email: "ann@example.com",
          name: "Ann",
          user_metadata: { theme: "dark", old: 1 },
        },
        { user_id: "auth0|bob", email: "Bob@example.com", name: "Bob" },
        { user_id: "sms|1", phone_number: "+15550100", name: "No mail" },
      ],
    }),
  );
  gateway = parts.use(await openTestGateway());
  await gateway.objects.createBucket("files");
  for (const name of ["a.txt", "sub/100%_a.txt", "sub/100x.txt", "sub/b.txt", "ü +&?#'.txt"])
    await gateway.objects.putObject("files", name, `content of ${name}`);
  const stack = parts.use(await startStack());
  database = await stack.database();
  await database.client.query(`
    CREATE SCHEMA services;
    SET search_path = services, public;
    CREATE SERVER redis_server FOREIGN DATA WRAPPER redis_fdw OPTIONS (url '${redisServer.url}');
    CREATE SERVER auth0_server FOREIGN DATA WRAPPER auth0_fdw
      OPTIONS (domain '${auth0.url}', client_id 'app', client_secret 'of-the-app');
    CREATE SERVER s3_server FOREIGN DATA WRAPPER s3_fdw OPTIONS (endpoint '${gateway.endpoint}', bucket 'files',
      access_key_id 'test-access', secret_access_key 'test-secret');
    CREATE FOREIGN TABLE redis_sessions (session_id TEXT, payload JSONB)
      SERVER redis_server OPTIONS (key_prefix 'session:');
    CREATE FOREIGN TABLE auth0_users (user_id TEXT, email TEXT, profile JSONB) SERVER auth0_server;
    CREATE FOREIGN TABLE s3_files (filename TEXT, url TEXT, metadata JSONB) SERVER s3_server;
    CREATE ROLE service_role LOGIN PASSWORD 'service';
    CREATE ROLE anon LOGIN PASSWORD 'anon'`);
  for (const statement of Object.values(statements))
    await database.client.query(
      rpcFunction(statement, { schema: "public", tables: "services", roles: ["service_role"] }),
    );
  const storage = {
    endpoint: gateway.endpoint,
    bucket: "files",
    accessKeyId: "test-access",
    secretAccessKey: "test-secret",
  };
  const url = new URL(database.url);
  url.searchParams.set("search_path", "services");
  byUrl = createWrappers({ database: url.href, storage });
  parts.defer(() => byUrl.close());
  byRpc = createWrappers({ database: await rpcClient("service_role", "service"), storage });
});
afterAll(() => parts.disposeAsync());

beforeEach(async () => {
  await redis.flushAll();
  for (const id of ["a", "b", "b%", "c"]) await redis.set(`session:${id}`, JSON.stringify({ user: id }));
  await redis.set("other:a", "{}");
  gateway.requests.length = 0;
  commands.length = 0;
});

/** Calls functions with named arguments, as PostgREST does for Supabase's client. */
async function rpcClient(user: string, password: string): Promise<RpcClient> {
  const url = Object.assign(new URL(database.url), { username: user, password });
  const client = new pg.Client(url.href);
  await client.connect();
  parts.defer(() => client.end());
  return {
    async rpc(name, parameters) {
      const named = Object.keys(parameters).map((parameter, i) => `"${parameter}" => $${i + 1}`);
      try {
        const text = `SELECT * FROM public.${name}(${named.join(", ")})`;
        return { data: (await client.query(text, Object.values(parameters))).rows, error: null };
      } catch (error) {
        const { code, message } = error as pg.DatabaseError;
        return { data: null, error: { code, message } };
      }
    },
  };
}

/** Requests to Auth0 by `work`. */
async function askedOfAuth0(work: () => Promise<unknown>): Promise<string[]> {
  const { length } = auth0.requests;
  await work();
  return auth0.requests
    .slice(length)
    .filter(({ path }) => path.startsWith("/api/v2"))
    .map(({ method, path }) => `${method} ${path.slice("/api/v2".length)}`);
}

describe.each([
  ["by the URL of a PostgreSQL", () => byUrl],
  ["by a Supabase client", () => byRpc],
] as const)("%s", (_, wrappers) => {
  test("a session is looked up by its key", async () => {
    expect(await wrappers().getRedisSession("b")).toEqual({ session_id: "b", payload: { user: "b" } });
    expect(commands.filter((command) => command.includes("session:"))).toEqual(['"MGET" "session:b"']);
    expect(await wrappers().getRedisSession("none")).toBeUndefined();
    expect(await wrappers().getRedisSession("' OR true --")).toBeUndefined();
  });

  test("sessions are listed by prefix and page, and deleted", async () => {
    const ids = async (page?: Parameters<Wrappers["listRedisSessions"]>[0]) =>
      (await wrappers().listRedisSessions(page)).map(({ session_id }) => session_id);
    expect(await ids()).toEqual(["a", "b", "b%", "c"]);
    expect(await ids({ limit: 2 })).toEqual(["a", "b"]);
    expect(await ids({ limit: 2, after: "b" })).toEqual(["b%", "c"]);
    expect(await ids({ prefix: "b%" })).toEqual(["b%"]);
    expect(commands.some((command) => command.includes('"MATCH" "session:b%*"'))).toBe(true);
    expect(await wrappers().deleteRedisSession("b")).toBe(true);
    expect(await wrappers().deleteRedisSession("b")).toBe(false);
    expect(await redis.exists("session:b")).toBe(0);
    expect(await redis.exists(["session:b%", "other:a"])).toBe(2);
  });

  test("a user is looked up by id and by e-mail address in any case", async () => {
    const ann = { user_id: "auth0|ann", email: "ann@example.com", profile: { name: "Ann" } };
    let found: unknown;
    expect(
      await askedOfAuth0(async () => {
        found = await wrappers().getAuth0User("auth0|ann");
      }),
    ).toEqual([expect.stringMatching(/^GET \/users\/auth0\|ann/)]);
    expect(found).toMatchObject(ann);
    const asked = await askedOfAuth0(async () => {
      found = await wrappers().getAuth0User("ann@example.com");
    });
    expect(asked).toEqual(["GET /users-by-email?email=ann@example.com"]);
    expect(found).toMatchObject(ann);
    expect(await wrappers().getAuth0User("Ann@Example.com")).toMatchObject(ann);
    expect(await wrappers().getAuth0User("auth0|none")).toBeUndefined();
    expect(await wrappers().getAuth0User("none@example.com")).toBeUndefined();
  });

  test("users are searched by how their address begins, and listed with those who have none", async () => {
    const ids = async (search?: Parameters<Wrappers["searchAuth0Users"]>[0]) =>
      (await wrappers().searchAuth0Users(search)).map(({ user_id }) => user_id);
    expect(await ids()).toEqual(["auth0|ann", "auth0|bob", "sms|1"]);
    expect(await ids({ limit: 1, after: "auth0|ann" })).toEqual(["auth0|bob"]);
    const asked = await askedOfAuth0(async () => expect(await ids({ search: "An" })).toEqual(["auth0|ann"]));
    expect(asked).toEqual([expect.stringContaining("q=")]);
    expect(asked[0]).toContain("email:an*");
  });

  test("metadata of a user is merged, and a user is blocked", async () => {
    const stored = async () => (await wrappers().getAuth0User("auth0|ann"))!.profile;
    await wrappers().updateAuth0UserMetadata("auth0|ann", { theme: "dark", old: 1, new: null });
    expect(await wrappers().updateAuth0UserMetadata("auth0|ann", { old: null, new: [true] })).toBe(true);
    expect((await stored()).user_metadata).toEqual({ theme: "dark", new: [true] });
    expect(await wrappers().updateAuth0UserMetadata("auth0|bob", { first: "time" })).toBe(true);
    expect(await wrappers().updateAuth0UserMetadata("auth0|none", {})).toBe(false);
    expect(await wrappers().blockAuth0User("auth0|ann")).toBe(true);
    expect((await stored()).blocked).toBe(true);
    expect(await wrappers().blockAuth0User("auth0|ann", false)).toBe(true);
    expect((await stored()).blocked).toBe(false);
  });

  test("files are looked up, and listed by prefix and page", async () => {
    expect(await wrappers().getS3File("a.txt")).toMatchObject({ filename: "a.txt", metadata: { size: 16 } });
    expect(gateway.requests).toEqual(["HeadObject /files/a.txt"]);
    expect(await wrappers().getS3File("none")).toBeUndefined();
    const names = async (page?: Parameters<Wrappers["listS3Files"]>[0]) =>
      (await wrappers().listS3Files(page)).map(({ filename }) => filename);
    gateway.requests.length = 0;
    expect(await names({ prefix: "sub/", limit: 2 })).toEqual(["sub/100%_a.txt", "sub/100x.txt"]);
    expect(await names({ prefix: "sub/", limit: 2, after: "sub/100x.txt" })).toEqual(["sub/b.txt"]);
    expect(gateway.requests).toEqual(["ListObjectsV2 /files/", "ListObjectsV2 /files/"]);
    expect(await names({ prefix: "sub/100%_" })).toEqual(["sub/100%_a.txt"]);
    expect(await names()).toHaveLength(5);
  });

  test("presigned URLs read and write", async () => {
    const name = "ü +&?#'.txt";
    const answer = await fetch(await wrappers().presignDownload(name, { saveAs: "it's ü.txt" }));
    expect(await answer.text()).toBe(`content of ${name}`);
    expect(answer.headers.get("content-disposition")).toBe(
      "attachment; filename*=UTF-8''it%27s%20%C3%BC.txt",
    );
    const url = await wrappers().presignUpload("new/file.bin", { expiresIn: 60 });
    expect((await fetch(url, { method: "PUT", body: "new" })).status).toBe(200);
    expect((await fetch(url)).status).toBe(403);
    expect(await (await fetch(await wrappers().presignDownload("new/file.bin"))).text()).toBe("new");
    await gateway.objects.deleteObject("files", "new/file.bin");
    await expect(wrappers().presignDownload("a/../b")).rejects.toMatchObject({ kind: "invalid" });
    await expect(wrappers().presignDownload("a", { expiresIn: 1e6 })).rejects.toMatchObject({
      kind: "invalid",
    });
  });

  test("arguments are refused before anything is asked", async () => {
    const refused: (() => Promise<unknown>)[] = [
      () => wrappers().getRedisSession(""),
      () => wrappers().getRedisSession("a\0"),
      () => wrappers().getRedisSession({} as string),
      () => wrappers().listS3Files({ limit: 0 }),
      () => wrappers().listS3Files({ limit: 1.5 }),
      () => wrappers().listS3Files({ limit: 1001 }),
      () => wrappers().updateAuth0UserMetadata("auth0|ann", [] as never),
    ];
    for (const call of refused) {
      await expect(call()).rejects.toBeInstanceOf(WrapperError);
      await expect(call()).rejects.toMatchObject({ kind: "invalid" });
    }
    expect(gateway.requests).toEqual([]);
    expect(commands).toEqual([]);
  });
});

test.each([
  ["getRedisSession", ["a"], /WHERE \(\(session_id = 'a'/],
  ["listRedisSessions", ["a%", "", 10], /session_id ~~ 'a%'.*ORDER BY session_id ASC/],
  ["getAuth0UserById", ["auth0|ann"], /WHERE \(\(user_id = 'auth0\|ann'/],
  ["getAuth0UserByEmail", ["a@b.c", "a@b.c"], /WHERE \(\(email = ANY/],
  ["searchAuth0Users", ["a%", "", 10], /email ~~ 'a%'.*ORDER BY user_id ASC/],
  ["getS3File", ["a.txt"], /WHERE \(\(filename = 'a\.txt'/],
  ["listS3Files", ["sub/%", "", 10], /filename ~~ 'sub\/%'.*ORDER BY filename ASC.* LIMIT 10/],
  ["deleteRedisSession", ["a"], /session_id = 'a'/],
  ["updateAuth0UserMetadata", ["auth0|ann", {}], /user_id = 'auth0\|ann'/],
] as const)(
  "%s: the key look-up or page is PostgreSQL's foreign server's to answer",
  async (name, args, sent) => {
    const { rows } = await database.client.query({
      text: `EXPLAIN (VERBOSE, COSTS OFF) ${statements[name].text}`,
      values: [...args],
      rowMode: "array",
    });
    const plan = rows.map(([line]) => line as string);
    expect(plan.filter((line) => line.includes("Remote SQL")).join("\n")).toMatch(sent);
    const scan = plan.slice(plan.findIndex((line) => line.includes("Foreign Scan")));
    expect(scan.join("\n")).not.toContain("Filter:");
  },
);

test("failures are told apart", async () => {
  const failing = async (wrappers: Wrappers) => {
    try {
      await wrappers.getRedisSession("a");
    } catch (error) {
      return error as WrapperError;
    } finally {
      await wrappers.close();
    }
  };
  const url = new URL(database.url);
  const unreachable = createWrappers({ database: "postgres://127.0.0.1:9/none" });
  expect(await failing(unreachable)).toMatchObject({ name: "WrapperError", kind: "unavailable" });
  const wrongPassword = createWrappers({ database: Object.assign(new URL(url), { password: "wrong" }).href });
  expect(await failing(wrongPassword)).toMatchObject({ kind: "denied", sqlState: "28P01" });
  const noTables = createWrappers({ database: url.href });
  expect(await failing(noTables)).toMatchObject({ kind: "not-configured", sqlState: "42P01" });
  const anon = createWrappers({ database: await rpcClient("anon", "anon") });
  expect(await failing(anon)).toMatchObject({ kind: "denied", sqlState: "42501" });
  auth0.fault({ status: 500, times: 20 });
  await expect(byUrl.getAuth0User("auth0|ann")).rejects.toBeInstanceOf(WrapperError);
  auth0.clearFaults();
  await expect(noTables.presignUpload("a")).rejects.toMatchObject({ kind: "not-configured" });
});

test("without a database the functions say what to set", async () => {
  delete process.env.DATABASE_URL;
  delete process.env.SUPABASE_DB_URL;
  await expect(getRedisSession("a")).rejects.toMatchObject({
    kind: "not-configured",
    message: expect.stringContaining("DATABASE_URL"),
  });
});
