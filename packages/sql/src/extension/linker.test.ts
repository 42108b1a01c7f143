import { execFile } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  type Database,
  type ExampleCluster,
  kinds,
  settings,
  startExampleCluster,
} from "./cluster.testing.ts";

const run = promisify(execFile);
const server = "CREATE SERVER s FOREIGN DATA WRAPPER example_fdw OPTIONS (url 'redis://host/1')";
const table = "CREATE FOREIGN TABLE t (a text, b jsonb) SERVER s OPTIONS (key_prefix 'session:')";

async function optionsOf(database: Database, kind: "server" | "table", name: string) {
  const query =
    kind === "server"
      ? `SELECT srvoptions AS o FROM pg_foreign_server WHERE srvname = '${name}'`
      : `SELECT ftoptions AS o FROM pg_foreign_table WHERE ftrelid = '${name}'::regclass`;
  return pairs((await database.row(query)).o);
}

async function mappingsOf(database: Database): Promise<Record<string, Record<string, string>>> {
  const rows = await database.query(
    "SELECT srvname || ':' || usename AS k, umoptions AS o FROM pg_user_mappings",
  );
  return Object.fromEntries(rows.map(({ k, o }) => [k, pairs(o)]));
}

const pairs = (options: string[] | null): Record<string, string> =>
  Object.fromEntries((options ?? []).map((option) => /^([^=]*)=(.*)$/s.exec(option)!.slice(1)));

/** What libpq's `options` say, as a server splits them: the link comes last. */
function startOptions(options: string): string[] {
  return [...options.matchAll(/(?:\\.|[^ \\])+/gs)].map(([word]) => word.replace(/\\(.)/gs, "$1"));
}

const linkOf = (options: string) =>
  JSON.parse(
    startOptions(options)
      .at(-1)!
      .replace(/^overcoat\.link=/, ""),
  );
const tableLink = async (database: Database, name: string) =>
  JSON.parse((await optionsOf(database, "table", name)).table_name!);

/** The `bin` folder of a pg_dump that is not older than the server, and of its psql. */
function clientPrograms(version: number): string | undefined {
  const installed = "/usr/lib/postgresql";
  const majors = existsSync(installed) ? readdirSync(installed).map(Number) : [];
  const major = majors.sort((a, b) => a - b).find((one) => one >= version);
  const bin = process.env.OVERCOAT_TEST_POSTGRES_CLIENT ?? join(installed, `${major}/bin`);
  return ["pg_dump", "psql"].every((name) => existsSync(join(bin, name))) ? bin : undefined;
}

describe.each(kinds)("the linker (PostgreSQL $version, as a script: $script)", (kind) => {
  let example: ExampleCluster;
  beforeAll(async () => {
    example = await startExampleCluster(kind);
  });
  afterAll(() => example?.[Symbol.asyncDispose]());

  test("gives servers, mappings and tables what postgres_fdw carries", async () => {
    const database = await example.database();
    await database.query([server, table]);
    expect(await optionsOf(database, "server", "s")).toMatchObject({
      url: "redis://host/1",
      host: settings.host,
      port: settings.port,
      use_remote_estimate: "true",
    });
    const { "s:public": mapping } = await mappingsOf(database);
    expect(mapping).toMatchObject({ user: settings.user, password: settings.password });
    expect(linkOf(mapping!.options!)).toEqual({
      wrapper: "example_fdw",
      server: "s",
      options: { url: "redis://host/1" },
    });
    const linked = await optionsOf(database, "table", "t");
    expect(linked).toMatchObject({ key_prefix: "session:", schema_name: "overcoat" });
    const { collation, ...rest } = JSON.parse(linked.table_name!);
    expect(rest).toEqual({
      table: "t",
      options: { key_prefix: "session:" },
      columns: [
        ["a", "text"],
        ["b", "jsonb"],
      ],
    });
    expect(collation).toBe(example.version >= 17 ? undefined : "C.utf8");
    expect(database.notices()).toEqual([]);
  });

  test("leaves what was given", async () => {
    const database = await example.database();
    await database.query([
      `CREATE SERVER s FOREIGN DATA WRAPPER example_fdw
        OPTIONS (url 'u', fetch_size '7', use_remote_estimate 'false', options '-c work_mem=1MB')`,
      "CREATE USER MAPPING FOR PUBLIC SERVER s OPTIONS (user 'me', password 'mine', token 'x')",
      table,
    ]);
    expect(await optionsOf(database, "server", "s")).toMatchObject({
      fetch_size: "7",
      use_remote_estimate: "false",
    });
    const { "s:public": mapping } = await mappingsOf(database);
    expect(mapping).toMatchObject({ user: "me", password: "mine" });
    expect(startOptions(mapping!.options!).slice(0, 2)).toEqual(["-c", "work_mem=1MB"]);
    await database.query("SELECT overcoat.relink()");
    expect((await mappingsOf(database))["s:public"]).toEqual(mapping);
  });

  test.each(["host 'evil.example'", "hostaddr '10.1.1.1'", "service 'evil'", "port '1'"])(
    "a server with an address of its user's own (%s) gets no login",
    async (address) => {
      const database = await example.database();
      await database.query([
        `CREATE SERVER s FOREIGN DATA WRAPPER example_fdw OPTIONS (url 'u', ${address})`,
        table,
      ]);
      expect(await mappingsOf(database)).toEqual({});
      await database.query("CREATE USER MAPPING FOR PUBLIC SERVER s OPTIONS (token 'x')");
      const { "s:public": mapping } = await mappingsOf(database);
      expect(Object.keys(mapping!).sort()).toEqual(["options", "token"]);
    },
  );

  test("a server whose address is changed loses the login", async () => {
    const database = await example.database();
    await database.query([server, table, "ALTER SERVER s OPTIONS (SET host 'evil.example')"]);
    expect(await optionsOf(database, "server", "s")).not.toHaveProperty("port");
    expect(Object.keys((await mappingsOf(database))["s:public"]!)).toEqual(["options"]);
    await database.query("ALTER SERVER s OPTIONS (DROP host)");
    expect(await optionsOf(database, "server", "s")).toMatchObject({
      host: settings.host,
      port: settings.port,
    });
    expect((await mappingsOf(database))["s:public"]).toMatchObject({ user: settings.user });
  });

  test("options survive the way through libpq, whatever they hold", async () => {
    const database = await example.database();
    const url = `a b\\c"d'e\tf\ng é 😀 -c x=y \\\\ \\'`;
    const quoted = `E'${url.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
    await database.query([
      `CREATE SERVER "S ""\\'" FOREIGN DATA WRAPPER example_fdw OPTIONS (url ${quoted})`,
      `CREATE FOREIGN TABLE "T ""\\'" ("c ""\\'" text OPTIONS (field ${quoted})) SERVER "S ""\\'" OPTIONS (key_prefix ${quoted})`,
    ]);
    const [mapping] = Object.values(await mappingsOf(database));
    expect(startOptions(mapping!.options!)).toHaveLength(2);
    expect(linkOf(mapping!.options!)).toMatchObject({ server: `S "\\'`, options: { url } });
    const { name } = await database.row("SELECT ftrelid::regclass::text AS name FROM pg_foreign_table");
    expect(await tableLink(database, name.replaceAll("'", "''"))).toMatchObject({
      table: `T "\\'`,
      options: { key_prefix: url },
      columns: [[`c "\\'`, "text", { field: url }]],
    });
  });

  test("synonyms arrive under the name that they stand for, and a mapping's options win", async () => {
    const database = await example.database();
    await database.query([
      "CREATE SERVER s FOREIGN DATA WRAPPER example_fdw OPTIONS (conn_url 'u', secret 'SERVER')",
      "CREATE USER MAPPING FOR PUBLIC SERVER s OPTIONS (api_key 'k')",
      "CREATE FOREIGN TABLE t (a text OPTIONS (column_name 'A')) SERVER s OPTIONS (src_key 'p')",
    ]);
    expect(linkOf((await mappingsOf(database))["s:public"]!.options!).options).toEqual({
      url: "u",
      token: "k",
    });
    expect(await tableLink(database, "t")).toMatchObject({
      options: { key_prefix: "p" },
      columns: [["A", "text"]],
    });
    await database.query([
      "ALTER SERVER s OPTIONS (DROP secret, ADD token 'k')",
      "ALTER USER MAPPING FOR PUBLIC SERVER s OPTIONS (DROP api_key, ADD secret 'MAPPING')",
    ]);
    expect(linkOf((await mappingsOf(database))["s:public"]!.options!).options).toEqual({
      url: "u",
      secret: "MAPPING",
    });
  });

  test("what is altered and renamed is derived anew", async () => {
    const database = await example.database();
    await database.query([
      server,
      table,
      "ALTER FOREIGN TABLE t RENAME COLUMN b TO payload",
      "ALTER TABLE t RENAME TO sessions",
      "ALTER TABLE sessions ADD COLUMN n numeric(10,2)",
      "ALTER FOREIGN TABLE sessions ALTER COLUMN n TYPE varchar(5)",
      "ALTER FOREIGN TABLE sessions DROP COLUMN a",
      "ALTER FOREIGN TABLE sessions OPTIONS (SET key_prefix 'x')",
      "ALTER SERVER s OPTIONS (SET url 'v')",
      "ALTER SERVER s RENAME TO s2",
    ]);
    expect(await tableLink(database, "sessions")).toMatchObject({
      table: "sessions",
      options: { key_prefix: "x" },
      columns: [
        ["payload", "jsonb"],
        ["n", "character varying(5)"],
      ],
    });
    const { "s2:public": mapping } = await mappingsOf(database);
    expect(linkOf(mapping!.options!)).toMatchObject({ server: "s2", options: { url: "v" } });
  });

  test("columns of types that are not built in travel as what they are made of, or as text", async () => {
    const database = await example.database();
    await database.query([
      "CREATE TYPE mood AS ENUM ('sad', 'glad')",
      "CREATE DOMAIN amount AS numeric(10,2)",
      "CREATE DOMAIN amounts AS amount[]",
      "CREATE TYPE pair AS (x int, y int)",
      server,
      `CREATE FOREIGN TABLE t (m mood, ms mood[], a amount, aa amounts, aaa amount[], p pair, i int[], v varchar(3)[],
        z timestamptz(3)) SERVER s`,
    ]);
    expect((await tableLink(database, "t")).columns).toEqual([
      ["m", "text"],
      ["ms", "text[]"],
      ["a", "numeric(10,2)"],
      ["aa", "numeric(10,2)[]"],
      ["aaa", "numeric(10,2)[]"],
      ["p", "text"],
      ["i", "integer[]"],
      ["v", "character varying(3)[]"],
      ["z", "timestamp(3) with time zone"],
    ]);
    await database.query("DROP TYPE mood CASCADE");
    expect((await tableLink(database, "t")).columns[0]).toEqual(["a", "numeric(10,2)"]);
  });

  test("foreign partitions and heirs follow their parents", async () => {
    const database = await example.database();
    await database.query([
      server,
      "CREATE TABLE p (a text, n int) PARTITION BY LIST (n)",
      "CREATE FOREIGN TABLE p1 PARTITION OF p FOR VALUES IN (1) SERVER s OPTIONS (key_prefix '1')",
      "CREATE FOREIGN TABLE p2 (a text, n int) SERVER s",
      "ALTER TABLE p ATTACH PARTITION p2 FOR VALUES IN (2)",
      "ALTER TABLE p ADD COLUMN d date",
      "ALTER TABLE p RENAME COLUMN n TO number",
      "CREATE TABLE parent (a text)",
      "CREATE TABLE child () INHERITS (parent)",
      "CREATE FOREIGN TABLE grandchild (own int) INHERITS (child) SERVER s",
      "ALTER TABLE parent ADD COLUMN b bytea",
    ]);
    const columns = [
      ["a", "text"],
      ["number", "integer"],
      ["d", "date"],
    ];
    expect((await tableLink(database, "p1")).columns).toEqual(columns);
    expect((await tableLink(database, "p2")).columns).toEqual(columns);
    expect((await tableLink(database, "grandchild")).columns).toEqual([
      ["a", "text"],
      ["own", "integer"],
      ["b", "bytea"],
    ]);
    expect(database.notices()).toEqual([]);
  });

  test("text columns take a collation by code point where the database's is none", async () => {
    const best = example.version >= 17 ? "pg_c_utf8" : "C.utf8";
    const database = await example.database(
      example.version >= 15
        ? "TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'en-US' LOCALE 'C.UTF-8'"
        : "TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C.UTF-8'",
    );
    await database.query([
      server,
      `CREATE FOREIGN TABLE t (a text, v varchar(3), n int, x text[], c text COLLATE "C", d text COLLATE "en-x-icu") SERVER s`,
    ]);
    expect(database.notices()).toEqual([
      expect.stringMatching(/^NOTICE: collation of c, d in public.t is now/),
    ]);
    const collations = async (name: string) =>
      Object.fromEntries(
        (
          await database.query(`SELECT attname, collname FROM pg_attribute JOIN pg_collation c ON c.oid = attcollation
            WHERE attrelid = '${name}'::regclass AND attnum > 0`)
        ).map(({ attname, collname }) => [attname, collname]),
      );
    expect(await collations("t")).toEqual({ a: best, v: best, x: best, c: best, d: best });
    await database.query("ALTER TABLE t ADD COLUMN later text");
    expect(await collations("t")).toMatchObject({ later: best });

    await database.query([
      `CREATE FOREIGN TABLE c (a text COLLATE "C", b text COLLATE "POSIX") SERVER s`,
      "CREATE TABLE p (a text, n int) PARTITION BY LIST (n)",
    ]);
    expect(await tableLink(database, "c")).toMatchObject({ collation: "C" });
    expect(database.notices()).toEqual([]);
    await database.query("CREATE FOREIGN TABLE p1 PARTITION OF p FOR VALUES IN (1) SERVER s");
    expect(database.notices()).toEqual([
      "WARNING: the SQL server compares a in public.p1 otherwise than this database",
    ]);
    expect(await collations("p1")).toEqual({ a: "default" });

    await database.query(
      "CREATE COLLATION ci (PROVIDER = icu, LOCALE = 'und-u-ks-level2', DETERMINISTIC = false)",
    );
    await expect(
      database.query("CREATE FOREIGN TABLE ci (a text COLLATE ci) SERVER s"),
    ).rejects.toMatchObject({
      code: "0A000",
      message: 'column "a" of "public.ci" has a nondeterministic collation',
    });
    await database.query([
      "CREATE VIEW w AS SELECT a FROM t",
      "ALTER FOREIGN TABLE t OPTIONS (ADD key_prefix 'x')",
    ]);
    expect(database.notices()).toEqual([]);
  });

  test("imported tables keep the names that they were imported under", async () => {
    const database = await example.database();
    // The cluster stands for the SQL server: what it is asked for an import is plain SQL.
    const { port, username, password } = new URL(database.url);
    await database.query([
      `UPDATE overcoat.settings SET value = '${port}' WHERE name = 'port'`,
      `UPDATE overcoat.settings SET value = '${username}' WHERE name = 'user'`,
      `UPDATE overcoat.settings SET value = '${decodeURIComponent(password)}' WHERE name = 'password'`,
      "CREATE SCHEMA far",
      'CREATE TABLE far.users (id int, email text COLLATE "C")',
      server,
      `ALTER SERVER s OPTIONS (ADD dbname '${database.name}')`,
      "IMPORT FOREIGN SCHEMA far FROM SERVER s INTO public",
      "ALTER FOREIGN TABLE users RENAME TO people",
      "SELECT overcoat.relink()",
    ]);
    expect(await tableLink(database, "people")).toMatchObject({
      table: "people",
      columns: [
        ["id", "integer"],
        ["email", "text"],
      ],
      remote: ["far", "users"],
    });
    // Imported from a SQL server it would be "C", which cannot be compared with other linked columns.
    const collation = () =>
      database.row(
        "SELECT attcollation::regcollation::text AS c FROM pg_attribute WHERE attname = 'email' AND attrelid = 'people'::regclass",
      );
    expect(await collation()).toEqual({ c: '"default"' });
    expect(Object.keys(await mappingsOf(database))).toEqual(["s:public"]);
    await database.query("ALTER FOREIGN TABLE people OPTIONS (SET schema_name 'other', SET table_name 'x')");
    expect(await tableLink(database, "people")).toMatchObject({ remote: ["other", "x"] });
  });

  test("relink brings a new address and login to its own servers only", async () => {
    const database = await example.database();
    await database.query([
      server,
      table,
      "CREATE SERVER own FOREIGN DATA WRAPPER example_fdw OPTIONS (url 'u', host 'other.example')",
      "CREATE USER MAPPING FOR PUBLIC SERVER own OPTIONS (user 'me', password 'mine')",
      "CREATE FOREIGN TABLE o (a text) SERVER own",
      "UPDATE overcoat.settings SET value = '54331' WHERE name = 'port'",
      "UPDATE overcoat.settings SET value = 'new' WHERE name = 'password'",
      "UPDATE overcoat.settings SET value = 'other' WHERE name = 'user'",
      "INSERT INTO overcoat.settings VALUES ('sslmode', 'verify-full')",
      "SELECT overcoat.relink()",
    ]);
    expect(await optionsOf(database, "server", "s")).toMatchObject({ port: "54331", sslmode: "verify-full" });
    expect(await optionsOf(database, "server", "own")).not.toHaveProperty("port");
    const mappings = await mappingsOf(database);
    expect(mappings["s:public"]).toMatchObject({ user: "other", password: "new" });
    expect(mappings["own:public"]).toMatchObject({ user: "me", password: "mine" });
    await database.query(["DELETE FROM overcoat.settings", "SELECT overcoat.relink()"]);
    expect(await optionsOf(database, "server", "s")).toMatchObject({ port: "54331", sslmode: "verify-full" });
    expect((await mappingsOf(database))["s:public"]).toMatchObject({ user: "other", password: "new" });
  });

  test("warns and lets the statement be where it cannot link", async () => {
    const database = await example.database();
    await database.query(["DELETE FROM overcoat.settings", server, table]);
    expect(database.notices()).toEqual([
      'WARNING: no SQL server is known here that could answer for server "s"',
    ]);
    await database.query([
      "ALTER TABLE overcoat.settings RENAME TO gone",
      "CREATE SERVER s2 FOREIGN DATA WRAPPER example_fdw OPTIONS (url 'u')",
    ]);
    expect(database.notices()).toEqual([
      expect.stringMatching(/^WARNING: server s2 is not linked.*settings/),
    ]);
    expect(await optionsOf(database, "server", "s2")).toEqual({ url: "u" });
  });

  test("other wrappers, tables and their statements are none of its concern", async () => {
    const database = await example.database();
    await database.query([
      "CREATE EXTENSION postgres_fdw",
      "CREATE SERVER stock FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host 'h')",
      "CREATE USER MAPPING FOR PUBLIC SERVER stock",
      "CREATE FOREIGN TABLE t (a text) SERVER stock",
      "ALTER TABLE t ADD COLUMN b int",
      "SELECT overcoat.relink()",
    ]);
    expect(await optionsOf(database, "server", "stock")).toEqual({ host: "h" });
    expect(await optionsOf(database, "table", "t")).toEqual({});
  });

  const bin = clientPrograms(kind.version);
  test.skipIf(bin === undefined)("dump and restore", async () => {
    const database = await example.database();
    await database.query([
      server,
      "CREATE SERVER own FOREIGN DATA WRAPPER example_fdw OPTIONS (url 'u', host 'other.example')",
      table,
      "CREATE USER MAPPING FOR postgres SERVER s OPTIONS (token 'k')",
      "CREATE VIEW v AS SELECT a FROM t WHERE b IS NOT NULL",
      "CREATE TABLE p (a text, n int) PARTITION BY LIST (n)",
      "CREATE FOREIGN TABLE p1 PARTITION OF p FOR VALUES IN (1) SERVER s OPTIONS (key_prefix '1')",
    ]);
    const before = [
      await optionsOf(database, "server", "s"),
      await optionsOf(database, "table", "p1"),
      await mappingsOf(database),
    ];
    const dump = await run(join(bin!, "pg_dump"), ["--dbname", database.url], { maxBuffer: 1 << 24 });
    const restored = await example.database();
    await restored.query(
      kind.script
        ? ["DROP SCHEMA overcoat CASCADE", "DROP FOREIGN DATA WRAPPER IF EXISTS example_fdw CASCADE"]
        : "DROP EXTENSION overcoat CASCADE",
    );
    // What only newer servers and clients know.
    const sql = dump.stdout.replace(/^(\\(un)?restrict|SET transaction_timeout).*$/gm, "");
    const load = run(join(bin!, "psql"), ["--dbname", restored.url, "-v", "ON_ERROR_STOP=1", "-q"]);
    load.child.stdin!.end(sql);
    await load;
    expect([
      await optionsOf(restored, "server", "s"),
      await optionsOf(restored, "table", "p1"),
      await mappingsOf(restored),
    ]).toEqual(before);
  });
});
