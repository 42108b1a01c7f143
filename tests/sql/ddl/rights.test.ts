import net from "node:net";
import type pg from "pg";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type RedisServer, startRedis } from "../../../packages/sources/src/redis/server.testing.ts";
import { versions } from "../../postgres/versions.ts";
import { type Stack, startStack } from "../stack.ts";
import { answers, type Services, secrets, startServices, tables } from "./services.ts";

const password = "redis-password-0123456789";
const wrong = "wrong-password-0123456789";

let services: Services;
let guarded: RedisServer;
/** A port that no server may reach, and how often it was. */
let forbidden: net.Server;
let reached = 0;
beforeAll(async () => {
  services = await startServices();
  guarded = await startRedis({ requirepass: password });
  const inRedis = await guarded.client({ password });
  await inRedis.set("session:g", "{}");
  forbidden = net.createServer((socket) => {
    reached += 1;
    socket.destroy();
  });
  await new Promise<void>((resolve) => forbidden.listen(0, "127.0.0.1", resolve));
}, 120_000);
afterAll(async () => {
  forbidden?.close();
  await guarded?.[Symbol.asyncDispose]();
  await services?.[Symbol.asyncDispose]();
});

describe.each(versions)("a plain user (PostgreSQL %i)", (version) => {
  let stack: Stack;
  let client: pg.Client;
  /** All that anybody was told. */
  let told: string;
  beforeAll(async () => {
    const ports = [services.redis.port, guarded.port].map((port) => `127.0.0.1:${port}`);
    const urls = [services.auth0.url, services.gateway.endpoint].map((url) => new URL(url).host);
    stack = await startStack({ version, secrets, allow: [...ports, ...urls] });
    const { client } = await stack.database();
    await client.query("CREATE ROLE mallory; CREATE ROLE reader");
  }, 120_000);
  afterAll(() => stack?.[Symbol.asyncDispose]());

  beforeEach(async () => {
    reached = 0;
    told = "";
    ({ client } = await stack.database());
    client.on("notice", (notice) => {
      told += JSON.stringify({ ...notice, message: notice.message });
    });
    await client.query(services.servers + tables);
    await client.query(`
      CREATE SCHEMA mallory AUTHORIZATION mallory;
      GRANT USAGE ON FOREIGN DATA WRAPPER redis_fdw, auth0_fdw, s3_fdw TO mallory;
      SET SESSION AUTHORIZATION mallory`);
  });

  const rows = async (text: string) => (await client.query({ text, rowMode: "array" })).rows;
  /** The error that a statement gives, of which all is kept. */
  async function failure(text: string): Promise<pg.DatabaseError> {
    const error = await client.query(text).then(
      () => expect.fail(`no error: ${text}`),
      (error) => error,
    );
    told += JSON.stringify({ ...error, message: error.message });
    return error;
  }

  test("points no server outside the allow-list", async () => {
    const { port } = forbidden.address() as net.AddressInfo;
    const address = `127.0.0.1:${port}`;
    const servers = {
      redis: [
        `redis_fdw OPTIONS (url 'redis://${address}')`,
        `redis_fdw OPTIONS (url 'redis://${address}', cluster 'true')`,
        `redis_fdw OPTIONS (sentinels '${address}')`,
        `redis_fdw OPTIONS (url 'redis://127.0.0.1:${services.redis.port},${address}', cluster 'true')`,
      ],
      auth0: [`auth0_fdw OPTIONS (domain 'http://${address}', api_key 'k')`],
      s3: [`s3_fdw OPTIONS (endpoint 'http://${address}', bucket 'b')`],
    };
    for (const server of Object.values(servers).flat()) {
      await client.query(`CREATE SERVER own FOREIGN DATA WRAPPER ${server}`);
      await client.query("CREATE FOREIGN TABLE mallory.t (id text, value text) SERVER own");
      expect(await failure("SELECT * FROM mallory.t"), server).toMatchObject({ code: "42501" });
      await client.query("DROP SERVER own CASCADE");
    }
    // A mapping cannot lead a server elsewhere either, nor the linked text that a user writes.
    await client.query(`
      CREATE SERVER own FOREIGN DATA WRAPPER redis_fdw OPTIONS (url '${services.redis.url}');
      CREATE USER MAPPING FOR mallory SERVER own OPTIONS (url 'redis://${address}',
        options '-c overcoat.link={"wrapper":"redis_fdw","server":"own","options":{"url":"redis://${address}"}}');
      CREATE FOREIGN TABLE mallory.t (id text, value text) SERVER own`);
    expect(await failure("SELECT * FROM mallory.t")).toMatchObject({ code: "42501" });
    expect(reached).toBe(0);
    expect(await failure(`IMPORT FOREIGN SCHEMA redis FROM SERVER own INTO mallory`)).toMatchObject({
      code: "42501",
    });
    await client.query("ALTER USER MAPPING FOR mallory SERVER own OPTIONS (DROP url)");
    await client.query("ALTER FOREIGN TABLE mallory.t OPTIONS (ADD key_prefix 'cart:')");
    expect(await rows("SELECT * FROM mallory.t")).toEqual([["x", "5"]]);
  });

  test("uses no secret that the SQL server does not know", async () => {
    await client.query(`
      CREATE SERVER own FOREIGN DATA WRAPPER redis_fdw OPTIONS (url '${services.redis.url}', secret 'NONE');
      CREATE FOREIGN TABLE mallory.t (id text, value text) SERVER own`);
    expect(await failure("SELECT * FROM mallory.t")).toMatchObject({ code: "42704" });
  });

  test("neither skips the password nor reads or changes another's mapping", async () => {
    await client.query(`
      CREATE SERVER own FOREIGN DATA WRAPPER redis_fdw OPTIONS (url '${services.redis.url}');
      CREATE USER MAPPING FOR mallory SERVER own;
      CREATE FOREIGN TABLE mallory.t (id text, value text) SERVER own OPTIONS (key_prefix 'cart:')`);
    for (const option of ["password_required 'false'", "sslkey '/etc/passwd'", "sslcert '/etc/passwd'"])
      expect(
        await failure(`ALTER USER MAPPING FOR mallory SERVER own OPTIONS (ADD ${option})`),
      ).toMatchObject({ code: "42501" });
    expect(await rows("SELECT * FROM mallory.t")).toEqual([["x", "5"]]);
    await client.query(`
      RESET SESSION AUTHORIZATION;
      CREATE USER MAPPING FOR reader SERVER redis_server OPTIONS (auth_password '${password}');
      GRANT USAGE ON FOREIGN SERVER redis_server TO mallory;
      SET SESSION AUTHORIZATION mallory`);
    expect(await rows("SELECT DISTINCT umoptions FROM pg_user_mappings WHERE srvname <> 'own'")).toEqual([
      [null],
    ]);
    for (const statement of [
      "SELECT * FROM pg_user_mapping",
      "SELECT * FROM overcoat.settings",
      "ALTER USER MAPPING FOR reader SERVER redis_server OPTIONS (SET auth_password 'x')",
      "DROP USER MAPPING FOR reader SERVER redis_server",
      "CREATE USER MAPPING FOR CURRENT_USER SERVER s3_server",
      "SELECT overcoat.relink()",
      "ALTER EVENT TRIGGER overcoat_link DISABLE",
    ])
      expect((await failure(statement)).code, statement).toMatch(/^42501$|^42704$/);
    expect(told).not.toContain(password);
  });

  test("is shown no secret, in errors, logs, plans or requests", async () => {
    await client.query(`
      RESET SESSION AUTHORIZATION;
      CREATE SERVER guarded FOREIGN DATA WRAPPER redis_fdw OPTIONS (url 'redis://127.0.0.1:${guarded.port}');
      CREATE USER MAPPING FOR PUBLIC SERVER guarded OPTIONS (auth_password '${password}');
      CREATE USER MAPPING FOR reader SERVER guarded OPTIONS (url 'redis://:${wrong}@127.0.0.1:${guarded.port}');
      CREATE FOREIGN TABLE guarded (id text, value jsonb) SERVER guarded OPTIONS (key_prefix 'session:');
      CREATE FOREIGN TABLE broken (id integer, value integer) SERVER guarded OPTIONS (key_prefix 'session:');
      GRANT USAGE ON FOREIGN SERVER redis_server, auth0_server, s3_server, guarded TO mallory, reader;
      GRANT SELECT ON ALL TABLES IN SCHEMA public TO mallory, reader;
      SET SESSION AUTHORIZATION mallory;
      SET client_min_messages = debug1`);
    for (const [query, expected] of Object.entries({ ...answers, "SELECT id FROM guarded": [["g"]] })) {
      expect(await rows(query)).toEqual(expected);
      told += JSON.stringify(await rows(`EXPLAIN (ANALYZE, VERBOSE, SETTINGS) ${query}`));
      const asked = await client.query("SELECT * FROM overcoat.explain($1, 'public')", [query]);
      expect(asked.rows).not.toEqual([]);
      told += JSON.stringify(asked.rows);
    }
    await failure("SELECT * FROM broken");
    await client.query("RESET client_min_messages; SET SESSION AUTHORIZATION reader");
    expect(await failure("SELECT * FROM guarded")).toMatchObject({ code: expect.stringMatching(/^28/) });
    await client.query("RESET SESSION AUTHORIZATION");
    // What the service refuses, and what cannot be understood.
    await client.query(
      "ALTER USER MAPPING FOR PUBLIC SERVER guarded OPTIONS (SET auth_password 'wrong-password-0123456789')",
    );
    expect(await failure("SELECT * FROM guarded")).toMatchObject({ code: expect.stringMatching(/^28/) });
    await client.query(
      `ALTER USER MAPPING FOR PUBLIC SERVER guarded OPTIONS (ADD url 'redis://user:${wrong}@127.0.0.1:${guarded.port}:x')`,
    );
    await failure("SELECT * FROM guarded");
    await client.query(
      "ALTER SERVER s3_server OPTIONS (DROP secret, ADD secret_access_key 'wrong-password-0123456789')",
    );
    expect(await failure("SELECT * FROM s3_files")).toMatchObject({
      code: expect.stringMatching(/^(28|42501)/),
    });
    await client.query(
      "ALTER SERVER auth0_server OPTIONS (DROP secret, ADD client_secret 'wrong-password-0123456789')",
    );
    expect(await failure("SELECT * FROM auth0_users")).toMatchObject({ code: expect.stringMatching(/^28/) });
    const logged = told + JSON.stringify(stack.log);
    for (const value of [...Object.values(secrets), password, wrong, "only for this test"])
      expect(logged).not.toContain(value);
  });
});
