import type { Client } from "pg";
import { afterAll, beforeAll, describe, test } from "vitest";
import type { Version } from "../../postgres/versions.ts";
import { type Stack, startStack } from "../stack.ts";
import type { Comparable, ComparedService } from "./service.ts";
import { expectSameAnswers, expectSameChanges } from "./suites.ts";
import { makeTwice } from "./twice.ts";

/** Of each service on the newest version: queries, and transactions that change rows. */
const newest = { queries: 2000, collated: 200, changes: 300 };
/** On each other version; the queries are spread over its databases. */
const earlier = { queries: 200, changes: 20 };
/** With OVERCOAT_TEST_QUERIES=all each table gets these numbers, not only its share: that takes half an hour. */
const share = (part: number) => (process.env.OVERCOAT_TEST_QUERIES === "all" ? 1 : part);

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

const minutes = 60_000;
/** Starting all that a run needs takes seconds, on a busy machine many. */
const setUp = 3 * minutes;

/** Declares the tests that compare services' tables with local ones on a PostgreSQL of one version. */
export function comparedOn(version: Version, comparables: readonly Comparable[]): void {
  const tables = comparables.flatMap((one) => Object.entries(one.tables));
  const written = comparables.flatMap((one) => Object.entries(one.written));
  const ofVersion = databases.filter(({ from }) => version >= from);
  const seed = (table: string, database: number) =>
    version + 100 * tables.findIndex(([name]) => name === table) + 10_000 * database;

  function queries(part: number, database: number): number {
    if (version < 18) return Math.ceil((share(part) * earlier.queries) / ofVersion.length);
    return Math.ceil(share(part) * (database === 0 ? newest.queries : newest.collated));
  }

  describe(`on PostgreSQL ${version}`, () => {
    let stack: Stack;
    let services: readonly ComparedService[];
    beforeAll(async () => {
      services = await Promise.all(comparables.map((one) => one.open()));
      const secrets = Object.assign({}, ...services.map((service) => service.secrets));
      stack = await startStack({ version, secrets });
    }, setUp);
    afterAll(async () => {
      await stack?.[Symbol.asyncDispose]();
      for (const service of services ?? []) await service[Symbol.asyncDispose]();
    });
    const find = (table: string) =>
      services.flatMap((service) => service.tables).find(({ name }) => name === table)!;

    for (const [number, { collation, creation, textOrder }] of ofVersion.entries())
      describe(`in a database with collation ${collation}`, () => {
        let client: Client;
        beforeAll(async () => {
          client = await openDatabase(stack, services, creation);
        }, setUp);
        afterAll(() => client?.end());

        test.each(tables)(
          "%s give the same answers",
          async (table, part) => {
            const run = { seed: seed(table, number), count: queries(part, number), textOrder };
            await expectSameAnswers(client, find(table), run);
          },
          20 * minutes,
        );
        if (number > 0) return;
        test.each(written)(
          "%s take the same changes",
          async (table, part) => {
            const { changes } = version < 18 ? earlier : newest;
            const run = { seed: seed(table, number), count: Math.ceil(share(part) * changes) };
            await expectSameChanges(client, find(table), run);
          },
          20 * minutes,
        );
      });
  });
}

async function openDatabase(
  stack: Stack,
  services: readonly ComparedService[],
  creation: string,
): Promise<Client> {
  const { client } = await stack.database(`${creation} ENCODING 'UTF8' TEMPLATE template0`);
  await client.query("SET client_min_messages = warning");
  for (const { servers, tables } of services) {
    await client.query(servers);
    for (const table of tables) await makeTwice(client, table);
  }
  return client;
}
