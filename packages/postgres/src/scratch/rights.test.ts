import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Cluster, startCluster } from "../cluster/cluster.ts";
import { makeScratchDatabase } from "./rights.ts";

let folder: string;
let cluster: Cluster;
let owner: pg.Client;
let role: pg.Client;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "rights-"));
  cluster = await startCluster({
    folder,
    port: 0,
    superuser: "owner",
    password: "secret",
    settings: { fsync: "off" },
  });
  await makeScratchDatabase(cluster.url, "pass'word", 2);
  const at = (user: string, password: string) =>
    new pg.Client({ host: "127.0.0.1", port: cluster.port, database: "scratch", user, password });
  owner = at("owner", "secret");
  role = at("scratch", "pass'word");
  await Promise.all([owner.connect(), role.connect()]);
});
afterAll(async () => {
  await Promise.all([owner?.end(), role?.end()]);
  await cluster?.stop();
  await rm(folder, { recursive: true, force: true });
});

test("the statements that postgres_fdw sends work on a temporary table", async () => {
  await role.query(
    `CREATE TEMP TABLE t (id int, name text COLLATE pg_c_utf8, amount numeric(10, 2), at timestamptz, data jsonb)`,
  );
  await role.query(
    `INSERT INTO t VALUES (1, 'Ärger', 1.5, '2026-01-02 03:04:05+00', '{"a": [1]}'), (2, 'b', NULL, NULL, NULL)`,
  );
  const { rows } = await role.query(
    `SELECT count(*), sum(amount), string_agg(upper(name), ',' ORDER BY name), array_agg(id ORDER BY id), max(at)
     FROM t WHERE ((name ~~ 'Ä%'::text)) OR ((data @> '{"a": []}'::jsonb)) OR ((id = ANY ('{1,2}'::integer[])))`,
  );
  expect(rows[0]).toMatchObject({ count: "2", sum: "1.50", string_agg: "B,ÄRGER", array_agg: [1, 2] });
  await role.query("SELECT ctid, id FROM t WHERE (pg_catalog.random() < 2) FOR UPDATE");
  await role.query("EXPLAIN SELECT NULL FROM t WHERE ((id = ((SELECT null::integer)::integer)))");
  const updated = await role.query(
    "UPDATE t SET amount = (amount * 2::numeric) WHERE ((id = 1)) RETURNING amount",
  );
  expect(updated.rows).toEqual([{ amount: "3.00" }]);
  await role.query("DELETE FROM t WHERE ((lower(name) = 'b'::text))");
  await role.query("DISCARD ALL");
});

test("of all functions, the role may run the immutable ones and random()", async () => {
  const { rows } = await owner.query(
    `SELECT oid::regprocedure::text AS name FROM pg_proc
     WHERE provolatile <> 'i' AND has_function_privilege('scratch', oid, 'EXECUTE')`,
  );
  expect(rows).toEqual([{ name: "random()" }]);
  const { rows: immutable } = await owner.query(
    `SELECT oid::regprocedure::text AS name FROM pg_proc
     WHERE provolatile = 'i' AND NOT has_function_privilege('scratch', oid, 'EXECUTE')`,
  );
  expect(immutable).toEqual([]);
});

test("the role may read no table and no view, and has no right in any database or schema but to temporary tables", async () => {
  const { rows } = await owner.query(
    `SELECT oid::regclass::text AS name FROM pg_class
     WHERE relkind IN ('r', 'v', 'm', 'p', 'f') AND relpersistence <> 't'
       AND (has_table_privilege('scratch', oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER')
         OR has_any_column_privilege('scratch', oid, 'SELECT, INSERT, UPDATE, REFERENCES'))`,
  );
  expect(rows).toEqual([]);
  const { rows: databases } = await owner.query(
    `SELECT datname, has_database_privilege('scratch', datname, 'CONNECT') AS connect,
       has_database_privilege('scratch', datname, 'CREATE') AS create FROM pg_database WHERE datname <> 'template0' ORDER BY 1`,
  );
  expect(databases).toEqual([
    { datname: "postgres", connect: false, create: false },
    { datname: "scratch", connect: true, create: false },
    { datname: "template1", connect: false, create: false },
  ]);
  const { rows: schemas } = await owner.query(
    `SELECT nspname FROM pg_namespace
     WHERE has_schema_privilege('scratch', oid, 'CREATE') AND NOT nspname ~ '^pg_(toast_)?temp_'`,
  );
  expect(schemas).toEqual([]);
});

test.each([
  "SELECT pg_sleep(1)",
  "SELECT pg_read_file('/etc/passwd')",
  "SELECT pg_ls_dir('.')",
  "SELECT lo_create(0)",
  "SELECT lo_import('/etc/passwd')",
  "SELECT set_config('statement_timeout', '0', false)",
  "SELECT current_setting('data_directory')",
  "SELECT pg_terminate_backend(1)",
  "SELECT pg_cancel_backend(1)",
  "SELECT pg_advisory_lock(1)",
  "SELECT pg_notify('a', 'b')",
  "SELECT query_to_xml('SELECT 1', true, false, '')",
  "SELECT ts_stat('SELECT 1')",
  "SELECT nextval('x'::regclass)",
  "SELECT version()",
  "SELECT * FROM pg_stat_activity",
  "SELECT * FROM pg_class",
  "SELECT * FROM pg_settings",
  "SELECT * FROM information_schema.tables",
  "UPDATE pg_settings SET setting = 'x'",
  "COPY (SELECT 1) TO '/tmp/overcoat-rights-test'",
  "COPY (SELECT 1) TO PROGRAM 'true'",
  "CREATE TABLE t (id int)",
  "CREATE TABLE pg_catalog.t (id int)",
  "CREATE SCHEMA s",
  "CREATE DATABASE d",
  "CREATE ROLE r",
  "CREATE EXTENSION plpgsql",
  "CREATE EXTENSION dblink",
  "DO $$ BEGIN END $$",
  "CREATE FUNCTION pg_temp.f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
  "CREATE FUNCTION pg_temp.f() RETURNS int LANGUAGE internal AS 'pg_backend_pid'",
  "CREATE FOREIGN DATA WRAPPER w",
  "ALTER SYSTEM SET fsync = on",
  "SET ROLE owner",
  "SET SESSION AUTHORIZATION owner",
  "SET temp_file_limit = -1",
  "CHECKPOINT",
  "BEGIN; LOCK TABLE pg_catalog.pg_class",
])("refused: %s", async (statement) => {
  await expect(role.query(statement).finally(() => role.query("ROLLBACK"))).rejects.toMatchObject({
    code: expect.stringMatching(/^(42501|0A000|42P01|42704|3F000)$/),
  });
});
