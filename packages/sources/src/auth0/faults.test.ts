import { createServer } from "node:net";
import { expect, test } from "vitest";
import { auth0 } from "./index.ts";
import {
  compare,
  credentials,
  define,
  firsts,
  openTenant,
  read,
  someUsers,
  type TestTenant,
} from "./testing.ts";

const table = define("user_id text");
const one = { filters: [compare(0, "=", "auth0|00000")] };

test("a token is taken once, kept, and taken anew when it is no longer good", async () => {
  await using tenant = await openTenant({ users: someUsers(3) });
  const tokens = () => tenant.server.requests.filter(({ path }) => path === "/oauth/token").length;
  await read(tenant.connection, table);
  await read(tenant.connection, table, one);
  expect(tokens()).toBe(1);
  tenant.server.revokeTokens();
  expect(firsts((await read(tenant.connection, table, one)).rows)).toEqual(["auth0|00000"]);
  expect(tokens()).toBe(2);
  await using short = await openTenant({ users: someUsers(3), expiresIn: 5 });
  await read(short.connection, table, one);
  await read(short.connection, table, one);
  expect(short.server.requests.filter(({ path }) => path === "/oauth/token")).toHaveLength(2);
});

test("api_key is used as it is; when it is no longer good, that is told", async () => {
  await using tenant = await openTenant({ users: someUsers(3) });
  const connection = await auth0.connect({ domain: tenant.server.url, api_key: tenant.server.token() });
  expect((await read(connection, table)).rows).toHaveLength(3);
  expect(tenant.server.requests.some(({ path }) => path === "/oauth/token")).toBe(false);
  tenant.server.revokeTokens();
  await expect(read(connection, table)).rejects.toMatchObject({ sqlState: "28000" });
});

test("a wrong secret, a scope that lacks, a wrong audience: errors without secrets", async () => {
  await using tenant = await openTenant({ scopes: ["read:roles"] });
  const wrong = await auth0.connect({
    domain: tenant.server.url,
    client_id: "test-client",
    client_secret: "hush",
  });
  const error = await read(wrong, table).catch((error) => error);
  expect(error).toMatchObject({ sqlState: "28000", detail: expect.stringContaining("Unauthorized") });
  expect(JSON.stringify([error, error.message, error.stack, String(error.cause)])).not.toContain("hush");
  await expect(read(tenant.connection, table)).rejects.toMatchObject({
    sqlState: "42501",
    detail: expect.stringContaining("read:users"),
  });
  const options = { domain: tenant.server.url, ...credentials, audience: "https://other/" };
  await expect(read(await auth0.connect(options), table)).rejects.toMatchObject({
    sqlState: "28000",
    detail: expect.stringContaining("https://other/"),
  });
});

test("a rate limit is waited for, and no call is made that it would refuse", async () => {
  await using tenant = await openTenant({ users: someUsers(1250), rate: { limit: 4, windowSeconds: 1 } });
  expect((await read(tenant.connection, table)).rows).toHaveLength(1250);
  expect(tenant.requests().length).toBeGreaterThan(12);
  expect(tenant.server.requests.filter(({ status }) => status === 429)).toEqual([]);
});

test("429 is waited for as its headers say, and not without end", async () => {
  await using tenant = await openTenant({ users: someUsers(1), rate: { limit: 0, windowSeconds: 1 } });
  const started = Date.now();
  await expect(read(tenant.connection, table, one)).rejects.toMatchObject({ sqlState: "53400" });
  expect(Date.now() - started).toBeGreaterThan(2000);
  expect(tenant.requests()).toHaveLength(6);
});

test("cancelling ends a wait for a rate limit, for an answer and for a token at once", async () => {
  const cancelled = async (tenant: TestTenant, when: () => boolean) => {
    const stop = new AbortController();
    const reading = read(tenant.connection, table, { ...one, signal: stop.signal });
    while (!when()) await new Promise((go) => setTimeout(go, 5));
    stop.abort(new Error("the statement was cancelled"));
    await expect(reading).rejects.toThrow("the statement was cancelled");
  };
  await using limited = await openTenant({ users: someUsers(1), rate: { limit: 0, windowSeconds: 60 } });
  await cancelled(limited, () => limited.server.requests.some(({ status }) => status === 429));
  for (const path of [/users/, /token/]) {
    await using slow = await openTenant({ users: someUsers(1) });
    slow.server.fault({ path, delay: 120_000 });
    await cancelled(slow, () => slow.server.faults.length === 0);
  }
}, 9_000);

test("failures of the service and the network are tried again, some times", async () => {
  await using tenant = await openTenant({ users: someUsers(1) });
  tenant.server.fault({ path: /users/, status: 503 });
  tenant.server.fault({ path: /users/, drop: true });
  tenant.server.fault({ path: /token/, status: 500 });
  expect((await read(tenant.connection, table, one)).rows).toHaveLength(1);
  tenant.server.fault({ path: /users/, status: 503, times: Number.POSITIVE_INFINITY });
  await expect(read(tenant.connection, table, one)).rejects.toMatchObject({ sqlState: "58000" });
  expect(tenant.requests()).toHaveLength(3 + 4);
});

test("no service there, and one that speaks something else", async () => {
  const closed = await openTenant();
  await closed[Symbol.asyncDispose]();
  await expect(read(closed.connection, table, one)).rejects.toMatchObject({ sqlState: "08001" });
  const other = createServer((socket) => socket.on("error", () => {}).end("SSH-2.0-x\r\n"));
  await new Promise<void>((listening) => other.listen(0, "127.0.0.1", listening));
  const { port } = other.address() as { port: number };
  const connection = await auth0.connect({ domain: `http://127.0.0.1:${port}`, api_key: "k" });
  await expect(read(connection, table, one)).rejects.toMatchObject({ sqlState: "08006" });
  other.close();
});
