import { afterAll, beforeAll, expect, test } from "vitest";
import type { Connection } from "../source.ts";
import { type ImportedKeys, importedKeys, importedName } from "./imported-name.ts";
import { redis } from "./index.ts";
import { type RedisServer, startRedis } from "./server.testing.ts";
import { rowsOf } from "./testing.ts";

let server: RedisServer;
let connection: Connection;

beforeAll(async () => {
  server = await startRedis();
  const client = await server.client();
  await client.mSet(["session:a", '{"user": 1}', "session:b", "[]", "app/text", "hello", "counter", "5"]);
  await client.expire("session:a", 1000);
  await client.hSet("app:user:1", { name: "Ada", "last seen": "today" });
  await client.hSet("app:user:2", { city: "Paris" });
  await client.hSet(
    "wide:1",
    Object.fromEntries(Array.from({ length: 200 }, (_, index) => [`f${index}`, "x"])),
  );
  await client.hSet("settings", { theme: "dark" });
  await client.rPush("queue:mail", ["a", "b"]);
  await client.sAdd("Tags:x", ["t"]);
  await client.zAdd("scores", { value: "m", score: 1.5 });
  await client.xAdd("events", "1-0", { kind: "k" });
  await client.set(Buffer.from([0xff, 0x3a, 0x31]), "binary");
  connection = await redis.connect({ url: server.url });
});
afterAll(async () => {
  await connection?.[Symbol.asyncDispose]();
  await server?.[Symbol.asyncDispose]();
});

test("keys suggest tables, which are found again by their names", async () => {
  const tables = (await connection.tables!("redis"))!;
  const shown = tables.map(({ name, columns }) => [
    name,
    ...columns.map((column) => `${column.name} ${column.type}`),
  ]);
  expect(shown).toEqual([
    ["Tags_set", "key text", "member text"],
    ["app$2f", "key text", "value text"],
    ["app_hash", "key text", "city text", "last seen text", "name text"],
    ["events_stream_key", "id text", "fields jsonb"],
    ["queue_list", "key text", "index bigint", "value text"],
    ["scores_zset_key", "member text", "score double precision"],
    ["session", "key text", "value jsonb", "ttl interval"],
    ["settings_hash_key", "field text", "value text"],
    ["wide_hash", "key text", "fields jsonb"],
  ]);
  // PostgreSQL keeps names and columns, no options.
  const rows = async (name: string) => {
    const definition = tables.find((table) => table.name === name)!;
    return rowsOf(connection.table({ ...definition, options: {} }));
  };
  expect(await rows("app_hash")).toEqual([
    ["user:1", null, "today", "Ada"],
    ["user:2", "Paris", null, null],
  ]);
  expect(await rows("app$2f")).toEqual([["text", "hello"]]);
  expect(await rows("scores_zset_key")).toEqual([["m", 1.5]]);
  expect(await rows("settings_hash_key")).toEqual([["theme", "dark"]]);
  expect((await rows("session")).map((row) => row[0])).toEqual(["a", "b"]);
});

test("some tables, by the database's number, and no other schema", async () => {
  const some = await connection.tables!("0", ["session", "nothing"]);
  expect(some!.map(({ name, remote }) => [name, remote])).toEqual([
    ["session", { schema: "0", name: "session" }],
  ]);
  expect(await connection.tables!("public")).toBeUndefined();
});

test.each<[ImportedKeys, string | undefined]>([
  [{ type: "string", prefix: "session:" }, "session"],
  [{ type: "hash", prefix: "app:user:" }, "app__user_hash"],
  [{ type: "string", prefix: "a_set:" }, "a_set_string"],
  [{ type: "string", prefix: "a_zset_key:" }, "a_zset_key_string"],
  [{ type: "zset", key: "scores" }, "scores_zset_key"],
  [{ type: "string", prefix: "a.b/" }, "a$2eb$2f"],
  [{ type: "string", prefix: "_a__b_:_:" }, "$5fa$5f$5fb$5f__$5f"],
  [{ type: "list", prefix: "$ü-{x}:" }, "$24ü$2d$7bx$7d_list"],
  [{ type: "string", prefix: ":" }, "_string"],
  // Not told apart from `a.`.
  [{ type: "string", prefix: "a.:" }, undefined],
  [{ type: "string", prefix: `${"x".repeat(64)}:` }, undefined],
])("the name of %j", (keys, name) => {
  expect(importedName(keys)).toBe(name);
  if (name !== undefined) expect(importedKeys(name)).toEqual(keys);
});
