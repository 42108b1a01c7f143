import { afterAll, beforeAll, beforeEach } from "vitest";
import type { Connection } from "../source.ts";
import { redis } from "./index.ts";
import { type RedisClient, type RedisServer, startRedis } from "./server.testing.ts";

/** A redis-server for the tests of the file that imports this, empty before each, with a client and a connection. */
export let server: RedisServer;
export let client: RedisClient;
export let connection: Connection;

beforeAll(async () => {
  server = await startRedis();
  client = await server.client();
  connection = await redis.connect({ url: server.url });
});
afterAll(async () => {
  await connection?.[Symbol.asyncDispose]();
  await server?.[Symbol.asyncDispose]();
});
beforeEach(() => client.flushAll());
