import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { auth0, redis, s3 } from "@overcoat/sources";
import { extensionFiles } from "@overcoat/sql";
import type pg from "pg";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { RedisClient } from "../../../packages/sources/src/redis/server.testing.ts";
import { versions } from "../../postgres/versions.ts";
import { type Stack, startStack } from "../stack.ts";
import { answers, extensions, type Services, secrets, startServices, tables } from "./services.ts";

let services: Services;
let inRedis: RedisClient;
beforeAll(async () => {
  services = await startServices();
  inRedis = await services.redis.client();
}, 120_000);
afterAll(() => services?.[Symbol.asyncDispose]());

describe.each(versions)("PostgreSQL %i", (version) => {
  let stack: Stack;
  let client: pg.Client;
  let told: string[];
  beforeAll(async () => {
    stack = await startStack({ version, secrets });
    const { client } = await stack.database();
    await client.query("CREATE ROLE plain; CREATE ROLE other");
  }, 120_000);
  afterAll(() => stack?.[Symbol.asyncDispose]());

  /** A database with the documented statements. */
  beforeEach(async () => {
    await inRedis.del([...(await inRedis.keys("event:*")), ...(await inRedis.keys("thing:*")), "none"]);
    ({ client } = await stack.database());
    told = [];
    client.on("notice", ({ severity, message }) => told.push(`${severity}: ${message}`));
    await client.query(extensions);
    expect(told.splice(0)).toEqual(
      ["redis", "auth0", "s3"].map((name) => `NOTICE: extension "${name}_wrapper" already exists, skipping`),
    );
    await client.query(services.servers);
    await client.query(tables);
  });

  const rows = async (text: string) => (await client.query({ text, rowMode: "array" })).rows;
  const expectAnswers = async () => {
    for (const [query, expected] of Object.entries(answers))
      expect(await rows(query), query).toEqual(expected);
  };

  test("the documented statements make tables that answer", async () => {
    await expectAnswers();
    expect(told).toEqual([]);
  });

  test("tables are altered", async () => {
    await client.query(`
      CREATE SCHEMA elsewhere;
      CREATE VIEW users AS SELECT session_id, payload->>'user' AS who FROM redis_sessions;
      CREATE FUNCTION who(id text) RETURNS text LANGUAGE sql AS 'SELECT who FROM public.users WHERE session_id = id';
      ALTER FOREIGN TABLE redis_sessions RENAME TO sessions;
      ALTER TABLE sessions RENAME COLUMN payload TO content;
      ALTER FOREIGN TABLE sessions RENAME session_id TO id;
      ALTER FOREIGN TABLE sessions SET SCHEMA elsewhere;
      ALTER SCHEMA elsewhere RENAME TO "Else where";
      ALTER FOREIGN TABLE "Else where".sessions OWNER TO plain;
      ALTER FOREIGN TABLE "Else where".sessions ALTER COLUMN content SET NOT NULL, ALTER COLUMN content SET DEFAULT '{}',
        ALTER COLUMN content SET STATISTICS 10, ADD CONSTRAINT named CHECK (id <> '')`);
    expect(await rows(`SELECT id, content->>'user' FROM "Else where".sessions WHERE id = 'b'`)).toEqual([
      ["b", "auth0|2"],
    ]);
    expect(await rows("SELECT who('a')")).toEqual([["auth0|1"]]);
    await client.query('PREPARE ids AS SELECT id FROM "Else where".sessions ORDER BY 1');
    expect(await rows("EXECUTE ids")).toEqual([["a"], ["b"]]);
    await client.query(`
      ALTER TABLE "Else where".sessions ADD COLUMN expires_at timestamptz, ADD COLUMN ttl interval;
      INSERT INTO "Else where".sessions (id, ttl) VALUES ('c', '100 seconds')`);
    expect(await inRedis.get("session:c")).toBe("{}");
    expect(await inRedis.ttl("session:c")).toBeGreaterThan(90);
    expect(
      await rows(`SELECT ttl > '90 s', expires_at > now() FROM "Else where".sessions WHERE id = 'c'`),
    ).toEqual([[true, true]]);
    await inRedis.del("session:c");
    await client.query(`
      DROP VIEW users;
      ALTER TABLE "Else where".sessions DROP COLUMN ttl, DROP COLUMN expires_at CASCADE, DROP CONSTRAINT named;
      ALTER FOREIGN TABLE "Else where".sessions ALTER COLUMN content DROP NOT NULL, ALTER COLUMN content TYPE text,
        ALTER COLUMN content DROP DEFAULT`);
    expect(await rows(`SELECT * FROM "Else where".sessions WHERE content LIKE '%|1%'`)).toEqual([
      ["a", '{"user": "auth0|1"}'],
    ]);
    await client.query(`ALTER FOREIGN TABLE "Else where".sessions OPTIONS (SET key_prefix 'cart:')`);
    expect(await rows("EXECUTE ids")).toEqual([["x"]]);
    await client.query(`ALTER FOREIGN TABLE "Else where".sessions ALTER COLUMN content TYPE integer`);
    expect(await rows(`SELECT id, content + 1 FROM "Else where".sessions`)).toEqual([["x", 6]]);
    await client.query(`
      ALTER FOREIGN TABLE "Else where".sessions OPTIONS (DROP key_prefix, ADD type 'hash', ADD key 'user:1');
      ALTER FOREIGN TABLE "Else where".sessions ALTER COLUMN id OPTIONS (ADD role 'field'), ALTER content TYPE varchar,
        ALTER content OPTIONS (ADD role 'value')`);
    expect(await rows(`SELECT * FROM "Else where".sessions ORDER BY id`)).toEqual([
      ["city", "Paris"],
      ["name", "Ann"],
    ]);
    await client.query("DISCARD ALL");
    expect(told).toEqual([]);
  });

  test("servers and user mappings are altered", async () => {
    await client.query(`
      ALTER SERVER redis_server RENAME TO "Redis, too";
      ALTER SERVER "Redis, too" OWNER TO CURRENT_USER;
      ALTER SERVER "Redis, too" VERSION '8';
      ALTER SERVER "Redis, too" OPTIONS (ADD timeout '5', SET fetch_size '1');
      ALTER SERVER s3_server OPTIONS (DROP access_key_id, DROP secret)`);
    await expect(rows("SELECT * FROM s3_files")).rejects.toMatchObject({ code: "42501" });
    await client.query(`
      CREATE USER MAPPING FOR CURRENT_USER SERVER s3_server OPTIONS (access_key_id 'test-access', secret 'S3');
      ALTER SERVER auth0_server OPTIONS (DROP client_id, DROP secret);
      ALTER USER MAPPING FOR PUBLIC SERVER auth0_server OPTIONS (ADD client_id 'app', ADD secret 'AUTH0')`);
    await expectAnswers();
    await client.query("ALTER SERVER \"Redis, too\" OPTIONS (SET url 'redis://127.0.0.1:1')");
    await expect(rows("SELECT * FROM redis_sessions")).rejects.toMatchObject({
      code: expect.stringMatching(/^08/),
    });
    await client.query(`ALTER SERVER "Redis, too" OPTIONS (SET url '${services.redis.url}')`);
    await client.query('DROP USER MAPPING FOR PUBLIC SERVER "Redis, too"');
    await expect(rows("SELECT * FROM redis_sessions")).rejects.toMatchObject({ code: "42704" });
    await client.query("SELECT overcoat.relink()");
    await expectAnswers();
    expect(told).toEqual([]);
  });

  test("foreign tables are partitions", async () => {
    await client.query(`
      CREATE TABLE events (kind text COLLATE "C" NOT NULL, id text COLLATE "C", value jsonb) PARTITION BY LIST (kind);
      CREATE TABLE local PARTITION OF events FOR VALUES IN ('local');
      CREATE FOREIGN TABLE far PARTITION OF events FOR VALUES IN ('far')
        SERVER redis_server OPTIONS (type 'hash', key_prefix 'event:');
      ALTER FOREIGN TABLE far ALTER id OPTIONS (ADD role 'key');
      INSERT INTO events VALUES ('local', '1', '1'), ('far', '2', '{"a": 2}'), ('far', '3', '[3]')`);
    expect(await inRedis.hGetAll("event:2")).toEqual({ kind: "far", value: '{"a": 2}' });
    expect(await rows("SELECT id, value FROM events WHERE kind = 'far' ORDER BY id")).toEqual([
      ["2", { a: 2 }],
      ["3", [3]],
    ]);
    expect(await rows("SELECT tableoid::regclass::text, count(*) FROM events GROUP BY 1 ORDER BY 1")).toEqual(
      [
        ["far", "2"],
        ["local", "1"],
      ],
    );
    await client.query(`
      UPDATE events SET value = '{}' WHERE id = '2';
      DELETE FROM events WHERE id = '3';
      UPDATE events SET kind = 'far' WHERE kind = 'local' AND id = '1';
      ALTER TABLE events ADD COLUMN note text COLLATE "C" DEFAULT 'new', DROP COLUMN value;
      ALTER TABLE events RENAME COLUMN id TO key`);
    await client.query("INSERT INTO events VALUES ('far', '4')");
    expect(await inRedis.hGetAll("event:4")).toEqual({ kind: "far", note: "new" });
    expect(await rows("SELECT key, note FROM events ORDER BY 1")).toEqual([
      ["1", null],
      ["2", null],
      ["4", "new"],
    ]);
    await client.query(`
      ALTER TABLE events ALTER COLUMN note TYPE varchar(10) COLLATE "C";
      ALTER TABLE events DETACH PARTITION far;
      ALTER TABLE far RENAME COLUMN note TO remark;
      ALTER TABLE far RENAME COLUMN remark TO note`);
    expect(await rows("SELECT count(*) FROM events")).toEqual([["0"]]);
    expect(await rows("SELECT count(*) FROM far")).toEqual([["3"]]);
    await client.query("ALTER TABLE events ATTACH PARTITION far FOR VALUES IN ('far')");
    expect(await rows("SELECT count(*) FROM events WHERE kind = 'far'")).toEqual([["3"]]);
    await client.query("TRUNCATE far; DROP TABLE events");
    expect(await inRedis.keys("event:*")).toEqual([]);
    expect(told).toEqual([]);
  });

  test("foreign tables are heirs", async () => {
    await client.query(`
      CREATE TABLE things (id text COLLATE "C");
      CREATE TABLE kinds (kind text COLLATE "C");
      INSERT INTO things VALUES ('own');
      CREATE FOREIGN TABLE carts (value integer) INHERITS (things, kinds) SERVER redis_server
        OPTIONS (type 'hash', key_prefix 'thing:');
      ALTER FOREIGN TABLE carts ALTER id OPTIONS (ADD role 'key');
      INSERT INTO carts VALUES ('y', 'k', 7);
      ALTER TABLE things ADD COLUMN size bigint`);
    await client.query("UPDATE things SET size = 3 WHERE id = 'y'");
    expect(await inRedis.hGetAll("thing:y")).toEqual({ kind: "k", value: "7", size: "3" });
    expect(await rows("SELECT id, size FROM things ORDER BY id")).toEqual([
      ["own", null],
      ["y", "3"],
    ]);
    await client.query(`
      ALTER TABLE kinds RENAME COLUMN kind TO sort;
      ALTER TABLE carts NO INHERIT kinds;
      ALTER TABLE things DROP COLUMN size;
      DELETE FROM things`);
    expect(await rows("SELECT id, sort, value FROM carts")).toEqual([]);
    await client.query("DROP TABLE things CASCADE");
    expect(told).toEqual(["NOTICE: drop cascades to foreign table carts"]);
  });

  test("columns follow their types", async () => {
    await client.query(`
      CREATE TYPE town AS ENUM ('Paris', 'Rome');
      CREATE DOMAIN label AS varchar(20);
      CREATE FOREIGN TABLE people (id text OPTIONS (role 'key'), city town, name label, first label)
        SERVER redis_server OPTIONS (type 'hash', key_prefix 'user:');
      ALTER FOREIGN TABLE people ALTER first OPTIONS (field 'name')`);
    expect(await rows("SELECT * FROM people WHERE city = 'Paris'")).toEqual([["1", "Paris", "Ann", "Ann"]]);
    await client.query(`
      ALTER TYPE town RENAME TO city;
      ALTER TYPE city RENAME VALUE 'Rome' TO 'Roma';
      ALTER TYPE city ADD VALUE 'Oslo';
      ALTER DOMAIN label ADD CHECK (VALUE <> '');
      ALTER DOMAIN label RENAME TO tag`);
    expect(await rows("SELECT * FROM people")).toEqual([["1", "Paris", "Ann", "Ann"]]);
    await client.query("DROP TYPE city CASCADE; CREATE SCHEMA own; CREATE DOMAIN own.d AS int");
    expect(await rows("SELECT * FROM people")).toEqual([["1", "Ann", "Ann"]]);
    await client.query(
      "ALTER TABLE people ADD COLUMN age own.d; DROP SCHEMA own CASCADE; DROP DOMAIN tag CASCADE",
    );
    expect(await rows("SELECT * FROM people")).toEqual([["1"]]);
  });

  test("schemas are imported", async () => {
    const imported = (schema: string) =>
      rows(`SELECT relname FROM pg_class WHERE relnamespace = '${schema}'::regnamespace ORDER BY 1`).then(
        (found) => found.flat(),
      );
    await client.query(`
      CREATE SCHEMA a; CREATE SCHEMA b; CREATE SCHEMA c; CREATE SCHEMA d;
      IMPORT FOREIGN SCHEMA redis FROM SERVER redis_server INTO a;
      IMPORT FOREIGN SCHEMA redis LIMIT TO (cart, user_hash, absent) FROM SERVER redis_server INTO b
        OPTIONS (import_collate 'false', import_default 'true', import_not_null 'false');
      IMPORT FOREIGN SCHEMA auth0 EXCEPT (users) FROM SERVER auth0_server INTO c;
      IMPORT FOREIGN SCHEMA auth0 LIMIT TO (users) FROM SERVER auth0_server INTO b;
      IMPORT FOREIGN SCHEMA datasets FROM SERVER s3_server INTO d`);
    expect(await imported("a")).toEqual(["cart", "session", "user_hash"]);
    expect(await imported("b")).toEqual(["cart", "user_hash", "users"]);
    expect(await imported("c")).toEqual(expect.arrayContaining(["organizations", "roles"]));
    expect(await imported("c")).not.toContain("users");
    expect(await imported("d")).toEqual(["datasets", "sales.csv"]);
    for (const schema of "ab")
      expect(await rows(`SELECT key, name FROM ${schema}.user_hash WHERE name = 'Ann'`)).toEqual([
        ["1", "Ann"],
      ]);
    expect(await rows("SELECT count(*) FROM a.session JOIN b.users ON user_id = value->>'user'")).toEqual([
      ["2"],
    ]);
    expect(await rows("SELECT count(*) FROM c.roles")).toEqual([["0"]]);
    expect(await rows('SELECT sum(amount) FROM d."sales.csv"')).toEqual([["4.00"]]);
    expect(await rows("SELECT filename FROM d.datasets ORDER BY 1 DESC")).toEqual([
      ["sales.csv"],
      ["readme.txt"],
    ]);
    await client.query(`
      ALTER FOREIGN TABLE a.session RENAME TO cart2;
      ALTER FOREIGN TABLE a.cart2 SET SCHEMA b;
      ALTER FOREIGN TABLE d."sales.csv" RENAME TO sales;
      ALTER FOREIGN TABLE b.users RENAME TO people;
      SELECT overcoat.relink()`);
    expect(await rows("SELECT key FROM b.cart2 ORDER BY 1")).toEqual([["a"], ["b"]]);
    expect(await rows("SELECT count(*) FROM d.sales")).toEqual([["2"]]);
    expect(await rows("SELECT email FROM b.people ORDER BY 1")).toEqual([
      ["ann@example.com"],
      ["bob@example.com"],
    ]);
    for (const [schema, server] of [
      ["nowhere", "redis"],
      ["nowhere", "auth0"],
      ["nowhere", "s3"],
    ])
      await expect(
        client.query(`IMPORT FOREIGN SCHEMA ${schema} FROM SERVER ${server}_server INTO a`),
      ).rejects.toMatchObject({ code: expect.stringMatching(/^(HV00Q|3F000|42P01|HV00R)$/) });
    await expect(
      client.query("IMPORT FOREIGN SCHEMA redis LIMIT TO (cart) FROM SERVER redis_server INTO a"),
    ).rejects.toMatchObject({ code: "42P07" });
    await expectAnswers();
    expect(told).toEqual([]);
  });

  test("rights are granted and revoked", async () => {
    await client.query(`
      GRANT SELECT (session_id), UPDATE ON redis_sessions TO plain;
      CREATE VIEW open_users AS SELECT email FROM auth0_users;
      GRANT SELECT ON open_users TO plain;
      GRANT USAGE ON FOREIGN SERVER s3_server TO plain;
      GRANT CREATE ON SCHEMA public TO plain;
      SET ROLE plain;
      CREATE FOREIGN TABLE mine (filename text, size bigint) SERVER s3_server`);
    expect(await rows("SELECT session_id FROM redis_sessions ORDER BY 1")).toEqual([["a"], ["b"]]);
    await expect(client.query("SELECT payload FROM redis_sessions")).rejects.toMatchObject({ code: "42501" });
    expect(await rows("SELECT * FROM open_users ORDER BY 1")).toEqual([
      ["ann@example.com"],
      ["bob@example.com"],
    ]);
    await expect(client.query("SELECT * FROM auth0_users")).rejects.toMatchObject({ code: "42501" });
    expect(await rows("SELECT sum(size) FROM mine")).toEqual([["31"]]);
    await expect(client.query("CREATE FOREIGN TABLE no (a text) SERVER redis_server")).rejects.toMatchObject({
      code: "42501",
    });
    await expect(client.query("ALTER SERVER s3_server OPTIONS (SET bucket 'x')")).rejects.toMatchObject({
      code: "42501",
    });
    await client.query("RESET ROLE; REVOKE ALL ON redis_sessions FROM plain; SET ROLE plain");
    await expect(client.query("SELECT session_id FROM redis_sessions")).rejects.toMatchObject({
      code: "42501",
    });
    await client.query("RESET ROLE; REASSIGN OWNED BY plain TO other; DROP OWNED BY plain");
    expect(await rows("SELECT relowner::regrole::text FROM pg_class WHERE relname = 'mine'")).toEqual([
      ["other"],
    ]);
    expect(await rows("SELECT sum(size) FROM mine")).toEqual([["31"]]);
    expect(told).toEqual([]);
  });

  test("what was changed behind the linker's back is linked again", async () => {
    await client.query(`
      ALTER EVENT TRIGGER overcoat_link DISABLE;
      CREATE FOREIGN TABLE carts (id text, value integer) SERVER redis_server OPTIONS (key_prefix 'none:');
      ALTER FOREIGN TABLE carts RENAME value TO amount;
      ALTER FOREIGN TABLE carts OPTIONS (SET key_prefix 'cart:');
      ALTER SERVER s3_server RENAME TO s3_other`);
    await expect(rows("SELECT * FROM carts")).rejects.toThrow();
    await client.query("ALTER EVENT TRIGGER overcoat_link ENABLE; SELECT overcoat.relink()");
    expect(await rows("SELECT id, amount FROM carts")).toEqual([["x", 5]]);
    await client.query(`
      SET session_replication_role = replica;
      ALTER FOREIGN TABLE carts ALTER COLUMN amount TYPE text, ADD COLUMN ttl interval;
      CREATE SERVER late FOREIGN DATA WRAPPER redis_fdw OPTIONS (url '${services.redis.url}');
      CREATE FOREIGN TABLE late (id text, value jsonb) SERVER late OPTIONS (key_prefix 'cart:');
      RESET session_replication_role`);
    await client.query("SELECT overcoat.relink()");
    expect(await rows("SELECT * FROM carts")).toEqual([["x", "5", null]]);
    expect(await rows("SELECT * FROM late")).toEqual([["x", 5]]);
    await expectAnswers();
    const options = () =>
      rows("SELECT srvoptions FROM pg_foreign_server UNION ALL SELECT ftoptions FROM pg_foreign_table");
    const before = await options();
    await client.query("SELECT overcoat.relink()");
    expect(await options()).toEqual(before);
    expect(told).toEqual([]);
  });

  test("statements are undone with their transaction", async () => {
    await client.query(`
      BEGIN;
      ALTER FOREIGN TABLE redis_sessions RENAME TO gone;
      SAVEPOINT s;
      ALTER FOREIGN TABLE gone OPTIONS (SET key_prefix 'cart:')`);
    expect(await rows("SELECT session_id FROM gone")).toEqual([["x"]]);
    await client.query("ROLLBACK TO s");
    expect(await rows("SELECT session_id FROM gone ORDER BY 1")).toEqual([["a"], ["b"]]);
    await client.query("DROP SERVER s3_server CASCADE; DROP EXTENSION auth0_wrapper CASCADE; ROLLBACK");
    for (const change of ["ADD COLUMN ttl interval", "RENAME TO sessions", "RENAME payload TO content"]) {
      // Rows that wait for the commit would be missed.
      await client.query("BEGIN; INSERT INTO redis_sessions VALUES ('new', '1')");
      await client.query(`ALTER FOREIGN TABLE redis_sessions ${change}`);
      const table = change.startsWith("RENAME TO") ? "sessions" : "redis_sessions";
      await expect(client.query(`UPDATE ${table} SET session_id = 'n'`)).rejects.toMatchObject({
        code: "55006",
      });
      await client.query("ROLLBACK");
    }
    await expectAnswers();
  });

  test("servers and extensions are dropped with what needs them", async () => {
    await client.query("CREATE VIEW v AS SELECT * FROM redis_sessions");
    for (const statement of [
      "DROP SERVER redis_server",
      "DROP EXTENSION s3_wrapper",
      "DROP EXTENSION overcoat",
    ])
      await expect(client.query(statement)).rejects.toMatchObject({ code: "2BP01" });
    await client.query("DROP SERVER redis_server CASCADE");
    expect(await rows("SELECT to_regclass('redis_sessions'), to_regclass('v')")).toEqual([[null, null]]);
    await client.query("DROP EXTENSION s3_wrapper CASCADE; CREATE EXTENSION s3_wrapper");
    await client.query("DROP EXTENSION overcoat CASCADE");
    expect(
      await rows(`SELECT count(*) FROM pg_foreign_data_wrapper UNION ALL SELECT count(*) FROM pg_event_trigger
        UNION ALL SELECT count(*) FROM pg_user_mapping UNION ALL SELECT count(*) FROM pg_foreign_table
        UNION ALL SELECT count(*) FROM pg_namespace WHERE nspname = 'overcoat'`),
    ).toEqual([["0"], ["0"], ["0"], ["0"], ["0"]]);
    await client.query(
      "CREATE EXTENSION redis_wrapper CASCADE; CREATE EXTENSION auth0_wrapper; CREATE EXTENSION s3_wrapper",
    );
    await stack.settle(client);
    await client.query(services.servers + tables);
    await expectAnswers();
  });

  test("extensions are updated under tables in use", async () => {
    const sources = [redis, auth0, s3];
    // An older version that had no overcoat.explain yet, and knew fewer options.
    for (const { name, text } of extensionFiles(sources, { version: "0.9", older: [] }))
      if (name.endsWith(".sql"))
        await writeFile(
          join(stack.postgres.extensions, name),
          text
            .replace(/-- What each service would be asked[\s\S]*/, "")
            .replace('"on_conflict":"on_conflict",', ""),
        );
    for (const { name, text } of extensionFiles(sources, { version: "1.0", older: ["0.9"] }))
      await writeFile(join(stack.postgres.extensions, name), text);
    ({ client } = await stack.emptyDatabase());
    await client.query("CREATE EXTENSION overcoat VERSION '0.9'");
    await stack.settle(client);
    for (const { name } of sources) await client.query(`CREATE EXTENSION ${name}_wrapper VERSION '0.9'`);
    await client.query(services.servers + tables);
    await expect(rows("SELECT * FROM overcoat.explain('SELECT 1')")).rejects.toMatchObject({ code: "42883" });
    const replace = "ALTER FOREIGN TABLE redis_sessions OPTIONS (ADD on_conflict 'replace')";
    await expect(client.query(replace)).rejects.toMatchObject({ code: "HV00D" });
    await expectAnswers();
    for (const name of ["overcoat", ...sources.map((source) => `${source.name}_wrapper`)])
      await client.query(`ALTER EXTENSION ${name} UPDATE`);
    expect(await rows("SELECT DISTINCT extversion FROM pg_extension WHERE extname <> 'plpgsql'")).toEqual([
      ["1.0"],
    ]);
    await expectAnswers();
    expect(
      await rows(
        "SELECT * FROM overcoat.explain($$SELECT payload FROM redis_sessions WHERE session_id = 'a'$$)",
      ),
    ).toEqual([["redis_server", expect.stringMatching(/GET session:a/)]]);
    await client.query(`${replace}; INSERT INTO redis_sessions VALUES ('a', '{"user": "auth0|1"}')`);
    await client.query(
      "ALTER FOREIGN TABLE redis_sessions RENAME session_id TO id; DROP EXTENSION overcoat CASCADE",
    );
    expect(await rows("SELECT extname FROM pg_extension")).toEqual([["plpgsql"]]);
  });
});
