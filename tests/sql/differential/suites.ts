import type { Client } from "pg";
import { expect } from "vitest";
import { anyChange, type ChangeOptions } from "./changes.ts";
import { answer, difference, differences, named } from "./compare.ts";
import { anyQuery } from "./queries.ts";
import { Random } from "./random.ts";
import type { ComparedTable } from "./table.ts";
import { names } from "./twice.ts";

/** Expects that generated queries are answered alike from both tables. */
export async function expectSameAnswers(
  client: Client,
  table: ComparedTable,
  { seed, count, textOrder = true }: { seed: number; count: number; textOrder?: boolean },
): Promise<void> {
  const found = await differences(client, table, names, anyQuery, { textOrder }, { seed, count });
  expect(found.slice(0, 10).join("\n"), `${found.length} of ${count} differ`).toBe("");
}

/** Expects that generated transactions have the same effects on both tables, seen within and after them. */
export async function expectSameChanges(
  client: Client,
  table: ComparedTable,
  options: ChangeOptions,
  { seed, count }: { seed: number; count: number },
): Promise<void> {
  const all = "SELECT * FROM {t} a";
  const found: string[] = [];
  for (let i = 0; i < count && found.length < 10; i += 1) {
    const random = new Random(seed * 1_000_003 + i);
    await client.query("BEGIN");
    const steps = Array.from({ length: random.integer(1, 3) }, () => anyChange(random, table, options));
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
  expect(found.join("\n")).toBe("");
}
