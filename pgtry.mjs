import postgres from "postgres";
import { readFileSync } from "node:fs";
import { startPostgres } from "./tests/postgres/versions.ts";
await using server = await startPostgres(18);
const sql = postgres(server.url, { max: 2, fetch_types: false, prepare: false, onnotice() {} });
for (const text of ["SELECT n, n::text t, n*1.5 n, '{\"a\":1}'::jsonb FROM generate_series(1, 2500) n", "SELECT 1 AS x WHERE false", "SELECT 1; SELECT 2", "CREATE TABLE t(n int)", "SELEC", "EXPLAIN SELECT 1", ""]) {
  try {
    let n = 0, cols;
    const r = await sql.unsafe(text, [], { simple: false }).raw().cursor(500, (rows) => { n += rows.length; cols = rows.columns; if (n >= 1000) return sql.CLOSE; });
    console.log(text.slice(0, 30), n, cols?.length, r.columns?.map((c) => c.name + ":" + c.type), r.command, r.count);
  } catch (e) { console.log(text.slice(0, 30), e.code, e.message); }
}
let k = 0;
const r = await sql.unsafe("CREATE TABLE u(n int); INSERT INTO u SELECT generate_series(1,3); SELECT n, n FROM u; SELECT 5 AS z").raw().forEach((row, result) => { k++; });
console.log(Array.isArray(r), r.length, r.columns, r.command, k, Array.isArray(r) && r.map?.((x) => [x.command, x.count, x.columns?.length]));
const res = await sql.reserve();
const q = res.unsafe("SELECT pg_sleep(10)", [], { simple: false }).raw();
const c = q.cursor(10, () => {});
setTimeout(() => q.cancel(), 500);
console.time("c"); await Promise.resolve(c).catch((e) => console.log(e.code)); console.timeEnd("c");
await res.unsafe("DISCARD ALL"); res.release();
await sql.end();
