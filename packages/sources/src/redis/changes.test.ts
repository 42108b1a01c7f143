import { describe, expect, test } from "vitest";
import { redis } from "./index.ts";
import { client, connection, server } from "./running.testing.ts";
import { commit, equals, insert, remove, rowsOf, tableOf, update } from "./testing.ts";

const conflict = { sqlState: "40001" };

describe("strings", () => {
  const table = (options = {}) =>
    tableOf(
      connection,
      { key_prefix: "s:", ...options },
      { id: "text", value: "text", ttl: "integer", expires_at: "timestamp with time zone" },
    );
  const row = async (id: string) => (await rowsOf(table(), { identity: true, filters: [equals(0, id)] }))[0]!;

  test("rows are inserted, updated and deleted in one transaction", async () => {
    const t = table();
    await client.mSet(["s:b", "2", "s:c", "3", "s:d", "4"]);
    const [b, c] = [await row("b"), await row("c")];
    await client.configResetStat();
    await commit(
      connection,
      insert(t, ["a", "1", null, undefined]),
      update(t, b, [undefined, "two", undefined, undefined]),
      remove(t, c),
    );
    expect(await client.mGet(["s:a", "s:b", "s:c", "s:d"])).toEqual(["1", "two", null, "4"]);
    expect(await client.info("commandstats")).toMatch(/cmdstat_exec:calls=1,/);
    expect(await client.pTTL("s:a")).toBe(-1);
  });

  test("what another client changes after the read is a conflict, and nothing is written", async () => {
    const t = table();
    await client.mSet(["s:a", "1", "s:b", "2"]);
    const a = await row("a");
    await client.set("s:a", "changed");
    await expect(
      commit(connection, insert(t, ["n", "x"]), update(t, a, [undefined, "mine"])),
    ).rejects.toMatchObject({ ...conflict, message: /"s:a"/, hint: "Repeat the transaction." });
    await expect(commit(connection, insert(t, ["n", "x"]), remove(t, a))).rejects.toMatchObject(conflict);
    await expect(commit(connection, insert(t, ["b", "x"]))).rejects.toMatchObject(conflict);
    const b = await row("b");
    await client.del("s:b");
    await expect(commit(connection, update(t, b, [undefined, "x"]))).rejects.toMatchObject(conflict);
    await commit(connection, remove(t, b));
    expect(await client.keys("*")).toEqual(["s:a"]);
  });

  test("a change that comes between the comparison and the write is a conflict", async () => {
    const t = table();
    await client.set("s:a", "0");
    const clients = 8;
    const rounds = 20;
    let conflicts = 0;
    await Promise.all(
      Array.from({ length: clients }, async () => {
        const own = await redis.connect({ url: server.url });
        for (let done = 0; done < rounds; ) {
          const a = (await rowsOf(t, { identity: true, filters: [equals(0, "a")] }))[0]!;
          try {
            await commit(own, update(t, a, [undefined, String(Number(a[1]) + 1)]));
            done += 1;
          } catch (error) {
            expect(error).toMatchObject(conflict);
            conflicts += 1;
          }
        }
        await own[Symbol.asyncDispose]();
      }),
    );
    expect(await client.get("s:a")).toBe(String(clients * rounds));
    expect(conflicts).toBeGreaterThan(0);
  });

  test("a row that is written twice", async () => {
    const t = table();
    await client.set("s:a", "1");
    const a = await row("a");
    await commit(connection, remove(t, a), insert(t, ["a", "2"]));
    expect(await client.get("s:a")).toBe("2");
    const id = t.changes!.identity(["n", "1"]);
    const before = ["n", "1", null, null];
    await commit(connection, insert(t, ["n", "1"]), {
      kind: "update",
      table: t,
      identity: id!,
      before,
      after: [undefined, "2"],
    });
    expect(await client.get("s:n")).toBe("2");
    await client.del("s:n");
    await commit(connection, insert(t, ["n", "1"]), { kind: "delete", table: t, identity: id!, before });
    expect(await client.exists("s:n")).toBe(0);
  });

  test("times to live are set, kept and taken away", async () => {
    const t = table();
    await commit(
      connection,
      insert(t, ["a", "1", "100"]),
      insert(t, ["b", "1", undefined, "2100-01-01 00:00:00+00"]),
    );
    const seconds = async (key: string) => (await client.pTTL(key)) / 1000;
    expect(await seconds("s:a")).toBeGreaterThan(90);
    expect(await seconds("s:a")).toBeLessThanOrEqual(100);
    expect((await seconds("s:b")) * 1000 + Date.now()).toBeCloseTo(Date.parse("2100-01-01T00:00:00Z"), -5);
    await commit(connection, update(t, await row("a"), [undefined, "2"]));
    expect(await client.get("s:a")).toBe("2");
    expect(await seconds("s:a")).toBeGreaterThan(80);
    await commit(connection, update(t, await row("a"), [undefined, undefined, "5000"]));
    expect(await seconds("s:a")).toBeGreaterThan(4000);
    await commit(connection, update(t, await row("a"), [undefined, undefined, null]));
    expect(await client.pTTL("s:a")).toBe(-1);
    await commit(connection, update(t, await row("b"), [undefined, undefined, undefined, "infinity"]));
    expect(await client.pTTL("s:b")).toBe(-1);
    await expect(commit(connection, insert(t, ["c", "1", "0"]))).rejects.toMatchObject({ sqlState: "22023" });
    expect(await client.exists("s:c")).toBe(0);
    const brief = table({ ttl: "50" });
    await commit(connection, insert(brief, ["d", "1"]), insert(brief, ["e", "1", "7"]));
    expect(await seconds("s:d")).toBeGreaterThan(40);
    expect(await seconds("s:e")).toBeLessThanOrEqual(7);
    const interval = tableOf(
      connection,
      { key_prefix: "s:" },
      { id: "text", value: "text", ttl: "interval" },
    );
    await commit(connection, insert(interval, ["f", "1", "1 day 01:00:00.5"]));
    expect(await seconds("s:f")).toBeGreaterThan(89_900);
    expect(await seconds("s:f")).toBeLessThanOrEqual(90_000.5);
  });

  test("a key is renamed and keeps its time to live", async () => {
    const t = table();
    await client.set("s:a", "1", { expiration: { type: "EX", value: 1000 } });
    await client.set("s:b", "2");
    await commit(connection, update(t, await row("a"), ["z", "one"]));
    expect(await client.mGet(["s:a", "s:z"])).toEqual([null, "one"]);
    expect(await client.ttl("s:z")).toBeGreaterThan(900);
    await expect(commit(connection, update(t, await row("z"), ["b"]))).rejects.toMatchObject({
      sqlState: "23505",
      detail: 'The Redis key "s:b" already exists.',
    });
  });

  test("INSERT replaces where the table says so", async () => {
    const t = table({ on_conflict: "replace" });
    expect(t.changes!.replaces).toBe(true);
    expect(table().changes!.replaces).toBe(false);
    await client.set("s:a", "1", { expiration: { type: "EX", value: 1000 } });
    await client.hSet("s:h", "field", "value");
    await commit(
      connection,
      insert(t, ["a", "2"], true),
      insert(t, ["h", "3"], true),
      insert(t, ["n", "4"], true),
    );
    expect(await client.mGet(["s:a", "s:h", "s:n"])).toEqual(["2", "3", "4"]);
    expect(await client.ttl("s:a")).toBe(-1);
  });

  test("what exists", async () => {
    const ids = Array.from({ length: 2500 }, (_, index) => `s:${index}`);
    await client.mSet(ids.filter((_, index) => index % 2).map((key) => [key, "1"] as [string, string]));
    const found = await table().changes!.exist(ids, AbortSignal.timeout(10_000));
    expect(found).toEqual(ids.map((_, index) => index % 2 === 1));
  });

  test("a row without key or value cannot be stored", async () => {
    const { changes } = table();
    expect(() => changes!.identity([null, "1"])).toThrow(expect.objectContaining({ sqlState: "23502" }));
    expect(() => changes!.identity(["a", null])).toThrow(expect.objectContaining({ sqlState: "23502" }));
    await client.set("s:a", "1");
    await expect(
      commit(connection, update(table(), await row("a"), [undefined, null])),
    ).rejects.toMatchObject({
      sqlState: "23502",
      message: 'null value in column "value" of foreign table "t"',
    });
  });

  test("bytes", async () => {
    const t = tableOf(connection, { key_prefix: "s:" }, { id: "bytea", value: "bytea" });
    await commit(connection, insert(t, ["\\xff00", "\\x00fe"]));
    const buffers = await client.sendCommand(["GET", Buffer.from([0x73, 0x3a, 0xff, 0])]);
    expect(buffers).not.toBeNull();
    const [row] = await rowsOf(t, { identity: true });
    expect(row![1]).toEqual(Buffer.from([0, 0xfe]));
    await commit(connection, update(t, row!, [undefined, "\\x01"]));
    const [again] = await rowsOf(t, { identity: true });
    expect(again![1]).toEqual(Buffer.from([1]));
    await expect(commit(connection, remove(t, row!))).rejects.toMatchObject(conflict);
    await commit(connection, remove(t, again!));
    expect(await client.dbSize()).toBe(0);
  });

  test("many changes", async () => {
    const t = table();
    const many = 5000;
    await commit(connection, ...Array.from({ length: many }, (_, index) => insert(t, [String(index), "1"])));
    expect(await client.dbSize()).toBe(many);
    const rows = await rowsOf(t, { identity: true });
    await commit(connection, ...rows.map((each) => remove(t, each)));
    expect(await client.dbSize()).toBe(0);
  });
});
