import zlib from "node:zlib";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Connection, Filter } from "../../source.ts";
import { define, openTestGateway, proxy, read, type TestGateway } from "../testing.ts";

let gateway: TestGateway;
let connection: Connection;
const put = (key: string, body: string | Uint8Array) => gateway.objects.putObject("files", key, body);

beforeAll(async () => {
  gateway = await openTestGateway();
  connection = await gateway.connect();
  await gateway.objects.createBucket("files");
});
afterAll(() => gateway[Symbol.asyncDispose]());
beforeEach(() => {
  gateway.requests.length = 0;
});

const equal = (column: number, value: string): Filter => ({ kind: "compare", column, operator: "=", value });

describe("uri", () => {
  beforeAll(async () => {
    for (const key of ["d/a.csv", "d/b.csv", "d/x/c.csv", "d/x/y/d.csv", "d/a.txt", "d/[e]*.csv"])
      await put(key, `id\n${key}\n`);
    await put("d/empty.csv", "");
  });

  test.each([
    ["s3://files/d/a.csv", ["d/a.csv"]],
    ["s3://files/d/*.csv", ["d/[e]*.csv", "d/a.csv", "d/b.csv"]],
    ["s3://files/d/?.csv", ["d/a.csv", "d/b.csv"]],
    ["s3://files/d/**/*.csv", ["d/[e]*.csv", "d/a.csv", "d/b.csv", "d/x/c.csv", "d/x/y/d.csv"]],
    ["s3://files/d/x/**", ["d/x/c.csv", "d/x/y/d.csv"]],
    ["s3://files/{d,e}/{a,x/c}.{csv,txt}", ["d/a.csv", "d/a.txt", "d/x/c.csv"]],
    ["s3://files/d/[e]\\*.csv", ["d/[e]*.csv"]],
    ["s3://files/none/*.csv", []],
  ])("%s", async (uri, keys) => {
    const table = define("id text, filename text", { format: "csv", uri });
    const { rows } = await read(connection, table);
    expect(rows).toEqual(keys.map((key) => [key, key]));
  });

  test("conditions on filename leave other objects alone", async () => {
    const table = define("filename text, id text", { format: "csv", uri: "s3://files/d/**/*.csv" });
    const gets = () => gateway.requests.filter((one) => one.startsWith("GetObject"));
    const { rows, plan } = await read(connection, table, {
      filters: [{ kind: "like", column: 0, pattern: "d/x/%" }, equal(1, "d/x/c.csv")],
    });
    expect(rows.map(([name]) => name)).toEqual(["d/x/c.csv", "d/x/y/d.csv"]);
    expect(plan.handled).toEqual([true, false]);
    expect(gets()).toEqual(["GetObject /files/d/x/c.csv", "GetObject /files/d/x/y/d.csv"]);
    gateway.requests.length = 0;
    expect((await read(connection, table, { filters: [equal(0, "d/a.csv")] })).rows).toHaveLength(1);
    expect(gets()).toEqual(["GetObject /files/d/a.csv"]);
    gateway.requests.length = 0;
    expect((await read(connection, table, { filters: [equal(0, "d/a.txt")] })).rows).toEqual([]);
    expect(gateway.requests).toEqual([]);
    const one = define("filename text, id text", { format: "csv", uri: "s3://files/d/a.csv" });
    expect((await read(connection, one, { filters: [equal(0, "d/b.csv")] })).rows).toEqual([]);
    expect(gateway.requests).toEqual([]);
  });

  test("estimates for a name that is not known yet take one of the files, and ask nothing", async () => {
    for (const uri of ["s3://files/d/*.csv", "s3://files/d/a.csv"]) {
      const table = connection.table(define("filename text, id text", { format: "csv", uri }));
      const query = { columns: [0], identity: false, sort: [] };
      const unknown: Filter = { kind: "compare", column: 0, operator: "=", value: undefined };
      const plan = await table.plan({ ...query, filters: [unknown] });
      const all = await table.plan({ ...query, filters: [] });
      expect(plan.rows).toBeGreaterThan(0);
      expect(plan.calls).toBeGreaterThan(1);
      expect(plan.calls).toBeLessThanOrEqual(all.calls);
    }
    expect(gateway.requests).toEqual([]);
  });

  test("wildcards that would take long to match are refused", () => {
    for (const uri of [
      "s3://files/a*b*c*d*",
      "s3://files/**/a/**/b/**/c/**",
      `s3://files/${"{a,b}".repeat(10)}`,
    ])
      expect(() => connection.table(define("id text", { format: "csv", uri }))).toThrow(
        expect.objectContaining({ sqlState: "HV00D", message: expect.stringContaining("too many") }),
      );
    const uri = "s3://files/y=*/m=*/d=*/h=*/{a,b}*.csv";
    connection.table(define("id text", { format: "csv", uri }));
  });

  test("what cannot be is refused", async () => {
    for (const options of [
      { format: "csv" },
      { uri: "s3://files/a" },
      { format: "csv", uri: "files/a.csv" },
      { format: "csv", uri: "s3://files/{a" },
      { format: "xml", uri: "s3://files/a.xml" },
    ] as Record<string, string>[])
      expect(() => connection.table(define("id text", options))).toThrow(
        expect.objectContaining({ sqlState: "HV00D" }),
      );
    await expect(
      read(connection, define("id text", { format: "csv", uri: "s3://files/absent.csv" })),
    ).rejects.toMatchObject({ sqlState: "58P01" });
    await expect(
      read(connection, define("id text", { format: "csv", uri: "s3://absent/*.csv" })),
    ).rejects.toMatchObject({ sqlState: "42P01" });
  });
});

describe("compression", () => {
  const plain = "id,name\n1,a\n2,b\n";
  const compressed = {
    gz: zlib.gzipSync(plain),
    zz: zlib.deflateSync(plain),
    zst: zlib.zstdCompressSync(plain),
    br: zlib.brotliCompressSync(plain),
    bz2: Buffer.from("QlpoOTFBWSZTWaAwe34AAAbZAAAQAAQwADYjIAAxANNNBAMQIEFFl0b17fi7kinChIUBg9vw", "base64"),
    xz: Buffer.from(
      "/Td6WFoAAATm1rRGAgAhARYAAAB0L+WjAQAPaWQsbmFtZQoxLGEKMixiCgDk6vQi0eNvWQABKBDlC2xgH7bzfQEAAAAABFla",
      "base64",
    ),
  };
  const columns = "id integer, name text";
  const rows = [
    ["1", "a"],
    ["2", "b"],
  ];

  test.each(Object.entries(compressed))("by the ending .%s", async (ending, bytes) => {
    await put(`c/data.csv.${ending}`, bytes);
    const table = define(columns, { format: "csv", uri: `s3://files/c/data.csv.${ending}` });
    expect((await read(connection, table)).rows).toEqual(rows);
  });

  test("by the option, whatever the name", async () => {
    await put("c/plain.gz", plain);
    await put("c/packed.csv", compressed.gz);
    const table = (file: string, compress: string) =>
      define(columns, { format: "csv", uri: `s3://files/c/${file}`, compress });
    expect((await read(connection, table("plain.gz", "none"))).rows).toEqual(rows);
    expect((await read(connection, table("packed.csv", "gzip"))).rows).toEqual(rows);
  });

  test("frames one after the other", async () => {
    for (const ending of ["gz", "zst", "xz"] as const) {
      await put(`c/two.csv.${ending}`, Buffer.concat([compressed[ending], compressed[ending]]));
      const table = define("id text, name text", {
        format: "csv",
        has_header: "true",
        uri: `s3://files/c/two.csv.${ending}`,
      });
      expect((await read(connection, table)).rows).toEqual([...rows, ["id", "name"], ...rows]);
    }
  });

  test("damaged and cut short", async () => {
    for (const [ending, bytes] of Object.entries(compressed)) {
      for (const damaged of [
        bytes.subarray(0, bytes.length - 6),
        Buffer.from("no compression at all, is it?"),
      ]) {
        await put(`c/damaged.${ending}`, damaged);
        const table = define(columns, { format: "csv", uri: `s3://files/c/damaged.${ending}` });
        await expect(read(connection, table), ending).rejects.toMatchObject({ sqlState: "22P04" });
      }
    }
  });
});

describe("large objects", () => {
  const count = 60_000;
  const line = (i: number) => `${i},${"x".repeat(40)}\n`;
  const table = (uri = "s3://files/large.csv") => define("id integer, filler text", { format: "csv", uri });

  beforeAll(async () => {
    await put("large.csv", `id,filler\n${Array.from({ length: count }, (_, i) => line(i)).join("")}`);
  });

  test("every row comes once", async () => {
    const { rows } = await read(connection, table(), { columns: [0] });
    expect(rows).toHaveLength(count);
    expect(rows.every(([id], i) => id === String(i))).toBe(true);
  });

  test("LIMIT stops reading", async () => {
    const { rows, plan } = await read(connection, table(), { limit: 10 });
    expect(rows).toHaveLength(10);
    expect(plan.rows).toBe(10);
  });

  test("a connection that breaks is taken up where it broke", async () => {
    const ranges: (string | undefined)[] = [];
    await using broken = await proxy(gateway.endpoint, (request, response) => {
      if (request.method !== "GET") return;
      ranges.push(request.headers.range);
      let sent = 0;
      const { write } = response;
      response.write = (chunk: Buffer) => {
        sent += chunk.length;
        if (sent > 600_000) response.destroy();
        return response.destroyed || write.call(response, chunk, "utf8");
      };
    });
    const { rows } = await read(await gateway.connect({ endpoint: broken.endpoint }), table(), {
      columns: [0],
    });
    expect(rows).toHaveLength(count);
    expect(rows.every(([id], i) => id === String(i))).toBe(true);
    expect(ranges.length).toBeGreaterThan(2);
    expect(ranges.slice(1).every((range) => /^bytes=\d+-$/.test(range ?? ""))).toBe(true);
  });

  test("an object that changes while it is read is an error, not a mixture", async () => {
    await using broken = await proxy(gateway.endpoint, (request, response) => {
      if (request.method !== "GET") return;
      const { write } = response;
      let first = true;
      response.write = (chunk: Buffer) => {
        if (!first) response.destroy();
        first = false;
        return response.destroyed || write.call(response, chunk, "utf8");
      };
      if (request.headers.range) return;
      response.once("close", () => void put("changing.csv", `id,filler\n${"2,y\n".repeat(500_000)}`));
    });
    await put("changing.csv", `id,filler\n${"1,x\n".repeat(500_000)}`);
    const other = await gateway.connect({ endpoint: broken.endpoint });
    await expect(read(other, table("s3://files/changing.csv"))).rejects.toMatchObject({ sqlState: "40001" });
  });

  test("a reader that takes longer than the service may goes on where it was", async () => {
    let requests = 0;
    await using counted = await proxy(gateway.endpoint, ({ method }) => {
      if (method === "GET") requests++;
    });
    const patient = await gateway.connect({ endpoint: counted.endpoint, request_timeout: "200" });
    const query = { columns: [0], identity: false, filters: [], sort: [] };
    const plan = await patient.table(table()).plan(query);
    const ids: unknown[] = [];
    for await (const rows of plan.scan(new AbortController().signal)) {
      if (ids.length === 0) await new Promise((resolve) => setTimeout(resolve, 600));
      for (const [id] of rows) ids.push(id);
    }
    expect(ids).toEqual(Array.from({ length: count }, (_, i) => String(i)));
    expect(requests).toBeGreaterThan(1);
  });

  test("cancelling stops in the middle of a body", async () => {
    const query = { columns: [0], identity: false, filters: [], sort: [] };
    const plan = await connection.table(table()).plan(query);
    const cancel = new AbortController();
    let seen = 0;
    await expect(async () => {
      for await (const rows of plan.scan(cancel.signal)) {
        seen += rows.length;
        cancel.abort();
      }
    }).rejects.toThrow();
    expect(seen).toBeLessThan(count);
  });

  test("a service that breaks every time is told, in the end", async () => {
    await using broken = await proxy(gateway.endpoint, (request, response) => {
      if (request.method === "GET") response.write = () => void response.destroy() as unknown as boolean;
    });
    const other = await gateway.connect({ endpoint: broken.endpoint });
    await expect(read(other, table())).rejects.toMatchObject({ sqlState: expect.stringMatching(/^080/) });
  });

  test("a service that stands still is told in time", async () => {
    await using silent = await proxy(gateway.endpoint, (request, response) => {
      if (request.method === "GET") response.write = () => true;
    });
    const other = await gateway.connect({ endpoint: silent.endpoint, request_timeout: "100" });
    await expect(read(other, table())).rejects.toMatchObject({ sqlState: "08006" });
  });
});
