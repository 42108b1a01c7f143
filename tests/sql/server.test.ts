import { execFileSync } from "node:child_process";
import { chmod, readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { SqlError } from "@overcoat/sources";
import {
  type LinkedServer,
  type LinkedTable,
  openSqlServer,
  type SqlServer,
  type SqlServerOptions,
} from "@overcoat/sql";
import pg from "pg";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { startPostgres, type TestPostgres, versions } from "../postgres/versions.ts";
import { type MemoryService, memoryService, memorySource } from "./memory-source.ts";

const login = { user: "overcoat", password: "sesame" };
let postgres: TestPostgres;
let server: SqlServer;
let service: MemoryService;
let client: pg.Client;

beforeEach(async () => {
  await client?.end();
  await server?.close();
  service = memoryService();
  server = await open();
  client = new pg.Client(postgres.url);
  await client.connect();
  await client.query(`
    DROP SCHEMA IF EXISTS test CASCADE; CREATE SCHEMA test; SET search_path = test, public;
    CREATE EXTENSION IF NOT EXISTS postgres_fdw SCHEMA public;
    DROP SERVER IF EXISTS memory CASCADE;
    CREATE SERVER memory FOREIGN DATA WRAPPER postgres_fdw
      OPTIONS (host '127.0.0.1', port '${server.addresses[0]!.port}', dbname 'overcoat',
        options ${literal(linked())});
    CREATE USER MAPPING FOR PUBLIC SERVER memory
      OPTIONS (user '${login.user}', password '${login.password}');
  `);
});

function open(options: Partial<SqlServerOptions> = {}): Promise<SqlServer> {
  return openSqlServer({
    listen: [{ host: "127.0.0.1", port: 0 }],
    logins: [login],
    sources: [memorySource(service)],
    secrets: () => undefined,
    scratch: { session: () => Promise.reject(new SqlError("0A000", "no scratch database in this test")) },
    log: () => undefined,
    ...options,
  });
}

const literal = (text: string) => pg.escapeLiteral(text);

/** libpq's `options` for a server. */
function linked(options: Record<string, string> = { address: "127.0.0.1:1" }): string {
  const link: LinkedServer = { wrapper: "memory_fdw", server: "memory", options };
  return `-c overcoat.link=${JSON.stringify(link).replace(/[\\\s]/g, "\\$&")}`;
}

/** Declares a foreign table of text columns, or of those given. */
async function table(
  name: string,
  options: Record<string, string> = {},
  columns: readonly [string, string][] = [
    ["id", "text"],
    ["n", "integer"],
    ["note", "text"],
  ],
  foreign = "",
): Promise<void> {
  const text: LinkedTable = { table: name, options, columns };
  await client.query(`
    CREATE FOREIGN TABLE test.${name} (${columns.map((column) => column.join(" ")).join(", ")}) SERVER memory
      OPTIONS (schema_name 'overcoat', table_name ${literal(JSON.stringify(text))} ${foreign})`);
}

/** Fills a table of the service. */
function fill(name: string, count: number): void {
  const rows = Array.from({ length: count }, (_, i): [string, string[]] => [
    `k${i}`,
    [`k${i}`, String(i), `note ${i}`],
  ]);
  service.tables.set(name, new Map(rows));
}

const rowsOf = async (sql: string) => (await client.query({ text: sql, rowMode: "array" })).rows;

describe.each(versions)("PostgreSQL %i", (version) => {
  beforeAll(async () => {
    postgres = await startPostgres(version);
  });

  afterAll(async () => {
    await client?.end();
    await server?.close();
    await postgres?.[Symbol.asyncDispose]();
  });

  test("a SELECT reads by key, with a filter that is left to the server, and all rows in batches", async () => {
    fill("things", 1234);
    await table("things");
    expect(await rowsOf("SELECT * FROM things WHERE id = 'k7'")).toEqual([["k7", 7, "note 7"]]);
    expect(service.requests).toEqual(["get things k7"]);
    expect(await rowsOf("SELECT n FROM things WHERE n BETWEEN 10 AND 12 ORDER BY n DESC")).toEqual([
      [12],
      [11],
      [10],
    ]);
    expect(await rowsOf("SELECT count(*) FROM things")).toEqual([["1234"]]);
    expect(await rowsOf("SELECT count(*) FROM (SELECT DISTINCT id FROM things) x")).toEqual([["1234"]]);
  });

  test("cursors interleave, see the rows as they were declared, and can be left", async () => {
    fill("things", 1000);
    await table("things");
    await client.query("BEGIN");
    await client.query(
      "DECLARE a CURSOR FOR SELECT n FROM things; DECLARE b CURSOR FOR SELECT id FROM things",
    );
    expect(await rowsOf("FETCH 2 FROM a")).toEqual([[0], [1]]);
    expect(await rowsOf("FETCH 1 FROM b")).toEqual([["k0"]]);
    await client.query("UPDATE things SET n = -1 WHERE id = 'k500'");
    expect(await rowsOf("SELECT n FROM things WHERE id = 'k500'")).toEqual([[-1]]);
    await client.query("MOVE 498 FROM a");
    expect(await rowsOf("FETCH 1 FROM a")).toEqual([[500]]);
    expect(await rowsOf("FETCH 1 FROM b")).toEqual([["k1"]]);
    await client.query("COMMIT");
    expect(service.tables.get("things")!.get("k500")![1]).toBe("-1");
  });

  test("rows are inserted, updated and deleted at COMMIT, and not at ROLLBACK", async () => {
    fill("things", 3);
    await table("things");
    await client.query("BEGIN");
    expect(
      await rowsOf("INSERT INTO things VALUES ('new', 9, NULL), ('more', 8, 'x') RETURNING id, n"),
    ).toEqual([
      ["new", 9],
      ["more", 8],
    ]);
    await client.query("CREATE TEMP TABLE picked AS SELECT 'k1' AS id, 11 AS value");
    expect(
      await rowsOf(
        "UPDATE things SET n = value FROM picked WHERE things.id = picked.id RETURNING things.id, n",
      ),
    ).toEqual([["k1", 11]]);
    expect(
      await rowsOf(
        "DELETE FROM things USING picked WHERE things.id = 'k2' AND random() >= 0 RETURNING note, n",
      ),
    ).toEqual([["note 2", 2]]);
    expect((await rowsOf("SELECT id, n FROM things")).toSorted()).toEqual([
      ["k0", 0],
      ["k1", 11],
      ["more", 8],
      ["new", 9],
    ]);
    expect(service.commits).toEqual([]);
    await client.query("COMMIT");
    expect([...service.tables.get("things")!.values()].toSorted()).toEqual([
      ["k0", "0", "note 0"],
      ["k1", "11", "note 1"],
      ["more", "8", "x"],
      ["new", "9", null],
    ]);
    await client.query("BEGIN; DELETE FROM things; ROLLBACK; TRUNCATE things");
    expect(service.tables.get("things")!.size).toBe(0);
  });

  test("savepoints are undone with what was written after them", async () => {
    fill("things", 2);
    await table("things");
    await client.query(
      "BEGIN; INSERT INTO things VALUES ('a', 1, NULL); SAVEPOINT one; INSERT INTO things VALUES ('b', 2, NULL)",
    );
    await expect(client.query("INSERT INTO things VALUES ('k0', 0, NULL)")).rejects.toMatchObject({
      code: "23505",
      detail: expect.stringContaining("(k0)"),
    });
    await client.query("ROLLBACK TO one; INSERT INTO things VALUES ('c', 3, NULL)");
    expect((await rowsOf("SELECT id FROM things")).flat().toSorted()).toEqual(["a", "c", "k0", "k1"]);
    await client.query("COMMIT");
    expect([...service.tables.get("things")!.keys()].toSorted()).toEqual(["a", "c", "k0", "k1"]);
  });

  test("a conflict and a commit that stops in the middle are told, and the session goes on", async () => {
    fill("things", 3);
    await table("things");
    await client.query("BEGIN; UPDATE things SET n = 5 WHERE id = 'k1'");
    service.tables.get("things")!.get("k1")![1] = "77";
    await expect(client.query("COMMIT")).rejects.toMatchObject({ code: "40001" });
    expect(await rowsOf("SELECT n FROM things WHERE id = 'k1'")).toEqual([[77]]);
    service.failure = {
      after: 1,
      error: new SqlError("58030", "the service has stopped", { detail: "1 of 2 changes were applied." }),
    };
    await expect(
      client.query("INSERT INTO things VALUES ('a', 1, NULL), ('b', 1, NULL)"),
    ).rejects.toMatchObject({
      code: "58030",
      detail: "1 of 2 changes were applied.",
    });
    expect(await rowsOf("SELECT id FROM things WHERE id = 'a'")).toEqual([["a"]]);
  });

  test("ON CONFLICT DO NOTHING, tables that replace, keys that the service gives, and batches", async () => {
    fill("things", 2);
    await table("things", {}, undefined, ", batch_size '100'");
    await client.query(
      "INSERT INTO things SELECT 'k' || i, 100 + i, NULL FROM generate_series(0, 249) i ON CONFLICT DO NOTHING",
    );
    expect(service.tables.get("things")!.size).toBe(250);
    expect(service.tables.get("things")!.get("k1")![1]).toBe("1");
    await table("replacing", { name: "things", replace: "1" });
    await client.query("INSERT INTO replacing VALUES ('k1', 101, NULL)");
    expect(service.tables.get("things")!.get("k1")![1]).toBe("101");
    await table("assigned", { assigned: "1" });
    expect(await rowsOf("INSERT INTO assigned (n) VALUES (1) RETURNING id")).toEqual([[null]]);
    expect(await rowsOf("SELECT * FROM assigned")).toEqual([["assigned-0", 1, null]]);
  });

  test("a table that is only read, and a transaction that only reads, refuse changes", async () => {
    await table("things", { readonly: "1" });
    for (const sql of [
      "INSERT INTO things VALUES ('a')",
      "UPDATE things SET n = 1",
      "DELETE FROM things",
      "TRUNCATE things",
    ])
      await expect(client.query(sql)).rejects.toMatchObject({ code: "42809" });
  });

  test("ANALYZE and IMPORT FOREIGN SCHEMA", async () => {
    fill("things", 60_000);
    await table("things");
    await client.query("ANALYZE things");
    expect(await rowsOf("SELECT reltuples FROM pg_class WHERE relname = 'things'")).toEqual([[60_000]]);
    fill("other", 3);
    await client.query("IMPORT FOREIGN SCHEMA memory LIMIT TO (other) FROM SERVER memory INTO test");
    expect(await rowsOf("SELECT * FROM other WHERE n = 2")).toEqual([["k2", 2]]);
    await client.query("UPDATE other SET n = 4 WHERE id = 'k2'");
    expect(service.tables.get("other")!.get("k2")![1]).toBe("4");
    await expect(
      client.query("IMPORT FOREIGN SCHEMA nothing FROM SERVER memory INTO test"),
    ).rejects.toMatchObject({ code: "HV00Q" });
  });

  test("a statement that is cancelled, or takes too long, reaches the service, and the session goes on", async () => {
    fill("things", 10_000);
    await table("things");
    service.delay = 20;
    await client.query("SET statement_timeout = 150");
    await expect(client.query("SELECT id FROM things")).rejects.toMatchObject({
      code: "57014",
    });
    await sleep(50);
    expect(service.signals.at(-1)!.aborted).toBe(true);
    await client.query("SET statement_timeout = 0");
    service.delay = 0;
    expect(await rowsOf("SELECT n FROM things WHERE id = 'k1'")).toEqual([[1]]);
    service.hangs = "scan";
    await client.query("SET statement_timeout = 150");
    await expect(client.query("SELECT id FROM things")).rejects.toMatchObject({
      code: "57014",
    });
    service.hangs = undefined;
    expect(await rowsOf("SELECT n FROM things WHERE id = 'k1'")).toEqual([[1]]);
  });

  test("over TLS, with SCRAM bound to the certificate, for a user who is no superuser", async () => {
    const [key, cert] = [join(postgres.folder, "key.pem"), join(postgres.folder, "cert.pem")];
    execFileSync(
      "openssl",
      [
        ...["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"],
        ...["-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", cert],
      ],
      { stdio: "ignore" },
    );
    await chmod(postgres.folder, 0o755);
    const secured = await open({ tls: { key: await readFile(key), cert: await readFile(cert) } });
    try {
      fill("things", 10_000);
      await client.query(`
        DROP SERVER memory CASCADE;
        CREATE SERVER memory FOREIGN DATA WRAPPER postgres_fdw
          OPTIONS (host 'localhost', hostaddr '127.0.0.1', port '${secured.addresses[0]!.port}', dbname 'overcoat',
            sslmode 'verify-full', sslrootcert ${literal(cert)}, channel_binding 'require',
            ${version >= 18 ? "min_protocol_version '3.2', max_protocol_version '3.2'," : ""}
            options ${literal(linked())});
        CREATE USER MAPPING FOR PUBLIC SERVER memory
          OPTIONS (user '${login.user}', password '${login.password}');
        DROP ROLE IF EXISTS reader;
        CREATE ROLE reader LOGIN PASSWORD 'reader'`);
      await table("things");
      await client.query("GRANT USAGE ON SCHEMA test TO reader; GRANT SELECT ON test.things TO reader");
      const url = new URL(postgres.url);
      [url.username, url.password] = ["reader", "reader"];
      const reader = new pg.Client(url.href);
      await reader.connect();
      try {
        expect((await reader.query("SELECT n FROM test.things WHERE id = 'k1'")).rows).toEqual([{ n: 1 }]);
        service.hangs = "scan";
        await reader.query("SET statement_timeout = 100");
        await expect(reader.query("SELECT id FROM test.things")).rejects.toMatchObject({ code: "57014" });
        service.hangs = undefined;
        expect((await reader.query("SELECT n FROM test.things WHERE id = 'k1'")).rows).toEqual([{ n: 1 }]);
      } finally {
        await reader.end();
      }
    } finally {
      await secured.close();
    }
  });

  test("sessions of equal options share a connection, which is left when it is idle", async () => {
    await server.close();
    server = await open({ idleTimeout: 200 });
    fill("things", 1);
    await table("things");
    await client.query(`ALTER SERVER memory OPTIONS (SET port '${server.addresses[0]!.port}')`);
    const others = await Promise.all(
      Array.from({ length: 5 }, async () => {
        const other = new pg.Client(postgres.url);
        await other.connect();
        return other;
      }),
    );
    await Promise.all(others.map((other) => other.query("SELECT * FROM test.things")));
    expect(service.connections).toBe(1);
    await Promise.all(others.map((other) => other.end()));
    while (service.connections > 0) await sleep(20);
    expect(await rowsOf("SELECT id FROM things")).toEqual([["k0"]]);
    expect(service.connections).toBe(1);
  });
});
