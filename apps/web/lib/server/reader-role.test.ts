import postgres from "postgres";
import { expect, test } from "vitest";
import { startPostgres } from "../../../../tests/postgres/versions.ts";
import { grantReading, readerRole } from "./reader-role.ts";

test("the reading role sees tables made later too, and can change nothing", async () => {
  await using server = await startPostgres(18);
  const owner = postgres(server.url, { max: 1 });
  await owner.unsafe(`
    CREATE ROLE ${readerRole} LOGIN PASSWORD 'r';
    CREATE SCHEMA overcoat; CREATE TABLE overcoat.settings (name text);
    CREATE SCHEMA "of services"; CREATE TABLE "of services"."A" (n int); INSERT INTO "of services"."A" VALUES (1);
    CREATE EXTENSION postgres_fdw; CREATE SERVER s FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host 'x');
    CREATE USER MAPPING FOR PUBLIC SERVER s OPTIONS (user 'u', password 'hidden')`);
  await grantReading(owner);
  await owner`CREATE TABLE later AS SELECT 2 AS n`;
  await grantReading(owner);
  const reader = postgres(Object.assign(new URL(server.url), { username: readerRole, password: "r" }).href, {
    max: 1,
  });
  expect([
    ...(await reader`SELECT n FROM "of services"."A" UNION ALL SELECT n FROM later ORDER BY 1`),
  ]).toEqual([{ n: 1 }, { n: 2 }]);
  for (const statement of [
    'INSERT INTO "of services"."A" VALUES (3)',
    "SELECT * FROM overcoat.settings",
    "SELECT rolpassword FROM pg_authid",
    "SELECT umoptions FROM pg_user_mapping",
    "SELECT pg_read_file('/etc/passwd')",
    "CREATE TABLE mine (n int)",
    `ALTER ROLE ${readerRole} SUPERUSER`,
  ])
    await expect(reader.unsafe(statement), statement).rejects.toMatchObject({ code: "42501" });
  expect([...(await reader`SELECT umoptions FROM pg_user_mappings`)]).toEqual([{ umoptions: null }]);
  await Promise.all([owner.end(), reader.end()]);
});
