import { type Query, type Row, SqlError, type Table, type Tuple } from "@overcoat/sources";
import { expect, test } from "vitest";
import { SpillSpace } from "./spilling-list.ts";
import { Transaction } from "./transaction.ts";
import type { OpenTable } from "./writes.ts";

const { signal } = new AbortController();
const columns = ["id", "name", "note"].map((name) => ({ name, type: "text", options: {} }));

/** A table of the rows; `=` on its key is handled by it, as is a limit without filters. */
function tableOf(rows: readonly (readonly string[])[], more: Partial<Table["changes"]> = {}): OpenTable {
  const table: Table = {
    definition: { name: "things", options: {}, columns },
    plan({ columns, identity, filters, limit }: Query) {
      const [filter] = filters;
      const handled = filters.map((one) => one === filter && one.kind === "compare" && one.column === 0);
      return {
        handled,
        sorted: true,
        rows: rows.length,
        calls: 1,
        requests: ["scan"],
        async *scan() {
          const found = rows.filter(
            (row) => !handled[0] || (filter?.kind === "compare" && row[0] === filter.value),
          );
          for (const row of found.slice(0, filters.length === 0 ? limit : undefined))
            yield [[...columns.map((column) => row[column]!), ...(identity ? [row[0]!, `v-${row[0]}`] : [])]];
        },
      };
    },
    changes: {
      insert: true,
      update: true,
      delete: true,
      identity: (row) => row[0] ?? undefined,
      exist: async (identities) => identities.map((one) => rows.some(([id]) => id === one)),
      ...more,
    },
  };
  return { key: "things", table, collation: "C" };
}

const three = [
  ["a", "Anna", "1"],
  ["b", "Bert", "2"],
  ["c", "Cleo", "3"],
];

function begin(options = {}): Transaction {
  return new Transaction({ space: new SpillSpace(undefined, 0), maxBytes: 1e9, ...options });
}

async function read(
  transaction: Transaction,
  open: OpenTable,
  query: Partial<Query> = {},
  sequence = transaction.sequence,
): Promise<Row[]> {
  const asked = { columns: [0, 1], identity: false, filters: [], sort: [], ...query };
  const rows: Row[] = [];
  const plan = await transaction.view(open, sequence).plan(asked);
  for await (const batch of plan.scan(signal)) rows.push(...batch);
  return rows;
}

/** The ctid of a row, of which these columns are read. */
async function ctid(transaction: Transaction, open: OpenTable, identity: string, columns = [0, 1, 2]) {
  const view = transaction.view(open, transaction.sequence);
  const plan = await view.plan({ columns, identity: true, filters: [], sort: [] });
  for await (const rows of plan.scan(signal))
    if (rows.some((row) => row[columns.length] === identity)) return view.ctid(identity);
  return view.ctid(identity);
}

async function update(
  transaction: Transaction,
  open: OpenTable,
  identity: string,
  after: Tuple,
): Promise<boolean> {
  const row = transaction.find(open, await ctid(transaction, open, identity));
  if (row) await transaction.update(open, row, after, signal);
  return row !== undefined;
}

async function remove(transaction: Transaction, open: OpenTable, identity: string): Promise<void> {
  transaction.delete(open, transaction.find(open, await ctid(transaction, open, identity))!);
}

test("reads see the transaction's own writes, those that began before them do not", async () => {
  const [transaction, open] = [begin(), tableOf(three)];
  const before = transaction.sequence;
  await transaction.insert(open, [["d", "Dora", null]], false, signal);
  await update(transaction, open, "b", [undefined, "Bob", undefined]);
  await remove(transaction, open, "c");
  expect(await read(transaction, open)).toEqual([
    ["a", "Anna"],
    ["d", "Dora"],
    ["b", "Bob"],
  ]);
  expect(await read(transaction, open, {}, before)).toEqual([
    ["a", "Anna"],
    ["b", "Bert"],
    ["c", "Cleo"],
  ]);
});

test("own rows pass the filters as they are now, and a limit counts without the rows that are hidden", async () => {
  const [transaction, open] = [begin(), tableOf(three)];
  await update(transaction, open, "b", [undefined, "Bob", undefined]);
  await remove(transaction, open, "a");
  const named = (value: string) => ({
    filters: [{ kind: "compare", column: 1, operator: "=", value } as const],
  });
  const keyed = (value: string) => ({
    filters: [{ kind: "compare", column: 0, operator: "=", value } as const],
  });
  expect((await read(transaction, open, named("Bob"))).filter(([, name]) => name === "Bob")).toHaveLength(1);
  expect((await read(transaction, open, named("Bert"))).filter(([, name]) => name === "Bert")).toHaveLength(
    0,
  );
  expect(await read(transaction, open, keyed("b"))).toEqual([["b", "Bob"]]);
  expect(await read(transaction, open, keyed("a"))).toEqual([]);
  expect(await read(transaction, open, { limit: 1 })).toContainEqual(["c", "Cleo"]);
});

test("a row whose columns were not all read is completed from the service, wherever it is asked for", async () => {
  const [transaction, open] = [begin(), tableOf(three)];
  const row = transaction.find(open, await ctid(transaction, open, "b", []))!;
  await transaction.update(open, row, [undefined, undefined, "new"], signal);
  const rows = await read(transaction, open, {
    columns: [1, 2],
    filters: [{ kind: "compare", column: 2, operator: "=", value: "new" }],
  });
  expect(rows).toContainEqual(["Bert", "new"]);
});

test("a row that exists in the service or in the transaction is refused, passed over or replaced", async () => {
  const [transaction, open] = [begin(), tableOf(three)];
  const insert = (id: string, passOver = false) =>
    transaction.insert(open, [[id, "x", null]], passOver, signal);
  await expect(insert("a")).rejects.toMatchObject({
    sqlState: "23505",
    detail: expect.stringContaining("(a)"),
  });
  await insert("d");
  await expect(insert("d")).rejects.toMatchObject({ sqlState: "23505" });
  expect(await insert("a", true)).toEqual([]);
  expect(
    await transaction.insert(
      open,
      [
        ["e", "1", null],
        ["e", "2", null],
      ],
      true,
      signal,
    ),
  ).toHaveLength(1);
  await remove(transaction, open, "a");
  await insert("a");

  const replacing = tableOf(three, { replaces: true });
  const other = begin();
  await other.insert(replacing, [["a", "x", null]], false, signal);
  expect(await other.changes()).toMatchObject([{ kind: "insert", identity: "a", replace: true }]);
  expect(await other.insert(replacing, [["b", "x", null]], true, signal)).toEqual([]);
});

test("savepoints nest, and a rollback to one undoes what came after it", async () => {
  const [transaction, open] = [begin(), tableOf(three)];
  await transaction.insert(open, [["d", "Dora", null]], false, signal);
  transaction.savepoint("s2");
  await update(transaction, open, "d", [undefined, "Dot", undefined]);
  transaction.savepoint("s3");
  await remove(transaction, open, "d");
  await remove(transaction, open, "a");
  transaction.rollbackTo("s3");
  expect(await read(transaction, open)).toContainEqual(["d", "Dot"]);
  expect(await read(transaction, open)).toContainEqual(["a", "Anna"]);
  await remove(transaction, open, "b");
  transaction.rollbackTo("s2");
  expect(await read(transaction, open)).toEqual([...three.map(([id, name]) => [id, name]), ["d", "Dora"]]);
  expect(() => transaction.release("s3")).toThrow('savepoint "s3" does not exist');
  transaction.release("s2");
  expect(() => transaction.rollbackTo("s2")).toThrow(SqlError);
  expect(await transaction.changes()).toHaveLength(1);
});

test("a ctid stands for a row as it was read, and matches nothing once the row is changed or in another transaction", async () => {
  const [transaction, open] = [begin(), tableOf(three)];
  const first = await ctid(transaction, open, "a");
  expect(await ctid(transaction, open, "a")).toBe(first);
  const row = transaction.find(open, first)!;
  expect(row).toMatchObject({ identity: "a", version: "v-a", before: ["a", "Anna", "1"] });
  transaction.savepoint("s2");
  await transaction.update(open, row, [undefined, "Ann", undefined], signal);
  expect(transaction.find(open, first)).toBeUndefined();
  const second = await ctid(transaction, open, "a");
  expect(second).not.toBe(first);
  transaction.rollbackTo("s2");
  expect(transaction.find(open, first)).toBeDefined();
  expect(transaction.find(open, second)).toBeUndefined();
  for (const wrong of ["(0,1)", "(1,2", "", "(99999999999,1)"])
    expect(transaction.find(open, wrong)).toBeUndefined();
  const other = begin();
  await ctid(other, open, "a");
  expect(other.find(open, first)).toBeUndefined();
  expect(transaction.find({ ...open, key: "another table" }, first)).toBeUndefined();
});

test("what a service must do: several writes of a row become one, guarded by what was read", async () => {
  const [transaction, open] = [begin(), tableOf(three)];
  await transaction.insert(
    open,
    [
      ["d", "Dora", null],
      ["e", "Emil", null],
    ],
    false,
    signal,
  );
  await update(transaction, open, "d", [undefined, "Dot", undefined]);
  await remove(transaction, open, "e");
  await update(transaction, open, "a", [undefined, "Ann", undefined]);
  await update(transaction, open, "a", [undefined, undefined, "9"]);
  await update(transaction, open, "b", [undefined, "Bob", undefined]);
  await remove(transaction, open, "b");
  await remove(transaction, open, "c");
  await transaction.insert(open, [["c", "new", null]], false, signal);
  const changes = (await transaction.changes()).map(({ table: _, ...change }) => change);
  expect(changes).toEqual([
    { kind: "insert", identity: "d", after: ["d", "Dot", null], replace: false },
    {
      kind: "update",
      identity: "a",
      version: "v-a",
      before: ["a", "Anna", "1"],
      after: [undefined, "Ann", "9"],
    },
    { kind: "delete", identity: "b", version: "v-b", before: ["b", "Bert", "2"] },
    { kind: "delete", identity: "c", version: "v-c", before: ["c", "Cleo", "3"] },
    { kind: "insert", identity: "c", after: ["c", "new", null], replace: false },
  ]);
});

test("a row may get another key, unless a row has it; such changes stay in their order", async () => {
  const [transaction, open] = [begin(), tableOf(three)];
  await expect(update(transaction, open, "a", ["b", undefined, undefined])).rejects.toMatchObject({
    sqlState: "23505",
  });
  await update(transaction, open, "a", ["x", undefined, undefined]);
  await update(transaction, open, "b", ["a", undefined, undefined]);
  await update(transaction, open, "x", ["b", undefined, undefined]);
  expect((await read(transaction, open)).toSorted()).toEqual([
    ["a", "Bert"],
    ["b", "Anna"],
    ["c", "Cleo"],
  ]);
  expect(
    (await transaction.changes()).map((change) => [change.identity, (change as { after: Tuple }).after[0]]),
  ).toEqual([
    ["a", "x"],
    ["b", "a"],
    ["x", "b"],
  ]);
});

test("a row whose key the service will assign can be changed and deleted before it has one", async () => {
  const [transaction, open] = [begin(), tableOf(three)];
  const insert = (name: string) => transaction.insert(open, [[undefined, name, null]], false, signal);
  await insert("first");
  await insert("second");
  const rows = await read(transaction, open, { identity: true });
  const identities = rows.filter(([id]) => id === null).map((row) => row[2] as string);
  expect(identities).toHaveLength(2);
  await update(transaction, open, identities[0]!, [undefined, "changed", undefined]);
  await remove(transaction, open, identities[1]!);
  expect(await transaction.changes()).toMatchObject([
    { kind: "insert", identity: undefined, after: [undefined, "changed", null] },
  ]);
});

test("a look-up among many own rows sees them as they were, with or without an index", async () => {
  const [transaction, open] = [begin(), tableOf(three)];
  const keyed = (value: string, sequence?: number) =>
    read(transaction, open, { filters: [{ kind: "compare", column: 0, operator: "=", value }] }, sequence);
  const rows = Array.from({ length: 100 }, (_, index): Tuple => [`k${index}`, `name ${index}`, null]);
  await transaction.insert(open, rows, false, signal);
  const before = transaction.sequence;
  expect(await keyed("k7")).toEqual([["k7", "name 7"]]);
  transaction.savepoint("s2");
  await update(transaction, open, "k7", ["moved", undefined, undefined]);
  await update(transaction, open, "b", [undefined, "Bob", undefined]);
  expect(await keyed("k7")).toEqual([]);
  expect(await keyed("moved")).toEqual([["moved", "name 7"]]);
  expect(await keyed("b")).toEqual([["b", "Bob"]]);
  expect(await keyed("k7", before)).toEqual([["k7", "name 7"]]);
  transaction.rollbackTo("s2");
  expect(await keyed("moved")).toEqual([]);
  expect(await keyed("k7")).toEqual([["k7", "name 7"]]);
  const named = { kind: "in", column: 1, values: ["name 3", "name 5", "Anna"] } as const;
  expect(
    (await read(transaction, open, { filters: [named] })).filter(([id]) => id !== "b" && id !== "c"),
  ).toEqual([
    ["a", "Anna"],
    ["k3", "name 3"],
    ["k5", "name 5"],
  ]);
});

test("a table that is only read says so", async () => {
  const open = tableOf(three);
  const { changes: _, ...table } = open.table;
  const readOnly = { ...open, table };
  await expect(begin().insert(readOnly, [["d", "x", null]], false, signal)).rejects.toMatchObject({
    sqlState: "42809",
    message: 'foreign table "things" does not allow inserts',
  });
});

test("many writes go to disk and come back, and too many are refused", async () => {
  const [transaction, open] = [begin(), tableOf(three)];
  const rows = Array.from(
    { length: 20_000 },
    (_, index): Tuple => [`k${index}`, `name ${index}`, "x".repeat(100)],
  );
  await transaction.insert(open, rows, false, signal);
  transaction.savepoint("s2");
  for (let index = 0; index < 20_000; index += 100)
    await transaction.update(
      open,
      { identity: `k${index}`, before: [] },
      [undefined, "even", undefined],
      signal,
    );
  expect(await read(transaction, open)).toHaveLength(20_003);
  expect((await read(transaction, open)).filter(([, name]) => name === "even")).toHaveLength(200);
  transaction.rollbackTo("s2");
  expect((await read(transaction, open)).at(-1)).toEqual(["k19999", "name 19999"]);
  expect(await transaction.changes()).toHaveLength(20_000);
  transaction.clear();

  const small = begin({ maxBytes: 100_000 });
  await expect(small.insert(open, rows, false, signal)).rejects.toMatchObject({ sqlState: "53400" });
});

test("random transactions show and commit what a simple model does", async () => {
  let seed = 11;
  const random = (below: number) => {
    seed = (seed * 1103515245 + 12345) % 2 ** 31;
    return (seed >> 8) % below;
  };
  for (let round = 0; round < 40; round++) {
    const base = Array.from({ length: 60 }, (_, index) => [`k${index}`, `n${index % 7}`, `${index}`]);
    const [transaction, open] = [begin(), tableOf(base)];
    let model = new Map<string, Tuple>(base.map((row) => [row[0]!, row]));
    const savepoints: { name: string; model: typeof model }[] = [];
    const snapshots: { sequence: number; rows: string }[] = [];
    const shown = async (sequence?: number) =>
      JSON.stringify((await read(transaction, open, { columns: [0, 1, 2] }, sequence)).toSorted());
    const expected = () =>
      JSON.stringify([...model.values()].map((row) => row.map((value) => value ?? null)).toSorted());
    const anyKey = () => `k${random(80)}`;
    for (let step = 0; step < 40; step++) {
      const key = anyKey();
      const action = random(10);
      if (action < 3) {
        const row = [key, `new${random(7)}`, random(2) ? null : "x"];
        const inserted = await transaction.insert(open, [row], true, signal);
        expect(inserted.length).toBe(model.has(key) ? 0 : 1);
        if (!model.has(key)) model.set(key, row);
      } else if (action < 7) {
        const row = transaction.find(open, await ctid(transaction, open, key, random(2) ? [0, 1, 2] : [0]));
        const before = model.get(key);
        if (!before || !row) continue;
        const other = action === 6 && round % 4 === 0 ? anyKey() : undefined;
        const after = [other, random(2) ? `set${random(7)}` : undefined, random(2) ? "y" : undefined];
        if (other !== undefined && other !== key && model.has(other)) {
          await expect(transaction.update(open, row, after, signal)).rejects.toMatchObject({
            sqlState: "23505",
          });
          continue;
        }
        await transaction.update(open, row, after, signal);
        model.delete(key);
        model.set(
          other ?? key,
          before.map((value, index) => after[index] ?? value),
        );
      } else if (action === 7) {
        if (!model.has(key)) continue;
        await remove(transaction, open, key);
        model.delete(key);
      } else if (action === 8) {
        savepoints.push({ name: `s${step}`, model: new Map(model) });
        transaction.savepoint(`s${step}`);
      } else if (savepoints.length > 0) {
        const index = random(savepoints.length);
        const { name, model: kept } = savepoints[index]!;
        transaction.rollbackTo(name);
        model = new Map(kept);
        savepoints.length = index + 1;
        if (random(2)) {
          transaction.release(name);
          savepoints.length = index;
        }
        snapshots.length = 0;
      }
      expect(await shown()).toBe(expected());
      const filter = { kind: "compare", column: 0, operator: "=", value: key } as const;
      const found = await read(transaction, open, { columns: [0, 1, 2], filters: [filter] });
      expect(found).toEqual(model.has(key) ? [model.get(key)!.map((value) => value ?? null)] : []);
      snapshots.push({ sequence: transaction.sequence, rows: expected() });
      const { sequence, rows } = snapshots[random(snapshots.length)]!;
      expect(await shown(sequence)).toBe(rows);
    }
    const stored = new Map<string, Tuple>(base.map((row) => [row[0]!, row]));
    for (const change of await transaction.changes()) {
      const before = stored.get(change.identity!);
      expect(before !== undefined).toBe(change.kind !== "insert");
      stored.delete(change.identity!);
      if (change.kind === "insert") stored.set(change.identity!, change.after);
      if (change.kind === "update") {
        const after = before!.map((value, index) =>
          change.after[index] === undefined ? value : change.after[index],
        );
        for (const [index, value] of change.before.entries())
          expect([undefined, before![index]]).toContain(value);
        stored.set(after[0]!, after);
      }
    }
    const sorted = (rows: Iterable<Tuple>) =>
      [...rows].map((row) => row.map((value) => value ?? null)).toSorted();
    expect(sorted(stored.values())).toEqual(sorted(model.values()));
  }
});
