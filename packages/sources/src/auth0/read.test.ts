import { afterAll, beforeAll, expect, test } from "vitest";
import type { SortKey } from "../source.ts";
import { compare, define, firsts, openTenant, read, someUsers, type TestTenant } from "./testing.ts";

const timestamptz = "timestamp with time zone";
const byDate = (descending: boolean, column = 1): SortKey[] => [
  { column, descending, nullsFirst: descending },
];
const many = 2350;
let tenant: TestTenant;
const requested = async (run: () => Promise<unknown>) => {
  const before = tenant.requests().length;
  await run();
  return tenant.requests().slice(before);
};

beforeAll(async () => {
  tenant = await openTenant({ users: someUsers(many) });
});
afterAll(() => tenant[Symbol.asyncDispose]());

const seed = define("user_id text, email text, profile jsonb");

test("the table of the guide: attributes by name, the whole user in jsonb", async () => {
  const { rows } = await read(tenant.connection, seed, { filters: [compare(0, "=", "auth0|00007")] });
  expect(rows).toHaveLength(1);
  const [id, email, profile] = rows[0]!;
  expect([id, email]).toEqual(["auth0|00007", "user7@example.com"]);
  expect(JSON.parse(String(profile))).toEqual(tenant.server.tenant.users.get("auth0|00007"));
});

test("user_id and email by =, IN: direct end points, of nothing else", async () => {
  const ids = ["auth0|00002", "auth0|00001", "nobody", "a/b?c#d", "", "auth0|00002"];
  const calls = await requested(async () => {
    const { rows, plan } = await read(tenant.connection, define("user_id text"), {
      filters: [{ kind: "in", column: 0, values: ids }],
    });
    expect(firsts(rows)).toEqual(["auth0|00002", "auth0|00001"]);
    expect(plan.handled).toEqual([true]);
  });
  expect(calls).toHaveLength(4);
  expect(calls.every((call) => /^GET \/users\/.+\?fields=user_id$/.test(call))).toBe(true);
  const byEmail = await requested(async () => {
    const emails = { kind: "in", column: 1, values: ["user3@example.com", "USER4@example.com"] } as const;
    expect(firsts((await read(tenant.connection, seed, { filters: [emails] })).rows)).toEqual([
      "auth0|00003",
    ]);
  });
  expect(byEmail.sort()).toEqual([
    "GET /users-by-email?email=USER4@example.com",
    "GET /users-by-email?email=user3@example.com",
  ]);
  const odd = await read(tenant.connection, seed, { filters: [compare(1, "=", "not an address")] });
  expect(odd.rows).toEqual([]);
});

test("very many ids are found by reading all users", async () => {
  const ids = someUsers(many).map(({ user_id }) => user_id);
  await read(tenant.connection, seed, { columns: [0], limit: 1 });
  const calls = await requested(async () => {
    const filters = [{ kind: "in", column: 0, values: [...ids.slice(-90), "nobody"] } as const];
    expect(firsts((await read(tenant.connection, seed, { filters })).rows)).toEqual(ids.slice(-90));
  });
  expect(calls.length).toBeLessThan(30);
});

test("users of a connection", async () => {
  const filters = [compare(1, "=", "Username-Password-Authentication")];
  const calls = await requested(async () => {
    const { rows } = await read(tenant.connection, define("user_id text, connection text"), {
      filters,
      limit: 2,
    });
    expect(rows).toHaveLength(2);
  });
  expect(calls).toEqual([
    expect.stringContaining('q=identities.connection:"Username-Password-Authentication"'),
  ]);
});

test("an estimate with a value not yet known tells a look-up from a scan", async () => {
  const table = tenant.connection.table(seed);
  const query = { columns: [0], identity: false, sort: [] };
  const lookup = await table.plan({ ...query, filters: [compare(0, "=", undefined)] });
  expect([lookup.calls, lookup.rows]).toEqual([1, 1]);
  await read(tenant.connection, seed, { columns: [0] });
  const scan = await table.plan({ ...query, filters: [] });
  expect([scan.calls, scan.rows]).toEqual([24, many]);
  expect(scan.requests).toEqual(["GET /users?sort=created_at:1&fields=user_id,created_at"]);
});

test("more than 1,000 users: each once, in the order of their creation, both ways", async () => {
  const table = define(`user_id text, created_at ${timestamptz}`);
  const all = someUsers(many).map(({ user_id }) => user_id);
  const up = await read(tenant.connection, table, { sort: byDate(false) });
  expect(firsts(up.rows)).toEqual(all);
  expect(up.plan.sorted).toBe(true);
  expect(up.rows[1]![1]).toEqual(new Date("2024-01-01T00:00:01.000Z"));
  const down = await read(tenant.connection, table, { sort: byDate(true) });
  expect(firsts(down.rows)).toEqual(all.reverse());
});

test("LIMIT asks for no more than that; the last changed come first where that is asked for", async () => {
  const table = define(`user_id text, updated_at ${timestamptz}, logins_count integer`);
  const calls = await requested(async () => {
    const { rows, plan } = await read(tenant.connection, table, { sort: byDate(true), limit: 3 });
    expect(plan.sorted).toBe(true);
    expect(firsts(rows)).toEqual(["auth0|00000", "auth0|00001", "auth0|00002"]);
  });
  expect(calls).toEqual([expect.stringMatching(/sort=updated_at:-1.*per_page=3/)]);
  const few = await requested(async () => {
    const filters = [compare(2, ">=", "2000")];
    expect((await read(tenant.connection, table, { filters, limit: 150 })).rows).toHaveLength(150);
  });
  expect(few).toHaveLength(2);
  // Not every user has a count: Auth0's order does not say where the others are.
  const counted = await read(tenant.connection, table, { sort: byDate(true, 2), limit: 3 });
  expect(counted.plan.sorted).toBe(false);
  // Without a limit pages would end after 1,000.
  expect((await read(tenant.connection, table, { sort: byDate(true) })).rows).toHaveLength(many);
});

test("a reader that stops stops the calls, and nothing is asked before the first pull", async () => {
  const table = tenant.connection.table(seed);
  const calls = await requested(async () => {
    const plan = await table.plan({ columns: [0], identity: false, filters: [], sort: [] });
    const scan = plan.scan(new AbortController().signal);
    for await (const batch of scan) {
      expect(batch).toHaveLength(100);
      break;
    }
  });
  expect(calls).toHaveLength(1);
});

test("users of one moment, more than a page; users deleted while others are read", async () => {
  const created_at = "2024-05-05T05:05:05.005Z";
  const users = someUsers(700).map((user, i) => (i >= 50 && i < 450 ? { ...user, created_at } : user));
  await using other = await openTenant({ users });
  const found: unknown[] = [];
  const plan = await other.connection
    .table(define("user_id text"))
    .plan({ columns: [0], identity: false, filters: [], sort: [] });
  for await (const batch of plan.scan(new AbortController().signal)) {
    if (found.length === 0) for (let i = 0; i < 30; i++) other.server.tenant.deleteUser(users[i]!.user_id);
    found.push(...firsts(batch));
  }
  expect(new Set(found).size).toBe(700);
  expect(found).toHaveLength(700);
  await using crowd = await openTenant({ users: someUsers(1001).map((user) => ({ ...user, created_at })) });
  await expect(read(crowd.connection, seed)).rejects.toMatchObject({ sqlState: "54000" });
});

test("columns: types, parts of attributes, names in any case, and those that there are not", async () => {
  await using other = await openTenant({
    users: [
      {
        user_id: "auth0|1",
        email_verified: true,
        logins_count: 3,
        user_metadata: { city: "Rome", deep: { n: 1 } },
        app_metadata: { tags: ["a", "b"] },
      },
    ],
  });
  const table = define(
    "email_verified boolean, logins_count text, LOGINS_COUNT bigint, user_metadata.city text, user_metadata.deep.n integer, app_metadata.tags text[], app_metadata json, identities text, blocked boolean, connection text, name jsonb, password text",
  );
  const { rows } = await read(other.connection, table);
  expect(rows).toEqual([
    [
      true,
      "3",
      3,
      "Rome",
      1,
      ["a", "b"],
      '{"tags":["a","b"]}',
      '[{"user_id":"1","provider":"auth0","connection":"Username-Password-Authentication","isSocial":false}]',
      null,
      "Username-Password-Authentication",
      '"auth0|1"',
      null,
    ],
  ]);
  const whole = await read(other.connection, define("profile jsonb"));
  expect(JSON.parse(String(whole.rows[0]![0]))).not.toHaveProperty("connection");
  expect(() => tenant.connection.table(define("emial text"))).toThrow(
    expect.objectContaining({ sqlState: "HV005", detail: expect.stringContaining("email") }),
  );
  expect(() => tenant.connection.table(define("id text", { object: "customers" }))).toThrow(
    expect.objectContaining({ sqlState: "HV00D", hint: expect.stringContaining("organizations") }),
  );
});
