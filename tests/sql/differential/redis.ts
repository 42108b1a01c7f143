import { startRedis } from "../../../packages/sources/src/redis/server.testing.ts";
import { makePeople, people } from "./people.ts";
import type { Comparable, ComparedService } from "./service.ts";

const rows = makePeople(200);

export const redis: Comparable = {
  tables: { hashes: 1 },
  written: { hashes: 1 },
  async open(): Promise<ComparedService> {
    const server = await startRedis();
    const client = await server.client();
    const fill = async () => {
      await client.flushAll();
      await Promise.all(rows.map(({ id, ...fields }) => client.hSet(`person:${id}`, fields)));
    };
    await fill();
    return {
      servers: `CREATE SERVER redis_server FOREIGN DATA WRAPPER redis_fdw OPTIONS (url '${server.url}')`,
      tables: [
        {
          name: "hashes",
          table: people,
          rows,
          foreign:
            "CREATE FOREIGN TABLE {t} ({columns}) SERVER redis_server OPTIONS (key_prefix 'person:', type 'hash')",
          changes: {
            settable: Object.fromEntries(
              people.columns.flatMap(({ name }) => (name === "id" || name === "n" ? [] : [[name, "any"]])),
            ),
            insert: (random, number) => ({
              id: `'new${number}'`,
              n: String(number),
              name: random.pick(["'x'", "''", "NULL", "'é😀'"]),
              data: random.pick([`'{"a": 1}'::jsonb`, "NULL"]),
            }),
            fill,
          },
        },
      ],
      [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
    };
  },
};
