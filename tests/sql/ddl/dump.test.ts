import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type pg from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { versions } from "../../postgres/versions.ts";
import { type Stack, type StackDatabase, startStack } from "../stack.ts";
import { clientsFor } from "./clients.ts";
import { answers, extensions, type Services, secrets, startServices, tables } from "./services.ts";

let services: Services;
let newest: Stack;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "overcoat-dump-"));
  services = await startServices();
  newest = await startStack({ version: 18, secrets });
}, 120_000);
afterAll(async () => {
  await newest?.[Symbol.asyncDispose]();
  await services?.[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

const rowsOf = async (client: pg.Client, text: string) =>
  (await client.query({ text, rowMode: "array" })).rows;

/** What a database holds beside the documented tables, with all that refers to them. */
const others = `
  CREATE SERVER "other Redis" FOREIGN DATA WRAPPER redis_fdw OPTIONS (url '@url@', fetch_size '7');
  CREATE USER MAPPING FOR dump_reader SERVER "other Redis" OPTIONS (user 'overcoat', password 'only for this test');
  CREATE USER MAPPING FOR CURRENT_USER SERVER "other Redis" OPTIONS (username 'default', auth_password '');
  CREATE SCHEMA "Mixed Case";
  CREATE FOREIGN TABLE "Mixed Case"."Küchen'tisch" ("Id" text OPTIONS (role 'key'), name varchar(20) NOT NULL, city text)
    SERVER "other Redis" OPTIONS (type 'hash', key_prefix 'user:');
  CREATE DOMAIN amount AS numeric(10,2) CHECK (VALUE >= 0);
  CREATE FOREIGN TABLE sales (id integer, amount amount) SERVER s3_server
    OPTIONS (format 'csv', uri 's3://datasets/sales.csv');
  CREATE SCHEMA imported;
  IMPORT FOREIGN SCHEMA redis LIMIT TO (cart) FROM SERVER redis_server INTO imported;
  ALTER FOREIGN TABLE imported.cart RENAME TO basket;

  CREATE TABLE events (kind text COLLATE "C", id integer) PARTITION BY LIST (kind);
  CREATE TABLE events_local PARTITION OF events FOR VALUES IN ('local');
  INSERT INTO events VALUES ('local', 1);
  CREATE TABLE things (id text COLLATE "C");
  INSERT INTO things VALUES ('own');
  CREATE FOREIGN TABLE things_redis (value jsonb) INHERITS (things) SERVER redis_server OPTIONS (key_prefix 'cart:');

  CREATE VIEW sessions_of_users AS
    SELECT session_id, email FROM redis_sessions JOIN auth0_users ON user_id = payload->>'user';
  CREATE MATERIALIZED VIEW files AS SELECT filename, (metadata->>'size')::int AS size FROM s3_files;
  CREATE UNIQUE INDEX ON files (filename);
  CREATE FUNCTION email_of(session text) RETURNS text LANGUAGE sql STABLE
    AS 'SELECT email FROM public.sessions_of_users WHERE session_id = session';
  CREATE FUNCTION total() RETURNS numeric LANGUAGE plpgsql
    AS 'BEGIN RETURN (SELECT sum(amount) FROM public.sales); END';
  CREATE FUNCTION logged() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
  CREATE TRIGGER logged BEFORE INSERT ON redis_sessions FOR EACH ROW EXECUTE FUNCTION logged();
  COMMENT ON FOREIGN TABLE redis_sessions IS 'in Redis';
  COMMENT ON SERVER s3_server IS 'objects';
  GRANT USAGE ON FOREIGN SERVER "other Redis" TO dump_reader;
  GRANT USAGE ON FOREIGN DATA WRAPPER s3_fdw TO dump_reader;
  GRANT USAGE ON SCHEMA "Mixed Case" TO dump_reader;
  GRANT SELECT ON redis_sessions, "Mixed Case"."Küchen'tisch", sessions_of_users TO dump_reader;
  ALTER FOREIGN TABLE s3_files OWNER TO dump_owner;
  ALTER SERVER s3_server OWNER TO dump_owner;
`;

const otherAnswers: Readonly<Record<string, unknown>> = {
  'SELECT "Id", name, city FROM "Mixed Case"."Küchen\'tisch"': [["1", "Ann", "Paris"]],
  "SELECT sum(amount), max(id) FROM sales": [["4.00", 2]],
  "SELECT * FROM imported.basket": [["x", "5"]],
  "SELECT * FROM events": [["local", 1]],
  "SELECT tableoid::regclass::text, id FROM things ORDER BY id": [
    ["things", "own"],
    ["things_redis", "x"],
  ],
  "SELECT * FROM sessions_of_users ORDER BY 1": [
    ["a", "ann@example.com"],
    ["b", "bob@example.com"],
  ],
  "SELECT * FROM files ORDER BY 1": [
    ["readme.txt", 7],
    ["sales.csv", 24],
  ],
  "SELECT email_of('b'), total()": [["bob@example.com", "4.00"]],
};

const sorted = (options: string) => `ARRAY(SELECT unnest(${options}) ORDER BY 1)`;
/** What the catalog says of foreign objects. */
const catalog = [
  `SELECT srvname, srvowner::regrole::text, srvacl::text, ${sorted("srvoptions")} FROM pg_foreign_server ORDER BY 1`,
  `SELECT srvname, usename, ${sorted("umoptions")} FROM pg_user_mappings ORDER BY 1, 2`,
  `SELECT ftrelid::regclass::text, relowner::regrole::text, relacl::text, ${sorted("ftoptions")}
    FROM pg_foreign_table JOIN pg_class c ON c.oid = ftrelid ORDER BY 1`,
  `SELECT attrelid::regclass::text, attname, atttypid::regtype::text, attnotnull, attislocal, attfdwoptions,
    attcollation::regcollation::text
    FROM pg_attribute JOIN pg_foreign_table ON ftrelid = attrelid WHERE attnum > 0 AND NOT attisdropped ORDER BY 1, attnum`,
  "SELECT extname, extversion FROM pg_extension ORDER BY 1",
  "SELECT evtname, evtenabled FROM pg_event_trigger ORDER BY 1",
];
const catalogOf = async (client: pg.Client) => {
  const facts: unknown[] = [];
  for (const query of catalog) facts.push(await rowsOf(client, query));
  return facts;
};

async function expectAnswers({ client }: StackDatabase): Promise<void> {
  for (const [query, rows] of Object.entries({ ...answers, ...otherAnswers }))
    expect(await rowsOf(client, query), query).toEqual(rows);
  await client.query("REFRESH MATERIALIZED VIEW CONCURRENTLY files");
  await client.query("SET ROLE dump_reader");
  expect(await rowsOf(client, `SELECT "Id" FROM "Mixed Case"."Küchen'tisch"`)).toEqual([["1"]]);
  await expect(client.query("SELECT * FROM s3_files")).rejects.toMatchObject({ code: "42501" });
  await client.query("RESET ROLE");
}

const roles = `DO $$ BEGIN
  CREATE ROLE dump_reader; CREATE ROLE dump_owner;
EXCEPTION WHEN duplicate_object THEN END $$`;

describe.each(versions)("PostgreSQL %i", (version) => {
  let stack: Stack;
  let source: StackDatabase;
  let text: string;
  let archive: string;
  beforeAll(async () => {
    stack = version === 18 ? newest : await startStack({ version, secrets });
    source = await stack.database();
    await source.client.query(roles);
    await (await newest.emptyDatabase()).client.query(roles);
    await source.client.query(extensions + services.servers + tables);
    await source.client.query(others.replace("@url@", services.redis.url));
    const clients = await clientsFor(version);
    text = join(folder, `${version}.sql`);
    archive = join(folder, `${version}.dump`);
    await writeFile(text, await clients.run("pg_dump", ["--dbname", source.url]));
    await clients.run("pg_dump", ["--dbname", source.url, "--format", "custom", "--file", archive]);
  }, 120_000);
  afterAll(() => (stack === newest ? undefined : stack?.[Symbol.asyncDispose]()));

  test("the tables answer", () => expectAnswers(source));

  test("a dump as SQL is restored", async () => {
    const restored = await stack.emptyDatabase();
    const { run } = await clientsFor(version);
    await run("psql", [
      "--dbname",
      restored.url,
      "-q",
      "-o",
      "/dev/null",
      "-v",
      "ON_ERROR_STOP=1",
      "-f",
      text,
    ]);
    expect(await catalogOf(restored.client)).toEqual(await catalogOf(source.client));
    await expectAnswers(restored);
    expect(await rowsOf(restored.client, "SELECT * FROM overcoat.settings")).toEqual([]);
    await stack.settle(restored.client);
    await restored.client.query("SELECT overcoat.relink()");
    expect(await catalogOf(restored.client)).toEqual(await catalogOf(source.client));
  });

  test("a dump as an archive is restored, in parallel, and again over what is there", async () => {
    const restored = await stack.emptyDatabase();
    const { run } = await clientsFor(version);
    const restore = (...args: string[]) =>
      run("pg_restore", ["--dbname", restored.url, "--exit-on-error", ...args, archive]);
    await restore("--jobs", "2");
    expect(await catalogOf(restored.client)).toEqual(await catalogOf(source.client));
    await restore("--clean", "--if-exists", "--single-transaction");
    expect(await catalogOf(restored.client)).toEqual(await catalogOf(source.client));
    await expectAnswers(restored);
  });

  test.skipIf(version === 18)(
    "a dump is restored in PostgreSQL 18 and linked to its SQL server",
    async () => {
      const restored = await newest.emptyDatabase();
      const { run } = await clientsFor(18);
      await run("pg_restore", ["--dbname", restored.url, "--exit-on-error", archive]);
      await expectAnswers(restored);
      await newest.settle(restored.client);
      await restored.client.query("SELECT overcoat.relink()");
      const [[port]] = (await rowsOf(
        restored.client,
        "SELECT value FROM overcoat.settings WHERE name = 'port'",
      )) as [[string]];
      const servers = await rowsOf(restored.client, "SELECT srvoptions FROM pg_foreign_server");
      for (const [options] of servers) expect(options).toContain(`port=${port}`);
      await expectAnswers(restored);
    },
  );

  test("a dump of the schema alone, without owners and rights, is restored", async () => {
    const restored = await stack.emptyDatabase();
    const { run } = await clientsFor(version);
    await run("pg_restore", [
      "--dbname",
      restored.url,
      "--exit-on-error",
      "--schema-only",
      "--no-owner",
      "--no-acl",
      archive,
    ]);
    for (const [query, rows] of Object.entries(answers))
      expect(await rowsOf(restored.client, query), query).toEqual(rows);
  });
});
