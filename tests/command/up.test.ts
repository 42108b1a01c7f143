import { mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { ListBucketsCommand, ListObjectsV2Command, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { startAuth0 } from "@overcoat/simulators";
import pg from "pg";
import { expect, test } from "vitest";
import { freePort, startRedis } from "../../packages/sources/src/redis/server.testing.ts";
import type { Running } from "../process.ts";
import { overcoat, work } from "./overcoat.ts";

interface Up extends Running {
  readonly connections: {
    readonly s3: Record<"endpoint" | "accessKeyId" | "secretAccessKey" | "region", string>;
    readonly postgres: { readonly url: string };
  };
  stop(): Promise<number | null>;
}

const file = () => join(work, "overcoat-data/connection.json");

async function up(variables?: NodeJS.ProcessEnv, ...flags: string[]): Promise<Up> {
  const s3 = flags.includes("--s3-addr") ? [] : ["--s3-addr", `127.0.0.1:${await freePort()}`];
  const all = ["up", ...s3, "--workers", "1", "--no-fsync", "--postgres-port", "0", "--no-console", ...flags];
  const running = overcoat(all, variables);
  await running.printed("Press Ctrl-C");
  return {
    ...running,
    connections: JSON.parse(await readFile(file(), "utf8")),
    async stop() {
      process.kill(-running.child.pid!, "SIGINT");
      return await running.exit;
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

const extensions = `
CREATE EXTENSION IF NOT EXISTS redis_wrapper;
CREATE EXTENSION IF NOT EXISTS auth0_wrapper;
CREATE EXTENSION IF NOT EXISTS s3_wrapper;
`;

const servers = (redis: string, auth0: string, s3: string) => `
CREATE SERVER redis_server FOREIGN DATA WRAPPER redis_fdw OPTIONS (${redis});
CREATE SERVER auth0_server FOREIGN DATA WRAPPER auth0_fdw OPTIONS (${auth0});
CREATE SERVER s3_server   FOREIGN DATA WRAPPER s3_fdw   OPTIONS (${s3});
`;

const tables = `
CREATE FOREIGN TABLE redis_sessions (
  session_id TEXT,
  payload    JSONB
) SERVER redis_server OPTIONS (key_prefix 'session:');

CREATE FOREIGN TABLE auth0_users (
  user_id TEXT,
  email   TEXT,
  profile JSONB
) SERVER auth0_server;

CREATE FOREIGN TABLE s3_files (
  filename TEXT,
  url      TEXT,
  metadata JSONB
) SERVER s3_server;
`;

test("the documented statements work as they stand, and go on to after a restart", async () => {
  await using redis = await startRedis();
  await using auth0 = await startAuth0({
    clientId: "app",
    clientSecret: "of-the-app",
    users: [{ user_id: "auth0|1", email: "ann@example.com", name: "Ann" }],
  });
  const client = await redis.client();
  await client.set("session:a", '{"email": "ann@example.com"}');
  await client.set("other", "{}");
  const secret = { OVERCOAT_SECRET_AUTH0: "of-the-app" };

  const first = await up(secret);
  const { endpoint, accessKeyId, secretAccessKey, region } = first.connections.s3;
  const { url } = first.connections.postgres;
  expect((await stat(file())).mode & 0o777).toBe(0o600);
  expect(region).toBe("us-east-1");
  expect(first.output()).toContain(url);
  expect(first.output()).toContain(
    `AWS_ACCESS_KEY_ID=${accessKeyId} AWS_SECRET_ACCESS_KEY=${secretAccessKey} AWS_DEFAULT_REGION=us-east-1 aws --endpoint-url ${endpoint} s3 ls s3://sample\n`,
  );
  await query(
    url,
    extensions,
    servers(
      `url '${redis.url}'`,
      `domain '${auth0.url}', client_id 'app', secret 'AUTH0'`,
      `endpoint '${endpoint}', bucket 'sample', access_key_id '${accessKeyId}', secret_access_key '${secretAccessKey}'`,
    ),
    tables,
  );
  const joined = `SELECT session_id, user_id, profile->>'name' AS name, filename
    FROM redis_sessions JOIN auth0_users ON email = payload->>'email' CROSS JOIN s3_files`;
  const expected = [{ session_id: "a", user_id: "auth0|1", name: "Ann", filename: "hello.txt" }];
  expect(await query(url, joined)).toEqual(expected);
  const asked = await query(url, "SELECT * FROM overcoat.explain('SELECT * FROM redis_sessions')");
  expect(asked[0]).toEqual({ server: "redis_server", request: expect.stringMatching(/^SCAN .*session:/) });
  expect(
    await query(
      url,
      "SELECT request FROM overcoat.explain($$SELECT * FROM redis_sessions WHERE session_id = 'a'$$)",
    ),
  ).toEqual([{ request: "GET session:a" }]);

  // Made from template1, as any database is.
  await query(url, "CREATE DATABASE other");
  const other = url.replace(/\/postgres$/, "/other");
  await query(
    other,
    "CREATE EXTENSION IF NOT EXISTS redis_wrapper",
    `CREATE SERVER r FOREIGN DATA WRAPPER redis_fdw OPTIONS (url '${redis.url}')`,
    "CREATE FOREIGN TABLE sessions (key TEXT, value TEXT) SERVER r OPTIONS (key_prefix 'session:')",
  );
  const [{ port }] = (await query(
    url,
    "SELECT option_value AS port FROM pg_foreign_server, pg_options_to_table(srvoptions) WHERE srvname = 'redis_server' AND option_name = 'port'",
  )) as [{ port: string }];
  expect(await first.stop()).toBe(0);
  expect(first.output()).toMatch(/Stopped\.\n$/);
  await expect(readFile(file())).rejects.toThrow("ENOENT");

  // Somebody else took the port.
  const taken = createServer();
  await new Promise<void>((done) => taken.listen(Number(port), "127.0.0.1", done));
  try {
    const s3 = ["--s3-addr", new URL(endpoint).host];
    const second = await up(secret, ...s3);
    expect(second.connections.s3).toEqual(first.connections.s3);
    expect(await query(second.connections.postgres.url, joined)).toEqual(expected);
    const url2 = second.connections.postgres.url.replace(/\/postgres$/, "/other");
    expect(await query(url2, "SELECT key FROM sessions")).toEqual([{ key: "a" }]);
    expect(second.output()).not.toContain("of-the-app");
    expect(await second.stop()).toBe(0);
  } finally {
    taken.close();
  }
});

test("a secret goes to its addresses only", async () => {
  await using auth0 = await startAuth0({ clientId: "app", clientSecret: "of-the-app" });
  await writeFile(
    join(work, "overcoat.config.ts"),
    `export default { sql: { secrets: {
      HERE: { value: "of-the-app", addresses: ["127.0.0.1"] },
      THERE: { value: "of-the-app", addresses: ["auth0.example"] },
    } } };`,
  );
  const running = await up({
    OVERCOAT_SECRET_AUTH0: "of-the-app",
    OVERCOAT_SECRET_BOUND: "of-the-app",
    OVERCOAT_SECRET_BOUND_ADDRESSES: "other.example, 127.0.0.1:1",
  });
  const { url } = running.connections.postgres;
  const counts = async (name: string, domain = auth0.url) => {
    const rows = await query(
      url,
      "DROP SERVER IF EXISTS s CASCADE",
      `CREATE SERVER s FOREIGN DATA WRAPPER auth0_fdw OPTIONS (domain '${domain}', client_id 'app', secret '${name}')`,
      "CREATE FOREIGN TABLE users (user_id TEXT) SERVER s",
      "SELECT count(*)::int AS n FROM users",
    ).catch((error) => [{ n: error.code }]);
    return rows[0]!.n;
  };
  await query(url, "CREATE EXTENSION auth0_wrapper");
  expect(await counts("AUTH0")).toBe(0);
  expect(await counts("HERE")).toBe(0);
  expect(await counts("AUTH0", "tenant.auth0.example")).toBe("42501");
  expect(await counts("BOUND")).toBe("42501");
  expect(await counts("THERE")).toBe("42501");
  expect(await counts("NONE")).toBe("42704");
  expect(await running.stop()).toBe(0);
});

test("says when it cannot have its folder", async () => {
  await mkdir(join(work, "overcoat-data"));
  await writeFile(join(work, "overcoat-data/drive"), "no folder");
  const { exit, output } = overcoat(["up"]);
  expect(await exit).toBe(1);
  expect(output()).toMatch(/^overcoat: cannot keep keys and files in .*overcoat-data: EEXIST.*\n$/);
});

test("says what is in its way, and leaves nothing running", async () => {
  const taken = createServer();
  await new Promise<void>((done) => taken.listen(0, "127.0.0.1", done));
  const address = `127.0.0.1:${(taken.address() as { port: number }).port}`;
  const free = `127.0.0.1:${await freePort()}`;
  try {
    for (const [code, message, ...args] of [
      [
        1,
        `the address ${address} is already in use by another program; choose another with --s3-addr`,
        "--s3-addr",
        address,
      ],
      [
        1,
        `the address ${address} is already in use by another program; choose another with --sql-addr`,
        "--s3-addr",
        free,
        "--sql-addr",
        address,
      ],
      [
        1,
        `Port ${address.split(":")[1]} is taken`,
        "--s3-addr",
        free,
        "--postgres-port",
        address.split(":")[1]!,
      ],
      [
        1,
        `the address ${address} is already in use by another program; choose another with --console-addr`,
        "--s3-addr",
        free,
        "--console-addr",
        address,
      ],
      [2, "refusing to listen on :54330 without TLS", "--sql-addr", ":54330"],
      [2, '--postgres-port: "x" is no port', "--postgres-port", "x"],
    ] as const) {
      const running = overcoat(["up", "--workers", "1", ...args]);
      expect(await running.exit, running.output()).toBe(code);
      expect(running.output()).toContain(message);
      expect(running.output()).not.toMatch(/^ +at /m);
    }
  } finally {
    taken.close();
  }
  expect(await readdir(join(work, "overcoat-data"))).not.toContain("connection.json");
});

test("ends when PostgreSQL does, and says so", async () => {
  const running = await up();
  const pid = await readFile(join(work, "overcoat-data/postgres/data/postmaster.pid"), "utf8");
  process.kill(Number.parseInt(pid, 10), "SIGKILL");
  expect(await running.exit).toBe(1);
  expect(running.output()).toContain("overcoat: PostgreSQL ended by itself");
  await expect(readFile(file())).rejects.toThrow("ENOENT");
});

test("keeps the key and the files that are there, and ends in order with its terminal", async () => {
  await mkdir(join(work, "overcoat-data/drive/photos"), { recursive: true });
  await writeFile(
    join(work, "overcoat-data/credentials.json"),
    '{ "accessKeyId": "ID", "secretAccessKey": "of-before" }',
  );
  const admin = `127.0.0.1:${await freePort()}`;
  const running = await up({}, "--admin-addr", admin);
  expect((await fetch(`http://${admin}/-/readyz`)).status).toBe(200);
  expect(running.connections.s3).toMatchObject({ accessKeyId: "ID", secretAccessKey: "of-before" });
  expect(await readdir(join(work, "overcoat-data/drive"))).toEqual(["photos"]);
  process.kill(-running.child.pid!, "SIGHUP");
  expect(await running.exit).toBe(0);
  await expect(readFile(file())).rejects.toThrow("ENOENT");
});

test("--demo has simulated drives as buckets, and a simulated Auth0, by what it prints", async () => {
  await mkdir(join(work, "more/of-mine"), { recursive: true });
  const config = 'export default { remotes: { more: "./more" }, buckets: { "of-mine": "more:of-mine" } };';
  await writeFile(join(work, "overcoat.config.ts"), config);
  const running = await up({}, "--demo");
  const { endpoint, region, accessKeyId, secretAccessKey } = running.connections.s3;
  const credentials = { accessKeyId, secretAccessKey };
  const s3 = new S3Client({ endpoint, region, credentials, forcePathStyle: true });
  const drives = ["dropbox", "google-drive", "onedrive"];
  const { Buckets } = await s3.send(new ListBucketsCommand({}));
  expect(Buckets?.map(({ Name }) => Name)).toEqual([
    "dropbox",
    "google-drive",
    "of-mine",
    "onedrive",
    "sample",
  ]);
  for (const Bucket of drives) {
    await s3.send(new PutObjectCommand({ Bucket, Key: "new/x.txt", Body: "x" }));
    const { Contents } = await s3.send(new ListObjectsV2Command({ Bucket }));
    expect(Contents?.map(({ Key }) => Key)).toEqual(["datasets/train.csv", "new/x.txt", "notes/hello.txt"]);
  }
  s3.destroy();
  // A line of the text is a statement, or a part of one.
  const ask = (wrapper: string) => {
    const printed = new RegExp(`^CREATE EXTENSION IF NOT EXISTS ${wrapper};[^]*?\\nSELECT .*;$`, "m");
    const [statements] = printed.exec(running.output())!;
    return query(running.connections.postgres.url, ...statements.split(/(?<=;)\n/));
  };
  expect(await ask("s3_wrapper")).toEqual([{ filename: "hello.txt" }]);
  const rows = await ask("auth0_wrapper");
  expect(rows.map(({ email }) => email).sort()).toEqual([
    "ada@example.com",
    "edsger@example.com",
    "grace@example.com",
  ]);
  expect(await running.stop()).toBe(0);
});
