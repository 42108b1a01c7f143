import { gunzipSync } from "node:zlib";
import { ManagementClient } from "auth0";
import { afterEach, expect, test } from "vitest";
import { type Auth0Options, type Auth0Server, startAuth0 } from "./server.ts";

const credentials = { clientId: "the-client", clientSecret: "the-secret" };
const databaseConnection = "Username-Password-Authentication";
const open: Auth0Server[] = [];

afterEach(async () => {
  for (const server of open.splice(0)) await server.close();
});

async function start(options: Partial<Auth0Options> = {}) {
  const server = await startAuth0({ ...credentials, ...options });
  open.push(server);
  return { server, client: sdk(server) };
}

/** Auth0's own SDK; it knows https only, so its calls are sent to the same place by http. */
const sdk = ({ domain }: Auth0Server, options: { clientSecret?: string; audience?: string } = {}) =>
  new ManagementClient({
    domain,
    ...credentials,
    ...options,
    maxRetries: 1,
    fetch: (input, init) => fetch(String(input).replace(/^https:/, "http:"), init),
  });

const someUsers = (count: number) =>
  Array.from({ length: count }, (_, index) => ({
    user_id: `auth0|${String(index).padStart(5, "0")}`,
    email: `user${index}@example.com`,
    created_at: new Date(Date.UTC(2024, 0, 1) + index * 1000).toISOString(),
    logins_count: index,
  }));

/** What the SDK throws: a status and Auth0's own body. */
const refusal = (statusCode: number, body: object) =>
  expect.objectContaining({ statusCode, body: expect.objectContaining(body) });

test("a token is taken once, with the audience of the domain, and again when it expires", async () => {
  const { server, client } = await start({ users: someUsers(2) });
  await client.users.list();
  await client.users.list();
  const tokens = () => server.requests.filter(({ path }) => path === "/oauth/token");
  expect(tokens()).toHaveLength(1);
  expect(tokens()[0]!.body).toMatchObject({ audience: `https://${server.domain}/api/v2/` });
  // The SDK takes a new one ten seconds before the end.
  const { client: hasty, server: short } = await start({ expiresIn: 5 });
  await hasty.users.list();
  await hasty.users.list();
  expect(short.requests.filter(({ path }) => path === "/oauth/token")).toHaveLength(2);
});

test("wrong secrets and audiences, tokens that are none, expired or lack a scope", async () => {
  const { server } = await start({ scopes: ["read:roles"], expiresIn: 0 });
  await expect(sdk(server, { clientSecret: "guess" }).users.list()).rejects.toEqual(
    refusal(401, { error: "access_denied", error_description: "Unauthorized" }),
  );
  await expect(sdk(server, { audience: "https://other/" }).users.list()).rejects.toEqual(
    refusal(403, { error_description: "Service not enabled within domain: https://other/" }),
  );
  const get = async (authorization?: string) => {
    const headers: Record<string, string> = authorization ? { authorization } : {};
    const response = await fetch(`${server.url}/api/v2/users`, { headers });
    return response.json();
  };
  expect(await get()).toEqual({ statusCode: 401, error: "Unauthorized", message: "Missing authentication" });
  expect(await get("Bearer x")).toMatchObject({ statusCode: 401, message: "Invalid token" });
  expect(await get(`Bearer ${server.token()}`)).toMatchObject({
    statusCode: 401,
    message: expect.stringMatching(/^Expired token/),
  });
  const { client } = await start({ scopes: ["read:roles"] });
  await expect(client.users.list()).rejects.toEqual(
    refusal(403, {
      statusCode: 403,
      error: "Forbidden",
      message: "Insufficient scope, expected any of: read:users",
      errorCode: "insufficient_scope",
    }),
  );
  expect((await client.roles.list()).data).toEqual([]);
});

test("users: search, sort, fields, pages and totals", async () => {
  const { client } = await start({ users: someUsers(120) });
  const first = await client.users.list({ per_page: 100, sort: "created_at:-1", include_totals: true });
  expect(first.data).toHaveLength(100);
  expect(first.response).toMatchObject({ start: 0, limit: 100, length: 100, total: 120 });
  expect(first.data[0]).toMatchObject({ user_id: "auth0|00119", email_verified: false });
  const rest = await first.getNextPage();
  expect(rest.data.map(({ email }) => email).at(-1)).toBe("user0@example.com");
  const found = await client.users.list({ q: "logins_count:[5 TO 6]", fields: "email,user_id" });
  expect(found.data).toEqual([
    { user_id: "auth0|00005", email: "user5@example.com" },
    { user_id: "auth0|00006", email: "user6@example.com" },
  ]);
  const without = await client.users.list({ per_page: 1, fields: "identities", include_fields: false });
  expect(without.data[0]).not.toHaveProperty("identities");
  await expect(client.users.list({ per_page: 101 })).rejects.toEqual(
    refusal(400, {
      message:
        "Query validation error: 'Value 101 is greater than maximum 100' on property per_page (Number of results per page. Defaults to 50).",
      errorCode: "invalid_query_string",
    }),
  );
  await expect(client.users.list({ q: "name:*sa" })).rejects.toEqual(
    refusal(400, { errorCode: "invalid_query_string" }),
  );
});

test("users: no more than 1,000 by page; an export has them all", async () => {
  const { server, client } = await start({ users: someUsers(1100) });
  const last = await client.users.list({ page: 9, per_page: 100 });
  expect(last.response.total).toBe(1100);
  await expect(client.users.list({ page: 10, per_page: 100 })).rejects.toEqual(
    refusal(400, {
      message: expect.stringMatching(/^You can only page through the first 1000 records/),
      errorCode: "invalid_paging",
    }),
  );
  const { id } = await client.jobs.usersExports.create({
    format: "json",
    fields: [{ name: "user_id" }, { name: "identities[0].connection", export_as: "connection" }],
  });
  const polls = [await client.jobs.get(id), await client.jobs.get(id), await client.jobs.get(id)];
  expect(polls.map(({ status }) => status)).toEqual(["pending", "processing", "completed"]);
  expect(polls[1]).not.toHaveProperty("location");
  const location = String(polls[2]!.location);
  expect(location.startsWith(server.url)).toBe(true);
  const file = Buffer.from(await (await fetch(location)).arrayBuffer());
  const lines = gunzipSync(file).toString().trimEnd().split("\n");
  expect(lines).toHaveLength(1100);
  expect(JSON.parse(lines[1099]!)).toEqual({ user_id: "auth0|01099", connection: databaseConnection });
  expect((await fetch(location.replace(".json", "0.json"))).status).toBe(404);
});

test("users: create, read, update, delete", async () => {
  const { client } = await start();
  const user = await client.users.create({
    connection: databaseConnection,
    email: "New@Example.com",
    password: "correct horse",
    user_metadata: { city: "Rome", old: 1 },
    app_metadata: { plan: "gold" },
  });
  const id = user.user_id!;
  expect(id).toMatch(/^auth0\|[0-9a-f]{24}$/);
  expect(user).toMatchObject({ email: "new@example.com", email_verified: false, nickname: "new" });
  expect(user).not.toHaveProperty("password");
  expect((await client.users.get(id)).created_at).toBe(user.created_at);
  expect(await client.users.listUsersByEmail({ email: "new@example.com" })).toHaveLength(1);
  expect(await client.users.listUsersByEmail({ email: "New@example.com" })).toEqual([]);

  // Metadata merges by its first level, and null removes.
  const changed = await client.users.update(id, {
    blocked: true,
    name: "Nora",
    user_metadata: { old: null, age: 7 },
  });
  expect(changed).toMatchObject({ blocked: true, name: "Nora", user_metadata: { city: "Rome", age: 7 } });
  expect(changed.user_metadata).not.toHaveProperty("old");
  expect((await client.users.update(id, { app_metadata: {}, nickname: null })).app_metadata).toEqual({});
  expect(await client.users.get(id)).not.toHaveProperty("nickname");

  await expect(
    client.users.create({ connection: databaseConnection, email: "new@example.com", password: "x" }),
  ).rejects.toEqual(refusal(409, { message: "The user already exists.", errorCode: "auth0_idp_error" }));
  await expect(client.users.create({ connection: databaseConnection, email: "a@b.c" })).rejects.toEqual(
    refusal(400, {
      message: "Payload validation error: 'Missing required property: password'.",
      errorCode: "invalid_body",
    }),
  );
  const wrong = { created_at: "2020-01-01" } as object;
  await expect(client.users.update(id, wrong)).rejects.toEqual(
    refusal(400, { message: "Payload validation error: 'Additional properties not allowed: created_at'." }),
  );

  await expect(client.users.update(id, { email: "c@example.com", password: "x" })).rejects.toEqual(
    refusal(400, { message: "Cannot update password and email simultaneously" }),
  );

  await client.users.delete(id);
  await client.users.delete(id);
  await expect(client.users.get(id)).rejects.toEqual(
    refusal(404, { message: "The user does not exist.", errorCode: "inexistent_user" }),
  );
});

test("search lags behind writes where it is told to, direct reads do not", async () => {
  const { client } = await start({ searchDelay: 60_000, users: someUsers(1) });
  await client.users.update("auth0|00000", { name: "Changed" });
  await client.users.create({ connection: databaseConnection, email: "b@example.com", password: "x" });
  const [seen, ...others] = (await client.users.list()).data;
  expect(others).toEqual([]);
  expect(seen!.name).toBe("user0@example.com");
  expect((await client.users.get("auth0|00000")).name).toBe("Changed");
  const { client: quick } = await start({ users: someUsers(2) });
  await quick.users.delete("auth0|00000");
  expect((await quick.users.list()).data).toHaveLength(1);
});

test("roles, their users and permissions; what a user has of them", async () => {
  const permission = { resource_server_identifier: "https://api", permission_name: "read:it" };
  const { client } = await start({
    users: someUsers(130),
    roles: [
      { id: "rol_1", name: "Admin", permissions: [permission], users: someUsers(130).map((u) => u.user_id) },
    ],
  });
  const { id } = await client.roles.create({ name: "Reader", description: "reads" });
  await client.users.roles.assign("auth0|00000", { roles: [id!] });
  expect((await client.users.roles.list("auth0|00000")).data.map(({ name }) => name)).toEqual([
    "Admin",
    "Reader",
  ]);
  expect((await client.roles.list({ name_filter: "READ" })).data).toEqual([
    { id, name: "Reader", description: "reads" },
  ]);
  const names: unknown[] = [];
  for await (const user of await client.roles.users.list("rol_1", { take: 100 })) names.push(user.user_id);
  expect(new Set(names).size).toBe(130);
  expect((await client.roles.permissions.list("rol_1")).data).toEqual([permission]);
  expect((await client.users.permissions.list("auth0|00001")).data).toMatchObject([
    { ...permission, sources: [{ source_name: "Admin", source_type: "ROLE" }] },
  ]);
  await client.users.roles.delete("auth0|00000", { roles: [id!] });
  await client.roles.delete(id!);
  await expect(client.roles.get(id!)).rejects.toEqual(refusal(404, { errorCode: "inexistent_role" }));
  await expect(client.roles.get("nonsense")).rejects.toEqual(refusal(400, { errorCode: "invalid_uri" }));
});

test("organizations and their members, from checkpoints", async () => {
  const { client } = await start({
    users: someUsers(3),
    roles: [{ id: "rol_1", name: "Admin" }],
    organizations: Array.from({ length: 60 }, (_, index) => ({ id: `org_${index}`, name: `o${index}` })),
  });
  const ids: unknown[] = [];
  for await (const { id } of await client.organizations.list({ take: 25 })) ids.push(id);
  expect(ids).toHaveLength(60);
  const members = client.organizations.members;
  await members.create("org_7", { members: ["auth0|00000", "auth0|00001"] });
  await members.roles.assign("org_7", "auth0|00000", { roles: ["rol_1"] });
  const page = await members.list("org_7", { take: 1 });
  expect(page.data.map(({ user_id }) => user_id)).toEqual(["auth0|00000"]);
  expect((await page.getNextPage()).data.map(({ user_id }) => user_id)).toEqual(["auth0|00001"]);
  const detailed = await members.list("org_7", { fields: "user_id,roles" });
  expect(detailed.data[0]).toEqual({
    user_id: "auth0|00000",
    roles: [{ id: "rol_1", name: "Admin", description: "" }],
  });
  expect((await client.users.organizations.list("auth0|00001")).data).toMatchObject([{ name: "o7" }]);
  expect((await client.users.list({ q: "organization_id:org_7" })).data).toHaveLength(2);
  await expect(client.organizations.get("org_none")).rejects.toEqual(refusal(404, {}));
});

test("clients without their secrets, connections, grants, sessions, blocked logins", async () => {
  const { client } = await start({
    users: someUsers(2),
    clients: [{ client_id: "c1", name: "Shop", app_type: "spa", client_secret: "hidden" }],
    connections: [{ id: "con_google", name: "google-oauth2", strategy: "google-oauth2" }],
    grants: [{ id: "g1", clientID: "c1", user_id: "auth0|00000", audience: "https://api", scope: ["a"] }],
    sessions: [
      { id: "s1", user_id: "auth0|00000" },
      { id: "s2", user_id: "auth0|00000" },
    ],
    blocks: { "auth0|00001": ["10.0.0.1"] },
    scopes: [
      "read:clients",
      "read:connections",
      "read:grants",
      "read:sessions",
      "read:users",
      "update:users",
    ],
  });
  const [shop] = (await client.clients.list({ app_type: "spa" })).data;
  expect(shop).toMatchObject({ client_id: "c1", name: "Shop" });
  expect(shop).not.toHaveProperty("client_secret");
  expect((await client.connections.list({ strategy: ["google-oauth2"] })).data).toMatchObject([
    { id: "con_google" },
  ]);
  expect((await client.userGrants.list({ user_id: "auth0|00000" })).data).toMatchObject([{ id: "g1" }]);
  expect((await client.userGrants.list({ user_id: "auth0|00001" })).data).toEqual([]);
  const page = await client.users.sessions.list("auth0|00000", { take: 1 });
  expect(page.data).toMatchObject([{ id: "s1" }]);
  expect((await page.getNextPage()).data).toMatchObject([{ id: "s2" }]);
  expect(await client.sessions.get("s2")).toMatchObject({ user_id: "auth0|00000" });
  expect(await client.userBlocks.list("auth0|00001")).toEqual({
    blocked_for: [{ identifier: "user1@example.com", ip: "10.0.0.1" }],
  });
  await client.userBlocks.delete("auth0|00001");
  expect(await client.userBlocks.list("auth0|00001")).toEqual({ blocked_for: [] });
});

test("logs: newest first by page, oldest first from a checkpoint, by query", async () => {
  const date = (index: number) => new Date(Date.UTC(2024, 0, 1) + index * 60_000).toISOString();
  const logs = Array.from({ length: 150 }, (_, index) => ({
    log_id: `log${index}`,
    date: date(index),
    type: index % 2 ? "s" : "f",
    user_id: "auth0|00000",
  }));
  const { client } = await start({ users: someUsers(1), logs });
  expect((await client.logs.list({ per_page: 1 })).data).toMatchObject([{ log_id: "log149" }]);
  const from = await client.logs.list({}, { queryParams: { from: "log99", take: 20 } });
  const ids = (from.response as { log_id: string }[]).map(({ log_id }) => log_id);
  expect([ids[0], ids.at(-1), ids.length]).toEqual(["log100", "log119", 20]);
  const failed = await client.logs.list(
    {},
    { queryParams: { q: `type:f AND date:[${date(148).replaceAll(":", "\\:")} TO *]` } },
  );
  expect(failed.data).toMatchObject([{ log_id: "log148" }]);
  expect(await client.logs.get("log7")).toMatchObject({ type: "s" });
  expect((await client.users.logs.list("auth0|00000", { per_page: 100 })).data).toHaveLength(100);
});

test("a budget of requests: headers, then 429 with the time to wait, which the SDK waits", async () => {
  const { server, client } = await start({ users: someUsers(1), rate: { limit: 2, windowSeconds: 1 } });
  const { rawResponse } = await client.users.list();
  expect(rawResponse.headers.get("x-ratelimit-limit")).toBe("2");
  expect(Number(rawResponse.headers.get("x-ratelimit-reset"))).toBeGreaterThanOrEqual(
    Math.floor(Date.now() / 1000),
  );
  const headers = { authorization: `Bearer ${server.token()}` };
  let response: Response;
  do response = await fetch(`${server.url}/api/v2/roles`, { headers });
  while (response.status === 200);
  expect(response.headers.get("x-ratelimit-remaining")).toBe("0");
  expect(response.headers.get("retry-after")).toBe("1");
  expect(await response.json()).toEqual({
    statusCode: 429,
    error: "Too Many Requests",
    message: "Global limit has been reached",
    errorCode: "too_many_requests",
  });
  expect((await client.users.list()).data).toHaveLength(1);
});

test("faults: a status for some requests, a cut connection, a delay", async () => {
  const { server, client } = await start({ users: someUsers(1) });
  server.fault({ path: /\/users$/, status: 503 });
  expect((await client.users.list()).data).toHaveLength(1);
  expect(server.requests.map(({ status }) => status)).toEqual([200, 503, 200]);
  server.fault({ drop: true });
  await expect(client.users.list()).rejects.toThrow("fetch failed");
  server.fault({ times: Number.POSITIVE_INFINITY, delay: 60_000 });
  await expect(client.users.list({}, { timeoutInSeconds: 0.02, maxRetries: 0 })).rejects.toThrow(
    /[Tt]imeout/,
  );
  server.clearFaults();
  server.revokeTokens();
  await expect(client.users.list()).rejects.toEqual(refusal(401, { message: "Invalid token" }));
});
