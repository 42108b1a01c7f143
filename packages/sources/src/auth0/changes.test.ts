import { expect, test } from "vitest";
import type { Change, Table, Tuple } from "../source.ts";
import { compare, define, openTenant, read, someUsers, type TestTenant } from "./testing.ts";

const database = "Username-Password-Authentication";
const columns = define(
  "user_id text, email text, name text, blocked boolean, user_metadata jsonb, app_metadata jsonb, password text, username text, user_metadata.city text, profile jsonb, created_at timestamp with time zone, connection text",
  { connection: database },
);
const positions = new Map(columns.columns.map(({ name }, i) => [name, i]));
const signal = new AbortController().signal;

/** All columns' texts, undefined but for these. */
const tuple = (values: Readonly<Record<string, string | null>>): Tuple => {
  const row = new Array<string | null | undefined>(columns.columns.length).fill(undefined);
  for (const [name, text] of Object.entries(values)) row[positions.get(name)!] = text;
  return row;
};
const stored = (tenant: TestTenant, id: string) => tenant.server.tenant.users.get(id)!;
const insert = (table: Table, values: Readonly<Record<string, string | null>>): Change => ({
  kind: "insert",
  table,
  identity: table.changes!.identity(tuple(values)),
  after: tuple(values),
  replace: false,
});
const update = (
  table: Table,
  identity: string,
  after: Readonly<Record<string, string | null>>,
  more: { before?: Readonly<Record<string, string | null>>; version?: string } = {},
): Change => ({
  kind: "update",
  table,
  identity,
  version: more.version,
  before: tuple(more.before ?? {}),
  after: tuple(after),
});
const remove = (table: Table, identity: string, version?: string): Change => ({
  kind: "delete",
  table,
  identity,
  version,
  before: [],
});
const refused = (sqlState: string) => expect.objectContaining({ sqlState });

test("users: insert, with attributes, metadata and parts of them, or as a whole", async () => {
  await using tenant = await openTenant();
  const { connection } = tenant;
  const table = connection.table(columns);
  const row = {
    user_id: "auth0|mine",
    email: "a@example.com",
    blocked: "t",
    user_metadata: '{"age": 7}',
    "user_metadata.city": "Rome",
    password: "correct horse",
    name: null,
  };
  expect(table.changes!.identity(tuple(row))).toBe("auth0|mine");
  expect(table.changes!.identity(tuple({ email: "x@y" }))).toBeUndefined();
  const profile = JSON.stringify({
    email: "b@example.com",
    name: "Bea",
    created_at: "2020-01-01",
    app_metadata: { plan: "x" },
  });
  await connection.commit!(
    [insert(table, row), insert(table, { profile, password: "p", name: "Bo" })],
    signal,
  );
  expect(stored(tenant, "auth0|mine")).toMatchObject({
    email: "a@example.com",
    blocked: true,
    user_metadata: { age: 7, city: "Rome" },
  });
  const { rows } = await read(connection, columns, { filters: [compare(1, "=", "b@example.com")] });
  expect([rows[0]![2], rows[0]![5]]).toEqual(["Bo", '{"plan":"x"}']);
  expect(await table.changes!.exist(["auth0|mine", "auth0|none"], signal)).toEqual([true, false]);
  await expect(connection.commit!([insert(table, row)], signal)).rejects.toEqual(refused("23505"));
  const early = insert(table, {
    email: "c@example.com",
    password: "p",
    created_at: "2020-01-01 00:00:00+00",
  });
  await expect(connection.commit!([early], signal)).rejects.toEqual(refused("0A000"));
  const bare = connection.table({ ...columns, options: {} });
  await expect(connection.commit!([insert(bare, { email: "d@x.y", password: "p" })], signal)).rejects.toEqual(
    refused("23502"),
  );
});

test("users: update, metadata replaced as a whole or in part", async () => {
  const id = "auth0|00000";
  await using tenant = await openTenant({
    users: [
      { ...someUsers(1)[0], user_metadata: { old: 1, city: "Rome" }, app_metadata: { a: { b: 1 }, c: 2 } },
    ],
  });
  const { connection } = tenant;
  const table = connection.table(columns);
  const run = (after: Record<string, string | null>, before?: Record<string, string | null>) =>
    connection.commit!([update(table, id, after, { before })], signal);

  await run({ blocked: "t", name: "New", email: "new@example.com" });
  expect(stored(tenant, id)).toMatchObject({ blocked: true, name: "New", email: "new@example.com" });
  await run({ user_metadata: '{"age": 7}' }, { user_metadata: '{"old": 1, "city": "Rome"}' });
  expect(stored(tenant, id).user_metadata).toEqual({ age: 7 });
  await run({ "user_metadata.city": "Oslo" });
  expect(stored(tenant, id).user_metadata).toEqual({ age: 7, city: "Oslo" });
  await run({ "user_metadata.city": null });
  expect(stored(tenant, id).user_metadata).toEqual({ age: 7 });
  await run({ app_metadata: '{"a": {}}' });
  expect(stored(tenant, id).app_metadata).toEqual({ a: {} });
  await run({ app_metadata: null });
  expect(stored(tenant, id).app_metadata).toEqual({});
  const whole = stored(tenant, id);
  const profile = JSON.stringify({ ...whole, blocked: false, user_metadata: {} });
  await run({ profile }, { profile: JSON.stringify(whole) });
  expect(stored(tenant, id)).toMatchObject({ blocked: false, user_metadata: {} });
  await expect(run({ profile: JSON.stringify({ ...whole, logins_count: 9 }) })).rejects.toEqual(
    refused("0A000"),
  );
  await expect(run({ user_id: "auth0|other" })).rejects.toEqual(refused("0A000"));
  await expect(run({ user_metadata: "[1]" })).rejects.toEqual(refused("22023"));

  // What Auth0 does not take together goes out apart; nothing at all goes out where nothing changes.
  const before = tenant.requests().length;
  await run({ email: "z@example.com", password: "new", username: "zoe" });
  await run({ name: "Same" }, { name: "Same" });
  const sent = tenant.server.requests.filter(({ method }) => method === "PATCH").slice(-3);
  expect(sent.map(({ body }) => Object.keys(body))).toEqual([["email"], ["username"], ["password"]]);
  expect(
    tenant
      .requests()
      .slice(before)
      .filter((call) => call.startsWith("PATCH")),
  ).toHaveLength(3);
});

test("a row that was changed or deleted since it was read: 40001; a transaction's own changes are not that", async () => {
  await using tenant = await openTenant({ users: someUsers(3) });
  const { connection } = tenant;
  const table = connection.table(columns);
  const { rows } = await read(connection, columns, { identity: true, columns: [0] });
  const [first, second, third] = rows.map(([, identity, version]) => ({
    identity: String(identity),
    version: String(version),
  }));
  await connection.commit!(
    [
      update(table, first!.identity, { name: "One" }, first),
      update(table, first!.identity, { name: "Two" }, first),
    ],
    signal,
  );
  expect(stored(tenant, first!.identity).name).toBe("Two");
  await expect(
    connection.commit!([update(table, first!.identity, { name: "Three" }, first)], signal),
  ).rejects.toEqual(refused("40001"));
  await expect(connection.commit!([remove(table, first!.identity, first!.version)], signal)).rejects.toEqual(
    refused("40001"),
  );
  tenant.server.tenant.deleteUser(second!.identity);
  for (const version of [second!.version, undefined])
    await expect(
      connection.commit!([update(table, second!.identity, { name: "x" }, { version })], signal),
    ).rejects.toEqual(refused("40001"));
  await connection.commit!([remove(table, third!.identity, third!.version)], signal);
  expect(tenant.server.tenant.users.get(third!.identity)).toBeUndefined();
});

test("a failure in the middle tells what was applied; a POST is not repeated", async () => {
  await using tenant = await openTenant();
  const { connection } = tenant;
  const table = connection.table(columns);
  const row = (email: string) => insert(table, { email, password: "p" });
  await expect(connection.commit!([row("a@x.y"), row("a@x.y"), row("b@x.y")], signal)).rejects.toMatchObject({
    sqlState: "23505",
    detail: expect.stringContaining("1 of the transaction's 3 changes was applied"),
  });
  expect(tenant.server.tenant.users.all().map(({ email }) => email)).toEqual(["a@x.y"]);
  tenant.server.fault({ path: /users/, status: 502 });
  await expect(connection.commit!([row("c@x.y")], signal)).rejects.toEqual(refused("58000"));
  tenant.server.fault({ path: /users/, drop: true });
  await expect(connection.commit!([row("c@x.y")], signal)).rejects.toEqual(refused("08006"));
  expect(tenant.requests().filter((call) => call.startsWith("POST"))).toHaveLength(4);
});

test("roles, organizations, clients, members, sessions and grants", async () => {
  await using tenant = await openTenant({
    users: someUsers(2),
    sessions: [{ id: "s1", user_id: "auth0|00000" }],
    grants: [{ id: "g1", user_id: "auth0|00000", clientID: "c" }],
  });
  const { connection } = tenant;
  const state = tenant.server.tenant;
  const change = (
    kind: Change["kind"],
    object: string,
    names: string,
    values: (string | null)[],
    identity = "",
  ) => {
    const table = connection.table(define(names, { object }));
    const after = values;
    return connection.commit!(
      [
        kind === "insert"
          ? { kind, table, identity: table.changes!.identity(after), after, replace: false }
          : kind === "update"
            ? { kind, table, identity, before: [], after }
            : { kind, table, identity, before: [] },
      ],
      signal,
    );
  };
  await change("insert", "roles", "name text, description text", ["Admin", null]);
  const [role = ""] = state.roles.keys();
  await change("update", "roles", "name text, description text", ["Admin", "all"], role);
  expect(state.roles.get(role)).toMatchObject({ name: "Admin", description: "all" });
  await change("insert", "organizations", "name text, metadata jsonb", ["acme", '{"a":"b"}']);
  const [organization = ""] = state.organizations.keys();
  expect(state.organizations.get(organization)).toMatchObject({ name: "acme", metadata: { a: "b" } });
  await change("insert", "clients", "name text, callbacks jsonb", ["Shop", '["https://x"]']);
  const [client = ""] = state.clients.keys();
  await change("update", "clients", "name text", ["Shop 2"], client);
  expect(state.clients.get(client)).toMatchObject({ name: "Shop 2", callbacks: ["https://x"] });

  const member = "auth0|00001";
  for (const [object, group, id, holders] of [
    ["role_members", "role_id", role, () => state.roleUsers.get(role)!],
    ["organization_members", "organization_id", organization, () => state.members.get(organization)!],
  ] as const) {
    const names = `${group} text, user_id text`;
    await change("insert", object, names, [id, member]);
    await expect(change("insert", object, names, [id, "auth0|nobody"])).rejects.toEqual(refused("23503"));
    expect(holders().has(member)).toBe(true);
    const table = connection.table(define(names, { object }));
    const identity = table.changes!.identity([id, member])!;
    expect(await table.changes!.exist([identity, JSON.stringify([id, "auth0|00000"])], signal)).toEqual([
      true,
      false,
    ]);
    expect(() => table.changes!.identity([id, null])).toThrow(refused("23502"));
    await change("delete", object, names, [], identity);
    expect(holders().has(member)).toBe(false);
  }
  await change("delete", "sessions", "id text", [], "s1");
  await change("delete", "grants", "id text", [], "g1");
  await change("delete", "organizations", "id text", [], organization);
  await change("delete", "roles", "id text", [], role);
  await change("delete", "clients", "client_id text", [], client);
  for (const items of [state.sessions, state.grants, state.organizations, state.roles, state.clients])
    expect(items.size).toBe(0);
  const logs = connection.table(define("log_id text", { object: "logs" }));
  expect(logs.changes).toBeUndefined();
});
