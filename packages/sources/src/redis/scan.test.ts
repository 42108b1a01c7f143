import { expect, test } from "vitest";
import { client, connection } from "./running.testing.ts";
import { Seen } from "./seen.ts";
import { planOf, tableOf } from "./testing.ts";

/** Few enough of all, that Redis makes its hash table smaller when the others are gone. */
const stay = 6000;
const come = 94_000;
const key = (index: number) => `k:${index}`;
const table = () => tableOf(connection, { key_prefix: "k:" }, { id: "text", value: "text" });

async function fill(from: number, to: number) {
  for (let start = from; start < to; start += 5000) {
    const keys = Array.from({ length: Math.min(5000, to - start) }, (_, index) => key(start + index));
    await client.mSet(keys.map((each) => [each, "1"] as [string, string]));
  }
}

async function clear(from: number, to: number) {
  for (let start = from; start < to; start += 5000) {
    await client.unlink(Array.from({ length: Math.min(5000, to - start) }, (_, index) => key(start + index)));
  }
}

/** Ids in the order in which they come; `meanwhile` runs after so many rows. */
async function scanned(columns: number[], after: number, meanwhile: () => Promise<void>): Promise<string[]> {
  const ids: string[] = [];
  let done = false;
  for await (const rows of (await planOf(table(), { columns })).scan(AbortSignal.timeout(60_000))) {
    for (const [id] of rows) ids.push(id as string);
    if (!done && ids.length >= after) {
      done = true;
      await meanwhile();
    }
  }
  return ids;
}

/** How often SCAN gives a key that it has given before, when `meanwhile` comes in between. */
async function repeated(after: number, meanwhile: () => Promise<void>): Promise<number> {
  const seen = new Set<string>();
  let repeats = 0;
  let cursor = "0";
  let done = false;
  do {
    const reply = await client.scan(cursor, { COUNT: 1000 });
    for (const each of reply.keys) {
      if (seen.has(each)) repeats += 1;
      seen.add(each);
    }
    if (!done && seen.size >= after) {
      done = true;
      await meanwhile();
    }
    cursor = String(reply.cursor);
  } while (cursor !== "0");
  return repeats;
}

async function shrink() {
  await clear(stay, stay + come);
  // Redis looks ten times a second whether a table is too large, and moves it by and by.
  await new Promise((resolve) => setTimeout(resolve, 400));
}

test("each key comes once while the hash table shrinks", async () => {
  let repeats = 0;
  for (let trial = 0; trial < 20 && (trial < 3 || repeats === 0); trial++) {
    const after = 30_000 + trial * 3001;
    await fill(0, stay + come);
    repeats += await repeated(after, shrink);
    for (const columns of [[0], [0, 1]]) {
      await fill(0, stay + come);
      const ids = await scanned(columns, after, shrink);
      const found = new Set(ids);
      expect(found.size).toBe(ids.length);
      for (let index = 0; index < stay; index++) expect(found.has(String(index))).toBe(true);
    }
  }
  // Else the test has shown nothing.
  expect(repeats).toBeGreaterThan(0);
});

test("each key comes once while the hash table grows and keys come and go", async () => {
  await fill(0, stay);
  let writing = true;
  const writer = (async () => {
    for (let round = 0; writing; round++) {
      await fill(stay + round * 5000, stay + (round + 1) * 5000);
      if (round > 3) await clear(stay + (round - 3) * 5000, stay + (round - 2) * 5000);
    }
  })();
  for (let round = 0; round < 5; round++) {
    const ids = await scanned([0, 1], Number.POSITIVE_INFINITY, async () => undefined);
    expect(new Set(ids).size).toBe(ids.length);
    const found = new Set(ids);
    for (let index = 0; index < stay; index++) expect(found.has(String(index))).toBe(true);
  }
  writing = false;
  await writer;
});

test("keys are told apart exactly", () => {
  const seen = new Seen("k:");
  const long = "x".repeat(70);
  const keys: (string | Buffer)[] = [
    "k:",
    "k:a",
    "k:b",
    "k:ä",
    "k:😀",
    `k:${long}a`,
    `k:${long}b`,
    `k:${"ü".repeat(40)}`,
    `k:${"ü".repeat(300)}`,
    `k:${"x".repeat(64)}`,
    Buffer.from([0x6b, 0x3a, 0xff]),
    Buffer.from([0x6b, 0x3a, 0xfe]),
    ...Array.from({ length: 50_000 }, (_, index) => `k:${index}`),
  ];
  expect(keys.filter((each) => !seen.add(each))).toEqual([]);
  expect(keys.filter((each) => seen.add(each))).toEqual([]);
  expect(seen.add(Buffer.from("k:ä"))).toBe(false);
  expect(seen.add(Buffer.from(`k:${"ü".repeat(300)}`))).toBe(false);
  expect(seen.add("k:new")).toBe(true);
  const foreign = new Seen("a😀ü:");
  expect(
    ["a😀ü:x", "a😀ü:y", "a😀ü:", "a😀ü:ü", Buffer.from("a😀ü:z")].every((each) => foreign.add(each)),
  ).toBe(true);
  expect(foreign.add("a😀ü:z")).toBe(false);
});

test("a prefix that is not ASCII", async () => {
  const many = 3000;
  await client.mSet(
    Array.from({ length: many }, (_, index) => [`schlüssel:${index}`, "1"] as [string, string]),
  );
  const table = tableOf(connection, { key_prefix: "schlüssel:" }, { id: "text", value: "text" });
  const ids = new Set<unknown>();
  for await (const rows of (await planOf(table)).scan(AbortSignal.timeout(10_000))) {
    for (const [id] of rows) ids.add(id);
  }
  expect(ids).toEqual(new Set(Array.from({ length: many }, (_, index) => String(index))));
});
