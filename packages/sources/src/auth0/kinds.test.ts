import { afterAll, beforeAll, expect, test } from "vitest";
import type { Filter } from "../source.ts";
import { kinds } from "./kinds/index.ts";
import { compare, define, firsts, openTenant, read, someUsers, type TestTenant } from "./testing.ts";

const users = someUsers(130);
const permission = (name: string) => ({ resource_server_identifier: "https://api", permission_name: name });
let tenant: TestTenant;

beforeAll(async () => {
  tenant = await openTenant({
    users,
    roles: [
      { id: "rol_a", name: "Admin", permissions: [permission("read:it"), permission("write:it")] },
      { id: "rol_r", name: "Reader", users: users.map(({ user_id }) => user_id) },
      ...Array.from({ length: 120 }, (_, i) => ({ id: `rol_${i}`, name: `Role ${i}` })),
    ],
    organizations: [
      { id: "org_acme", name: "acme", members: { "auth0|00001": ["rol_a"], "auth0|00002": [] } },
      ...Array.from({ length: 250 }, (_, i) => ({ id: `org_${i}`, name: `o${i}` })),
    ],
    clients: Array.from({ length: 120 }, (_, i) => ({
      client_id: `c${i}`,
      name: `App ${i}`,
      app_type: "spa",
    })),
    connections: Array.from({ length: 120 }, (_, i) => ({ id: `con_${i}`, name: `n${i}`, strategy: "oidc" })),
    logs: Array.from({ length: 1234 }, (_, i) => ({
      log_id: `l${String(i).padStart(4, "0")}`,
      date: new Date(Date.UTC(2024, 0, 1) + i * 60_000).toISOString(),
      type: i % 10 ? "s" : "f",
      user_id: `auth0|0000${i % 3}`,
    })),
    sessions: users.flatMap(({ user_id }, i) =>
      Array.from({ length: i === 5 ? 120 : 1 }, (_, j) => ({ id: `s${i}-${j}`, user_id, device: { n: j } })),
    ),
    grants: Array.from({ length: 1100 }, (_, i) => ({
      id: `g${i}`,
      clientID: `c${i % 2}`,
      user_id: users[i % 130]!.user_id,
      audience: "https://api",
      scope: ["openid"],
    })),
  });
});
afterAll(() => tenant[Symbol.asyncDispose]());

const calls = async (object: string, columns: string, filters: readonly Filter[] = []) => {
  const before = tenant.requests().length;
  const { rows, plan } = await read(tenant.connection, define(columns, { object }), { filters });
  return { rows, plan, requests: tenant.requests().slice(before) };
};

test.each([
  ["users", "user_id", 130],
  ["roles", "id", 122],
  ["organizations", "id", 251],
  ["clients", "client_id", 120],
  ["connections", "id", 121],
  ["logs", "log_id", 1234],
  ["sessions", "id", 249],
  ["grants", "id", 1100],
])("%s: all of them, each once; by key one call", async (object, key, count) => {
  const { rows } = await calls(object, `${key} text`);
  const ids = firsts(rows).map(String);
  expect(new Set(ids).size).toBe(count);
  expect(ids).toHaveLength(count);
  if (object === "grants") return;
  const id = ids.at(-1)!;
  const found = await calls(object, `${key} text`, [compare(0, "=", id)]);
  expect(firsts(found.rows)).toEqual([id]);
  expect(found.requests).toHaveLength(1);
  expect(found.plan.calls).toBe(1);
  expect((await calls(object, `${key} text`, [compare(0, "=", "nonsense")])).rows).toEqual([]);
});

test("roles and organizations by name", async () => {
  const role = await calls("roles", "id text, name text", [compare(1, "=", "Role 7")]);
  expect(role.rows).toEqual([["rol_7", "Role 7"]]);
  expect(role.requests).toEqual([expect.stringContaining("name_filter=Role 7")]);
  const organization = await calls("organizations", "id text, name text", [compare(1, "=", "acme")]);
  expect(organization.rows).toEqual([["org_acme", "acme"]]);
  expect(organization.requests).toEqual(["GET /organizations/name/acme"]);
  expect((await calls("organizations", "id text, name text", [compare(1, "=", "No Name!")])).rows).toEqual(
    [],
  );
});

test("logs by type and date, the newest first", async () => {
  const found = await read(
    tenant.connection,
    define("log_id text, type text, date timestamp with time zone", { object: "logs" }),
    {
      filters: [compare(1, "=", "f"), compare(2, "<", "2024-01-01 01:00:00+00")],
      sort: [{ column: 2, descending: true, nullsFirst: true }],
      limit: 3,
    },
  );
  expect(firsts(found.rows)).toEqual(["l0050", "l0040", "l0030"]);
  expect(found.plan.sorted).toBe(true);
});

test("members of roles, by role, by user, all", async () => {
  const columns = "role_id text, user_id text, email text";
  const byRole = await calls("role_members", columns, [compare(0, "=", "rol_r")]);
  expect(byRole.rows).toHaveLength(130);
  expect(byRole.requests).toHaveLength(2);
  const byUser = await calls("role_members", "role_id text, user_id text", [compare(1, "=", "auth0|00007")]);
  expect(byUser.rows).toEqual([["rol_r", "auth0|00007"]]);
  expect(byUser.requests).toHaveLength(1);
  const both = [compare(0, "=", "rol_a"), compare(1, "=", "auth0|00007")];
  expect((await calls("role_members", columns, both)).rows).toEqual([]);
  const withEmail = await calls("role_members", columns, [compare(1, "=", "auth0|00007")]);
  expect(withEmail.rows).toEqual([["rol_r", "auth0|00007", "user7@example.com"]]);
  expect((await calls("role_members", columns)).rows).toHaveLength(130);
  expect((await calls("role_members", columns, [compare(1, "=", "nobody")])).rows).toEqual([]);
});

test("members of organizations with their roles there", async () => {
  const columns = "organization_id text, user_id text, roles jsonb, email text";
  const admin = [{ id: "rol_a", name: "Admin", description: "" }];
  const rows = (found: Awaited<ReturnType<typeof calls>>) =>
    found.rows.map(([organization, user, roles, email]) => [
      organization,
      user,
      JSON.parse(String(roles)),
      email,
    ]);
  const both = [
    ["org_acme", "auth0|00001", admin, "user1@example.com"],
    ["org_acme", "auth0|00002", [], "user2@example.com"],
  ];
  const filters = [compare(0, "=", "org_acme")];
  expect(rows(await calls("organization_members", columns, filters))).toEqual(both);
  expect(rows(await calls("organization_members", columns, [compare(1, "=", "auth0|00001")]))).toEqual([
    both[0],
  ]);
  expect(rows(await calls("organization_members", columns))).toEqual(both);
});

test("permissions of roles; sessions and grants of a user", async () => {
  const permissions = await calls("role_permissions", "role_id text, permission_name text");
  expect(permissions.rows).toEqual([
    ["rol_a", "read:it"],
    ["rol_a", "write:it"],
  ]);
  const sessions = await calls("sessions", "id text, user_id text", [compare(1, "=", "auth0|00005")]);
  expect(sessions.rows).toHaveLength(120);
  expect(sessions.requests).toHaveLength(2);
  const grants = await calls("grants", "id text, user_id text, clientid text, scope jsonb", [
    compare(1, "=", "auth0|00001"),
    compare(2, "=", "c1"),
  ]);
  expect(grants.rows).toContainEqual(["g1", "auth0|00001", "c1", '["openid"]']);
  expect(grants.requests).toEqual([expect.stringContaining("client_id=c1&user_id=auth0|00001")]);
});

test("IMPORT FOREIGN SCHEMA: every object, and its tables can be read as they are", async () => {
  expect(await tenant.connection.tables!("public")).toBeUndefined();
  const tables = (await tenant.connection.tables!("auth0"))!;
  expect(tables.map(({ name }) => name)).toEqual([...kinds.keys()]);
  for (const definition of tables) {
    const { rows } = await read(tenant.connection, { ...definition, options: {} }, { limit: 1 });
    expect(rows[0], definition.name).toHaveLength(definition.columns.length);
  }
  const some = (await tenant.connection.tables!("auth0", ["roles", "nothing"]))!;
  expect(some.map(({ name }) => name)).toEqual(["roles"]);
});
