import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { openScratch, openScratchPool } from "@overcoat/postgres";
import pg from "pg";
import { expect, test } from "vitest";
import { startPostgres, versions } from "./versions.ts";

test.each(versions)(
  "PostgreSQL %i reads through postgres_fdw, takes extensions, and can be a scratch",
  async (version) => {
    await using postgres = await startPostgres(version);
    const { url, port, extensions } = postgres;
    await writeFile(join(extensions, "sample.control"), "default_version = '1.0'\n");
    await writeFile(join(extensions, "sample--1.0.sql"), "CREATE TABLE from_sample ();\n");
    const client = new pg.Client(url);
    await client.connect();
    try {
      const { rows: told } = await client.query("SHOW server_version_num");
      expect(Math.floor(told[0].server_version_num / 10_000)).toBe(version);
      await client.query(`CREATE EXTENSION sample; CREATE EXTENSION postgres_fdw;
      CREATE TABLE local (id int PRIMARY KEY, name text); INSERT INTO local VALUES (1, 'ä'), (2, 'b');
      CREATE SERVER itself FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '127.0.0.1', port '${port}', dbname 'postgres');
      CREATE USER MAPPING FOR PUBLIC SERVER itself OPTIONS (user 'postgres', password 'postgres');
      CREATE FOREIGN TABLE far (id int, name text) SERVER itself OPTIONS (table_name 'local')`);
      expect((await client.query("SELECT name FROM far WHERE id = 1")).rows).toEqual([{ name: "ä" }]);
      for (const collation of [
        "LC_COLLATE 'C' LC_CTYPE 'C'",
        ...(version >= 15 ? ["LOCALE_PROVIDER icu ICU_LOCALE 'en-US'"] : []),
      ]) {
        await client.query(`CREATE DATABASE other TEMPLATE template0 ${collation}`);
        await client.query("DROP DATABASE other");
      }
    } finally {
      await client.end();
    }
    const { folder, binaries } = postgres;
    await using scratch = await openScratch({ folder, binaries });
    await using pool = openScratchPool({ url: scratch.url, connections: 1 });
    await using session = await pool.session();
    await session.client.query("CREATE TEMP TABLE t AS SELECT i FROM generate_series(1, 10) AS i");
    const { rows: sums } = await session.client.query("SELECT sum(i) FROM t WHERE i % 2 = 0");
    expect(sums).toEqual([{ sum: "30" }]);
    await expect(session.client.query("SELECT pg_sleep(0)")).rejects.toMatchObject({ code: "42501" });
  },
);
