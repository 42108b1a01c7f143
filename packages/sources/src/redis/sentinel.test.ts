import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { SqlError } from "../error.ts";
import { redis } from "./index.ts";
import { freePort, type RedisServer, startRedis } from "./server.testing.ts";
import { commit, insert, rowsOf, tableOf } from "./testing.ts";

let master: RedisServer;
let replica: RedisServer;
let sentinel: RedisServer;

beforeAll(async () => {
  master = await startRedis();
  replica = await startRedis({ replicaof: `127.0.0.1 ${master.port}` });
  const watched = [
    `sentinel monitor primary 127.0.0.1 ${master.port} 1`,
    "sentinel down-after-milliseconds primary 500",
    "sentinel failover-timeout primary 2000",
  ];
  sentinel = await startRedis({}, { sentinel: watched.join("\n") });
  const client = await sentinel.client();
  const replicas = () => client.sendCommand<string[][]>(["SENTINEL", "REPLICAS", "primary"]);
  await vi.waitFor(async () => expect(await replicas()).toHaveLength(1), { timeout: 30_000, interval: 200 });
});
afterAll(async () => {
  for (const server of [sentinel, replica, master]) await server?.[Symbol.asyncDispose]();
});

test("the master is found, also after another has become it", async () => {
  const nobody = await freePort();
  await using connection = await redis.connect({
    sentinels: `127.0.0.1:${nobody},127.0.0.1:${sentinel.port}`,
    master_name: "primary",
    timeout: "2",
  });
  const table = tableOf(connection, { key_prefix: "a:" }, { id: "text", value: "text" });
  await commit(connection, insert(table, ["1", "one"]));
  expect(await (await master.client()).get("a:1")).toBe("one");
  await expect.poll(async () => (await replica.client()).get("a:1"), { timeout: 10_000 }).toBe("one");

  await master[Symbol.asyncDispose]();
  await expect(rowsOf(table)).rejects.toMatchObject({ sqlState: /^08/ });
  await expect.poll(() => rowsOf(table).catch(() => undefined), { timeout: 40_000 }).toEqual([["1", "one"]]);
  await expect
    .poll(
      () =>
        commit(connection, insert(table, ["2", "two"])).then(
          () => "done",
          (error) => error,
        ),
      { timeout: 40_000 },
    )
    .toBe("done");
  expect(await (await replica.client()).get("a:2")).toBe("two");
});

test("an address that a Sentinel tells is connected to only if that is allowed", async () => {
  const asked: string[] = [];
  const refusal = new SqlError("42501", "not allowed");
  const options = { sentinels: `127.0.0.1:${sentinel.port}`, master_name: "primary" };
  const only = async (address: string) => {
    asked.push(address);
    if (address !== options.sentinels) throw refusal;
  };
  await expect(redis.connect(options, only)).rejects.toBe(refusal);
  expect(asked).toEqual([options.sentinels, `127.0.0.1:${replica.port}`]);
});

test("a master that no Sentinel knows", async () => {
  await expect(redis.connect({ sentinels: `127.0.0.1:${sentinel.port}` })).rejects.toMatchObject({
    sqlState: "08001",
    message: 'No Sentinel tells where the master "mymaster" is',
    detail: expect.stringContaining('knows no master "mymaster"'),
    hint: /master_name/,
  });
});
