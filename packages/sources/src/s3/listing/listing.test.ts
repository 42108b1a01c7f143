import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { SqlError } from "../../error.ts";
import type { Connection, Filter, Options, Value } from "../../source.ts";
import { compareCodePoints } from "../code-points.ts";
import { define, openTestGateway, proxy, read, type TestGateway } from "../testing.ts";

let gateway: TestGateway;
let connection: Connection;

/** Keys whose order in UTF-16 is another than in UTF-8, and others that are awkward. */
const awkward = [
  "a",
  "a b+c&<d>.txt",
  "a!b",
  "a%2Fb",
  "a_b",
  "axb",
  "ab\\c",
  "A",
  "é/ü.csv",
  "～last.csv",
  "😀.csv",
  "a/b/c.json",
  "a/b.json",
  "a/c.csv",
  "tab\there",
];
const numbered = Array.from({ length: 2500 }, (_, i) => `many/part-${String(i).padStart(4, "0")}.csv`);
const keys = [...awkward, ...numbered].sort(compareCodePoints);

beforeAll(async () => {
  gateway = await openTestGateway();
  connection = await gateway.connect({ bucket: "files" });
  await gateway.objects.createBucket("files");
  for (const key of keys) await gateway.objects.putObject("files", key, key);
  await gateway.objects.putObject("files", "a/meta.json", "{}", {
    metadata: {
      headers: { "content-type": "application/json", "cache-control": "no-store" },
      user: { owner: "Zoë", plain: "x" },
      tags: {},
    },
  });
  keys.push("a/meta.json");
  keys.sort(compareCodePoints);
});
afterAll(() => gateway[Symbol.asyncDispose]());
beforeEach(() => {
  gateway.requests.length = 0;
});

const names = (rows: readonly (readonly Value[])[]) => rows.map(([name]) => name);
const compare = (
  operator: "=" | "<>" | "<" | "<=" | ">" | ">=",
  value: string | undefined,
  column = 0,
): Filter => ({ kind: "compare", column, operator, value });
const like = (pattern: string): Filter => ({ kind: "like", column: 0, pattern });

test("all keys come once, in the order of their bytes", async () => {
  const { rows, plan } = await read(connection, define("filename text"), {
    sort: [{ column: 0, descending: false, nullsFirst: false }],
  });
  expect(names(rows)).toEqual(keys);
  expect(plan.sorted).toBe(true);
});

/** What SQL would answer, worked out key by key. */
const accepted: Readonly<Record<string, (key: string) => boolean>> = {
  "= a": (key) => key === "a",
  "<> a": (key) => key !== "a",
  "< a/c.csv": (key) => compareCodePoints(key, "a/c.csv") < 0,
  "<= a/c.csv": (key) => compareCodePoints(key, "a/c.csv") <= 0,
  "> many/part-1000.csv": (key) => compareCodePoints(key, "many/part-1000.csv") > 0,
  ">= many/part-1000.csv": (key) => compareCodePoints(key, "many/part-1000.csv") >= 0,
  ">= ～": (key) => compareCodePoints(key, "～") >= 0,
  "> ～last.csv": (key) => compareCodePoints(key, "～last.csv") > 0,
  ">= ": () => true,
};
for (const [condition, accepts] of Object.entries(accepted))
  test(`filename ${condition}`, async () => {
    const [operator, ...value] = condition.split(" ");
    const { rows, plan } = await read(connection, define("filename text"), {
      filters: [compare(operator as "=", value.join(" "))],
    });
    expect(names(rows)).toEqual(keys.filter(accepts));
    expect(plan.handled).toEqual([true]);
  });

const patterns: Readonly<Record<string, RegExp>> = {
  "a%": /^a.*$/s,
  "a/%": /^a\/.*$/s,
  a_b: /^a.b$/su,
  "a\\_b": /^a_b$/,
  "ab\\\\c": /^ab\\c$/,
  "%.csv": /\.csv$/,
  "_.csv": /^.\.csv$/su,
  "many/part-1%9.csv": /^many\/part-1.*9\.csv$/,
  "%a%_a%": /a.*.a/su,
  "a%b%": /^a.*b/s,
  "%": /^/,
  "tab%": /^tab/,
  "": /^$/,
};
for (const [pattern, expression] of Object.entries(patterns))
  test(`filename LIKE ${JSON.stringify(pattern)}`, async () => {
    const { rows, plan } = await read(connection, define("filename text"), { filters: [like(pattern)] });
    expect(names(rows)).toEqual(keys.filter((key) => expression.test(key)));
    expect(plan.handled).toEqual([true]);
  });

test("a pattern that ends in a lone backslash is left to who reports the error", async () => {
  const { plan } = await read(connection, define("filename text"), { filters: [like("a\\")], limit: 1 });
  expect(plan.handled).toEqual([false]);
});

test("filters together take what satisfies all, within the table's prefix", async () => {
  const table = define("filename text", { prefix: "many/" });
  const { rows } = await read(connection, table, {
    filters: [compare(">", "many/part-1990.csv"), compare("<=", "many/part-2010.csv"), like("%5.csv")],
  });
  expect(names(rows)).toEqual(["many/part-1995.csv", "many/part-2005.csv"]);
  for (const filters of [
    [compare("=", "a")],
    [like("a%")],
    [compare(">", "n")],
    [compare("<", "m")],
    [compare("=", "many/part-0001.csv"), compare("<>", "many/part-0001.csv")],
    [{ kind: "null", column: 0, isNull: true } as const],
    [{ kind: "in", column: 0, values: [] } as const],
  ]) {
    gateway.requests.length = 0;
    expect((await read(connection, table, { filters })).rows).toEqual([]);
    expect(gateway.requests).toEqual([]);
  }
});

describe("requests", () => {
  test("equality and IN look the keys up", async () => {
    const values = ["many/part-0002.csv", "absent", "a", "a", ""];
    const { rows, plan } = await read(connection, define("filename text, size bigint"), {
      filters: [{ kind: "in", column: 0, values }],
    });
    expect(rows).toEqual([
      ["a", 1],
      ["many/part-0002.csv", 18],
    ]);
    expect(plan.calls).toBe(3);
    expect(gateway.requests.filter((one) => one.startsWith("HeadObject"))).toHaveLength(3);
    expect(gateway.requests.filter((one) => one.startsWith("List"))).toEqual([]);
  });

  test("LIMIT stops the listing", async () => {
    const { rows } = await read(connection, define("filename text"), {
      filters: [like("many/%")],
      limit: 10,
    });
    expect(names(rows)).toEqual(numbered.slice(0, 10));
    expect(gateway.requests).toEqual(["ListObjectsV2 /files/"]);
  });

  test("LIMIT is no limit where filters are left to others", async () => {
    const { rows, plan } = await read(connection, define("filename text, url text"), {
      filters: [compare(">", "", 1)],
      limit: 10,
    });
    expect(plan.handled).toEqual([false]);
    expect(rows).toHaveLength(keys.length);
  });

  test("what the listing tells is tried before anything is looked up, and counts towards LIMIT", async () => {
    const table = define("filename text, size bigint, content text");
    const filters = [like("a%"), compare("<=", "2", 1), compare(">", "1", 1)];
    const { rows, plan } = await read(connection, table, { filters, limit: 1 });
    expect(plan.handled).toEqual([true, true, true]);
    expect(rows).toEqual([["a/meta.json", 2, "{}"]]);
    expect(gateway.requests).toEqual(["ListObjectsV2 /files/", "GetObject /files/a/meta.json"]);
  });

  test("LIMIT looks no more up than rows are wanted", async () => {
    const table = define("filename text, content_type text");
    const { rows } = await read(connection, table, { filters: [like("many/%")], limit: 3 });
    expect(names(rows)).toEqual(numbered.slice(0, 3));
    expect(gateway.requests.filter((one) => one.startsWith("HeadObject"))).toHaveLength(3);
    gateway.requests.length = 0;
    const values = ["absent", "none", "neither", "a"];
    const found = await read(connection, table, { filters: [{ kind: "in", column: 0, values }], limit: 1 });
    expect(names(found.rows)).toEqual(["a"]);
  });

  test("a range begins where it begins and ends where it ends", async () => {
    const { rows } = await read(connection, define("filename text"), {
      filters: [compare(">=", "many/part-2400.csv"), compare("<", "many/part-2403.csv")],
    });
    expect(names(rows)).toEqual(numbered.slice(2400, 2403));
    expect(gateway.requests).toEqual(["ListObjectsV2 /files/"]);
  });

  test("a reader that leaves stops the listing", async () => {
    const table = connection.table(define("filename text"));
    const plan = await table.plan({ columns: [0], identity: false, filters: [], sort: [] });
    for await (const rows of plan.scan(new AbortController().signal)) {
      expect(rows.length).toBe(1000);
      break;
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(gateway.requests.length).toBeLessThanOrEqual(2);
  });

  test("content is fetched only of rows whose keys match", async () => {
    const { rows } = await read(connection, define("filename text, content text"), {
      filters: [like("%meta.json")],
    });
    expect(rows).toEqual([["a/meta.json", "{}"]]);
    expect(gateway.requests.filter((one) => one.startsWith("GetObject"))).toEqual([
      "GetObject /files/a/meta.json",
    ]);
  });

  test("estimates tell a look-up from a listing, and ask nothing", async () => {
    const table = connection.table(define("filename text"));
    const query = { columns: [0], identity: false, sort: [] };
    const lookUp = await table.plan({ ...query, filters: [compare("=", undefined)] });
    const listing = await table.plan({ ...query, filters: [] });
    for (const more of [like("m%"), compare(">", "x"), compare("<", undefined), compare("=", undefined)]) {
      const narrowed = await table.plan({ ...query, filters: [compare("=", undefined), more] });
      expect(narrowed.calls).toBe(1);
    }
    expect(lookUp.rows).toBe(1);
    expect(lookUp.calls).toBe(1);
    expect(listing.rows).toBeGreaterThan(100);
    expect(gateway.requests).toEqual([]);
    expect(listing.requests).toEqual(["ListObjectsV2 s3://files/ max-keys 1000"]);
  });
});

describe("conditions on what the listing tells", () => {
  const table = define(
    "filename text, size bigint, last_modified timestamp with time zone, etag text, storage_class text",
  );
  const etag = "0cc175b9c0f1b6a831c399e269772661";
  const all = { kind: "like", column: 0, pattern: "a" } as const;

  test.each<[Filter, boolean]>([
    [compare("=", "1", 1), true],
    [compare("<>", "1", 1), false],
    [{ kind: "in", column: 1, values: ["5", "1"] }, true],
    [{ kind: "in", column: 1, values: [] }, false],
    [compare(">", "2001-01-01 00:00:00+00", 2), true],
    [compare("<", "2001-01-01 00:00:00.5+00", 2), false],
    [compare("=", etag, 3), true],
    [compare("<", "0", 3), false],
    [compare("=", "STANDARD", 4), true],
    [{ kind: "null", column: 4, isNull: true }, false],
    [{ kind: "null", column: 4, isNull: false }, true],
  ])("%j", async (filter, holds) => {
    const { rows, plan } = await read(connection, table, { filters: [all, filter], columns: [0] });
    expect(plan.handled).toEqual([true, true]);
    expect(rows).toEqual(holds ? [["a"]] : []);
  });

  test("what cannot be told is left to others", async () => {
    for (const filter of [
      compare("=", "infinity", 2),
      compare("=", "1.5", 1),
      { kind: "like", column: 3, pattern: "%" } as const,
    ])
      expect((await read(connection, table, { filters: [all, filter] })).plan.handled).toEqual([true, false]);
  });
});

describe("columns", () => {
  test("what a listing tells is the same by look-up", async () => {
    const table = define(
      "filename text, url text, metadata jsonb, bucket text, size bigint, etag text, last_modified timestamp with time zone, storage_class text",
    );
    const listed = await read(connection, table, { filters: [like("a/meta%")] });
    const lookedUp = await read(connection, table, { filters: [compare("=", "a/meta.json")] });
    expect(listed.rows).toEqual(lookedUp.rows);
    const [[, url, metadata, bucket, size, etag, modified, storageClass]] = listed.rows as [Value[]];
    expect(url).toBe(`${gateway.endpoint}/files/a/meta.json`);
    expect([bucket, size, etag, storageClass]).toEqual([
      "files",
      2,
      "99914b932bd37a50b983c5e7c90ae93b",
      "STANDARD",
    ]);
    expect(metadata).toEqual({
      size: 2,
      etag,
      last_modified: (modified as Date).toISOString().replace(".000", ""),
      storage_class: "STANDARD",
    });
  });

  test("what only HEAD tells comes with a scan too", async () => {
    const { rows } = await read(
      connection,
      define("filename text, content_type text, cache_control text, user_metadata jsonb, version text"),
      { filters: [like("a/%")] },
    );
    expect(rows.find(([name]) => name === "a/meta.json")).toEqual([
      "a/meta.json",
      "application/json",
      "no-store",
      { owner: "Zoë", plain: "x" },
      null,
    ]);
    expect(names(rows)).toEqual(keys.filter((key) => key.startsWith("a/")));
  });

  test("metadata_from 'head' puts all into metadata", async () => {
    const { rows } = await read(
      connection,
      define("filename text, metadata jsonb", { metadata_from: "head" }),
      {
        filters: [compare("=", "a/meta.json")],
      },
    );
    expect(rows[0]![1]).toMatchObject({
      size: 2,
      content_type: "application/json",
      user_metadata: { owner: "Zoë" },
    });
  });

  test("addresses can be fetched, signed ones by anybody", async () => {
    const filters = [compare("=", "a b+c&<d>.txt")];
    const plain = await read(connection, define("filename text, url text"), { filters });
    expect((await fetch(plain.rows[0]![1] as string)).status).toBe(403);
    const signed = await read(connection, define("filename text, url text", { url_expires_in: "60" }), {
      filters,
    });
    const answer = await fetch(signed.rows[0]![1] as string);
    expect(await answer.text()).toBe("a b+c&<d>.txt");
  });

  test("content as bytea and as text", async () => {
    await gateway.objects.putObject("files", "zz-binary", new Uint8Array([0xff, 0, 1]));
    const filters = [compare("=", "zz-binary")];
    const { rows } = await read(connection, define("filename text, content bytea"), { filters });
    expect([...(rows[0]![1] as Uint8Array)]).toEqual([0xff, 0, 1]);
    await expect(read(connection, define("filename text, content text"), { filters })).rejects.toMatchObject({
      sqlState: "22021",
    });
    await gateway.objects.deleteObject("files", "zz-binary");
  });

  test("count(*) has rows without values", async () => {
    const { rows } = await read(connection, define("filename text, content bytea"), { columns: [] });
    expect(rows).toHaveLength(keys.length);
    expect(gateway.requests.every((one) => one.startsWith("ListObjectsV2"))).toBe(true);
  });

  test("rows that may be changed carry key and ETag", async () => {
    const { rows } = await read(connection, define("size bigint, filename text"), {
      columns: [0],
      identity: true,
      filters: [compare("=", "a", 1)],
    });
    expect(rows).toEqual([[1, "a", "0cc175b9c0f1b6a831c399e269772661"]]);
  });

  test.each([
    ["filename text, nonsense integer", "HV005"],
    ["filename text, size boolean", "HV004"],
    ["filename text, content integer", "HV004"],
  ])("%s is refused", (columns, sqlState) => {
    expect(() => connection.table(define(columns))).toThrow(expect.objectContaining({ sqlState }));
  });
});

describe("errors", () => {
  const failure = async (options: Record<string, string>, filters: Filter[] = []): Promise<SqlError> => {
    const other = await gateway.connect({ bucket: "files", ...options });
    const error = await read(other, define("filename text"), { filters }).then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(error).toBeInstanceOf(SqlError);
    const { message, detail, hint } = error as SqlError;
    expect(`${message} ${detail} ${hint}`).not.toMatch(/test-secret|wrong-secret/);
    return error as SqlError;
  };

  test.each([
    ["a bucket that does not exist", { bucket: "absent" }, "42P01"],
    ["a wrong secret key", { secret_access_key: "wrong-secret" }, "28P01"],
    ["an unknown access key", { access_key_id: "nobody" }, "28000"],
    ["a service that does not run", { endpoint: "http://127.0.0.1:9" }, "08001"],
    ["no keys", { access_key_id: "", secret_access_key: "" }, "42501"],
  ])("%s", async (_, options, sqlState) => {
    expect((await failure(options)).sqlState).toBe(sqlState);
    // HEAD tells no reason: it is found out all the same.
    expect((await failure(options, [compare("=", "a")])).sqlState).toBe(sqlState);
  });

  test("options are checked", async () => {
    for (const options of [
      { endpoint: "nonsense" },
      { endpoint: "ftp://127.0.0.1" },
      { path_style: "perhaps" },
      { request_timeout: "-1" },
      { secret_access_key: "" },
    ] as Options[])
      await expect(gateway.connect(options)).rejects.toMatchObject({
        sqlState: "HV00D",
      });
    const bare = await gateway.connect();
    expect(() => bare.table(define("filename text"))).toThrow(expect.objectContaining({ sqlState: "HV00D" }));
  });

  test("a service that asks for fewer requests is asked again, but not for ever", async () => {
    let refusals = 2;
    let asked = 0;
    await using slow = await proxy(gateway.endpoint, () => {
      asked++;
      if (refusals-- > 0) return [503, "<Error><Code>SlowDown</Code></Error>"];
    });
    const options = { bucket: "files", endpoint: slow.endpoint };
    const { rows } = await read(await gateway.connect(options), define("filename text"), { limit: 1 });
    expect(rows).toEqual([["A"]]);
    expect(asked).toBe(3);
    refusals = Number.POSITIVE_INFINITY;
    expect((await failure(options)).sqlState).toBe("53000");
    expect(asked).toBeLessThan(15);
  });

  test("a cancelled scan ends", async () => {
    const plan = await connection.table(define("filename text")).plan({
      columns: [0],
      identity: false,
      filters: [],
      sort: [],
    });
    const cancel = new AbortController();
    await expect(async () => {
      for await (const _ of plan.scan(cancel.signal)) cancel.abort();
    }).rejects.toThrow();
  });
});
