import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { SqlError } from "../../error.ts";
import type { Change, Connection, Table, Tuple } from "../../source.ts";
import { define, openTestGateway, read, type TestGateway } from "../testing.ts";

let gateway: TestGateway;
let connection: Connection;
let table: Table;
const { signal } = new AbortController();

const columns =
  "filename text, content text, content_type text, user_metadata jsonb, metadata jsonb, size bigint, storage_class text";
const width = columns.split(",").length;

beforeAll(async () => {
  gateway = await openTestGateway();
  connection = await gateway.connect({ bucket: "files" });
  await gateway.objects.createBucket("files");
});
afterAll(() => gateway[Symbol.asyncDispose]());
beforeEach(async () => {
  for (const [key] of (await read(connection, define("filename text"))).rows)
    await gateway.objects.deleteObject("files", key as string);
  await gateway.objects.putObject("files", "a", "first", {
    metadata: { headers: { "content-type": "text/plain" }, user: { owner: "Zoe" }, tags: { t: "1" } },
  });
  await gateway.objects.putObject("files", "b", "second");
  table = connection.table(define(columns));
  gateway.requests.length = 0;
});

/** A row of which only these columns are given. */
const tuple = (values: Record<number, string | null>): Tuple =>
  Array.from({ length: width }, (_, i) => values[i]);

const insert = (after: Record<number, string | null>, replace = false): Change => ({
  kind: "insert",
  table,
  identity: after[0] ?? undefined,
  after: tuple(after),
  replace,
});
const update = (key: string, after: Record<number, string | null>, version?: string): Change => ({
  kind: "update",
  table,
  identity: key,
  version,
  before: tuple({ 0: key }),
  after: tuple(after),
});
const remove = (key: string, version?: string): Change => ({
  kind: "delete",
  table,
  identity: key,
  version,
  before: tuple({}),
});

const commit = (...changes: Change[]) => connection.commit!(changes, signal);
const failure = async (...changes: Change[]): Promise<SqlError> => {
  const error = await commit(...changes).then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(error).toBeInstanceOf(SqlError);
  return error as SqlError;
};
const contents = async (): Promise<Record<string, string>> =>
  Object.fromEntries((await read(connection, define("filename text, content text"))).rows);
const etagOf = async (key: string) => (await gateway.objects.headObject("files", key)).etag;

describe("INSERT", () => {
  test("puts an object with what is stored besides", async () => {
    await commit(
      insert({
        0: "new/ü b.txt",
        1: "text é",
        2: "text/plain",
        3: '{"owner": "Zoë", "n": 1}',
        4: null,
        5: null,
        6: null,
      }),
      insert({ 0: "empty" }),
    );
    expect(await contents()).toEqual({ a: "first", b: "second", "new/ü b.txt": "text é", empty: "" });
    const { rows } = await read(connection, define("filename text, content_type text, user_metadata jsonb"), {
      filters: [{ kind: "compare", column: 0, operator: "=", value: "new/ü b.txt" }],
    });
    expect(rows).toEqual([["new/ü b.txt", "text/plain", { owner: "Zoë", n: "1" }]]);
  });

  test("bytes in both of PostgreSQL's notations", async () => {
    table = connection.table(define("filename text, content bytea"));
    await commit(insert({ 0: "hex", 1: "\\x00ff41" }), insert({ 0: "escaped", 1: "\\000\\377A\\\\" }));
    const { rows } = await read(connection, define("filename text, content bytea"));
    const bytes = Object.fromEntries(rows.map(([key, content]) => [key, [...(content as Uint8Array)]]));
    expect(bytes.hex).toEqual([0, 255, 65]);
    expect(bytes.escaped).toEqual([0, 255, 65, 92]);
  });

  test("never overwrites, unless the table replaces", async () => {
    expect(await table.changes!.exist(["a", "z", "b"], signal)).toEqual([true, false, true]);
    expect((await failure(insert({ 0: "a", 1: "other" }))).sqlState).toBe("40001");
    expect(await contents()).toEqual({ a: "first", b: "second" });
    expect(table.changes!.replaces).toBe(false);
    table = connection.table(define(columns, { on_conflict: "replace" }));
    expect(table.changes!.replaces).toBe(true);
    await commit(insert({ 0: "a", 1: "other" }, true));
    expect(await contents()).toEqual({ a: "other", b: "second" });
  });

  test("rows that cannot be are refused before anything is sent", () => {
    const { identity } = connection.table(define(columns, { prefix: "in/" })).changes!;
    const changes = connection.table(define(columns, { prefix: "in/" })).changes!;
    expect(identity.call(changes, tuple({ 0: "in/x" }))).toBe("in/x");
    for (const [key, sqlState] of [
      [null, "23502"],
      ["", "23514"],
      ["out/x", "23514"],
      [`in/${"é".repeat(512)}`, "22001"],
    ] as const)
      expect(() => changes.identity(tuple({ 0: key }))).toThrow(expect.objectContaining({ sqlState }));
    expect(gateway.requests).toEqual([]);
    const keyless = connection.table(define("size bigint")).changes!;
    expect([keyless.insert, keyless.update, keyless.delete]).toEqual([false, false, true]);
  });

  test.each([
    [{ 0: "x", 5: "1" }, "428C9"],
    [{ 0: "x", 3: '{"Upper": "x"}' }, "22023"],
    [{ 0: "x", 3: '{"a": "1\\n2"}' }, "22023"],
    [{ 0: "x", 3: "[]" }, "22023"],
    [{ 0: "x", 3: JSON.stringify({ a: "x".repeat(3000) }) }, "54000"],
  ])("%j is refused", async (row, sqlState) => {
    expect((await failure(insert(row as unknown as Record<number, string>))).sqlState).toBe(sqlState);
    expect(Object.keys(await contents())).toEqual(["a", "b"]);
  });
});

describe("UPDATE", () => {
  test("of content keeps what is stored besides", async () => {
    await commit(update("a", { 1: "changed" }, await etagOf("a")));
    expect((await contents()).a).toBe("changed");
    const { metadata } = await gateway.objects.headObject("files", "a");
    expect(metadata).toMatchObject({ headers: { "content-type": "text/plain" }, user: { owner: "Zoe" } });
  });

  test("of filename moves the object, and never over another", async () => {
    await commit(update("a", { 0: "c/d e" }, await etagOf("a")));
    expect(await contents()).toEqual({ "c/d e": "first", b: "second" });
    const { metadata } = await gateway.objects.headObject("files", "c/d e");
    expect(metadata).toMatchObject({ headers: { "content-type": "text/plain" }, user: { owner: "Zoe" } });
    expect((await failure(update("b", { 0: "c/d e" }))).sqlState).toBe("40001");
    expect(await contents()).toEqual({ "c/d e": "first", b: "second" });
  });

  test("of filename and content at once", async () => {
    await commit(update("a", { 0: "c", 1: "changed" }));
    expect(await contents()).toEqual({ b: "second", c: "changed" });
  });

  test("of content type and metadata leaves the content", async () => {
    await commit(update("a", { 2: "text/csv", 3: '{"k": "v"}' }, await etagOf("a")));
    const { metadata, etag } = await gateway.objects.headObject("files", "a");
    expect(metadata).toMatchObject({ headers: { "content-type": "text/csv" }, user: { k: "v" } });
    expect(etag).toBe(await etagOf("a"));
    expect(await contents()).toEqual({ a: "first", b: "second" });
  });

  test("through metadata: what is stored changes, what S3 assigns may only stand as it is", async () => {
    await commit(update("a", { 4: '{"size": 5, "cache_control": "no-store"}' }));
    expect((await gateway.objects.headObject("files", "a")).metadata).toMatchObject({
      headers: { "content-type": "text/plain", "cache-control": "no-store" },
      user: { owner: "Zoe" },
    });
    expect((await failure(update("a", { 4: '{"size": 6}' }))).sqlState).toBe("428C9");
    table = connection.table(define(columns, { metadata_from: "head" }));
    await commit(update("a", { 4: '{"user_metadata": {"x": "y"}}' }));
    const { metadata } = await gateway.objects.headObject("files", "a");
    expect(metadata.headers["cache-control"]).toBeUndefined();
    expect(metadata.user).toEqual({ x: "y" });
  });

  test("of nothing sends nothing that writes", async () => {
    await commit(update("a", { 0: "a" }));
    expect(gateway.requests).toEqual(["HeadObject /files/a"]);
  });

  test.each([
    [{ 5: "7" }, "428C9"],
    [{ 1: null }, "23502"],
  ])("to %j is refused", async (after, sqlState) => {
    expect((await failure(update("a", after as unknown as Record<number, string>))).sqlState).toBe(sqlState);
    expect(await contents()).toEqual({ a: "first", b: "second" });
  });

  test("of an object that was changed or deleted meanwhile is a conflict", async () => {
    const read = await etagOf("a");
    await gateway.objects.putObject("files", "a", "by another");
    for (const after of [{ 1: "mine" }, { 0: "moved" }, { 2: "text/csv" }] as Record<number, string>[])
      expect((await failure(update("a", after, read))).sqlState).toBe("40001");
    expect(await contents()).toEqual({ a: "by another", b: "second" });
    await gateway.objects.deleteObject("files", "a");
    expect((await failure(update("a", { 1: "mine" }, read))).sqlState).toBe("40001");
    expect(await contents()).toEqual({ b: "second" });
  });
});

describe("DELETE", () => {
  test("by the thousand", async () => {
    for (let i = 0; i < 1500; i++) await gateway.objects.putObject("files", `many/${i}`, "");
    await commit(...Array.from({ length: 1500 }, (_, i) => remove(`many/${i}`)));
    expect(await contents()).toEqual({ a: "first", b: "second" });
    expect(gateway.requests.filter((one) => one.startsWith("DeleteObjects"))).toHaveLength(2);
  });

  test("of an object that was changed or deleted meanwhile is a conflict", async () => {
    const read = await etagOf("a");
    await gateway.objects.putObject("files", "a", "by another");
    const error = await failure(remove("b", await etagOf("b")), remove("a", read));
    expect(error.sqlState).toBe("40001");
    expect(error.detail).toContain('1 of 2 changes had been applied: DELETE of "b"');
    expect(await contents()).toEqual({ a: "by another" });
    await gateway.objects.deleteObject("files", "a");
    expect((await failure(remove("a", read))).sqlState).toBe("40001");
  });
});

describe("several changes", () => {
  test("of one key come in their order", async () => {
    const etag = await etagOf("a");
    await commit(
      remove("a", etag),
      insert({ 0: "a", 1: "new" }),
      update("a", { 1: "newer" }, etag),
      update("a", { 0: "z" }),
      update("b", { 0: "a" }),
    );
    expect(await contents()).toEqual({ a: "second", z: "newer" });
  });

  test("a failure stops the rest and says what was applied", async () => {
    const error = await failure(
      insert({ 0: "x", 1: "1" }),
      update("x", { 0: "a" }),
      update("x", { 1: "never" }),
    );
    expect(error.sqlState).toBe("40001");
    expect(error.detail).toContain('1 of 3 changes had been applied: INSERT of "x"');
    expect(await contents()).toEqual({ a: "first", b: "second", x: "1" });
  });

  test("a key without rights is told as such", async () => {
    const other = await gateway.connect({ bucket: "files", secret_access_key: "wrong" });
    table = other.table(define(columns));
    const error = await other.commit!([insert({ 0: "x" })], signal).catch((error: unknown) => error);
    expect(error).toMatchObject({ sqlState: "28P01" });
  });
});
