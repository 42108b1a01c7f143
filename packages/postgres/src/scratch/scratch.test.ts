import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { from as copyFrom } from "pg-copy-streams";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openScratch, openScratchPool, type Scratch, type ScratchPool } from "../index.ts";

let folder: string;
let scratch: Scratch;
let pool: ScratchPool;
const failures: Error[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "scratch-"));
  scratch = await openScratch({ folder, connections: 4, onFailure: (error) => failures.push(error) });
  pool = openScratchPool({ url: scratch.url, connections: 2, waitMs: 500 });
});
afterAll(async () => {
  await pool?.close();
  await scratch?.stop();
  await rm(folder, { recursive: true, force: true });
});

test("rows go in by COPY and come out as text", async () => {
  await using session = await pool.session();
  const { client } = session;
  await client.query("CREATE TEMP TABLE t (id int, payload jsonb)");
  const rows = Array.from({ length: 10_000 }, (_, i) => `${i}\t{"n": ${i}}\n`);
  await pipeline(Readable.from(rows), client.query(copyFrom("COPY t FROM STDIN")));
  const { rows: found } = await client.query(
    "SELECT count(*), sum((payload->'n')::int) FROM t WHERE id % 2 = 1",
  );
  expect(found).toEqual([{ count: "5000", sum: "25000000" }]);
});

test("a session is as if new, whatever the one before did", async () => {
  const sessions = new Set<number>();
  for (let i = 0; i < 3; i++) {
    await using session = await pool.session();
    const { client } = session;
    sessions.add((client as unknown as { processID: number }).processID);
    const { rows } = await client.query("SHOW search_path");
    expect(rows).toEqual([{ search_path: "pg_catalog, pg_temp" }]);
    await client.query("CREATE TEMP TABLE t (id int); SET search_path = pg_temp; PREPARE p AS SELECT 1");
    await client.query("BEGIN; DECLARE c CURSOR FOR SELECT 1");
    await expect(client.query("SELECT 1/0")).rejects.toThrow("division by zero");
  }
  expect(sessions.size).toBe(1);
});

const endless = "SELECT count(*) FROM generate_series(1, 1000000000000)";

test("a session that is given back while a statement runs is given up", async () => {
  let running: Promise<unknown>;
  {
    await using session = await pool.session();
    running = session.client.query(endless).catch((error) => error);
  }
  expect(await running).toBeInstanceOf(Error);
  await using session = await pool.session();
  await session.client.query("SELECT 1");
});

test("a running statement can be cancelled", async () => {
  await using session = await pool.session();
  const running = expect(session.client.query(endless)).rejects.toMatchObject({ code: "57014" });
  await sleep(100);
  await session.cancel();
  await running;
  await session.client.query("SELECT 1");
});

test("when all sessions are in use, one more waits and is then told so", async () => {
  await using _one = await pool.session();
  {
    await using _two = await pool.session();
    await expect(pool.session()).rejects.toThrow("All 2 sessions");
  }
  await using _three = await pool.session();
});

test("a server that ends by itself comes back, at the same address", async () => {
  const pid = Number.parseInt(await readFile(join(folder, "data/postmaster.pid"), "utf8"), 10);
  await using session = await pool.session();
  const running = expect(session.client.query(endless)).rejects.toThrow();
  process.kill(pid, "SIGKILL");
  await running;
  const deadline = Date.now() + 60_000;
  for (;;) {
    try {
      await using again = await pool.session();
      await again.client.query("CREATE TEMP TABLE t (id int)");
      break;
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await sleep(100);
    }
  }
  expect(failures).toHaveLength(1);
});

test("values of rows are not logged", async () => {
  await using session = await pool.session();
  await expect(session.client.query("SELECT 'of a row'::int")).rejects.toThrow("of a row");
  expect(await readFile(join(folder, "log/postgres.log"), "utf8")).not.toContain("of a row");
});

test("a database to be kept is not emptied", async () => {
  const other = join(folder, "other");
  await mkdir(join(other, "data"), { recursive: true });
  await writeFile(join(other, "data/PG_VERSION"), "18\n");
  await expect(openScratch({ folder: other })).rejects.toThrow("holds a database to be kept");
  expect(await readFile(join(other, "data/PG_VERSION"), "utf8")).toBe("18\n");
});
