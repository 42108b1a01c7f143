import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import {
  appendFile,
  chmod,
  chown,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  realpath,
  rm,
  stat,
  writeFile,
} from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Cluster, ClusterError, type ClusterOptions, startCluster } from "../index.ts";
import { isReachable } from "./user.ts";

const superuser = "overcoat";
const password = "pa'ss/wo@rd";
const isRoot = process.getuid?.() === 0;
const nobody = { uid: 65534, gid: 65534 };

let folder: string;
const clusters: Cluster[] = [];
const programs: ChildProcess[] = [];
/** Servers of programs. */
const servers: number[] = [];

beforeEach(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), "cluster-")));
  await chmod(folder, 0o755);
});
afterEach(async () => {
  for (const program of programs.splice(0)) program.kill("SIGKILL");
  await Promise.all(clusters.splice(0).map((cluster) => cluster.stop()));
  await Promise.all(servers.splice(0).map(untilEnded));
  await rm(folder, { recursive: true, force: true });
});

async function start(options: Partial<ClusterOptions> = {}): Promise<Cluster> {
  const settings = { fsync: "off" };
  const cluster = await startCluster({ folder, port: 0, superuser, password, settings, ...options });
  clusters.push(cluster);
  return cluster;
}

async function query(url: string, ...statements: string[]): Promise<Record<string, unknown>[]> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    let rows: Record<string, unknown>[] = [];
    for (const statement of statements) rows = (await client.query(statement)).rows;
    return rows;
  } finally {
    await client.end();
  }
}

const postmaster = async () =>
  Number.parseInt(await readFile(join(folder, "data/postmaster.pid"), "utf8"), 10);

/** Starts a cluster in a process of its own; resolves once it runs. */
async function startElsewhere(user: { uid?: number; gid?: number } = {}) {
  const options = JSON.stringify({ folder, port: 0, superuser, password });
  const code = `import { startCluster } from ${JSON.stringify(new URL("../index.ts", import.meta.url).href)};
    const cluster = await startCluster(${options});
    console.log(cluster.url);`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", code], {
    ...user,
    stdio: ["ignore", "pipe", "inherit"],
  });
  programs.push(child);
  const [url] = (await once(child.stdout, "data")) as [Buffer];
  const pid = await postmaster();
  servers.push(pid);
  return { child, pid, url: url.toString().trim() };
}

async function untilEnded(pid: number): Promise<void> {
  const deadline = Date.now() + 30_000;
  while (isAlive(pid)) {
    if (Date.now() > deadline) throw new Error(`process ${pid} still runs`);
    await sleep(20);
  }
}

/** Whether a process runs; one that only waits for its parent to notice does not. */
function isAlive(pid: number): boolean {
  try {
    return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}

/** The process that waits for the end of another's owner. */
async function watchdogOf(pid: number): Promise<number> {
  for (const name of await readdir("/proc")) {
    const command = await readFile(`/proc/${name}/cmdline`, "utf8").catch(() => "");
    if (command.startsWith("/bin/sh\0") && command.endsWith(`\0${pid}\0`)) return Number(name);
  }
  throw new Error(`nobody watches ${pid}`);
}

test("a first start makes the data directory, a second keeps what is in it", async () => {
  const first = await start({ settings: {} });
  await query(first.url, "CREATE TABLE kept AS SELECT 'ä'::text AS t");
  await first.stop();
  const second = await start({ settings: {} });
  expect(await query(second.url, "SELECT t FROM kept")).toEqual([{ t: "ä" }]);
  expect(await query(second.url, "SHOW fsync")).toEqual([{ fsync: "on" }]);
  expect((await readdir(folder)).sort()).toEqual(["data", "log"]);
});

test("a password is asked for, and loopback is the only way in", async () => {
  const { url } = await start();
  const wrong = Object.assign(new URL(url), { password: "wrong" }).href;
  await expect(query(wrong, "SELECT 1")).rejects.toMatchObject({ code: "28P01" });
  const [settings] = await query(
    url,
    "SELECT current_setting('listen_addresses') AS addresses, current_setting('unix_socket_directories') AS sockets",
  );
  expect(settings).toEqual({ addresses: "127.0.0.1", sockets: "" });
  const methods = await query(url, "SELECT DISTINCT auth_method FROM pg_hba_file_rules");
  expect(methods).toEqual([{ auth_method: "scram-sha-256" }]);
});

test("databases with every kind of collation, and postgres_fdw, can be made", async () => {
  const { url } = await start();
  for (const locale of [
    "LOCALE_PROVIDER icu ICU_LOCALE 'en-US'",
    "LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8'",
    "LOCALE_PROVIDER libc LOCALE 'C'",
  ])
    await query(
      url,
      "DROP DATABASE IF EXISTS other",
      `CREATE DATABASE other TEMPLATE template0 ENCODING 'UTF8' ${locale}`,
    );
  await query(url, "CREATE EXTENSION postgres_fdw");
  const [row] = await query(url, "SELECT lower('ÄÖ'), 'Z' < 'a' AS c");
  expect(row).toEqual({ lower: "äö", c: true });
});

test("CREATE EXTENSION finds what lies in the folder of the data directory", async () => {
  const { url, extensions } = await start();
  await writeFile(join(extensions, "sample.control"), "default_version = '1.0'\n");
  await writeFile(join(extensions, "sample--1.0.sql"), "CREATE TABLE from_sample ();\n");
  await query(url, "CREATE EXTENSION sample", "SELECT * FROM from_sample", "CREATE EXTENSION hstore");
});

test("the server has nothing of this process's environment, and no statement is logged", async () => {
  process.env.CLUSTER_TEST_SECRET = "of the environment";
  const { url } = await start();
  delete process.env.CLUSTER_TEST_SECRET;
  const [row] = await query(
    url,
    "SELECT encode(pg_read_binary_file('/proc/self/environ'), 'escape') AS environment",
  );
  expect(row!.environment).not.toContain("of the environment");
  await expect(query(url, "CREATE ROLE x PASSWORD 'of a statement' NOSUCH")).rejects.toThrow();
  await expect(query(url, "DO $$ BEGIN EXECUTE 'SELECT 1/0 AS \"of a function\"'; END $$")).rejects.toThrow();
  const log = await readFile(join(folder, "log/postgres.log"), "utf8");
  expect(log).toContain("division by zero");
  expect(log).not.toMatch(/of a (statement|function)/);
});

test("the log is bounded", async () => {
  const { url } = await start();
  const line = "x".repeat(1000);
  await query(url, `DO $$ BEGIN FOR i IN 1..10000 LOOP RAISE LOG '${line}'; END LOOP; END $$`);
  await clusters.pop()!.stop();
  const log = join(folder, "log");
  expect((await readdir(log)).sort()).toEqual(["postgres.log", "postgres.log.1"]);
  for (const name of await readdir(log))
    expect((await stat(join(log, name))).size).toBeLessThan(4.1 * 2 ** 20);
});

describe("ports", () => {
  test("a port that was asked for must be free", async () => {
    const taken = createServer().listen(0, "127.0.0.1");
    await once(taken, "listening");
    const { port } = taken.address() as { port: number };
    await expect(start({ port })).rejects.toThrow(`Port ${port} is taken`);
    taken.close();
    expect((await start({ port })).port).toBe(port);
  });

  test("without one it is 54320 or one after it, and two clusters get two", async () => {
    const one = await start({ port: undefined });
    const other = await start({ port: undefined, folder: join(folder, "other") });
    expect(one.port).toBeGreaterThanOrEqual(54320);
    expect(other.port).toBeGreaterThan(one.port);
  });
});

describe("the end", () => {
  test("stop ends running statements, and can be called again", async () => {
    const cluster = await start();
    const pid = await postmaster();
    const client = new pg.Client(cluster.url);
    client.on("error", () => {});
    await client.connect();
    const sleeping = expect(client.query("SELECT pg_sleep(1000)")).rejects.toThrow();
    await Promise.all([cluster.stop(), cluster.stop()]);
    await sleeping;
    expect(isAlive(pid)).toBe(false);
    await expect(query(cluster.url, "SELECT 1")).rejects.toMatchObject({ code: "ECONNREFUSED" });
  });

  test("a server that ends by itself is told of", async () => {
    const cluster = await start();
    process.kill(await postmaster(), "SIGKILL");
    expect(await cluster.failed).toBeInstanceOf(ClusterError);
  });

  test("the server stops in order when its owner is killed", async () => {
    const { child, pid } = await startElsewhere();
    child.kill("SIGKILL");
    await untilEnded(pid);
    expect(await readFile(join(folder, "log/postgres.log"), "utf8")).not.toContain("not properly shut down");
    expect(await readdir(join(folder, "data"))).not.toContain("postmaster.pid");
  });

  test("a server that was left behind makes room for the next", async () => {
    const { child, pid, url } = await startElsewhere();
    await query(url, "CREATE TABLE kept ()");
    process.kill(await watchdogOf(pid), "SIGKILL");
    child.kill("SIGKILL");
    await once(child, "close");
    expect(isAlive(pid)).toBe(true);
    await query((await start()).url, "SELECT FROM kept");
    expect(isAlive(pid)).toBe(false);
  });

  test("a folder in use is left alone", async () => {
    const { child, url } = await startElsewhere();
    await expect(start()).rejects.toThrow(`in use by process ${child.pid}`);
    await query(url, "SELECT 1");
  });

  test("a killed server's lock file does not stop the next, even when its number is another's", async () => {
    await start();
    const pid = await postmaster();
    const lockFile = join(folder, "data/postmaster.pid");
    const locked = await readFile(lockFile, "utf8");
    process.kill(pid, "SIGKILL");
    await clusters.pop()!.stop();
    // Of a process that the server's user could end.
    const other = spawn("sleep", ["1000"], isRoot ? await stat(join(folder, "data")) : {});
    programs.push(other);
    await writeFile(lockFile, locked.replace(/^\d+/, String(other.pid)));
    await query((await start()).url, "SELECT 1");
    expect(isAlive(other.pid!)).toBe(true);
  });
});

describe("what cannot be used is told", () => {
  test("a folder with other things in it", async () => {
    await mkdir(join(folder, "data"));
    await appendFile(join(folder, "data/mine"), "");
    await expect(start()).rejects.toThrow("is no data directory of PostgreSQL");
  });

  test("a setting that is wrong", async () => {
    await expect(start({ settings: { max_connections: "many" } })).rejects.toThrow(
      /FATAL: .*max_connections.*many/,
    );
  });
});

describe.runIf(isRoot)("as root", () => {
  test("it works in a folder that is closed to others", async () => {
    await chmod(folder, 0o700);
    const inner = join(folder, "inner");
    for (let i = 0; i < 2; i++) {
      const { url, extensions, stop } = await start({ folder: inner });
      await writeFile(join(extensions, "sample.control"), "default_version = '1.0'\n");
      await writeFile(join(extensions, "sample--1.0.sql"), "CREATE TABLE from_sample ();\n");
      await query(url, "CREATE EXTENSION IF NOT EXISTS sample", "SELECT FROM from_sample", "CHECKPOINT");
      await stop();
    }
    expect((await stat(folder)).mode & 0o777).toBe(0o700);
  });

  test("a data directory that root copied belongs to the server's user again", async () => {
    await (await start()).stop();
    for (const path of [join(folder, "data"), join(folder, "data/PG_VERSION")]) await chown(path, 0, 0);
    await query((await start()).url, "SELECT 1");
  });

  test("it works as another user, whose data then root can use", async ({ skip }) => {
    skip(!(await isReachable(process.execPath, nobody)), "Node.js lies where other users cannot run it");
    await chown(folder, nobody.uid, nobody.gid);
    const { child, pid, url } = await startElsewhere(nobody);
    await query(url, "CREATE TABLE kept ()");
    expect((await stat(`/proc/${pid}`)).uid).toBe(nobody.uid);
    child.kill("SIGTERM");
    await once(child, "close");
    await untilEnded(pid);
    await query((await start()).url, "SELECT FROM kept");
    expect((await stat(join(folder, "data"))).uid).toBe(nobody.uid);
  });
});
