import { chmod, mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import {
  type Cluster,
  openScratch,
  openScratchPool,
  type Scratch,
  type ScratchPool,
  startCluster,
} from "@overcoat/postgres";
import { s3 } from "@overcoat/sources";
import { extensionFiles, openSqlServer, type SqlServer } from "@overcoat/sql";
import pg from "pg";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { openTestGateway, type TestGateway } from "../../packages/sources/src/s3/testing.ts";

/** S3 through PostgreSQL, with the statements of docs/sources/s3.md. */

let folder: string;
let cluster: Cluster;
let scratch: Scratch;
let pool: ScratchPool;
let server: SqlServer;
let gateway: TestGateway;
let client: pg.Client;

beforeAll(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), "overcoat-sql-s3-")));
  await chmod(folder, 0o755);
  const settings = { fsync: "off" };
  cluster = await startCluster({ folder, port: 0, superuser: "owner", password: "secret", settings });
  scratch = await openScratch({ folder: join(folder, "scratch") });
  pool = openScratchPool(scratch);
  gateway = await openTestGateway();
  const login = { user: "overcoat", password: "sesame" };
  server = await openSqlServer({
    listen: [{ host: "127.0.0.1", port: 0 }],
    logins: [login],
    sources: [s3],
    secrets: () => undefined,
    scratch: pool,
    log: () => undefined,
  });
  for (const { name, text } of extensionFiles([s3])) await writeFile(join(cluster.extensions, name), text);
  client = new pg.Client(cluster.url);
  await client.connect();
  await client.query("CREATE EXTENSION overcoat");
  const link = { host: "127.0.0.1", port: String(server.addresses[0]!.port), ...login };
  for (const setting of Object.entries(link))
    await client.query("INSERT INTO overcoat.settings VALUES ($1, $2)", setting);

  await gateway.objects.createBucket("datasets");
  const put = (key: string, content: string | Uint8Array) =>
    gateway.objects.putObject("datasets", key, content);
  await put("readme.txt", "read me");
  await put("sales/2023/old.csv.gz", gzipSync("id,day,amount\n1,2023-12-31,1.10\n"));
  await put("sales/2024/a.csv.gz", gzipSync("id,day,amount\n2,2024-01-01,2.20\n3,2024-01-02,\n"));
  await put("sales/2024/b.csv.gz", gzipSync("id,day,amount\n4,2024-02-01,4.40\n"));
  await put("sales/2024.csv", "n,word\n1,one\n2,two\n");
  await client.query(`
    CREATE EXTENSION IF NOT EXISTS s3_wrapper;
    CREATE SERVER s3_server FOREIGN DATA WRAPPER s3_fdw OPTIONS (endpoint '${gateway.endpoint}', bucket 'datasets');
    CREATE USER MAPPING FOR PUBLIC SERVER s3_server
      OPTIONS (access_key_id 'test-access', secret_access_key 'test-secret');
    CREATE FOREIGN TABLE s3_files (filename TEXT, url TEXT, metadata JSONB) SERVER s3_server;
    CREATE FOREIGN TABLE sales (id bigint, day date, amount numeric, filename text) SERVER s3_server
      OPTIONS (format 'csv', uri 's3://datasets/sales/**/*.csv.gz');
    CREATE FOREIGN TABLE notes (filename text, content text, content_type text, user_metadata jsonb)
      SERVER s3_server OPTIONS (prefix 'notes/');
  `);
});

afterAll(async () => {
  await client?.end();
  await server?.close();
  await gateway?.[Symbol.asyncDispose]();
  await pool?.[Symbol.asyncDispose]();
  await scratch?.stop();
  await cluster?.stop();
  await rm(folder, { recursive: true, force: true });
});

beforeEach(() => {
  gateway.requests.length = 0;
});

const rowsOf = async (text: string) => (await client.query({ text, rowMode: "array" })).rows;

test("the listing as the project's first document has it", async () => {
  expect(await rowsOf("SELECT filename FROM s3_files ORDER BY filename")).toEqual([
    ["readme.txt"],
    ["sales/2023/old.csv.gz"],
    ["sales/2024.csv"],
    ["sales/2024/a.csv.gz"],
    ["sales/2024/b.csv.gz"],
  ]);
  gateway.requests.length = 0;
  const [[url, metadata]] = (await rowsOf(
    "SELECT url, metadata FROM s3_files WHERE filename = 'readme.txt'",
  )) as [[string, object]];
  expect(url).toBe(`${gateway.endpoint}/datasets/readme.txt`);
  expect(metadata).toMatchObject({ size: 7, storage_class: "STANDARD" });
  expect(gateway.requests).toEqual(["HeadObject /datasets/readme.txt"]);
  expect(await rowsOf("SELECT count(*) FROM s3_files WHERE filename LIKE 'sales/%'")).toEqual([["4"]]);
});

test("files join with the listing, and only those that can match are read", async () => {
  const sums = await rowsOf(`
    SELECT f.filename, f.metadata->>'size' AS size, sum(s.amount)
    FROM sales s JOIN s3_files f USING (filename)
    WHERE f.filename LIKE 'sales/2024/%'
    GROUP BY 1, 2 ORDER BY 1`);
  expect(sums.map(([filename, , sum]) => [filename, sum])).toEqual([
    ["sales/2024/a.csv.gz", "2.20"],
    ["sales/2024/b.csv.gz", "4.40"],
  ]);
  gateway.requests.length = 0;
  expect(
    await rowsOf("SELECT id FROM sales WHERE filename LIKE 'sales/2024/b%' AND day >= '2024-01-01'"),
  ).toEqual([["4"]]);
  expect(gateway.requests.filter((one) => one.startsWith("GetObject"))).toEqual([
    "GetObject /datasets/sales/2024/b.csv.gz",
  ]);
});

test("objects are written, moved and deleted, at COMMIT", async () => {
  await client.query(`INSERT INTO notes VALUES ('notes/a.txt', 'Hello', 'text/plain', '{"author": "Ann"}')`);
  await client.query("UPDATE notes SET content = content || ' world' WHERE filename = 'notes/a.txt'");
  await client.query("UPDATE notes SET filename = 'notes/b.txt' WHERE filename = 'notes/a.txt'");
  const moved = ["notes/b.txt", "Hello world", "text/plain", { author: "Ann" }];
  expect(await rowsOf("SELECT * FROM notes")).toEqual([moved]);
  await client.query("BEGIN");
  await client.query("DELETE FROM notes WHERE filename LIKE 'notes/%'");
  expect(await rowsOf("SELECT * FROM notes")).toEqual([]);
  await client.query("ROLLBACK");
  expect(await rowsOf("SELECT * FROM notes")).toEqual([moved]);
  await expect(client.query("INSERT INTO notes (filename) VALUES ('notes/b.txt')")).rejects.toMatchObject({
    code: "23505",
  });
  await expect(client.query("INSERT INTO notes (filename) VALUES ('elsewhere')")).rejects.toMatchObject({
    code: "23514",
  });
  await client.query("DELETE FROM notes WHERE filename LIKE 'notes/%'");
  expect(await rowsOf("SELECT * FROM notes")).toEqual([]);
});

test("an object that another changed in the meantime is a conflict", async () => {
  await client.query("INSERT INTO notes (filename, content) VALUES ('notes/c.txt', 'mine')");
  await client.query("BEGIN");
  await client.query("UPDATE notes SET content = content || '!' WHERE filename = 'notes/c.txt'");
  await gateway.objects.putObject("datasets", "notes/c.txt", "another's");
  await expect(client.query("COMMIT")).rejects.toMatchObject({ code: "40001" });
  expect(await rowsOf("SELECT content FROM notes WHERE filename = 'notes/c.txt'")).toEqual([["another's"]]);
  await client.query("DELETE FROM notes WHERE filename = 'notes/c.txt'");
});

test("a prefix is imported as a schema", async () => {
  await client.query(`
    CREATE SCHEMA imported;
    IMPORT FOREIGN SCHEMA "datasets/sales" LIMIT TO ("2024.csv", sales) FROM SERVER s3_server INTO imported`);
  expect(await rowsOf('SELECT sum(n), max(word) FROM imported."2024.csv"')).toEqual([["3", "two"]]);
  expect(await rowsOf("SELECT count(*) FROM imported.sales WHERE size > 0")).toEqual([["4"]]);
});

test("what goes wrong is told by S3's reason, and the session goes on", async () => {
  await client.query(`
    CREATE FOREIGN TABLE absent (filename text) SERVER s3_server OPTIONS (bucket 'absent');
    CREATE FOREIGN TABLE words (n integer, word integer) SERVER s3_server
      OPTIONS (format 'csv', uri 's3://datasets/sales/2024.csv')`);
  await expect(client.query("SELECT * FROM absent")).rejects.toMatchObject({ code: "42P01" });
  await expect(client.query("SELECT * FROM words")).rejects.toMatchObject({
    code: "22P02",
    detail: "s3://datasets/sales/2024.csv, line 2: column word",
  });
  await expect(
    client.query("CREATE FOREIGN TABLE wrong (filename text) SERVER s3_server OPTIONS (nonsense 'x')"),
  ).rejects.toMatchObject({ code: "HV00D", hint: expect.stringContaining("url_expires_in") });
  expect(await rowsOf("SELECT count(*) FROM s3_files")).toEqual([["5"]]);
});
