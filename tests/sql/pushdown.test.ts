import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openScratch, openScratchPool, type Scratch, type ScratchPool } from "@overcoat/postgres";
import type { Plan, Query, Source, Value } from "@overcoat/sources";
import { type LinkedServer, type LinkedTable, openSqlServer, type SqlServer } from "@overcoat/sql";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startPostgres, type TestPostgres, versions } from "../postgres/versions.ts";

/** What postgres_fdw of every version makes of statements, and whether they give the same as local tables. */

const bigRows = 300_000;
const smallRows = 60;
const login = { user: "overcoat", password: "sesame" };
/** What the service was asked. */
const requests: string[] = [];

const columns: readonly (readonly [name: string, type: string, value: (n: number) => Value])[] = [
  ["k", "text", (n) => `k${n}`],
  ["n", "integer", (n) => (n % 11 === 10 ? null : n % 7)],
  ["b", "bigint", (n) => BigInt(n) * 10_000_000_000n],
  ["x", "numeric", (n) => String(n / 4)],
  ["f", "double precision", (n) => n / 3],
  ["o", "boolean", (n) => (n % 5 === 4 ? null : n % 2 === 0)],
  ["s", "text", (n) => ["", "Äpfel", "a%b", "it's", "back\\slash", "😀", null][n % 7]!],
  ["v", "character varying(10)", (n) => `v${n % 4}`],
  ["c", "character(3)", (n) => `c${n % 3}`],
  ["d", "date", (n) => `2020-02-${String((n % 28) + 1).padStart(2, "0")}`],
  ["ts", "timestamp without time zone", (n) => `2020-01-01 00:00:${String(n % 60).padStart(2, "0")}`],
  ["tz", "timestamp with time zone", (n) => new Date(1_600_000_000_000 + n * 1000)],
  ["iv", "interval", (n) => `${n} minutes`],
  ["u", "uuid", (n) => `00000000-0000-0000-0000-${String(n % 9).padStart(12, "0")}`],
  ["j", "jsonb", (n) => ({ a: n % 3, tags: [`t${n % 2}`], deep: { x: String(n) } })],
  ["a", "integer[]", (n) => [n % 3, n % 4]],
  ["t", "text[]", (n) => [`t${n % 3}`, null]],
  ["y", "bytea", (n) => new Uint8Array([n % 256, 0])],
  ["ip", "inet", (n) => `10.0.0.${n % 8}`],
  ["r", "int4range", (n) => `[${n % 5},${(n % 5) + 3})`],
];

/** Rows that are computed; a key is looked up, everything else is a scan. */
const source: Source = {
  name: "numbers",
  options: {
    server: { address: { description: "host:port" } },
    user: {},
    table: { rows: { description: "how many" } },
    column: {},
  },
  secretOption: "address",
  addresses: () => ["127.0.0.1:1"],
  async connect() {
    return {
      table: (definition) => ({
        definition,
        plan: (query: Query) => plan(query, definition.name, Number(definition.options.rows)),
      }),
      async [Symbol.asyncDispose]() {},
    };
  },
};

function plan({ columns: wanted, filters, sort, limit }: Query, name: string, count: number): Plan {
  const key = filters.find(
    (filter) => filter.column === 0 && filter.kind !== "null" && filter.kind !== "like",
  );
  const isLookUp =
    key !== undefined && (key.kind === "in" || (key.kind === "compare" && key.operator === "="));
  const keys = isLookUp
    ? key.kind === "in"
      ? key.values
      : key.kind === "compare" && key.value !== undefined
        ? [key.value]
        : undefined
    : undefined;
  const request = `${isLookUp ? "get" : "scan"} ${name}`;
  const most = filters.length === 0 && sort.length === 0 ? (limit ?? count) : count;
  const rows = isLookUp ? (keys?.length ?? 1) : Math.min(most, count);
  const row = (n: number) => wanted.map((column) => columns[column]![2](n));
  return {
    handled: filters.map((filter) => isLookUp && filter === key),
    sorted: sort.length === 0,
    rows,
    calls: Math.ceil(rows / 1000),
    requests: [request],
    async *scan(signal) {
      requests.push(request);
      if (isLookUp) {
        const found = keys!.map((text) => Number(text.slice(1))).filter((n) => n >= 0 && n < count);
        yield [...new Set(found)].map(row);
        return;
      }
      for (let n = 0; n < Math.min(most, count); n += 1000) {
        signal.throwIfAborted();
        yield Array.from({ length: Math.min(1000, count - n) }, (_, i) => row(n + i));
      }
    },
  };
}

let folder: string;
let scratch: Scratch;
let pool: ScratchPool;
let server: SqlServer;
const literal = (text: string) => pg.escapeLiteral(text);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "pushdown-"));
  scratch = await openScratch({ folder });
  pool = openScratchPool({ url: scratch.url, connections: 8 });
  server = await openSqlServer({
    listen: [{ host: "127.0.0.1", port: 0 }],
    logins: [login],
    sources: [source],
    secrets: () => undefined,
    scratch: pool,
    log: () => undefined,
  });
});
afterAll(async () => {
  await server?.close();
  await pool?.close();
  await scratch?.stop();
  await rm(folder, { recursive: true, force: true });
});

/** Conditions on one table, of which each must hold for the same rows in both. */
const conditions = [
  "n = 3",
  "n <> 3",
  "n + 1 = 2",
  "n IN (1, 2)",
  "n NOT IN (1, 2)",
  "n IS NULL",
  "n IS DISTINCT FROM 3",
  "n BETWEEN 2 AND 4",
  "n = -1",
  "abs(n - 3) = 1",
  "n % 2 = 0",
  "NOT (n = 1)",
  "n = 1 OR n = 2 AND o",
  "b > 50000000000",
  "b = 10000000000::bigint",
  "x = 1.5",
  "x > 2",
  "x / 2 < 1",
  "round(x) = 2",
  "f < 1.5",
  "f > 1e0",
  "f = 1",
  "f::numeric(10,2) = 0.33",
  "sqrt(f) > 1",
  "o",
  "NOT o",
  "o IS NULL",
  "o = (n = 1)",
  "s = ''",
  "s = 'it''s'",
  "s = E'back\\\\slash'",
  "s = '😀'",
  "s LIKE 'a\\%%'",
  "s LIKE '%l%'",
  "s NOT LIKE 'a%'",
  "s ILIKE 'ä%'",
  "s ~ '^a'",
  "s ~* 'SLASH'",
  "s !~ 'x'",
  "lower(s) = 'äpfel'",
  "upper(s) = 'IT''S'",
  "length(s) = 1",
  "substring(s, 1, 2) = 'it'",
  "s || 'x' = 'x'",
  "position('p' in s) > 0",
  "strpos(s, 'p') = 2",
  "left(s, 2) = 'ba'",
  "replace(s, '%', '_') = 'a_b'",
  "s > 'b'",
  "s < v",
  "v = 'v1'",
  "v LIKE 'v_'",
  "v = 'v1'::varchar(5)",
  "c = 'c1'",
  "c = 'c1 '",
  "c LIKE 'c1%'",
  "d = '2020-02-03'",
  "d > '2020-02-20'::date",
  "d - 3 = '2020-02-01'::date",
  "d + 1 > '2020-02-25'",
  "ts = '2020-01-01 00:00:05'",
  "ts > '2020-01-01 00:00:50'::timestamp",
  "date_trunc('hour', ts) = '2020-01-01'::timestamp",
  "extract(second from ts) = 5",
  "ts - '2020-01-01'::timestamp > '30 seconds'::interval",
  "tz = '2020-09-13 12:26:41+00'",
  "tz < '2020-09-13 14:26:50+02'",
  "iv > '50 minutes'",
  "iv * 2 = '10 minutes'::interval",
  "u = '00000000-0000-0000-0000-000000000003'",
  "u > '00000000-0000-0000-0000-000000000005'::uuid",
  "j @> '{\"a\": 1}'",
  "j ? 'a'",
  "j -> 'a' = '1'",
  "j #> '{deep,x}' = '\"7\"'",
  "j -> 'tags' ? 't1'",
  "jsonb_array_length(j -> 'tags') = 1",
  "a[1] = 2",
  "a @> ARRAY[2]",
  "a && ARRAY[1, 7]",
  "a = ARRAY[1, 1]",
  "2 = ANY (a)",
  "3 > ALL (a)",
  "array_length(a, 1) = 2",
  "t @> ARRAY['t1']",
  "cardinality(t) = 2",
  "y = '\\x0500'",
  "length(y) = 2",
  "ip = '10.0.0.3'",
  "ip << '10.0.0.0/30'",
  "r @> 4",
  "r && '[0,2)'::int4range",
  "lower(r) = 2",
  "k = 'k5'",
  "k IN ('k1', 'k2', 'none')",
  "k = ANY (ARRAY['k1', 'k9'])",
  "CASE WHEN o THEN n ELSE 2 END = 2",
  "CASE n WHEN 1 THEN 'one' ELSE 'many' END = 'one'",
  "row(n, v) = row(1, 'v1')",
  "n = 1 AND s IS NOT NULL AND v <> 'v2'",
  "md5(k) > '8'",
  "starts_with(k, 'k1')",
  "split_part(k, 'k', 2) = '7'",
  "(n > 3) IS NOT TRUE",
  "n = (SELECT max(g) FROM generate_series(1, 3) g)",
];

/** Whole statements; TABLE stands for the table. */
const statements = [
  "SELECT count(*) FROM TABLE",
  "SELECT count(*), count(n), sum(n), min(n), max(n), avg(n) FROM TABLE",
  'SELECT min(s COLLATE "C"), max(k), sum(x), avg(f)::numeric(10,4), bool_or(o), every(o) FROM TABLE',
  "SELECT n, count(*) FROM TABLE GROUP BY n ORDER BY n",
  "SELECT n, o, sum(x) FROM TABLE WHERE x > 2 GROUP BY n, o HAVING count(*) > 1 ORDER BY n, o",
  "SELECT count(DISTINCT n), string_agg(v, ',' ORDER BY v, k) FROM TABLE",
  "SELECT count(*) FILTER (WHERE o), percentile_cont(0.5) WITHIN GROUP (ORDER BY f) FROM TABLE",
  "SELECT k FROM TABLE ORDER BY k LIMIT 5",
  "SELECT k, n FROM TABLE ORDER BY n DESC NULLS LAST, k LIMIT 7 OFFSET 3",
  "SELECT k FROM TABLE ORDER BY lower(k) DESC LIMIT 5",
  "SELECT DISTINCT v FROM TABLE ORDER BY v",
  "SELECT k, tableoid::regclass IS NOT NULL FROM TABLE WHERE n = 2 ORDER BY k",
  "SELECT a.k, b.k FROM TABLE a JOIN TABLE b ON a.n = b.n AND a.k < b.k WHERE a.v = 'v1' ORDER BY 1, 2",
  "SELECT a.k, b.k FROM TABLE a LEFT JOIN TABLE b ON a.x = b.x * 2 AND b.o ORDER BY 1, 2",
  "SELECT a.k, b.k FROM TABLE a FULL JOIN TABLE b ON a.x = b.x + 10 ORDER BY 1, 2",
  "SELECT p.k, q FROM TABLE p LEFT JOIN TABLE q ON p.x = q.x * 2 ORDER BY 1",
  "SELECT k FROM TABLE a WHERE EXISTS (SELECT 1 FROM TABLE b WHERE b.x = a.x * 2 AND b.v = 'v0') ORDER BY k",
  "SELECT k FROM TABLE a WHERE NOT EXISTS (SELECT 1 FROM TABLE b WHERE b.x = a.x * 2) ORDER BY k",
  "SELECT k FROM TABLE WHERE x IN (SELECT x * 2 FROM TABLE) ORDER BY k",
  "SELECT k, (SELECT count(*) FROM TABLE b WHERE b.n = a.n) FROM TABLE a ORDER BY k",
  "SELECT count(*) FROM TABLE a JOIN TABLE b USING (u)",
  "SELECT k, row_number() OVER (PARTITION BY n ORDER BY k) FROM TABLE ORDER BY k",
  "WITH big AS (SELECT * FROM TABLE WHERE x > 5) SELECT count(*) FROM big a JOIN big b ON a.n = b.n",
  "SELECT k FROM TABLE UNION ALL SELECT v FROM TABLE ORDER BY 1",
  "SELECT TABLE FROM TABLE WHERE k = 'k3'",
];

describe.each(versions)("PostgreSQL %i", (version) => {
  let postgres: TestPostgres;
  let client: pg.Client;

  beforeAll(async () => {
    postgres = await startPostgres(version);
    client = new pg.Client({
      connectionString: postgres.url,
      types: { getTypeParser: () => (text: string) => text },
    });
    await client.connect();
    const link: LinkedServer = {
      wrapper: "numbers_fdw",
      server: "numbers",
      options: { address: "127.0.0.1:1" },
    };
    await client.query(`
      CREATE DATABASE test TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C'`);
    await client.end();
    client = new pg.Client({
      connectionString: Object.assign(new URL(postgres.url), { pathname: "test" }).href,
      types: { getTypeParser: () => (text: string) => text },
    });
    await client.connect();
    await client.query(`
      CREATE EXTENSION postgres_fdw;
      CREATE SERVER numbers FOREIGN DATA WRAPPER postgres_fdw
        OPTIONS (host '127.0.0.1', port '${server.addresses[0]!.port}', dbname 'overcoat', use_remote_estimate 'true',
          options ${literal(`-c overcoat.link=${JSON.stringify(link).replace(/[\\\s]/g, "\\$&")}`)});
      CREATE USER MAPPING FOR PUBLIC SERVER numbers OPTIONS (user '${login.user}', password '${login.password}');
      ${["small", "big"].map((name) => foreignTable(name, name === "big" ? bigRows : smallRows)).join("\n")}
      CREATE TABLE local (${columns.map(([name, type]) => `${name} ${type}`)});
      CREATE TABLE keys (id text);`);
    await client.query("INSERT INTO local SELECT * FROM small; ANALYZE local");
  });
  afterAll(async () => {
    await client?.end();
    await postgres?.[Symbol.asyncDispose]();
  });

  function foreignTable(name: string, rows: number): string {
    const linked: LinkedTable = {
      table: name,
      options: { rows: String(rows) },
      columns: columns.map(([column, type]) => [column, type]),
      collation: "C",
    };
    return `CREATE FOREIGN TABLE ${name} (${columns.map(([column, type]) => `${column} ${type}`)}) SERVER numbers
      OPTIONS (schema_name 'overcoat', table_name ${literal(JSON.stringify(linked))});`;
  }

  async function rows(sql: string): Promise<unknown[]> {
    return (await client.query({ text: sql, rowMode: "array" })).rows;
  }

  it("the same rows satisfy every condition", async () => {
    for (const condition of conditions) {
      const sql = (table: string) => `SELECT k FROM ${table} WHERE ${condition} ORDER BY k`;
      expect(await rows(sql("small")), condition).toEqual(await rows(sql("local")));
    }
  });

  it("statements give the same", async () => {
    for (const statement of statements) {
      const sql = (table: string) => statement.replaceAll("TABLE", table);
      expect(await rows(sql("small")), statement).toEqual(await rows(sql("local")));
    }
  });

  it.each([1, 10, 1000])("a join of %i local rows looks keys up", async (count) => {
    await client.query(
      `TRUNCATE keys; INSERT INTO keys SELECT 'k' || g * 7 FROM generate_series(1, ${count}) g; ANALYZE keys`,
    );
    requests.length = 0;
    expect(await rows("SELECT count(b.v) FROM keys JOIN big b ON b.k = keys.id")).toEqual([[String(count)]]);
    expect([...new Set(requests)]).toEqual(["get big"]);
  });

  it("a join of many local rows reads the table once", async () => {
    await client.query(
      `TRUNCATE keys; INSERT INTO keys SELECT 'k' || g FROM generate_series(1, 100000) g; ANALYZE keys`,
    );
    requests.length = 0;
    expect(await rows("SELECT count(b.v) FROM keys JOIN big b ON b.k = keys.id")).toEqual([["100000"]]);
    expect(requests).toEqual(["scan big"]);
  });

  it("LIMIT and counts are pushed down", async () => {
    const verbose = async (sql: string) => (await rows(`EXPLAIN VERBOSE ${sql}`)).join("\n");
    expect(await verbose("SELECT k FROM big LIMIT 10")).toMatch(/Remote SQL: .* LIMIT 10::bigint/);
    expect(await verbose("SELECT count(*) FROM big")).toMatch(/Remote SQL: SELECT count\(\*\) FROM/);
    expect(await verbose("SELECT k FROM big ORDER BY n LIMIT 10")).toMatch(
      /Remote SQL: .* ORDER BY .* LIMIT 10/,
    );
  });

  it("ANALYZE takes a sample", async () => {
    await client.query("ANALYZE small");
    expect(await rows("SELECT reltuples > 0 FROM pg_class WHERE relname = 'small'")).toEqual([["t"]]);
  });
});
