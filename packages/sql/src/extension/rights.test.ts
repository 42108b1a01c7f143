import pg from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  type Database,
  type ExampleCluster,
  kinds,
  settings,
  startExampleCluster,
} from "./cluster.testing.ts";

const server = "CREATE SERVER s FOREIGN DATA WRAPPER example_fdw OPTIONS (url 'u')";

describe.each(kinds.filter(({ version }) => version === 18 || version === 14))(
  "a plain user (PostgreSQL $version, as a script: $script)",
  (kind) => {
    let example: ExampleCluster;
    let database: Database;
    beforeAll(async () => {
      example = await startExampleCluster(kind);
    });
    afterAll(() => example?.[Symbol.asyncDispose]());

    /** A user who may make servers and tables, and one who may use the server of another. */
    async function prepare(): Promise<void> {
      database = await example.database();
      await database.query([
        "DO $$ BEGIN CREATE ROLE mallory; CREATE ROLE reader; EXCEPTION WHEN duplicate_object THEN END $$",
        "GRANT USAGE ON FOREIGN DATA WRAPPER example_fdw TO mallory",
        `GRANT CREATE ON DATABASE ${database.name} TO mallory`,
        "CREATE SCHEMA AUTHORIZATION mallory",
        "GRANT CREATE ON SCHEMA public TO reader",
      ]);
    }
    const superusers = async () =>
      (await database.query("SELECT rolname FROM pg_roles WHERE rolsuper ORDER BY 1")).map(
        ({ rolname }) => rolname,
      );

    test("links servers, mappings and tables of its own, and tables on servers of others", async () => {
      await prepare();
      await database.query([server, "CREATE FOREIGN TABLE mallory.t (a text) SERVER s"], "mallory");
      await database.query("GRANT USAGE ON FOREIGN SERVER s TO reader", "mallory");
      await database.query("CREATE FOREIGN TABLE u (a text) SERVER s", "reader");
      const { password } = await database.row(
        "SELECT option_value AS password FROM pg_user_mapping, pg_options_to_table(umoptions) WHERE option_name = 'password'",
      );
      expect(password).toBe(settings.password);
      expect(database.notices()).toEqual([]);
      const owners = await database.query(
        "SELECT DISTINCT relowner::regrole::text AS owner FROM pg_foreign_table JOIN pg_class c ON c.oid = ftrelid ORDER BY 1",
      );
      expect(owners).toEqual([{ owner: "mallory" }, { owner: "reader" }]);
    });

    test("reads neither the settings nor a mapping of another's server", async () => {
      await prepare();
      await database.query([
        server,
        "CREATE FOREIGN TABLE t (a text) SERVER s",
        "GRANT USAGE ON FOREIGN SERVER s TO reader",
      ]);
      await expect(database.query("SELECT * FROM overcoat.settings", "reader")).rejects.toMatchObject({
        code: "42501",
      });
      expect(await database.query("SELECT umoptions FROM pg_user_mappings", "reader")).toEqual([
        { umoptions: null },
      ]);
      await database.query("GRANT SELECT ON overcoat.settings TO reader");
      expect(await database.query("SELECT * FROM overcoat.settings", "reader")).toEqual([]);
      for (const call of ["relink", "link_command", "link_dropped", "ready_import"])
        await expect(database.query(`SELECT overcoat.${call}()`, "reader")).rejects.toMatchObject({
          code: expect.stringMatching(/^(42501|0A000)$/),
        });
    });

    test("does not see the linker's statements, whatever it sets", async () => {
      await prepare();
      await database.query([server, "GRANT USAGE ON FOREIGN SERVER s TO reader"]);
      const client = new pg.Client(database.url);
      let told = "";
      client.on("notice", ({ message, detail }) => {
        told += `${message} ${detail}\n`;
      });
      await client.connect();
      try {
        for (const statement of [
          "SET SESSION AUTHORIZATION reader",
          "SET debug_print_parse = on",
          "SET debug_print_rewritten = on",
          "SET debug_print_plan = on",
          "SET client_min_messages = debug5",
          "CREATE FOREIGN TABLE u (a text) SERVER s",
        ])
          await client.query(statement);
      } finally {
        await client.end();
      }
      expect(told).toContain("parse tree");
      expect(told).not.toContain("overcoat.link=");
      const { options } = await database.row("SELECT umoptions::text AS options FROM pg_user_mapping");
      expect(options).toContain("overcoat.link=");
    });

    test("sees no login when the linker is cancelled", async () => {
      await prepare();
      await database.query(server);
      await database.query("GRANT USAGE ON FOREIGN SERVER s TO reader");
      await database.query("CREATE USER MAPPING FOR reader SERVER s", "reader");
      const other = new pg.Client(database.url);
      await other.connect();
      try {
        // What the linker is about to change waits for this transaction.
        await other.query("BEGIN; ALTER USER MAPPING FOR reader SERVER s OPTIONS (SET password 'x')");
        const error = await database
          .query(["SET statement_timeout = 300", "ALTER SERVER s OPTIONS (SET url 'v')"])
          .catch((error) => error);
        expect(error.code).toBe("57014");
        expect(`${error.message} ${error.where} ${error.detail}`).not.toContain("overcoat.link=");
      } finally {
        await other.end();
        await database.query("RESET statement_timeout");
      }
    });

    test("cannot connect without a password, nor name certificates", async () => {
      await prepare();
      await database.query(server, "mallory");
      for (const options of ["password_required 'false'", "sslcert '/etc/x'", "sslkey '/etc/x'"])
        await expect(
          database.query(
            `CREATE USER MAPPING FOR mallory SERVER s OPTIONS (user 'postgres', ${options})`,
            "mallory",
          ),
        ).rejects.toMatchObject({ code: "42501" });
      await database.query("CREATE USER MAPPING FOR mallory SERVER s", "mallory");
      await expect(
        database.query(
          "ALTER USER MAPPING FOR mallory SERVER s OPTIONS (ADD password_required 'false')",
          "mallory",
        ),
      ).rejects.toMatchObject({ code: "42501" });
    });

    test("cannot mark an address of its own as the linker's to get the login sent there", async () => {
      await prepare();
      await database.query(
        [
          `CREATE SERVER s FOREIGN DATA WRAPPER example_fdw
          OPTIONS (url 'u', host 'evil.example', linked '{"host": "evil.example"}')`,
          "CREATE FOREIGN TABLE mallory.t (a text) SERVER s",
        ],
        "mallory",
      );
      const { hosts } = await database.row(
        "SELECT array_agg(option_value) AS hosts FROM pg_foreign_server, pg_options_to_table(srvoptions) WHERE option_name = 'host'",
      );
      expect(hosts).toEqual([settings.host]);
    });

    test("cannot link what it may use to anything else", async () => {
      await prepare();
      await database.query([
        `${server.replace("'u'", "'u', options '-c overcoat.link={}'")}`,
        "GRANT USAGE ON FOREIGN SERVER s TO reader",
      ]);
      await database.query(
        [
          'CREATE USER MAPPING FOR reader SERVER s OPTIONS (options \'-c overcoat.link={"wrapper":"other"}\')',
          `CREATE FOREIGN TABLE u (a text) SERVER s OPTIONS (schema_name 'overcoat',
          table_name '{"table":"u","options":{"key_prefix":"other"},"columns":[]}')`,
        ],
        "reader",
      );
      const { link, options } = await database.row(
        "SELECT umoptions::text AS link, ftoptions::text AS options FROM pg_user_mapping, pg_foreign_table",
      );
      expect(link.split("overcoat.link=").at(-1)).toContain("example_fdw");
      expect(options).not.toContain("other");
    });

    test.each([
      ["functions, operators and types", "mallory, pg_catalog", []],
      [
        "temporary tables",
        "pg_temp, pg_catalog",
        [
          "CREATE TEMP TABLE pg_foreign_server (oid oid, srvname name, srvfdw oid, srvoptions text[])",
          "CREATE TEMP TABLE pg_user_mapping (oid oid, umuser oid, umserver oid, umoptions text[])",
        ],
      ],
    ])("gains nothing by %s of its own", async (_, path, tables) => {
      await prepare();
      const trap = `ALTER ROLE mallory SUPERUSER`;
      await database.query(
        [
          `CREATE FUNCTION mallory.trap() RETURNS boolean LANGUAGE plpgsql AS $$
          BEGIN
            EXECUTE '${trap}';
            RETURN true;
          EXCEPTION WHEN insufficient_privilege THEN RETURN true;
          END $$`,
          ...["format(text, text)", "quote_ident(text)", "jsonb_each(jsonb)", "options(text[])"].map(
            (name) =>
              `CREATE FUNCTION mallory.${name} RETURNS text LANGUAGE sql AS 'SELECT mallory.trap()::text'`,
          ),
          ...[
            ["=", "name", "text"],
            ["||", "text", "text"],
            ["->>", "jsonb", "text"],
            ["?", "jsonb", "text"],
          ].flatMap(([operator, left, right], i) => [
            `CREATE FUNCTION mallory.o${i}(${left}, ${right}) RETURNS boolean LANGUAGE sql AS 'SELECT mallory.trap()'`,
            `CREATE OPERATOR mallory.${operator} (LEFTARG = ${left}, RIGHTARG = ${right}, FUNCTION = mallory.o${i})`,
          ]),
          ...tables,
          "CREATE DOMAIN mallory.checked AS text CHECK (mallory.trap())",
          `SET search_path = ${path}`,
          server,
          "CREATE USER MAPPING FOR mallory SERVER s OPTIONS (token 't')",
          `CREATE FOREIGN TABLE mallory.t (
          a mallory.checked DEFAULT mallory.trap()::text,
          b text DEFAULT mallory.trap()::text CHECK (mallory.trap()),
          c text COLLATE "POSIX"
        ) SERVER s`,
          "ALTER FOREIGN TABLE mallory.t ADD COLUMN d mallory.checked DEFAULT 'x'",
          "ALTER SERVER s OPTIONS (SET url 'v')",
        ],
        "mallory",
      );
      expect(await superusers()).toEqual(["postgres"]);
      expect(database.notices()).toEqual([expect.stringMatching(/^NOTICE: collation of c/)]);
      await database.query(["RESET search_path", "SELECT overcoat.relink()"]);
      expect(await superusers()).toEqual(["postgres"]);
    });

    test("gains nothing by names and options that look like SQL", async () => {
      await prepare();
      const evil = `x"; ALTER ROLE mallory SUPERUSER; --`;
      const name = `"${evil.replaceAll('"', '""')}"`;
      const value = `E'\\\\''; ALTER ROLE mallory SUPERUSER; --'`;
      await database.query(
        [
          "SET standard_conforming_strings = off",
          "SET quote_all_identifiers = on",
          `CREATE SCHEMA ${name}`,
          `CREATE TYPE mallory.${name} AS ENUM ('a')`,
          `CREATE SERVER ${name} FOREIGN DATA WRAPPER example_fdw OPTIONS (url ${value}, options ${value})`,
          `CREATE USER MAPPING FOR mallory SERVER ${name} OPTIONS (token ${value})`,
          `CREATE FOREIGN TABLE ${name}.${name} (${name} text OPTIONS (field ${value}) COLLATE "POSIX", e mallory.${name})
          SERVER ${name} OPTIONS (key_prefix ${value}, table_name ${value})`,
          `ALTER FOREIGN TABLE ${name}.${name} RENAME ${name} TO y`,
          `ALTER SERVER ${name} RENAME TO ${name.replace("x", "z")}`,
          "RESET standard_conforming_strings",
          "RESET quote_all_identifiers",
        ],
        "mallory",
      );
      expect(await superusers()).toEqual(["postgres"]);
      const { linked } = await database.row(
        "SELECT option_value::json #>> '{columns,0,0}' AS linked FROM pg_foreign_table, pg_options_to_table(ftoptions) WHERE option_name = 'table_name'",
      );
      expect(linked).toBe("y");
      expect(database.notices().filter((notice) => notice.startsWith("WARNING: server"))).toEqual([]);
    });

    test("explain runs with the rights of who asks", async () => {
      await prepare();
      await database.query("CREATE TABLE hidden (a int)");
      await expect(
        database.query("SELECT * FROM overcoat.explain('SELECT * FROM public.hidden')", "mallory"),
      ).rejects.toMatchObject({ code: "42501" });
      await expect(
        database.query("SELECT * FROM overcoat.explain('SELECT 1; ALTER ROLE mallory SUPERUSER')", "mallory"),
      ).rejects.toMatchObject({ code: "42501" });
      expect(await superusers()).toEqual(["postgres"]);
    });
  },
);
