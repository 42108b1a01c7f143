import { copyFile, readdir, rename, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import pg from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { freePort, type RedisServer, startRedis } from "../../packages/sources/src/redis/server.testing.ts";
import { makeCertificate, startGateway } from "../gateway.ts";
import { startPostgres, type TestPostgres } from "../postgres/versions.ts";
import { overcoat, work } from "./overcoat.ts";

let redis: RedisServer;
beforeAll(async () => {
  redis = await startRedis();
  const client = await redis.client();
  await client.set("session:a", '{"n": 1}');
});
afterAll(() => redis?.[Symbol.asyncDispose]());

/** Runs the command to its end and gives what it printed. */
async function done(args: readonly string[], variables?: NodeJS.ProcessEnv): Promise<string> {
  const { exit, output } = overcoat(args, variables);
  expect(await exit, output()).toBe(0);
  return output();
}

async function serve(login: string, ...flags: string[]): Promise<{ address: string; stop(): Promise<void> }> {
  const address = `127.0.0.1:${await freePort()}`;
  const { child, exit, printed } = overcoat(
    ["serve", "sql", "--addr", address, "--data", join(work, address), ...flags],
    { OVERCOAT_SQL_LOGIN: login },
  );
  await printed(`Serving SQL on ${address}`);
  return {
    address,
    async stop() {
      process.kill(-child.pid!, "SIGINT");
      expect(await exit).toBe(0);
    },
  };
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

const sessions = (wrapper = "") => [
  wrapper,
  `CREATE SERVER redis_server FOREIGN DATA WRAPPER redis_fdw OPTIONS (url '${redis.url}')`,
  `CREATE FOREIGN TABLE redis_sessions (session_id TEXT, payload JSONB)
    SERVER redis_server OPTIONS (key_prefix 'session:')`,
];
const select = "SELECT session_id, payload FROM redis_sessions";
const rows = [{ session_id: "a", payload: { n: 1 } }];

/** A PostgreSQL in whose extension folder nothing can be put. */
async function withoutFolder(): Promise<TestPostgres> {
  const postgres = await startPostgres(18);
  await rename(postgres.extensions, `${postgres.extensions}-moved`);
  return postgres;
}

test("install brings extensions into a PostgreSQL, and relink another server and login", async () => {
  await using postgres = await startPostgres(18);
  const first = await serve("reader,first,with comma");
  const install = ["sql", "install", "--url", postgres.url];
  const told = await done([...install, "--sql-addr", first.address, "--login", "reader,first,with comma"]);
  expect(told).toContain("CREATE EXTENSION IF NOT EXISTS redis_wrapper;");
  await query(postgres.url, ...sessions("CREATE EXTENSION IF NOT EXISTS redis_wrapper"));
  expect(await query(postgres.url, select)).toEqual(rows);
  await first.stop();
  await expect(query(postgres.url, select)).rejects.toMatchObject({ code: "08001" });

  const config = join(work, "small-transactions.config.ts");
  await writeFile(config, "export default { sql: { maxTransactionBytes: 20_000 } };");
  const second = await serve("other,second", "--config", config);
  const flags = ["--url", postgres.url, "--sql-addr", second.address];
  await done(["sql", "relink", ...flags], { OVERCOAT_SQL_LOGIN: "other,second" });
  expect(await query(postgres.url, select)).toEqual(rows);
  // Once more, over what is there.
  await done(["sql", "install", ...flags, "--login", "other,second"]);
  expect(await query(postgres.url, select)).toEqual(rows);
  expect((await readdir(postgres.extensions)).filter((name) => /^overcoat_/.test(name))).toEqual([]);
  const insert = "INSERT INTO redis_sessions SELECT n::text, '{}' FROM generate_series(1, 1000) n";
  await expect(query(postgres.url, insert)).rejects.toMatchObject({
    code: "53400",
    hint: expect.stringContaining("maxTransactionBytes"),
  });
  expect(await query(postgres.url, select)).toEqual(rows);
  await second.stop();
});

test("install runs a script where the extension folder is out of reach", async () => {
  await using postgres = await withoutFolder();
  const server = await serve("reader,secret");
  const flags = ["--url", postgres.url, "--sql-addr", server.address, "--login", "reader,secret"];
  const told = await done(["sql", "install", ...flags]);
  expect(told).toContain("redis_fdw, auth0_fdw, s3_fdw are there without CREATE EXTENSION");
  await query(postgres.url, ...sessions());
  expect(await query(postgres.url, select)).toEqual(rows);
  await rename(`${postgres.extensions}-moved`, postgres.extensions);
  await done(["sql", "install", ...flags]);
  expect(await query(postgres.url, select)).toEqual(rows);
  await server.stop();
});

test("the link is encrypted and verified where it is asked to be", async () => {
  await using postgres = await startPostgres(18);
  const { cert, key } = await makeCertificate(work);
  const server = await serve("reader,secret", "--cert", cert, "--key", key);
  const sslrootcert = join(dirname(postgres.extensions), "root.crt");
  await copyFile(cert, sslrootcert);
  const flags = ["--url", postgres.url, "--sql-addr", server.address, "--login", "reader,secret"];
  await done(["sql", "install", ...flags, "--sslmode", "verify-full", "--sslrootcert", sslrootcert]);
  await query(postgres.url, ...sessions("CREATE EXTENSION redis_wrapper"));
  expect(await query(postgres.url, select)).toEqual(rows);
  // Nobody has signed the certificate for the authorities that everybody knows.
  await done(["sql", "relink", ...flags, "--sslmode", "verify-full", "--sslrootcert", "system"]);
  await expect(query(postgres.url, select)).rejects.toMatchObject({ code: "08001" });
  await server.stop();
});

test("print gives a script for Supabase", async () => {
  await using postgres = await startPostgres(18);
  const server = await serve("reader,secret");
  const flags = ["--sql-addr", server.address, "--login", "reader,secret"];
  const script = await done(["sql", "print", "--target", "supabase", ...flags]);
  expect(script).not.toMatch(/LANGUAGE c\b/i);
  await query(postgres.url, "CREATE SCHEMA extensions", "CREATE EXTENSION postgres_fdw SCHEMA extensions");
  await query(postgres.url, script, script, ...sessions());
  expect(await query(postgres.url, select)).toEqual(rows);
  // Without a login the one that is there stays.
  await query(postgres.url, await done(["sql", "print", "--target", "supabase"]));
  expect(await query(postgres.url, select)).toEqual(rows);
  await server.stop();
});

test("print gives servers of stock postgres_fdw", async () => {
  await using postgres = await startPostgres(18);
  const gateway = await startGateway();
  try {
    const server = await serve("reader,secret");
    const print = (source: string, ...options: string[]) =>
      done([
        ...["sql", "print", "--target", "plain", "--sql-addr", server.address, "--login", "reader,secret"],
        ...["--source", source, ...options.flatMap((option) => ["--option", option])],
      ]);
    const redisScript = await print("redis", `url=${redis.url}`);
    await query(
      postgres.url,
      redisScript,
      redisScript.slice(redisScript.indexOf("CREATE FOREIGN TABLE")).replaceAll(/^-- +/gm, ""),
    );
    expect(await query(postgres.url, select)).toEqual(rows);

    await query(
      postgres.url,
      await print(
        "s3",
        `endpoint=${gateway.endpoint}`,
        `access_key_id=${gateway.accessKeyId}`,
        `secret_access_key=${gateway.secretAccessKey}`,
      ),
    );
    expect(
      await query(postgres.url, "SELECT srvname FROM pg_foreign_server WHERE srvname = 's3_server'"),
    ).toHaveLength(1);
    await server.stop();
  } finally {
    await gateway.stop();
  }
});

test.each([
  [2, "no login is given, so nobody could connect", ["serve", "sql"]],
  [
    2,
    "refusing to listen on 0.0.0.0:1 without TLS",
    ["serve", "sql", "--addr", "0.0.0.0:1", "--login", "a,b"],
  ],
  [2, "--login: must be USER,PASSWORD", ["serve", "sql", "--login", "a"]],
  [2, "the login of a is given twice", ["serve", "sql", "--login", "a,b", "--login", "a,c"]],
  [2, "required option '--url <URL>' not specified", ["sql", "install", "--login", "a,b"]],
  [2, "--url: must be of the form postgres://", ["sql", "install", "--url", "localhost", "--login", "a,b"]],
  [2, "no login of the SQL server is given", ["sql", "relink", "--url", "postgres://127.0.0.1:1/x"]],
  [
    1,
    "the database says: connect ECONNREFUSED",
    ["sql", "relink", "--url", "postgres://a@127.0.0.1:1/x", "--login", "a,b"],
  ],
  [2, '--target: "x" must be supabase or plain', ["sql", "print", "--target", "x"]],
  [2, "--source: must be one of redis, auth0, s3", ["sql", "print", "--target", "plain", "--login", "a,b"]],
  [
    2,
    '--option: "x=1" must be NAME=VALUE with one of url,',
    ["sql", "print", "--target", "plain", "--login", "a,b", "--source", "redis", "--option", "x=1"],
  ],
  [0, "Usage: overcoat sql install", ["sql", "install", "--help"]],
])("ends with %i and says: %s", async (code, text, args) => {
  const { exit, output } = overcoat(args);
  expect(await exit).toBe(code);
  expect(output()).toContain(text);
  expect(output()).not.toMatch(/^ +at /m);
});

test("install says which databases it cannot be installed into", async () => {
  await using postgres = await startPostgres(18);
  await query(postgres.url, "CREATE ROLE plain LOGIN PASSWORD 'plain'");
  const url = new URL(postgres.url);
  url.username = "plain";
  url.password = "plain";
  const refused = overcoat(["sql", "install", "--url", url.href, "--login", "a,b"]);
  expect(await refused.exit).toBe(1);
  expect(refused.output()).toContain("overcoat: plain is no superuser");
  const missing = overcoat(["sql", "relink", "--url", postgres.url, "--login", "a,b"]);
  expect(await missing.exit).toBe(1);
  expect(missing.output()).toContain("overcoat: Overcoat is not installed in this database");
});

test("serve sql that is stopped while it starts says nothing of what it cut off", async () => {
  const variables = { OVERCOAT_SQL_LOGIN: "reader,secret" };
  const { child, exit, output } = overcoat(
    ["serve", "sql", "--addr", "127.0.0.1:0", "--data", work],
    variables,
  );
  const begun = () => readdir(join(work, "scratch")).catch(() => []);
  while (!(await begun()).some((name) => name.startsWith("new-data-") || name === "data"))
    await new Promise((done) => setTimeout(done, 20));
  process.kill(-child.pid!, "SIGINT");
  expect(await exit).toBe(0);
  expect(output()).toMatch(/^(Serving SQL on .*\n)?$/);
});
