import { beforeEach, expect, test } from "vitest";
import { client, connection } from "./running.testing.ts";
import { type Columns, commit, equals, insert, planOf, remove, rowsOf, tableOf, update } from "./testing.ts";

beforeEach(async () => {
  await client.hSet("user:1", { name: "Ada", age: "36", city: "London" });
  await client.hSet("user:2", { name: "Blaise" });
  await client.hSet("user:3", { other: "x" });
  await client.set("user:4", "a string");
});

const columns: Columns = {
  id: "text",
  name: "text",
  years: ["integer", { field: "age" }],
  city: "text",
  ttl: "integer",
};
const users = (options = {}) =>
  tableOf(connection, { key_prefix: "user:", type: "hash", ...options }, columns);
const user = async (id: string) => (await rowsOf(users(), { identity: true, filters: [equals(0, id)] }))[0]!;

test("fields are columns", async () => {
  expect(await rowsOf(users())).toEqual([
    ["1", "Ada", "36", "London", null],
    ["2", "Blaise", null, null, null],
    ["3", null, null, null, null],
  ]);
  expect(await rowsOf(users(), { columns: [] })).toHaveLength(3);
  expect(await rowsOf(users(), { columns: [2], filters: [equals(0, "1")] })).toEqual([["36"]]);
  for (const absent of ["4", "5"]) {
    expect(await rowsOf(users(), { filters: [equals(0, absent)] })).toEqual([]);
    expect(await rowsOf(users(), { filters: [equals(0, absent)], columns: [] })).toEqual([]);
  }
});

test("only the fields that are wanted are asked for", async () => {
  const plan = await planOf(users(), { columns: [0, 2], filters: [equals(0, "1")] });
  expect(plan.requests).toEqual(["HMGET user:1 age"]);
  const scan = await planOf(users(), { columns: [] });
  expect(scan.requests).toEqual(["SCAN 0 MATCH user:* TYPE hash COUNT 1000"]);
});

test("all fields are one column of JSON", async () => {
  const table = tableOf(connection, { key_prefix: "user:", type: "hash" }, { id: "text", profile: "jsonb" });
  expect(await rowsOf(table, { filters: [equals(0, "1")] })).toEqual([
    ["1", { name: "Ada", age: "36", city: "London" }],
  ]);
  expect(await rowsOf(table)).toHaveLength(3);
  const mixed = tableOf(
    connection,
    { key_prefix: "user:", type: "hash" },
    { id: "text", name: "text", fields: "json", absent: "text" },
  );
  expect(await rowsOf(mixed, { filters: [equals(0, "2")] })).toEqual([
    ["2", "Blaise", { name: "Blaise" }, null],
  ]);
});

test("one hash", async () => {
  const one = tableOf(connection, { key: "user:1", type: "hash" }, { name: "text", age: "integer" });
  expect(await rowsOf(one)).toEqual([["Ada", "36"]]);
  const none = tableOf(connection, { key: "user:9", type: "hash" }, { name: "text", age: "integer" });
  expect(await rowsOf(none)).toEqual([]);
});

test("a field that its column cannot hold", async () => {
  await client.hSet("user:1", "age", "old");
  await expect(rowsOf(users())).rejects.toMatchObject({ sqlState: "22P02", detail: /user:1/ });
  await client.hSet("user:1", "age", Buffer.from([0xff]));
  await expect(rowsOf(users())).rejects.toMatchObject({ sqlState: "22021" });
  const bytes = tableOf(connection, { key_prefix: "user:", type: "hash" }, { id: "text", age: "bytea" });
  expect(await rowsOf(bytes, { filters: [equals(0, "1")] })).toEqual([["1", Buffer.from([0xff])]]);
});

test("an update touches its fields only", async () => {
  const ada = await user("1");
  await client.expire("user:1", 1000);
  await commit(connection, update(users(), ada, [undefined, undefined, "37", null]));
  expect(await client.hGetAll("user:1")).toEqual({ name: "Ada", age: "37" });
  expect(await client.ttl("user:1")).toBeGreaterThan(900);
  await client.hSet("user:3", "other", "changed");
  await commit(connection, update(users(), await user("3"), [undefined, "Carl"]));
  expect(await client.hGetAll("user:3")).toEqual({ other: "changed", name: "Carl" });
});

test("what another client changes is a conflict, fields that the table does not show are not", async () => {
  const ada = await user("1");
  await client.hSet("user:1", "unseen", "x");
  await commit(connection, update(users(), ada, [undefined, "Ada L."]));
  await expect(commit(connection, update(users(), ada, [undefined, "Ada K."]))).rejects.toMatchObject({
    sqlState: "40001",
  });
  await expect(commit(connection, remove(users(), ada))).rejects.toMatchObject({ sqlState: "40001" });
  await commit(connection, remove(users(), await user("1")));
  expect(await client.exists("user:1")).toBe(0);
});

test("rows are inserted", async () => {
  await commit(connection, insert(users(), ["9", "Zoe", null, "Zug", "100"]));
  expect(await client.hGetAll("user:9")).toEqual({ name: "Zoe", city: "Zug" });
  expect(await client.ttl("user:9")).toBeGreaterThan(90);
  await expect(commit(connection, insert(users(), ["4", "x"]))).rejects.toMatchObject({ sqlState: "40001" });
  expect(() => users().changes!.identity(["9", null, null, null])).toThrow(
    expect.objectContaining({ sqlState: "23502" }),
  );
  const replacing = users({ on_conflict: "replace" });
  await commit(connection, insert(replacing, ["9", "Yves"], true), insert(replacing, ["4", "Four"], true));
  expect(await client.hGetAll("user:9")).toEqual({ name: "Yves" });
  expect(await client.ttl("user:9")).toBe(-1);
  expect(await client.hGetAll("user:4")).toEqual({ name: "Four" });
});

test("a hash is not emptied by an update", async () => {
  const blaise = await user("2");
  await expect(commit(connection, update(users(), blaise, [undefined, null]))).rejects.toMatchObject({
    sqlState: "23502",
    hint: /DELETE/,
  });
  expect(await client.hGetAll("user:2")).toEqual({ name: "Blaise" });
  await client.hSet("user:2", "unseen", "x");
  await commit(connection, update(users(), blaise, [undefined, null]));
  expect(await client.hGetAll("user:2")).toEqual({ unseen: "x" });
});

test("JSON becomes fields", async () => {
  const table = tableOf(connection, { key_prefix: "user:", type: "hash" }, { id: "text", profile: "jsonb" });
  const json = '{"a": "text", "b": 12345678901234567890, "c": {"d": [1.50]}, "e": null, "f": true}';
  await commit(connection, insert(table, ["j", json]));
  expect(await client.hGetAll("user:j")).toEqual({
    a: "text",
    b: "12345678901234567890",
    c: '{"d":[1.50]}',
    f: "true",
  });
  const [row] = await rowsOf(table, { identity: true, filters: [equals(0, "j")] });
  await commit(connection, update(table, row!, [undefined, '{"a": "text", "b": 5}']));
  expect(await client.hGetAll("user:j")).toEqual({ a: "text", b: "5" });
  await expect(commit(connection, update(table, row!, [undefined, '{"a": "y"}']))).rejects.toMatchObject({
    sqlState: "40001",
  });
  for (const wrong of ["[1]", "1", '"x"', "null"]) {
    expect(() => table.changes!.identity(["k", wrong])).toThrow(
      expect.objectContaining({ sqlState: "22023" }),
    );
  }
});
