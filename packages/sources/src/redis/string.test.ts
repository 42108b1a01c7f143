import { expect, test } from "vitest";
import { client, connection } from "./running.testing.ts";
import { equals, planOf, rowsOf, tableOf } from "./testing.ts";

const sessions = () =>
  tableOf(connection, { key_prefix: "session:" }, { session_id: "text", payload: "jsonb" });
const session = (id: string) => [id, JSON.stringify({ id })];

test("a table of strings shows the keys with its prefix", async () => {
  await client.set("session:a", '{"user": 1}');
  await client.set("session:", "[]");
  await client.set("session:ü:😀", '"x"');
  await client.set("sessions:b", "2");
  await client.set("other", "3");
  await client.hSet("session:hash", "field", "value");
  expect(await rowsOf(sessions())).toEqual([
    ["", "[]"],
    ["a", '{"user": 1}'],
    ["ü:😀", '"x"'],
  ]);
  expect(await rowsOf(sessions(), { columns: [] })).toEqual([[], [], []]);
  expect(await rowsOf(sessions(), { columns: [1] })).toEqual([["[]"], ['"x"'], ['{"user": 1}']]);
  expect(await rowsOf(sessions(), { columns: [0], identity: true })).toMatchObject([
    ["", "session:", expect.any(String)],
    ["a", "session:a", expect.any(String)],
    ["ü:😀", "session:ü:😀", expect.any(String)],
  ]);
  const all = tableOf(connection, { key_prefix: "" }, { key: "text", value: "text" });
  expect((await rowsOf(all)).map(([key]) => key)).toEqual(
    ["other", "session:", "session:a", "session:ü:😀", "sessions:b"].sort(),
  );
});

test("keys are looked up", async () => {
  for (const id of ["a", "b", "c"]) await client.set(`session:${id}`, JSON.stringify({ id }));
  await client.rPush("session:list", "x");
  const table = sessions();
  for (const [filter, ids, request] of [
    [equals(0, "b"), ["b"], "GET session:b"],
    [{ kind: "in", column: 0, values: ["a", "c", "nothing", "list", "a"] }, ["a", "c"], "GET session:a"],
    [{ kind: "in", column: 0, values: [] }, [], undefined],
    [{ kind: "like", column: 0, pattern: "a" }, ["a"], "GET session:a"],
  ] as const) {
    const plan = await planOf(table, { filters: [filter] });
    expect(plan.handled).toEqual([true]);
    expect(plan.requests[0]).toBe(request);
    expect(await rowsOf(table, { filters: [filter] })).toEqual(ids.map(session));
    expect(await rowsOf(table, { filters: [filter], columns: [] })).toEqual(ids.map(() => []));
  }
  const both = [
    equals(0, "a"),
    { kind: "in", column: 0, values: ["a", "b"] } as const,
    equals(1, '{"id": "a"}'),
  ];
  expect((await planOf(table, { filters: both })).handled).toEqual([true, false, false]);
  const estimate = await planOf(table, { filters: [equals(0, undefined)] });
  expect(estimate).toMatchObject({ handled: [true], rows: 1, calls: 1, requests: ["GET $1"] });
});

test.each([
  ["a%", "SCAN 0 MATCH session:a* COUNT 1000", true, ["a", "a*b", "ab", "a[b", "a\\b"]],
  ["a*%", "SCAN 0 MATCH session:a\\** COUNT 1000", true, ["a*b"]],
  ["a\\\\%", "SCAN 0 MATCH session:a\\\\* COUNT 1000", true, ["a\\b"]],
  ["a\\%%", "SCAN 0 MATCH session:a%* COUNT 1000", true, []],
  ["%b", "SCAN 0 MATCH session:*b COUNT 1000", true, ["a*b", "ab", "a[b", "a\\b", "xb"]],
  ["a[%", "SCAN 0 MATCH session:a\\[* COUNT 1000", true, ["a[b"]],
  // One character may be several bytes: the rest is for the SQL server.
  ["a_", "SCAN 0 MATCH session:a* COUNT 1000", false, ["a", "a*b", "ab", "a[b", "a\\b"]],
  ["%", "SCAN 0 MATCH session:* COUNT 1000", false, ["", "a", "a*b", "ab", "a[b", "a\\b", "xb", "é"]],
])("LIKE '%s'", async (pattern, request, handled, ids) => {
  for (const id of ["", "a", "a*b", "ab", "a[b", "a\\b", "xb", "é"]) {
    await client.set(`session:${id}`, JSON.stringify({ id }));
  }
  const filters = [{ kind: "like", column: 0, pattern } as const];
  const plan = await planOf(sessions(), { filters });
  expect(plan.requests[0]).toBe(request);
  expect(plan.handled).toEqual([handled]);
  expect((await rowsOf(sessions(), { filters })).map(([id]) => id).sort()).toEqual(ids.sort());
});

test("LIKE with an escape character at its end is left to the SQL server, which refuses it", async () => {
  const plan = await planOf(sessions(), { filters: [{ kind: "like", column: 0, pattern: "a\\" }] });
  expect(plan.handled).toEqual([false]);
});

test("a prefix is no pattern", async () => {
  await client.mSet(["[a]*:1", "x", "a:1", "y", "[a]z:1", "z"]);
  const table = tableOf(connection, { key_prefix: "[a]*:" }, { key: "text", value: "text" });
  expect(await rowsOf(table)).toEqual([["1", "x"]]);
});

test("LIMIT stops the scan", async () => {
  const many = 5000;
  await client.mSet(
    Array.from({ length: many }, (_, index) => [`session:${index}`, "1"] as [string, string]),
  );
  await client.configResetStat();
  expect(await rowsOf(sessions(), { limit: 10 })).toHaveLength(10);
  const statistics = await client.info("commandstats");
  expect(statistics).toMatch(/cmdstat_scan:calls=[12],/);
  expect(statistics).toMatch(/cmdstat_mget:calls=[12],/);
  expect((await planOf(sessions(), { limit: 10 })).rows).toBeLessThanOrEqual(10);
  // A filter that is checked elsewhere may need all rows.
  const filters = [equals(1, "1")];
  expect(await rowsOf(sessions(), { limit: 10, filters })).toHaveLength(many);
});

test("only keys are fetched where only keys are wanted", async () => {
  await client.mSet(
    Array.from({ length: 3000 }, (_, index) => [`session:${index}`, "1"] as [string, string]),
  );
  await client.configResetStat();
  expect(await rowsOf(sessions(), { columns: [] })).toHaveLength(3000);
  expect(await rowsOf(sessions(), { columns: [0] })).toHaveLength(3000);
  expect(await client.info("commandstats")).not.toMatch(/get/);
});

test("a scan reads no further ahead than two batches, and nothing before the first pull", async () => {
  await client.mSet(
    Array.from({ length: 50_000 }, (_, index) => [`session:${index}`, "1"] as [string, string]),
  );
  await client.configResetStat();
  const rows = (await planOf(sessions())).scan(AbortSignal.timeout(10_000))[Symbol.asyncIterator]();
  expect(await client.info("commandstats")).not.toMatch(/mget|scan/);
  expect((await rows.next()).done).toBe(false);
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect(await client.info("commandstats")).toMatch(/cmdstat_mget:calls=[12],/);
  await rows.return!();
});

test("values of any size come in bounded batches", async () => {
  const large = JSON.stringify("x".repeat(1 << 20));
  for (let index = 0; index < 60; index++) await client.set(`session:${index}`, large);
  const sizes: number[] = [];
  for await (const rows of (await planOf(sessions())).scan(AbortSignal.timeout(10_000)))
    sizes.push(rows.length);
  expect(sizes.reduce((sum, size) => sum + size)).toBe(60);
});

test("keys and values that are not text", async () => {
  const binary = Buffer.from([0xff, 0, 0x80]);
  await client.set(Buffer.concat([Buffer.from("session:"), binary]), "1");
  await client.set("session:replacement \uFFFD", "2");
  await client.set("session:zero", Buffer.from([0x31, 0, 0x32]));
  await client.set("session:value", binary);
  const texts = tableOf(connection, { key_prefix: "session:" }, { id: "text", value: "text" });
  await expect(rowsOf(texts)).rejects.toMatchObject({ sqlState: "22021", message: /session:/ });
  await expect(rowsOf(texts, { filters: [equals(0, "value")] })).rejects.toMatchObject({
    sqlState: "22021",
    message: 'The Redis key "session:value" cannot be shown as text: it is not UTF-8',
    hint: /bytea/,
  });
  await expect(rowsOf(texts, { filters: [equals(0, "zero")] })).rejects.toMatchObject({ sqlState: "22021" });
  expect(await rowsOf(texts, { filters: [equals(0, "replacement \uFFFD")] })).toEqual([
    ["replacement \uFFFD", "2"],
  ]);
  expect(await rowsOf(texts, { columns: [] })).toHaveLength(4);

  const bytes = tableOf(connection, { key_prefix: "session:" }, { id: "bytea", value: "bytea" });
  const rows = await rowsOf(bytes, { identity: true });
  const hex = (row: readonly unknown[]) =>
    row.slice(0, 2).map((value) => Buffer.from(value as Uint8Array).toString("hex"));
  expect(rows.map(hex).sort()).toEqual(
    [
      [binary, Buffer.from("1")],
      [Buffer.from("replacement \uFFFD"), Buffer.from("2")],
      [Buffer.from("zero"), Buffer.from([0x31, 0, 0x32])],
      [Buffer.from("value"), binary],
    ]
      .map((row) => row.map((value) => value.toString("hex")))
      .sort(),
  );
  expect(new Set(rows.map((row) => row[2])).size).toBe(4);
  const found = await rowsOf(bytes, { filters: [equals(0, "\\xff0080")] });
  expect(found.map(hex)).toEqual([["ff0080", "31"]]);
});

test("a value that its column cannot hold is an error that names the key", async () => {
  await client.set("session:good", "{}");
  await client.set("session:bad", "{user: 1}");
  await expect(rowsOf(sessions())).rejects.toMatchObject({
    sqlState: "22P02",
    message: 'invalid input syntax for type json: "{user: 1}"',
    detail: 'It stands in the Redis key "session:bad".',
    hint: /text/,
  });
  expect(await rowsOf(sessions(), { columns: [0] })).toEqual([["bad"], ["good"]]);
  const numbers = tableOf(connection, { key_prefix: "session:" }, { id: "text", value: "integer" });
  await expect(rowsOf(numbers)).rejects.toMatchObject({ sqlState: "22P02", message: /type integer/ });
  await client.mSet(["session:good", " 12 ", "session:bad", "-3"]);
  expect(await rowsOf(numbers)).toEqual([
    ["bad", "-3"],
    ["good", " 12 "],
  ]);
});

test("a key column of integers shows the keys that are integers", async () => {
  await client.mSet(["user:1", "a", "user:042", "b", "user:-7", "c", "user:1:profile", "d", "user:", "e"]);
  const table = tableOf(connection, { key_prefix: "user:" }, { key: "integer", name: "text" });
  expect(await rowsOf(table)).toEqual([
    ["-7", "c"],
    ["1", "a"],
  ]);
  expect(await rowsOf(table, { columns: [] })).toHaveLength(2);
  expect(await rowsOf(table, { filters: [equals(0, "1")] })).toEqual([["1", "a"]]);
});

test("times to live", async () => {
  await client.set("session:a", "1", { expiration: { type: "EX", value: 1000 } });
  await client.set("session:b", "2");
  const table = tableOf(
    connection,
    { key_prefix: "session:" },
    { id: "text", ttl: "integer", value: "text", expires_at: "timestamp with time zone" },
  );
  const [[, ttl, , expires], forever] = (await rowsOf(table)) as [unknown[], unknown[]];
  expect(ttl).toBeGreaterThan(900);
  expect(ttl).toBeLessThanOrEqual(1000);
  expect(Math.abs((expires as Date).getTime() - Date.now() - 1_000_000)).toBeLessThan(60_000);
  expect(forever).toEqual(["b", null, "2", null]);
  expect(await rowsOf(table, { columns: [1], filters: [equals(0, "b")] })).toEqual([[null]]);
  expect(await rowsOf(table, { columns: [1], filters: [equals(0, "nothing")] })).toEqual([]);
  const interval = tableOf(connection, { key_prefix: "session:" }, { id: "text", ttl: "interval" });
  expect((await rowsOf(interval))[0]![1]).toMatch(/^\d+(\.\d+)? seconds$/);
});

test("a single key", async () => {
  const table = tableOf(connection, { key: "greeting" }, { key: "text", value: "text" });
  expect(await rowsOf(table)).toEqual([]);
  await client.set("greeting", "hello");
  expect(await rowsOf(table)).toEqual([["greeting", "hello"]]);
  expect(await rowsOf(tableOf(connection, { key: "greeting" }, { v: "text" }))).toEqual([["hello"]]);
});

test.each([
  [{}, { a: "text", b: "text" }, "HV00D", /which keys/],
  [{ key: "a", key_prefix: "b" }, { a: "text" }, "HV00D", /together/],
  [{ key_prefix: "a", type: "text" }, { a: "text" }, "HV024", /none of string/],
  [{ key_prefix: "a", on_conflict: "x" }, { a: "text" }, "HV024", /on_conflict/],
  [{ key_prefix: "a" }, { a: "text", b: "text", c: "text" }, "HV00D", /"b", "c"/],
  [{ key_prefix: "a" }, { key: "jsonb", b: "text" }, "HV004", /"key"/],
])("a definition that cannot be: %j %j", (options, columns, sqlState, message) => {
  expect(() => tableOf(connection, options, columns as never)).toThrow(
    expect.objectContaining({ sqlState, message: expect.stringMatching(message) }),
  );
});
