import type { Client } from "pg";
import { expect } from "vitest";
import { anyChange } from "./changes.ts";
import { type Answer, answer, difference, named } from "./compare.ts";
import { anyQuery } from "./queries.ts";
import { Random } from "./random.ts";
import { namesOf, refill, type Twice } from "./twice.ts";

export interface Run {
  /** The same seed gives the same statements. */
  readonly seed: number;
  readonly count: number;
}

/** Differences that are told; with more of them a run ends. */
const mostTold = 10;

/** Expects that generated queries are answered alike from both tables. */
export async function expectSameAnswers(
  client: Client,
  twice: Twice,
  { seed, count, textOrder }: Run & { textOrder: boolean },
): Promise<void> {
  const found: string[] = [];
  for (let i = 0; i < count && found.length < mostTold; i += 1) {
    const { text, ordered } = anyQuery(randomOf(seed, i), twice.table, { textOrder });
    const [foreign, local] = await both(client, twice, text, ordered);
    const why = difference(foreign, local);
    if (why) found.push(told(i, twice, text, why));
  }
  expectNone(found, seed);
}

/** Transactions after which both tables begin anew, lest few rows are left. */
const refillAfter = 15;

/** Expects that generated transactions have the same effects on both tables, seen within and after them. */
export async function expectSameChanges(client: Client, twice: Twice, { seed, count }: Run): Promise<void> {
  const { fill, ...options } = twice.changes!;
  const all = "SELECT * FROM {t} a";
  const begin = () => Promise.all([fill(), refill(client, twice)]);
  const found: string[] = [];
  for (let i = 0; i < count && found.length < mostTold; i += 1) {
    if (i % refillAfter === 0 && i > 0) await begin();
    const random = randomOf(seed, i);
    await client.query("BEGIN");
    const steps = Array.from({ length: random.integer(1, 3) }, () =>
      anyChange(random, twice.table, { ...options, textOrder: true }),
    );
    for (const { text } of [...steps, { text: all }]) {
      await client.query("SAVEPOINT s");
      const [foreign, local] = await both(client, twice, text, false);
      const why = difference(foreign, local);
      if (why) found.push(told(i, twice, text, why));
      if ("error" in foreign || "error" in local || random.chance(0.1))
        await client.query("ROLLBACK TO SAVEPOINT s");
    }
    const ended = await answer(client, random.chance(0.5) ? "COMMIT" : "ROLLBACK", false);
    const after =
      "error" in ended
        ? `${ended.error} ${ended.message}`
        : difference(...(await both(client, twice, all, false)));
    if (after) found.push(told(i, twice, `after ${steps.map(({ text }) => text).join("; ")}`, after));
  }
  await begin();
  expectNone(found, seed);
}

const randomOf = (seed: number, i: number) => new Random(seed * 1_000_003 + i);

async function both(
  client: Client,
  twice: Twice,
  text: string,
  ordered: boolean,
): Promise<[foreign: Answer, local: Answer]> {
  const { foreign, local, ids } = namesOf(twice);
  return [
    await answer(client, named(text, foreign, ids), ordered),
    await answer(client, named(text, local, ids), ordered),
  ];
}

function told(i: number, twice: Twice, text: string, why: string): string {
  const { foreign, ids } = namesOf(twice);
  return `#${i} ${named(text, foreign, ids)}\n   ${why}`;
}

const expectNone = (found: readonly string[], seed: number) =>
  expect(found.join("\n"), `differences with seed ${seed}`).toBe("");
