import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { statements } from "../../apps/web/integrations/statements.ts";
import { migrations } from "../../scripts/supabase.ts";
import { type Project, type Role, startProject } from "./project.ts";

/** The migrations of `supabase/`, in a database that has a project's roles. */

let project: Project;
beforeAll(async () => {
  project = await startProject();
});
afterAll(() => project[Symbol.asyncDispose]());

test.each(Object.entries(migrations))("%s is what `npm run supabase` makes", async (name, text) => {
  expect(await readFile(new URL(`../../supabase/migrations/${name}`, import.meta.url), "utf8")).toBe(text);
});

test("the service role reads and writes by functions", async () => {
  const client = await project.as("service_role");
  const rows = async (call: string) => (await client.query(`SELECT * FROM ${call}`)).rows;
  expect(await rows("get_redis_session('a')")).toEqual([{ session_id: "a", payload: { user: "auth0|1" } }]);
  expect(await rows("get_auth0_user_by_email('ann@example.com', 'ann@example.com')")).toMatchObject([
    { user_id: "auth0|1" },
  ]);
  const files = await rows("list_s3_files('%', '', 10)");
  expect(files.map(({ filename }) => filename)).toEqual(["readme.txt", "sales.csv"]);
  expect(await rows("delete_redis_session('b')")).toEqual([{ session_id: "b" }]);
  expect(await rows("get_redis_session('b')")).toEqual([]);
});

test("a look-up by key is one request to the service", async () => {
  const plan = await project.owner.query(
    "SELECT request FROM overcoat.explain($$SELECT * FROM services.redis_sessions WHERE session_id = 'a'$$)",
  );
  expect(plan.rows).toEqual([{ request: "GET session:a" }]);
});

test.each(["anon", "authenticated"] as Role[])(
  "%s may call none of them, and read no table",
  async (role) => {
    const client = await project.as(role);
    for (const { name, parameters } of Object.values(statements)) {
      const none = Object.values(parameters).map((type) => `NULL::${type}`);
      await expect(client.query(`SELECT * FROM ${name}(${none})`)).rejects.toMatchObject({ code: "42501" });
    }
    for (const table of ["redis_sessions", "auth0_users", "s3_files"])
      await expect(client.query(`SELECT * FROM services.${table}`)).rejects.toMatchObject({ code: "42501" });
    await expect(client.query("SELECT * FROM overcoat.settings")).rejects.toMatchObject({ code: "42501" });
  },
);

test("the service role itself reads no table", async () => {
  const client = await project.as("service_role");
  await expect(client.query("SELECT * FROM services.auth0_users")).rejects.toMatchObject({ code: "42501" });
});

test("a function runs with no search path of its caller's", async () => {
  const client = await project.as("service_role");
  await client
    .query("CREATE TEMPORARY TABLE redis_sessions (session_id text, payload jsonb)")
    .catch(() => undefined);
  await client.query("SET search_path = pg_temp, public");
  expect((await client.query("SELECT * FROM public.get_redis_session('a')")).rows).toHaveLength(1);
});

test("the migrations of the wrappers may be applied again", async () => {
  const { rows } = await project.owner.query("SELECT name FROM overcoat.settings ORDER BY name");
  for (const text of [migrations["20260101000002_functions.sql"]!]) await project.owner.query(text);
  expect(rows.map(({ name }) => name)).toEqual(["host", "password", "port", "user"]);
});
