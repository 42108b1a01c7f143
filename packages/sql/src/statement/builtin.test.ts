import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Cluster, startCluster } from "@overcoat/postgres";
import pg from "pg";
import { afterAll, beforeAll, expect, it } from "vitest";
import { aggregates, functions, types } from "./builtin.ts";

let folder: string;
let cluster: Cluster;
let client: pg.Client;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "builtin-"));
  cluster = await startCluster({
    folder,
    port: 0,
    superuser: "test",
    password: "test",
    settings: { fsync: "off" },
  });
  client = new pg.Client(cluster.url);
  await client.connect();
});
afterAll(async () => {
  await client?.end();
  await cluster?.stop();
  await rm(folder, { recursive: true, force: true });
});

async function column(sql: string): Promise<string[]> {
  return (await client.query<[string]>({ text: sql, rowMode: "array" })).rows.map(([value]) => value);
}

it("no function of the list has a variant that is volatile, reads more than its arguments or yields many rows", async () => {
  const harmful = await column(
    "SELECT DISTINCT proname FROM pg_proc WHERE provolatile = 'v' OR prokind = 'p' OR prorettype = 'cstring'::regtype",
  );
  expect(harmful.filter((name) => functions.has(name))).toEqual([]);
  const known = new Set(
    await column(
      "SELECT proname FROM pg_proc WHERE provolatile = 'i' AND pronamespace = 'pg_catalog'::regnamespace",
    ),
  );
  expect([...functions].filter((name) => !known.has(name))).toEqual([]);
});

it("every immutable function that SQL can call is on the list, but for those that serve types and catalogues", async () => {
  const callable = await column(`
    SELECT DISTINCT proname FROM pg_proc p
    WHERE oid < 10000 AND provolatile = 'i' AND NOT proretset AND prokind IN ('f', 'a')
      AND NOT proargtypes::oid[] && ARRAY['internal', 'cstring']::regtype[]::oid[]
      AND prorettype <> ALL (ARRAY['internal', 'cstring', 'void', 'trigger', 'language_handler']::regtype[])`);
  const serving =
    /send$|typmodin$|_transfn$|_accum|_statefunc$|_combine$|_finalfn$|_serialize$|^pg_|^acl|^makeacl|^gi[ns]t?_|^spg_/;
  const left = callable.filter((name) => !functions.has(name) && !serving.test(name));
  // One form of ts_rewrite runs a query.
  expect(left.sort()).toEqual([
    "icu_unicode_version",
    "postgresql_fdw_validator",
    "satisfies_hash_partition",
    "ts_rewrite",
  ]);
});

it("aggregates and types are those of the catalogue", async () => {
  expect(
    await column("SELECT DISTINCT proname FROM pg_proc WHERE oid < 10000 AND prokind = 'a' ORDER BY 1"),
  ).toEqual([...aggregates].sort());
  const { rows } = await client.query(
    "SELECT typname AS name, oid::int, typlen::int AS length, typarray::int AS \"arrayOid\" FROM pg_type WHERE typname = ANY ($1) AND typnamespace = 'pg_catalog'::regnamespace",
    [[...types.keys()]],
  );
  const byName = (a: { name: string }, b: { name: string }) => (a.name < b.name ? -1 : 1);
  expect(rows.sort(byName)).toEqual([...types.values()].sort(byName));
});
