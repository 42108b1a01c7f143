import type { Client } from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type RedisServer, startRedis } from "../../../packages/sources/src/redis/server.testing.ts";
import { type Stack, startStack } from "../stack.ts";
import { anyChange } from "./changes.ts";
import { answer, difference, differences, named } from "./compare.ts";
import { makePeople, people } from "./people.ts";
import { anyQuery } from "./queries.ts";
import { Random } from "./random.ts";

const names = { foreign: "people", local: "people_local", ids: "ids" };
const rows = makePeople(200);
const columns = people.columns.map(({ name, type }) => `${name} ${type}`).join(", ");

let redis: RedisServer;
let stack: Stack;

beforeAll(async () => {
  [redis, stack] = await Promise.all([startRedis(), startStack()]);
  await fill();
});
afterAll(async () => {
  await stack?.[Symbol.asyncDispose]();
  await redis?.[Symbol.asyncDispose]();
});

async function fill(): Promise<void> {
  const client = await redis.client();
  await client.flushAll();
  for (const { id, ...fields } of rows) await client.hSet(`person:${id}`, fields);
}

/** A database with the people in Redis and in a table of its own. */
async function openPeople(creation?: string): Promise<Client> {
  const { client } = await stack.database(creation);
  await client.query(`
    SET client_min_messages = warning;
    CREATE SERVER redis_server FOREIGN DATA WRAPPER redis_fdw OPTIONS (url '${redis.url}');
    CREATE FOREIGN TABLE people (${columns}) SERVER redis_server OPTIONS (key_prefix 'person:', type 'hash');
    CREATE TABLE people_local (${columns.replace("id text", "id text PRIMARY KEY")});
    CREATE TABLE ids AS SELECT 'u' || (g * 7 % 210) AS k, g AS n FROM generate_series(0, 29) g;
  `);
  for (const row of rows) {
    const given = Object.keys(row);
    await client.query(
      `INSERT INTO people_local (${given}) VALUES (${given.map((_, i) => `$${i + 1}`)})`,
      Object.values(row),
    );
  }
  await client.query("ANALYZE");
  return client;
}

describe("hashes in Redis and the same rows in a table", () => {
  test("give the same answers to 2,000 queries", async () => {
    const client = await openPeople("LOCALE 'C.UTF-8' TEMPLATE template0");
    const found = await differences(
      client,
      people,
      names,
      anyQuery,
      { textOrder: true },
      { seed: 1, count: 2000 },
    );
    expect(found.slice(0, 10).join("\n"), `${found.length} of 2,000 differ`).toBe("");
  }, 600_000);

  test("take the same changes", async () => {
    const client = await openPeople("LOCALE 'C.UTF-8' TEMPLATE template0");
    const options = {
      textOrder: true,
      settable: [
        "name",
        "city",
        "level",
        "big",
        "amount",
        "score",
        "active",
        "born",
        "seen",
        "data",
        "token",
      ],
      insert: (random: Random, number: number) => ({
        id: `'new${number}'`,
        n: String(number),
        name: random.pick(["'x'", "''", "NULL", "'é😀'"]),
        data: random.pick([`'{"a": 1}'::jsonb`, "NULL"]),
      }),
    };
    const all = "SELECT * FROM {t} a";
    const found: string[] = [];
    for (let i = 0; i < 300 && found.length < 10; i += 1) {
      const random = new Random(9_000_000 + i);
      await client.query("BEGIN");
      const steps = Array.from({ length: random.integer(1, 3) }, () => anyChange(random, people, options));
      for (const { text } of [...steps, { text: all }]) {
        await client.query("SAVEPOINT s");
        const foreign = await answer(client, named(text, names.foreign, names.ids), false);
        const local = await answer(client, named(text, names.local, names.ids), false);
        const why = difference(foreign, local);
        if (why) found.push(`#${i} ${named(text, names.foreign, names.ids)}\n   ${why}`);
        if ("error" in foreign || "error" in local || random.chance(0.1))
          await client.query("ROLLBACK TO SAVEPOINT s");
      }
      await client.query(random.chance(0.5) ? "COMMIT" : "ROLLBACK");
      const after = difference(
        await answer(client, named(all, names.foreign, ""), false),
        await answer(client, named(all, names.local, ""), false),
      );
      if (after) found.push(`#${i} after ${steps.map(({ text }) => text).join("; ")}\n   ${after}`);
    }
    await fill();
    expect(found.join("\n")).toBe("");
  }, 600_000);
});
