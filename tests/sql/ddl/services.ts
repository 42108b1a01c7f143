import { type Auth0Server, startAuth0 } from "@overcoat/simulators";
import { type RedisServer, startRedis } from "../../../packages/sources/src/redis/server.testing.ts";
import { openTestGateway, type TestGateway } from "../../../packages/sources/src/s3/testing.ts";

/** Values of the secrets that the servers name. */
export const secrets = { AUTH0: "auth0-secret-0123456789", S3: "test-secret" };

export const extensions = `
  CREATE EXTENSION IF NOT EXISTS redis_wrapper;
  CREATE EXTENSION IF NOT EXISTS auth0_wrapper;
  CREATE EXTENSION IF NOT EXISTS s3_wrapper;
`;

export const tables = `
  CREATE FOREIGN TABLE redis_sessions (
    session_id TEXT,
    payload    JSONB
  ) SERVER redis_server OPTIONS (key_prefix 'session:');

  CREATE FOREIGN TABLE auth0_users (
    user_id TEXT,
    email   TEXT,
    profile JSONB
  ) SERVER auth0_server;

  CREATE FOREIGN TABLE s3_files (
    filename TEXT,
    url      TEXT,
    metadata JSONB
  ) SERVER s3_server;
`;

/** A real Redis, this repository's S3 gateway and the stand-in of Auth0, with some rows in each. */
export interface Services extends AsyncDisposable {
  readonly redis: RedisServer;
  readonly auth0: Auth0Server;
  readonly gateway: TestGateway;
  /** The statements that make the three foreign servers. */
  readonly servers: string;
}

export async function startServices(): Promise<Services> {
  await using stack = new AsyncDisposableStack();
  const redis = stack.use(await startRedis());
  const client = await redis.client();
  await client.mSet(["session:a", '{"user": "auth0|1"}', "session:b", '{"user": "auth0|2"}', "cart:x", "5"]);
  await client.hSet("user:1", { name: "Ann", city: "Paris" });
  const auth0 = stack.use(
    await startAuth0({
      clientId: "app",
      clientSecret: secrets.AUTH0,
      users: [
        { user_id: "auth0|1", email: "ann@example.com", name: "Ann" },
        { user_id: "auth0|2", email: "bob@example.com", name: "Bob" },
      ],
    }),
  );
  const gateway = stack.use(await openTestGateway());
  await gateway.objects.createBucket("datasets");
  await gateway.objects.putObject("datasets", "readme.txt", "read me");
  await gateway.objects.putObject("datasets", "sales.csv", "id,amount\n1,1.50\n2,2.50\n");
  const parts = stack.move();
  return {
    redis,
    auth0,
    gateway,
    servers: `
      CREATE SERVER redis_server FOREIGN DATA WRAPPER redis_fdw OPTIONS (url '${redis.url}');
      CREATE SERVER auth0_server FOREIGN DATA WRAPPER auth0_fdw OPTIONS (domain '${auth0.url}', client_id 'app', secret 'AUTH0');
      CREATE SERVER s3_server   FOREIGN DATA WRAPPER s3_fdw OPTIONS (endpoint '${gateway.endpoint}', bucket 'datasets', access_key_id 'test-access', secret 'S3');
    `,
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  };
}

/** A query of each table, and what it gives. */
export const answers: Readonly<Record<string, unknown>> = {
  "SELECT session_id, payload->>'user' FROM redis_sessions ORDER BY 1": [
    ["a", "auth0|1"],
    ["b", "auth0|2"],
  ],
  "SELECT user_id, email, profile->>'name' FROM auth0_users ORDER BY email": [
    ["auth0|1", "ann@example.com", "Ann"],
    ["auth0|2", "bob@example.com", "Bob"],
  ],
  "SELECT filename, metadata->>'size' FROM s3_files ORDER BY filename": [
    ["readme.txt", "7"],
    ["sales.csv", "24"],
  ],
};
