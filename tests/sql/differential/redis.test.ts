import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type RedisServer, startRedis } from "../../../packages/sources/src/redis/server.testing.ts";
import { type Version, versions } from "../../postgres/versions.ts";
import { type Stack, startStack } from "../stack.ts";
import { makePeople, people } from "./people.ts";
import type { Random } from "./random.ts";
import { expectSameAnswers, expectSameChanges } from "./suites.ts";
import { openTwice, type Twice } from "./twice.ts";

const rows = makePeople(200);
const minutes = 60_000;
let redis: RedisServer;
let hashes: Twice;

beforeAll(async () => {
  redis = await startRedis();
  await fill();
  hashes = {
    table: people,
    rows,
    foreign: `
      CREATE SERVER redis_server FOREIGN DATA WRAPPER redis_fdw OPTIONS (url '${redis.url}');
      CREATE FOREIGN TABLE t ({columns}) SERVER redis_server OPTIONS (key_prefix 'person:', type 'hash')`,
  };
});
afterAll(() => redis?.[Symbol.asyncDispose]());

async function fill(): Promise<void> {
  const client = await redis.client();
  await client.flushAll();
  for (const { id, ...fields } of rows) await client.hSet(`person:${id}`, fields);
}

/** Databases whose text does not sort by code point are asked nothing that depends on it. */
const databases: readonly { collation: string; creation: string; textOrder: boolean; from: Version }[] = [
  { collation: "C.UTF-8", creation: "LOCALE 'C.UTF-8'", textOrder: true, from: 14 },
  { collation: "C", creation: "LOCALE 'C'", textOrder: true, from: 14 },
  { collation: "en_US", creation: "LOCALE_PROVIDER libc LOCALE 'en_US.UTF-8'", textOrder: false, from: 15 },
  {
    collation: "ICU",
    creation: "LOCALE_PROVIDER icu ICU_LOCALE 'en-US' LOCALE 'C.UTF-8'",
    textOrder: false,
    from: 15,
  },
];

describe.each(versions)("hashes in Redis and the same rows in a table of PostgreSQL %s", (version) => {
  let stack: Stack;
  beforeAll(async () => {
    stack = await startStack({ version });
  });
  afterAll(() => stack?.[Symbol.asyncDispose]());

  test.each(databases.filter(({ from }) => version >= from))(
    "give the same answers in a database with collation $collation",
    async ({ creation, textOrder }) => {
      const client = await openTwice(stack, hashes, `${creation} ENCODING 'UTF8' TEMPLATE template0`);
      const count =
        version === 18 && creation.includes("'C.UTF-8'") && textOrder ? 2000 : version === 18 ? 200 : 70;
      await expectSameAnswers(client, people, { seed: version, count, textOrder });
    },
    10 * minutes,
  );

  test(
    "take the same changes",
    async () => {
      const client = await openTwice(stack, hashes);
      const settable = people.columns.map(({ name }) => name).filter((name) => name !== "id" && name !== "n");
      const insert = (random: Random, number: number) => ({
        id: `'new${number}'`,
        n: String(number),
        name: random.pick(["'x'", "''", "NULL", "'é😀'"]),
        data: random.pick([`'{"a": 1}'::jsonb`, "NULL"]),
      });
      const options = { textOrder: true, settable, insert };
      try {
        await expectSameChanges(client, people, options, { seed: version, count: version === 18 ? 300 : 30 });
      } finally {
        await fill();
      }
    },
    10 * minutes,
  );
});

test("a difference is found", async () => {
  await using stack = await startStack();
  const client = await openTwice(stack, hashes);
  await client.query("UPDATE t_local SET level = 3");
  await expect(expectSameAnswers(client, people, { seed: 1, count: 30 })).rejects.toThrow("differ");
});
