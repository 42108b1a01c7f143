import { describe, expect, it } from "vitest";
import { parseStatements } from "./parse.ts";
import type { Statement } from "./statement.ts";

const long = JSON.stringify({
  table: "sessions",
  columns: [
    ["it's", "text"],
    ["\\back", "jsonb"],
  ],
  options: { a: "x".repeat(80) },
});
const quoted = `overcoat."${long.replaceAll('"', '""')}"`;
const table = { schema: "overcoat", name: long };

async function one(sql: string): Promise<Statement> {
  const statements = await parseStatements(sql);
  expect(statements).toHaveLength(1);
  return statements[0]!;
}

async function refusal(sql: string): Promise<string> {
  try {
    await parseStatements(sql);
  } catch (error) {
    return (error as { sqlState?: string }).sqlState ?? String(error);
  }
  return "accepted";
}

describe("fixed statements", () => {
  const fixed: readonly (readonly [string, Statement])[] = [
    ["SET search_path = pg_catalog", { kind: "set", name: "search_path", value: "pg_catalog" }],
    ["SET timezone = 'GMT'", { kind: "set", name: "timezone", value: "GMT" }],
    ["SET extra_float_digits = 3", { kind: "set", name: "extra_float_digits", value: "3" }],
    [
      "START TRANSACTION ISOLATION LEVEL REPEATABLE READ",
      { kind: "begin", isolation: "repeatable read", readOnly: false },
    ],
    [
      "START TRANSACTION ISOLATION LEVEL SERIALIZABLE READ ONLY",
      { kind: "begin", isolation: "serializable", readOnly: true },
    ],
    ["COMMIT TRANSACTION", { kind: "commit" }],
    ["ABORT TRANSACTION", { kind: "rollback" }],
    ["SAVEPOINT s2", { kind: "savepoint", name: "s2" }],
    ["RELEASE SAVEPOINT s2", { kind: "release", name: "s2" }],
    ["FETCH 100 FROM c1", { kind: "fetch", count: 100, cursor: "c1" }],
    ["CLOSE c12", { kind: "close", cursor: "c12" }],
    ["MOVE BACKWARD ALL IN c1", { kind: "rewind", cursor: "c1" }],
    ["DEALLOCATE ALL", { kind: "deallocate", name: undefined }],
    ["DEALLOCATE pgsql_fdw_prep_1", { kind: "deallocate", name: "pgsql_fdw_prep_1" }],
    [
      `SELECT pg_catalog.pg_relation_size(E'${quoted.replaceAll("'", "''").replaceAll("\\", "\\\\")}'::pg_catalog.regclass) / 8192`,
      { kind: "relation size", table },
    ],
    [
      "SELECT reltuples, relkind FROM pg_catalog.pg_class WHERE oid = 'r.u'::pg_catalog.regclass",
      { kind: "relation statistics", table: { schema: "r", name: "u" } },
    ],
    ["SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = 'r'", { kind: "schema exists", schema: "r" }],
    [
      "SELECT relname,   attname,   format_type(atttypid, atttypmod),   attnotnull,   pg_get_expr(adbin, adrelid),   attgenerated,   collname,   collnsp.nspname FROM pg_class c   JOIN pg_namespace n ON     relnamespace = n.oid   LEFT JOIN pg_attribute a ON     attrelid = c.oid AND attnum > 0       AND NOT attisdropped   LEFT JOIN pg_attrdef ad ON     adrelid = c.oid AND adnum = attnum   LEFT JOIN pg_collation coll ON     coll.oid = attcollation   LEFT JOIN pg_namespace collnsp ON     collnsp.oid = collnamespace WHERE c.relkind IN ('r','v','f','m','p')   AND n.nspname = 'r' AND c.relname IN ('u', 'it''s') ORDER BY c.relname, a.attnum",
      { kind: "import", schema: "r", limitTo: ["u", "it's"], collate: true },
    ],
    [
      "SELECT relname,   attname,   format_type(atttypid, atttypmod),   attnotnull,   pg_get_expr(adbin, adrelid),   attgenerated,   NULL, NULL FROM pg_class c   JOIN pg_namespace n ON     relnamespace = n.oid   LEFT JOIN pg_attribute a ON     attrelid = c.oid AND attnum > 0       AND NOT attisdropped   LEFT JOIN pg_attrdef ad ON     adrelid = c.oid AND adnum = attnum WHERE c.relkind IN ('r','v','f','m','p')   AND n.nspname = 'r' AND NOT c.relispartition  AND c.relname NOT IN ('u') ORDER BY c.relname, a.attnum",
      { kind: "import", schema: "r", except: ["u"], collate: false },
    ],
  ];
  for (const [sql, statement] of fixed) {
    it(sql.slice(0, 70), async () => expect(await one(sql)).toEqual(statement));
  }

  it("two statements in one message", async () => {
    expect(await parseStatements("ROLLBACK TO SAVEPOINT s2; RELEASE SAVEPOINT s2")).toEqual([
      { kind: "rollback to", name: "s2" },
      { kind: "release", name: "s2" },
    ]);
  });
});

describe("statements with tables", () => {
  it("reads long names, constants and parameters", async () => {
    const statement = await one(
      `DECLARE c1 CURSOR FOR\nSELECT id FROM ${quoted} WHERE ((id = 'it''s')) AND ((b = E'\\\\x')) AND ((c < 5))`,
    );
    if (statement.kind !== "declare") throw new Error(statement.kind);
    expect(statement.select.tables).toEqual([table]);
    expect(statement.select.lexed.literals.map(({ value }) => value)).toEqual(["it's", "\\x", "5"]);
  });

  it("shares what statements with other constants and tables have in common", async () => {
    const first = await one(`SELECT id FROM ${quoted} WHERE ((id = 'a'))`);
    const second = await one(`SELECT id FROM ${quoted.replace("sessions", "users")} WHERE ((id = 'b'))`);
    if (first.kind !== "select" || second.kind !== "select") throw new Error(first.kind);
    expect(second.form).toBe(first.form);
    expect(second.tables[0]?.name).toContain("users");
  });

  it("reads row changes and inserts", async () => {
    expect(
      await one(
        'INSERT INTO r.u(id, "A b") VALUES ($1, DEFAULT), ($2, $3) ON CONFLICT DO NOTHING RETURNING id, NULL',
      ),
    ).toEqual({
      kind: "insert",
      table: { schema: "r", name: "u" },
      columns: ["id", "A b"],
      rows: [
        [1, "default"],
        [2, 3],
      ],
      doNothing: true,
      returning: ["id", undefined],
    });
    expect(await one("INSERT INTO r.u DEFAULT VALUES")).toMatchObject({ columns: [], rows: [[]] });
    expect(await one("UPDATE r.u SET v = $2, w = DEFAULT WHERE ctid = $1 RETURNING v")).toEqual({
      kind: "update row",
      table: { schema: "r", name: "u" },
      set: [
        { column: "v", parameter: 2 },
        { column: "w", parameter: "default" },
      ],
      ctidParameter: 1,
      returning: ["v"],
    });
    expect(await one("DELETE FROM r.u WHERE ctid = $1")).toMatchObject({ kind: "delete row", set: [] });
    expect(await one("UPDATE r.u SET v = 'z'::text WHERE ((ctid = '(0,1)'))")).toMatchObject({
      kind: "update",
    });
    expect(await one("TRUNCATE r.a, r.b CONTINUE IDENTITY RESTRICT")).toEqual({
      kind: "truncate",
      tables: [
        { schema: "r", name: "a" },
        { schema: "r", name: "b" },
      ],
    });
  });
});

/** Texts that deparse.c writes: one for each of its branches. */
const accepted = [
  "SELECT NULL FROM r.t",
  "SELECT id, n, ctid FROM r.u FOR UPDATE",
  "SELECT r1.id, r2.v FROM (r.t r1 INNER JOIN r.u r2 ON (((r1.id = r2.tid)))) WHERE ((r2.v ~~ 'a%')) FOR UPDATE OF r1 FOR SHARE OF r2",
  "SELECT s4.c1, r1.a FROM ((SELECT NULL FROM r.a WHERE ((x > 1))) s4(c1) FULL JOIN r.t r1 ON ((TRUE)))",
  "SELECT CASE WHEN (r1.*)::text IS NOT NULL THEN ROW(r1.a, r1.b) END, CASE WHEN (r1.*)::text IS NOT NULL THEN 16384 END FROM (r.t r1 LEFT JOIN r.u r2 ON (((r1.ctid = r2.tid))))",
  "SELECT count(*), sum(DISTINCT n ORDER BY n ASC NULLS LAST) FILTER (WHERE (b)), percentile_cont(0.5::double precision) WITHIN GROUP (ORDER BY n ASC NULLS LAST) FROM r.t GROUP BY 1, 2 HAVING ((count(*) > 1)) ORDER BY count(*) DESC NULLS FIRST LIMIT 5::bigint OFFSET $1::bigint",
  "SELECT a FROM r.t WHERE ((j @> '{\"a\": 5}')) AND ((a[1] = 2)) AND ((a[1:2] = ARRAY[1, 2])) AND ((x = ANY ($1::text[]))) AND ((b IS DISTINCT FROM NULL)) AND ((NOT b)) AND (((CASE b WHEN true THEN 1 ELSE 2 END) = 1))",
  "SELECT a FROM r.t WHERE ((lower(a) = 'x')) AND (((n + 1.5) < (-2))) AND ((a OPERATOR(pg_catalog.=) 'x'::character varying(20))) AND ((d = B'101'::bit(3)))",
  "SELECT r1.id FROM r.t r1 WHERE EXISTS (SELECT NULL FROM r.u r2 WHERE ((r2.id < 3)) AND ((r1.id = r2.tid)))",
  "SELECT id FROM r.t WHERE ((\"position\"(a, 'x') = 1)) AND ((num_nulls(VARIADIC ARRAY[a, b]) = 0)) ORDER BY a USING ~<~ NULLS LAST",
  "SELECT rank(5) WITHIN GROUP (ORDER BY n ASC NULLS LAST) FROM r.t",
  "EXPLAIN SELECT id FROM r.t WHERE ((id = ((SELECT null::integer)::integer)))",
  "SELECT a FROM r.t TABLESAMPLE SYSTEM(0.5)",
  "SELECT a FROM r.t WHERE pg_catalog.random() < 0.010000",
  "UPDATE r.t r1 SET a = (r1.a || r2.b) FROM r.u r2 WHERE ((r1.id = r2.id)) RETURNING r1.a, r2.*",
  "DELETE FROM r.t r1 USING (r.u r2 INNER JOIN r.v r3 ON ((TRUE))) WHERE ((r1.id = r2.id)) RETURNING r1.ctid",
];

/** SQL that never reaches the scratch database. */
const forged = [
  "SELECT 1",
  "SELECT now()",
  "SELECT a FROM t",
  "SELECT a FROM r.t; DROP TABLE r.t",
  "SELECT a FROM r.t UNION SELECT rolpassword FROM pg_catalog.pg_authid",
  "SELECT rank() OVER (ORDER BY n) FROM r.t",
  "SELECT ts_rewrite(q, 'SELECT t, s FROM x') FROM r.t",
  "SELECT pg_sleep(10) FROM r.t",
  "SELECT pg_catalog.pg_read_file('/etc/passwd') FROM r.t",
  "SELECT pg_read_file('/etc/passwd') FROM r.t",
  "SELECT lo_import('/etc/passwd') FROM r.t",
  "SELECT set_config('role', 'postgres', false) FROM r.t",
  "SELECT nextval('s') FROM r.t",
  "SELECT random() FROM r.t",
  "SELECT a FROM r.t WHERE random() < a",
  "SELECT public.f(a) FROM r.t",
  "SELECT a FROM r.t WHERE a OPERATOR(public.=) 'x'",
  "SELECT a::public.mood FROM r.t",
  "SELECT 'pg_authid'::regclass FROM r.t",
  'SELECT a COLLATE "C" FROM r.t',
  "SELECT (SELECT a FROM r.t) FROM r.t",
  "SELECT a FROM r.t WHERE a = ANY (SELECT b FROM r.t)",
  "SELECT a FROM r.t, (VALUES (1)) v",
  "SELECT a FROM r.t, generate_series(1, 1000000000)",
  "SELECT generate_series(1, 1000000000) FROM r.t",
  "SELECT a FROM r.t CROSS JOIN LATERAL (SELECT 1) x",
  "SELECT DISTINCT a FROM r.t",
  "SELECT * FROM r.t",
  "SELECT a.b.c.d FROM r.t",
  "SELECT a INTO x FROM r.t",
  "WITH d AS (DELETE FROM r.t RETURNING a) SELECT a FROM d",
  "WITH d AS (SELECT 1) SELECT a FROM r.t",
  "SELECT a, row_number() OVER () FROM r.t",
  "SELECT a FROM r.t GROUP BY ROLLUP (a)",
  "SELECT a FROM r.t FOR UPDATE NOWAIT",
  "SELECT a FROM r.t FOR NO KEY UPDATE",
  "SELECT a FROM ONLY r.t",
  "SELECT a FROM r . t",
  "SELECT xmin FROM r.t",
  "SELECT tableoid FROM r.t",
  "SELECT current_user FROM r.t",
  "SELECT a FROM r.t -- x",
  "SELECT a FROM r.t /* x */",
  "SELECT $$x$$ FROM r.t",
  "SELECT U&'\\0041' FROM r.t",
  "SELECT E'\\n' FROM r.t",
  "SELECT 'a'\n'b' FROM r.t",
  "SELECT date 'x'::text FROM r.t WHERE extract(year from d) = 1",
  "INSERT INTO r.t(a) SELECT a FROM r.u",
  "INSERT INTO r.t(a) VALUES ($1) ON CONFLICT (a) DO UPDATE SET a = 1",
  "INSERT INTO r.t(a) VALUES (pg_sleep(1))",
  "UPDATE r.t SET a = (SELECT 1)",
  "UPDATE r.t SET a = DEFAULT, b = nextval('s')",
  "UPDATE r.t SET (a, b) = ROW(1, 2)",
  "DELETE FROM r.t WHERE CURRENT OF c1",
  "COPY r.t TO PROGRAM 'id'",
  "CREATE TABLE x (a int)",
  "DO 'x'",
  "SET ROLE postgres",
  "SET search_path = public; SELECT 1",
  "CALL f()",
  "VACUUM",
  "LISTEN x",
  "LOAD 'x'",
  "EXPLAIN ANALYZE SELECT a FROM r.t",
  "EXPLAIN (ANALYZE) DELETE FROM r.t",
  "DECLARE c1 CURSOR FOR DELETE FROM r.t",
  "DECLARE c1 CURSOR WITH HOLD FOR SELECT a FROM r.t",
  "PREPARE x AS SELECT a FROM r.t",
  "SELECT a FROM r.t WHERE a = 'x",
  "SELECT a FROM",
  ";",
];

describe("the whitelist", () => {
  for (const sql of accepted)
    it(`lets ${sql.slice(0, 80)} through`, async () => expect(await refusal(sql)).toBe("accepted"));
  for (const sql of forged) {
    it(`refuses ${sql.slice(0, 80) || "nothing"}`, async () =>
      expect(await refusal(sql)).toMatch(/^(42501|0A000|42601)$/));
  }

  it("refuses deep nesting, and goes on", async () => {
    for (const deep of ["NOT ".repeat(200_000), "- ".repeat(50_000), "(".repeat(200_000)])
      expect(await refusal(`SELECT a FROM r.t WHERE ${deep}a`)).toMatch(/^(54001|42601)$/);
    expect(await refusal(accepted[0]!)).toBe("accepted");
  });

  it("refuses forged parts wherever they stand in what deparse.c writes", async () => {
    const parts = [
      "(SELECT a FROM r.t)",
      "pg_sleep(1)",
      "pg_catalog.nextval('s')",
      "public.f(1)",
      "'x'::regrole",
      "'x'::public.t",
      "current_user",
      'a COLLATE "C"',
      "(a OPERATOR(public.+) 1)",
      "count(*) OVER ()",
      "COALESCE(a, b)",
      "a.b.c.d",
      "EXISTS (SELECT 1)",
      "EXISTS (SELECT pg_sleep(1) FROM r.t)",
      "ARRAY(SELECT a FROM r.t)",
      "XMLPARSE(DOCUMENT 'x')",
    ];
    // Every constant, parameter or column of an accepted statement gives way in turn.
    let tried = 0;
    for (const sql of accepted.filter((text) => !text.includes("null::") && !text.includes("random()"))) {
      const places = [
        ...sql.matchAll(
          /(?<=[(,] )(?:\d+|'[^']*'|\$\d+)(?=[),])|(?<== )(?:\d+|'[^']*'|\$\d+)(?=[):])|(?<=[(,] ?)[abdnx](?=[),. ])/g,
        ),
      ];
      for (const place of places) {
        for (const part of parts) {
          const text = sql.slice(0, place.index) + part + sql.slice(place.index + place[0].length);
          expect(await refusal(text), text).toMatch(/^(42501|0A000|42601)$/);
          tried++;
        }
      }
    }
    expect(tried).toBeGreaterThan(100);
  });
});
