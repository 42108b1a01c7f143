import calculateSlot from "cluster-key-slot";
import { afterAll, beforeAll, beforeEach, expect, test, vi } from "vitest";
import type { Connection } from "../source.ts";
import { redis } from "./index.ts";
import { freePort, type RedisClient, type RedisServer, startRedis } from "./server.testing.ts";
import { commit, equals, insert, planOf, remove, rowsOf, tableOf, update } from "./testing.ts";

const slots = 16384;
const servers: RedisServer[] = [];
const clients: RedisClient[] = [];
let connection: Connection;

beforeAll(async () => {
  for (let index = 0; index < 3; index++) {
    const server = await startRedis({
      "cluster-enabled": "yes",
      "cluster-port": String(await freePort()),
      "cluster-node-timeout": "2000",
    });
    servers.push(server);
    clients.push(await server.client());
    const [from, to] = [Math.ceil((index * slots) / 3), Math.ceil(((index + 1) * slots) / 3) - 1];
    await clients[index]!.sendCommand(["CLUSTER", "ADDSLOTSRANGE", String(from), String(to)]);
    await clients[index]!.sendCommand(["CLUSTER", "SET-CONFIG-EPOCH", String(index + 1)]);
  }
  for (const [index, client] of clients.entries()) {
    const next = servers[(index + 1) % 3]!;
    const [, bus] = (await clients[(index + 1) % 3]!.sendCommand(["CONFIG", "GET", "cluster-port"])) as [
      string,
      string,
    ];
    await client.sendCommand(["CLUSTER", "MEET", "127.0.0.1", String(next.port), bus]);
  }
  await vi.waitFor(
    async () => {
      for (const client of clients) {
        const info = String(await client.sendCommand(["CLUSTER", "INFO"]));
        expect(info).toMatch(/cluster_state:ok/);
        expect(info).toMatch(/known_nodes:3/);
      }
    },
    { timeout: 30_000, interval: 100 },
  );
  connection = await redis.connect({ url: servers[0]!.url, cluster: "true" });
});
afterAll(async () => {
  await connection?.[Symbol.asyncDispose]();
  for (const server of servers) await server[Symbol.asyncDispose]();
});
beforeEach(async () => {
  for (const client of clients) await client.flushAll();
});

const owner = (key: string) => clients[Math.floor((calculateSlot(key) * 3) / slots)]!;
const set = (key: string, value: string) => owner(key).set(key, value);
const table = () => tableOf(connection, { key_prefix: "c:" }, { id: "text", value: "text" });

test("is scanned and looked up", async () => {
  const many = 3000;
  const ids = Array.from({ length: many }, (_, index) => String(index));
  await Promise.all(ids.map((id) => set(`c:${id}`, `v${id}`)));
  const rows = await rowsOf(table());
  expect(new Set(rows.map(([id]) => id)).size).toBe(many);
  expect(rows).toHaveLength(many);
  expect(await rowsOf(table(), { columns: [] })).toHaveLength(many);
  expect(await rowsOf(table(), { limit: 5 })).toHaveLength(5);
  const wanted = ["1", "22", "333", "nothing"];
  expect(await rowsOf(table(), { filters: [{ kind: "in", column: 0, values: wanted }] })).toEqual([
    ["1", "v1"],
    ["22", "v22"],
    ["333", "v333"],
  ]);
  expect((await planOf(table())).rows).toBe(many);
  const hash = tableOf(connection, { key_prefix: "h:", type: "hash" }, { id: "text", a: "text" });
  for (const id of ["1", "2", "3", "4"]) await owner(`h:${id}`).hSet(`h:${id}`, "a", id);
  await set("h:5", "a string");
  expect(await rowsOf(hash)).toHaveLength(4);
  // A key of another type is no row, by look-up or by scan.
  await owner("c:list").rPush("c:list", "x");
  expect(await rowsOf(table(), { filters: [equals(0, "list")] })).toEqual([]);
});

test("is written, a transaction for each slot", async () => {
  const ids = Array.from({ length: 50 }, (_, index) => String(index));
  await commit(connection, ...ids.map((id) => insert(table(), [id, "1"])));
  const rows = await rowsOf(table(), { identity: true });
  expect(rows).toHaveLength(50);
  const [first, ...others] = rows;
  await commit(
    connection,
    update(table(), first!, [undefined, "2"]),
    ...others.map((row) => remove(table(), row)),
  );
  expect(await rowsOf(table())).toEqual([["0", "2"]]);
});

test("says what was applied when it stops midway", async () => {
  const [one, two, three] = ["a", "b", "c"];
  expect(new Set([one, two, three].map((id) => calculateSlot(`c:${id}`))).size).toBe(3);
  await set("c:b", "taken");
  const error = await commit(
    connection,
    insert(table(), [one, "1"]),
    insert(table(), [two, "2"]),
    insert(table(), [three, "3"]),
  ).catch((reason) => reason);
  expect(error).toMatchObject({
    sqlState: "40001",
    detail: expect.stringContaining("3 changes the first 1"),
  });
  expect(error.hint).toMatch(/hash tag/);
  expect(await rowsOf(table())).toEqual([
    ["a", "1"],
    ["b", "taken"],
  ]);
});

test("a key is renamed within its slot only", async () => {
  await set("c:{t}1", "1");
  const read = async () => (await rowsOf(table(), { identity: true }))[0]!;
  await commit(connection, update(table(), await read(), ["{t}2"]));
  expect(await rowsOf(table())).toEqual([["{t}2", "1"]]);
  await expect(commit(connection, update(table(), await read(), ["elsewhere"]))).rejects.toMatchObject({
    sqlState: "0A000",
    hint: /hash tag/,
  });
});

test("follows slots that move", async () => {
  const key = "c:moving";
  const slot = String(calculateSlot(key));
  const from = owner(key);
  const to = clients.find((client) => client !== from)!;
  const ids = await Promise.all([from, to].map((client) => client.sendCommand<string>(["CLUSTER", "MYID"])));
  await set(key, "1");
  const filters = [equals(0, "moving")];
  expect(await rowsOf(table(), { filters })).toEqual([["moving", "1"]]);

  // Half moved, as it is while keys are being moved: the old server redirects by ASK.
  await to.sendCommand(["CLUSTER", "SETSLOT", slot, "IMPORTING", ids[0]!]);
  await from.sendCommand(["CLUSTER", "SETSLOT", slot, "MIGRATING", ids[1]!]);
  const port = String(servers[clients.indexOf(to)]!.port);
  await from.sendCommand(["MIGRATE", "127.0.0.1", port, key, "0", "5000"]);
  expect(await rowsOf(table(), { filters })).toEqual([["moving", "1"]]);

  // Moved: it redirects by MOVED.
  for (const client of [to, from]) await client.sendCommand(["CLUSTER", "SETSLOT", slot, "NODE", ids[1]!]);
  const [row] = await rowsOf(table(), { filters, identity: true });
  expect(row!.slice(0, 2)).toEqual(["moving", "1"]);
  const stale = await redis.connect({ url: servers[0]!.url, cluster: "true" });
  await commit(stale, update(table(), row!, [undefined, "2"]));
  await stale[Symbol.asyncDispose]();
  expect(await to.get(key)).toBe("2");

  for (const client of [from, to])
    await client.sendCommand(["CLUSTER", "SETSLOT", slot, "NODE", ids[0]!]).catch(() => undefined);
});

test("without the option cluster says what to do", async () => {
  await using plain = await redis.connect({ url: servers[0]!.url });
  const one = tableOf(plain, { key_prefix: "c:" }, { id: "text", value: "text" });
  const foreign = ["a", "b", "c", "d", "e"].find((id) => owner(`c:${id}`) !== clients[0])!;
  await expect(rowsOf(one, { filters: [equals(0, foreign)] })).rejects.toMatchObject({
    sqlState: "08006",
    hint: /cluster 'true'/,
  });
});
