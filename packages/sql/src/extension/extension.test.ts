import { afterEach, beforeEach, expect, test } from "vitest";
import { type ExampleCluster, startExampleCluster } from "./cluster.testing.ts";
import { renewed } from "./extension.ts";

let example: ExampleCluster;
beforeEach(async () => {
  example = await startExampleCluster({ version: 18, script: false });
});
afterEach(() => example?.[Symbol.asyncDispose]());

test("extensions are updated, dropped and made again", async () => {
  const database = await example.database();
  await database.query([
    "CREATE SERVER s FOREIGN DATA WRAPPER example_fdw OPTIONS (url 'u')",
    "CREATE FOREIGN TABLE t (a text) SERVER s",
  ]);
  await example.writeExtensions({ version: "1.1", older: ["1.0"] });
  await database.query([
    "DROP FUNCTION IF EXISTS public.nothing()",
    "ALTER EXTENSION overcoat UPDATE",
    "ALTER EXTENSION example_wrapper UPDATE",
    "ALTER FOREIGN TABLE t ADD COLUMN b int",
  ]);
  expect(
    await database.query(
      "SELECT extname, extversion FROM pg_extension WHERE extname <> 'plpgsql' ORDER BY 1",
    ),
  ).toEqual([
    { extname: "example_wrapper", extversion: "1.1" },
    { extname: "overcoat", extversion: "1.1" },
  ]);
  expect(
    await database.query(
      "SELECT option_value::json -> 'columns' -> 1 AS b FROM pg_foreign_table, pg_options_to_table(ftoptions) WHERE option_name = 'table_name'",
    ),
  ).toEqual([{ b: ["b", "integer"] }]);
  expect(await database.query("SELECT name FROM overcoat.settings ORDER BY 1")).toHaveLength(4);

  // The same version with another content.
  await database.query([
    "CREATE OR REPLACE FUNCTION overcoat.relink() RETURNS void LANGUAGE sql AS 'SELECT'",
    `ALTER EXTENSION overcoat UPDATE TO ${renewed}`,
    "ALTER EXTENSION overcoat UPDATE",
  ]);
  expect(await database.row("SELECT prosrc FROM pg_proc WHERE proname = 'relink'")).toMatchObject({
    prosrc: expect.stringContaining("attempt"),
  });

  await expect(database.query("DROP EXTENSION example_wrapper")).rejects.toMatchObject({ code: "2BP01" });
  await expect(database.query("DROP EXTENSION overcoat")).rejects.toMatchObject({ code: "2BP01" });
  await database.query("DROP EXTENSION overcoat CASCADE");
  expect(await database.query("SELECT FROM pg_foreign_server")).toEqual([]);
  expect(await database.query("SELECT FROM pg_event_trigger")).toEqual([]);
  expect(await database.query("SELECT FROM pg_namespace WHERE nspname = 'overcoat'")).toEqual([]);
  expect(await database.query("SELECT FROM pg_proc WHERE proname LIKE 'example%'")).toEqual([]);

  // Where nobody prepared the database PostgreSQL says how to.
  const missing = await database
    .query("CREATE EXTENSION IF NOT EXISTS example_wrapper")
    .catch((error) => error);
  expect(missing).toMatchObject({ message: 'required extension "overcoat" is not installed' });
  await database.query("CREATE EXTENSION example_wrapper CASCADE");
});
