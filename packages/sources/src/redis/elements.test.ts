import { describe, expect, test } from "vitest";
import type { Filter, Row } from "../source.ts";
import { client, connection } from "./running.testing.ts";
import { commit, equals, insert, planOf, remove, rowsOf, tableOf, update } from "./testing.ts";

const conflict = { sqlState: "40001" };
const many = 2500;
const numbers = Array.from({ length: many }, (_, index) => index);

/** In the order in which they come. */
async function inOrder(
  table: Parameters<typeof planOf>[0],
  query: Parameters<typeof planOf>[1],
): Promise<Row[]> {
  const rows: Row[] = [];
  for await (const batch of (await planOf(table, query)).scan(AbortSignal.timeout(10_000)))
    rows.push(...batch);
  return rows;
}

describe("lists", () => {
  const table = () =>
    tableOf(connection, { key: "queue", type: "list" }, { index: "integer", value: "text" });

  test("are read in order, in pages", async () => {
    expect(await rowsOf(table())).toEqual([]);
    await client.rPush("queue", numbers.map(String));
    const sort = [{ column: 0, descending: false, nullsFirst: false }];
    expect((await planOf(table(), { sort })).sorted).toBe(true);
    expect((await planOf(table())).rows).toBe(many);
    expect(await inOrder(table(), { sort })).toEqual(numbers.map((index) => [index, String(index)]));
    expect(await inOrder(table(), { sort, limit: 2 })).toEqual([
      [0, "0"],
      [1, "1"],
    ]);
    const at = await planOf(table(), { filters: [equals(0, "7")] });
    expect(at).toMatchObject({ handled: [true], requests: ["LRANGE queue 7 7"] });
    expect(await rowsOf(table(), { filters: [equals(0, "7")] })).toEqual([[7, "7"]]);
    for (const none of ["-1", "99999"])
      expect(await rowsOf(table(), { filters: [equals(0, none)] })).toEqual([]);
  });

  test("of several keys", async () => {
    const lists = tableOf(
      connection,
      { key_prefix: "q:", type: "list" },
      { id: "text", position: "integer", element: "text", ttl: "integer" },
    );
    await client.rPush("q:a", ["x", "y"]);
    await client.rPush("q:b", numbers.map(String));
    await client.set("q:c", "no list");
    await client.expire("q:a", 1000);
    const rows = await rowsOf(lists, { identity: true });
    expect(rows).toHaveLength(many + 2);
    expect(new Set(rows.map((row) => row[4])).size).toBe(many + 2);
    const ofA = (await rowsOf(lists, { filters: [equals(0, "a")] })) as unknown[][];
    expect(ofA.map((row) => row.slice(0, 3))).toEqual([
      ["a", 0, "x"],
      ["a", 1, "y"],
    ]);
    expect(ofA[0]![3]).toBeGreaterThan(900);
    await commit(connection, remove(lists, rows.find((row) => row[0] === "a" && row[2] === "x")!));
    expect(await client.lRange("q:a", 0, -1)).toEqual(["y"]);
  });

  test("are changed", async () => {
    await client.rPush("queue", ["a", "b", "c", "d"]);
    const rows = await rowsOf(table(), { identity: true });
    const [a, b, c] = rows as [Row, Row, Row];
    await commit(
      connection,
      remove(table(), a),
      update(table(), b, [undefined, "B"]),
      remove(table(), c),
      insert(table(), [null, "e"]),
    );
    expect(await client.lRange("queue", 0, -1)).toEqual(["B", "d", "e"]);
    await expect(commit(connection, update(table(), rows[3]!, [undefined, "x"]))).rejects.toMatchObject(
      conflict,
    );
    expect(() => table().changes!.identity(["1", "x"])).toThrow(
      expect.objectContaining({ sqlState: "0A000" }),
    );
    expect(() => table().changes!.identity([null, null])).toThrow(
      expect.objectContaining({ sqlState: "23502" }),
    );
    await client.set("queue", "no list");
    await expect(commit(connection, insert(table(), [null, "x"]))).rejects.toMatchObject({
      sqlState: "42809",
    });
  });

  test("one row each", async () => {
    await client.rPush("q:a", ["x", "y"]);
    const json = tableOf(connection, { key_prefix: "q:", type: "list" }, { key: "text", items: "jsonb" });
    expect(await rowsOf(json)).toEqual([["a", ["x", "y"]]]);
    const supabase = tableOf(
      connection,
      { src_type: "multi_list", src_key: "q:*" },
      { key: "text", items: "jsonb" },
    );
    expect(await rowsOf(supabase)).toEqual([["q:a", ["x", "y"]]]);
    expect(await rowsOf(supabase, { filters: [equals(0, "q:a")] })).toEqual([["q:a", ["x", "y"]]]);
    expect(await rowsOf(supabase, { filters: [equals(0, "elsewhere")] })).toEqual([]);
    const one = tableOf(connection, { src_type: "list", src_key: "q:a" }, { element: "text" });
    expect(await rowsOf(one)).toEqual([["x"], ["y"]]);
    expect((await rowsOf(one, { identity: true })).map((row) => row[1])).toEqual(["0", "1"]);
  });
});

describe("sets", () => {
  const table = () => tableOf(connection, { key: "tags", type: "set" }, { member: "text" });

  test("are read, each member once", async () => {
    await client.sAdd(
      "tags",
      numbers.map((index) => `tag ${index}`),
    );
    expect(new Set((await rowsOf(table())).flat()).size).toBe(many);
    expect(await rowsOf(table())).toHaveLength(many);
    expect((await planOf(table())).rows).toBe(many);
    const found = { kind: "in", column: 0, values: ["tag 1", "tag 2", "nothing"] } as const;
    expect((await planOf(table(), { filters: [found] })).requests).toEqual([
      "SMISMEMBER tags tag 1 tag 2 nothing",
    ]);
    expect(await rowsOf(table(), { filters: [found] })).toEqual([["tag 1"], ["tag 2"]]);
    expect(await rowsOf(table(), { filters: [{ kind: "in", column: 0, values: [] }] })).toEqual([]);
    const like: Filter = { kind: "like", column: 0, pattern: "tag 249%" };
    expect((await planOf(table(), { filters: [like] })).handled).toEqual([true]);
    expect(await rowsOf(table(), { filters: [like] })).toHaveLength(11);
    expect(await rowsOf(table(), { limit: 5 })).toHaveLength(5);
    expect(await rowsOf(table(), { columns: [] })).toHaveLength(many);
  });

  test("are changed", async () => {
    await client.sAdd("tags", ["a", "b", "c"]);
    const [a, b] = (await rowsOf(table(), { identity: true })) as [Row, Row];
    await commit(connection, remove(table(), a), update(table(), b, ["B"]), insert(table(), ["d"]));
    expect((await client.sMembers("tags")).sort()).toEqual(["B", "c", "d"]);
    await commit(connection, remove(table(), a));
    await expect(commit(connection, update(table(), b, ["x"]))).rejects.toMatchObject(conflict);
    await expect(commit(connection, insert(table(), ["c"]))).rejects.toMatchObject(conflict);
    const c = (await rowsOf(table(), { identity: true, filters: [equals(0, "c")] }))[0]!;
    await expect(commit(connection, update(table(), c, ["d"]))).rejects.toMatchObject({ sqlState: "23505" });
    const { changes } = table();
    const ids = ["c", "x"].map((member) => changes!.identity([member])!);
    expect(await changes!.exist(ids, AbortSignal.timeout(1000))).toEqual([true, false]);
  });

  test("with members that are not text", async () => {
    await client.sAdd("tags", [Buffer.from([0xff]), Buffer.from([0xfe]), Buffer.from("\uFFFD")]);
    await expect(rowsOf(table())).rejects.toMatchObject({ sqlState: "22021" });
    expect(await rowsOf(table(), { columns: [] })).toHaveLength(3);
    const bytes = tableOf(connection, { key: "tags", type: "set" }, { member: "bytea" });
    const rows = await rowsOf(bytes, { identity: true });
    expect(new Set(rows.map((row) => row[1])).size).toBe(3);
    await commit(connection, ...rows.map((row) => remove(bytes, row)));
    expect(await client.exists("tags")).toBe(0);
    // In pages, where repeated members must be told apart.
    await client.sAdd(
      "tags",
      numbers.map((index) => Buffer.from([0xff, index >> 8, index & 255])),
    );
    expect(await rowsOf(table(), { columns: [] })).toHaveLength(many);
    expect(await rowsOf(bytes)).toHaveLength(many);
  });

  test("of several keys, and one row each", async () => {
    await client.sAdd("s:a", ["y", "x"]);
    await client.sAdd("s:b", numbers.map(String));
    const sets = tableOf(connection, { key_prefix: "s:", type: "set" }, { id: "text", member: "text" });
    expect(await rowsOf(sets)).toHaveLength(many + 2);
    expect(await rowsOf(sets, { filters: [equals(0, "a")] })).toEqual([
      ["a", "x"],
      ["a", "y"],
    ]);
    expect(await rowsOf(sets, { filters: [equals(1, "7")] })).toEqual([["b", "7"]]);
    const whole = tableOf(connection, { key_prefix: "s:", type: "set" }, { id: "text", items: "text[]" });
    expect(await rowsOf(whole, { filters: [equals(0, "a")] })).toEqual([["a", ["x", "y"]]]);
  });
});

describe("sorted sets", () => {
  const table = () =>
    tableOf(connection, { key: "scores", type: "zset" }, { member: "text", score: "double precision" });
  const by = (column: number, descending = false) => ({ column, descending, nullsFirst: false });
  const above = (operator: ">" | ">=" | "<" | "<=" | "=", value: string | undefined): Filter => ({
    kind: "compare",
    column: 1,
    operator,
    value,
  });

  test("are read", async () => {
    await client.zAdd(
      "scores",
      numbers.map((index) => ({ value: `m${index}`, score: index / 10 })),
    );
    await client.zAdd("scores", { value: "top", score: Number.POSITIVE_INFINITY });
    const rows = await rowsOf(table());
    expect(rows).toHaveLength(many + 1);
    expect(rows).toContainEqual(["m1", 0.1]);
    expect(rows).toContainEqual(["top", Number.POSITIVE_INFINITY]);
    expect(await rowsOf(table(), { filters: [equals(0, "m7")] })).toEqual([["m7", 0.7]]);
  });

  test("are read by rank", async () => {
    await client.zAdd(
      "scores",
      ["b", "c", "a"].map((value) => ({ value, score: 1 })),
    );
    await client.zAdd("scores", { value: "d", score: 0 });
    const top = { sort: [by(1, true), by(0, true)], limit: 2 };
    expect(await planOf(table(), top)).toMatchObject({
      sorted: true,
      requests: ["ZRANGE scores 0 1 REV WITHSCORES"],
    });
    expect(await inOrder(table(), top)).toEqual([
      ["c", 1],
      ["b", 1],
    ]);
    expect(await inOrder(table(), { sort: [by(1), by(0)], limit: 3 })).toEqual([
      ["d", 0],
      ["a", 1],
      ["b", 1],
    ]);
    expect((await planOf(table(), { sort: [by(1, true), by(0)], limit: 2 })).sorted).toBe(false);
    expect((await planOf(table(), { sort: [by(1, true)] })).sorted).toBe(false);
    const unhandled = { ...top, filters: [{ kind: "null", column: 1, isNull: false } as const] };
    expect((await planOf(table(), unhandled)).sorted).toBe(false);
    expect(await rowsOf(table(), unhandled)).toHaveLength(4);
  });

  test("are read by score", async () => {
    await client.zAdd(
      "scores",
      numbers.map((index) => ({ value: `m${index}`, score: index })),
    );
    const range = [above(">", "10"), above("<=", "12.5")];
    const plan = await planOf(table(), { filters: range });
    expect(plan).toMatchObject({ handled: [true, true], rows: 2 });
    expect(plan.requests[0]).toMatch(/^ZRANGEBYSCORE scores \(10 12.5 WITHSCORES/);
    expect(await rowsOf(table(), { filters: range })).toEqual([
      ["m11", 11],
      ["m12", 12],
    ]);
    expect(await inOrder(table(), { filters: [above(">=", "5")], sort: [by(1, true)], limit: 2 })).toEqual([
      ["m2499", 2499],
      ["m2498", 2498],
    ]);
    expect(await rowsOf(table(), { filters: [above("=", "5")] })).toEqual([["m5", 5]]);
    expect(await rowsOf(table(), { filters: [above("<", "-Infinity")] })).toEqual([]);
    expect((await planOf(table(), { filters: [above(">", undefined)] })).handled).toEqual([true]);
    expect((await planOf(table(), { filters: [above(">", "NaN")] })).handled).toEqual([false]);
  });

  test("are read by score where more members are within it than are taken at once", async () => {
    const lots = 12_000;
    await client.zAdd(
      "scores",
      Array.from({ length: lots }, (_, index) => ({ value: `m${index}`, score: index })),
    );
    expect(await rowsOf(table(), { filters: [above(">=", "1000")] })).toHaveLength(lots - 1000);
  });

  test("are changed", async () => {
    await client.zAdd(
      "scores",
      ["a", "b", "c"].map((value, score) => ({ value, score })),
    );
    const [a, b, c] = (await rowsOf(table(), { identity: true })) as [Row, Row, Row];
    await commit(
      connection,
      remove(table(), a),
      update(table(), b, [undefined, "10.5"]),
      update(table(), c, ["C"]),
      insert(table(), ["d", "-Infinity"]),
    );
    expect(await client.zRangeWithScores("scores", 0, -1)).toEqual([
      { value: "d", score: Number.NEGATIVE_INFINITY },
      { value: "C", score: 2 },
      { value: "b", score: 10.5 },
    ]);
    await expect(commit(connection, update(table(), b, [undefined, "3"]))).rejects.toMatchObject(conflict);
    expect(() => table().changes!.identity(["x", "NaN"])).toThrow(
      expect.objectContaining({ sqlState: "22023" }),
    );
    expect(() => table().changes!.identity(["x", null])).toThrow(
      expect.objectContaining({ sqlState: "23502" }),
    );
  });
});

describe("hashes whose fields are rows", () => {
  const table = () =>
    tableOf(connection, { key: "settings", type: "hash" }, { field: "text", value: "text" });

  test("are read", async () => {
    await client.hSet("settings", Object.fromEntries(numbers.map((index) => [`f${index}`, String(index)])));
    expect(await rowsOf(table())).toHaveLength(many);
    expect(await rowsOf(table(), { filters: [equals(0, "f7")] })).toEqual([["f7", "7"]]);
    const supabase = tableOf(
      connection,
      { src_type: "hash", src_key: "settings" },
      { key: "text", value: "text" },
    );
    expect(await rowsOf(supabase, { filters: [equals(0, "f7")] })).toEqual([["f7", "7"]]);
    const several = tableOf(
      connection,
      { key_prefix: "set", type: "hash" },
      { id: "text", field: "text", value: "text" },
    );
    expect(await rowsOf(several, { filters: [equals(1, "f7")] })).toEqual([["tings", "f7", "7"]]);
    const multi = tableOf(
      connection,
      { src_type: "multi_hash", src_key: "s[e]tt*" },
      { key: "text", items: "jsonb" },
    );
    const [[key, items]] = (await rowsOf(multi)) as [[string, object]];
    expect([key, Object.keys(items).length]).toEqual(["settings", many]);
    expect(multi.changes).toBeUndefined();
  });

  test("are changed", async () => {
    await client.hSet("settings", { a: "1", b: "2", c: "3" });
    const [a, b, c] = (await rowsOf(table(), { identity: true })) as [Row, Row, Row];
    await commit(
      connection,
      remove(table(), a),
      update(table(), b, [undefined, "two"]),
      update(table(), c, ["C"]),
      insert(table(), ["d", "4"]),
    );
    expect(await client.hGetAll("settings")).toEqual({ b: "two", C: "3", d: "4" });
    await expect(commit(connection, remove(table(), b))).rejects.toMatchObject(conflict);
  });
});

describe("streams", () => {
  const table = () =>
    tableOf(connection, { key: "events", type: "stream" }, { id: "text", kind: "text", fields: "jsonb" });

  test("are read in pages", async () => {
    for (let start = 0; start < many; start += 500) {
      await Promise.all(
        numbers
          .slice(start, start + 500)
          .map((index) => client.xAdd("events", `${index + 1}-0`, { kind: "k", n: String(index) })),
      );
    }
    expect(await inOrder(table(), {})).toEqual(
      numbers.map((index) => [`${index + 1}-0`, "k", { kind: "k", n: String(index) }]),
    );
    expect((await planOf(table())).rows).toBe(many);
    expect(await rowsOf(table(), { filters: [equals(0, "7-0")] })).toEqual([
      ["7-0", "k", { kind: "k", n: "6" }],
    ]);
    for (const none of ["7", "x", "99999-0"]) {
      expect(await rowsOf(table(), { filters: [equals(0, none)] })).toEqual([]);
    }
    expect(await rowsOf(table(), { limit: 3 })).toHaveLength(3);
    const supabase = tableOf(
      connection,
      { src_type: "stream", src_key: "events" },
      { id: "text", items: "jsonb" },
    );
    expect((await inOrder(supabase, { limit: 1 }))[0]).toEqual(["1-0", { kind: "k", n: "0" }]);
  });

  test("are added to and deleted from", async () => {
    expect(table().changes).toMatchObject({ insert: true, update: false, delete: true });
    await commit(connection, insert(table(), ["5-0", "first"]), insert(table(), [null, null, '{"a": "b"}']));
    const [first, second] = (await rowsOf(table(), { identity: true })).sort((one) =>
      one[0] === "5-0" ? -1 : 1,
    );
    expect(first!.slice(0, 3)).toEqual(["5-0", "first", { kind: "first" }]);
    expect(second!.slice(1, 3)).toEqual([null, { a: "b" }]);
    await commit(connection, remove(table(), first!));
    expect(await client.xLen("events")).toBe(1);
    await expect(commit(connection, insert(table(), ["4-0", "x"]))).rejects.toMatchObject({
      sqlState: "22023",
    });
    expect(() => table().changes!.identity(["x", "y"])).toThrow(
      expect.objectContaining({ sqlState: "22023" }),
    );
    expect(() => table().changes!.identity([null, null, "{}"])).toThrow(
      expect.objectContaining({ sqlState: "23502" }),
    );
  });
});

test.each([
  [
    { key: "a", type: "list" },
    { x: "text", y: "text" },
  ],
  [
    { key: "a", type: "set" },
    { x: "text", y: "text" },
  ],
  [
    { key: "a", type: "zset" },
    { x: "text", y: "double precision", z: "text" },
  ],
  [
    { key_prefix: "a", type: "set" },
    { id: "text", items: "jsonb", z: "text" },
  ],
])("columns that do not fit: %j %j", (options, columns) => {
  expect(() => tableOf(connection, options, columns as never)).toThrow(
    expect.objectContaining({ sqlState: "HV00D", hint: expect.stringContaining("Besides the key") }),
  );
});
