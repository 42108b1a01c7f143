import pg from "pg";
import { expect, test } from "vitest";
import { startPostgres } from "../../postgres/versions.ts";
import { makePeople, people } from "./people.ts";
import { expectSameAnswers } from "./suites.ts";
import { makeTwice } from "./twice.ts";

test("a difference is found, none where there is none", async () => {
  await using postgres = await startPostgres(18);
  const client = new pg.Client(postgres.url);
  await client.connect();
  try {
    const foreign = "CREATE TABLE {t} ({columns})";
    const twice = { name: "people", table: people, rows: makePeople(50), foreign };
    const run = { seed: 1, count: 30, textOrder: false };
    await makeTwice(client, twice);
    await client.query("INSERT INTO people SELECT * FROM people_rows");
    await expectSameAnswers(client, twice, run);
    await client.query("UPDATE people SET level = 3 WHERE n < 10");
    await expect(expectSameAnswers(client, twice, run)).rejects.toThrow("differences with seed 1");
  } finally {
    await client.end();
  }
});
