import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startRedis } from "../../../../../packages/sources/src/redis/server.testing.ts";
import { startStack } from "../../../../../tests/sql/stack.ts";
import { closeDatabases } from "../database.ts";
import { csvOf } from "./csv.ts";
import { measureSql } from "./plan.ts";
import { runSql } from "./run.ts";
import { databaseTables } from "./schema.ts";

const parts = new AsyncDisposableStack();
const { signal } = new AbortController();

beforeAll(async () => {
  const redis = parts.use(await startRedis());
  const client = await redis.client();
  for (let n = 0; n < 1200; n++) await client.set(`session:${n}`, JSON.stringify({ n }));
  const database = await parts.use(await startStack()).database();
  await database.client.query(`
    CREATE SERVER redis_server FOREIGN DATA WRAPPER redis_fdw OPTIONS (url '${redis.url}');
    CREATE FOREIGN TABLE redis_sessions (session_id TEXT, payload JSONB)
      SERVER redis_server OPTIONS (key_prefix 'session:')`);
  const folder = await mkdtemp(join(tmpdir(), "console-sql-"));
  parts.defer(() => rm(folder, { recursive: true }));
  const s3 = { endpoint: "http://127.0.0.1:9", accessKeyId: "a", secretAccessKey: "s", region: "r" };
  const file = join(folder, "connection.json");
  await writeFile(file, JSON.stringify({ s3, postgres: { url: database.url } }));
  Object.assign(process.env, {
    OVERCOAT_CONNECTION_FILE: file,
    OVERCOAT_CONSOLE_PASSWORD_HASH: "a:b",
    OVERCOAT_CONSOLE_SECRET: "s".repeat(32),
    OVERCOAT_CONSOLE_URL: "http://127.0.0.1",
  });
  parts.defer(closeDatabases);
});
afterAll(() => parts.disposeAsync());

const ask = (text: string) => runSql(text, "reader", signal);

test("rows come as PostgreSQL writes them, with what the service was asked", async () => {
  const answer = await ask(
    "SELECT session_id, payload, NULL AS nothing, true, now() IS NULL FROM redis_sessions WHERE session_id = '7'",
  );
  expect(answer).toMatchObject({
    rows: [["7", '{"n": 7}', null, "t", "f"]],
    isCut: false,
    requests: [{ server: "redis_server", request: "GET session:7" }],
  });
  expect(answer.columns.map(({ name }) => name)).toEqual([
    "session_id",
    "payload",
    "nothing",
    "?column?",
    "?column?",
  ]);
  expect(answer.milliseconds).toBeGreaterThan(0);
});

test("an answer is cut after 1,000 rows, a cell after 10,000 characters", async () => {
  expect(await ask("SELECT * FROM generate_series(1, 1000)")).toMatchObject({ isCut: false });
  const cut = await ask("SELECT repeat('x', 20000), generate_series(1, 1000000000000)");
  expect(cut.isCut).toBe(true);
  expect(cut.rows.length).toBeLessThanOrEqual(1000);
  expect(cut.rows[0]![0]).toHaveLength(10_001);
  expect(await ask("SELECT 1 AS x WHERE false")).toMatchObject({ columns: [{ name: "x" }], rows: [] });
});

test("readers change nothing, and see no secrets", async () => {
  for (const [text, code] of [
    ["CREATE TABLE mine (n int)", "25006"],
    ["DELETE FROM redis_sessions", /^(25006|42501)$/],
    ["SELECT 1; COMMIT; CREATE TABLE mine (n int)", "42601"],
    ["SET TRANSACTION READ WRITE; CREATE TABLE mine (n int)", "42601"],
    ["SELECT * FROM overcoat.settings", "42501"],
    ["SELECT set_config('role', 'postgres', false)", /./],
  ] as const)
    await expect(ask(text), text).rejects.toMatchObject({
      code: typeof code === "string" ? code : expect.stringMatching(code),
    });
  await expect(ask("SELEC 1")).rejects.toMatchObject({ code: "42601", position: "1" });
  expect((await ask("SELECT current_setting('transaction_read_only')")).rows).toEqual([["on"]]);
});

test("the owner may run several statements, and sees the rows of the last that has any", async () => {
  const text =
    "CREATE TABLE made (n int); INSERT INTO made SELECT generate_series(1, 3); SELECT n FROM made; SELECT 'a' AS z; DROP TABLE made";
  const answer = await runSql(text, "owner", signal);
  expect(answer).toMatchObject({ columns: [{ name: "z" }], rows: [["a"]], command: "DROP" });
  await expect(runSql("SELECT 1; SELEC", "owner", signal)).rejects.toMatchObject({ code: "42601" });
});

test("a query that nobody waits for is cancelled", async () => {
  const stopping = new AbortController();
  const asked = runSql("SELECT pg_sleep(60)", "reader", stopping.signal);
  setTimeout(() => stopping.abort(), 300);
  await expect(asked).rejects.toMatchObject({ code: "57014" });
});

test("CSV has all rows, and quotes what needs it", async () => {
  const text = `SELECT 'a,"b"' AS "x,y", NULL AS n, '' AS e FROM generate_series(1, 2500)`;
  const lines = (await new Response(await csvOf(text, signal)).text()).split("\r\n");
  expect(lines[0]).toBe('"x,y",n,e');
  expect(lines).toHaveLength(2502);
  expect(new Set(lines.slice(1, -1))).toEqual(new Set(['"a,""b""",,""']));
  await expect(csvOf("SELEC", signal)).rejects.toMatchObject({ code: "42601" });
});

test("a download that is given up ends its query", async () => {
  const reader = (await csvOf("SELECT generate_series(1, 1000000000000)", signal)).getReader();
  await reader.read();
  await reader.cancel();
  const running =
    "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%1000000000000)' AND state = 'active'";
  await expect
    .poll(async () => (await runSql(running, "owner", signal)).rows[0]![0], { timeout: 20_000 })
    .toBe("0");
});

test("each step of a query is measured", async () => {
  const steps = await measureSql(
    "SELECT count(*) FROM redis_sessions JOIN generate_series(1, 2) n ON session_id = n::text",
    signal,
  );
  expect(steps[0]).toMatchObject({ depth: 0, title: "Aggregate", rows: 1 });
  expect(steps.some(({ title, rows }) => title === "Foreign Scan on redis_sessions" && rows >= 2)).toBe(true);
});

test("tables and columns are known for completion", async () => {
  expect(await databaseTables()).toEqual([
    {
      schema: "public",
      name: "redis_sessions",
      isForeign: true,
      columns: [
        { name: "session_id", type: "text" },
        { name: "payload", type: "jsonb" },
      ],
    },
  ]);
});
