import { readdir, readFile } from "node:fs/promises";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import pg from "pg";
import { type Services, secrets, startServices } from "../sql/ddl/services.ts";
import { startStack } from "../sql/stack.ts";

const folder = new URL("../../supabase/migrations/", import.meta.url);

/** Keys of the project's API, for these roles; on Supabase they are signed tokens. */
export const keys = {
  anon: "key-of-anon",
  authenticated: "key-of-a-user",
  service_role: "key-of-the-service",
};
export type Role = keyof typeof keys;

/** What a Supabase project is to migrations and edge functions. */
export interface Project extends AsyncDisposable {
  readonly services: Services;
  /** Of the role `postgres` there: it owns what migrations make, and is no superuser. */
  readonly owner: pg.Client;
  /** A session with the rights of a role of the API. */
  as(role: Role): Promise<pg.Client>;
  /** Of the API: `/rest/v1/rpc` and `/auth/v1/user`, as far as the edge functions need them. */
  readonly url: string;
  /** What a user may do with files: their `app_metadata`. */
  readonly users: Map<string, { files?: string }>;
}

/**
 * A PostgreSQL with the roles and default privileges of a Supabase project, to which the migrations of `supabase/`
 * were applied, and its HTTP API, cut down: functions are called with named arguments and the rights of the key's
 * role, as PostgREST does.
 */
export async function startProject(): Promise<Project> {
  await using stack = new AsyncDisposableStack();
  const services = stack.use(await startServices());
  const { emptyDatabase, settle } = stack.use(await startStack({ version: 17, secrets }));
  const { client: admin, url: adminUrl } = await emptyDatabase();
  await admin.query(`
    CREATE ROLE anon NOLOGIN; CREATE ROLE authenticated NOLOGIN; CREATE ROLE service_role NOLOGIN BYPASSRLS;
    CREATE ROLE authenticator LOGIN NOINHERIT PASSWORD 'authenticator';
    GRANT anon, authenticated, service_role TO authenticator;
    CREATE ROLE project LOGIN PASSWORD 'project' SUPERUSER;
    GRANT USAGE ON SCHEMA public TO anon, authenticated, service_role;
    DO $$ BEGIN EXECUTE format('GRANT ALL ON DATABASE %I TO project', current_database()); END $$;
    GRANT pg_read_all_data TO project;
    GRANT ALL ON SCHEMA public TO project;
    ALTER DEFAULT PRIVILEGES FOR ROLE project IN SCHEMA public
      GRANT ALL ON FUNCTIONS TO anon, authenticated, service_role;
    ALTER DEFAULT PRIVILEGES FOR ROLE project IN SCHEMA public
      GRANT ALL ON TABLES TO anon, authenticated, service_role;`);
  const clients: pg.Client[] = [];
  stack.defer(async () => {
    await Promise.allSettled(clients.map((client) => client.end()));
  });
  const connect = async (user: string) => {
    const url = Object.assign(new URL(adminUrl), { username: user, password: user });
    const client = new pg.Client(url.href);
    await client.connect();
    clients.push(client);
    return client;
  };
  const owner = await connect("project");
  for (const name of (await readdir(folder)).sort()) {
    const script = await readFile(new URL(name, folder), "utf8");
    await owner.query(name.endsWith("_services.sql") ? withAddresses(script, services) : script);
    // Supabase makes wrappers and event triggers for a role that is no superuser.
    if (name.endsWith("_overcoat.sql")) await admin.query("ALTER ROLE project NOSUPERUSER");
  }
  // As `overcoat sql relink` does.
  await settle(owner);
  await owner.query("SELECT overcoat.relink()");
  const users = new Map<string, { files?: string }>();
  const as = async (role: Role) => {
    const client = await connect("authenticator");
    await client.query(`SET ROLE ${role}`);
    return client;
  };
  const server = createServer(async (request, response) => {
    const { status, body } = await answer(request, as, users);
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  stack.defer(() => {
    server.close();
    server.closeAllConnections();
  });
  const parts = stack.move();
  return {
    services,
    owner,
    as,
    users,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  };
}

/** As the script asks for: the project's own addresses in the place of examples. */
function withAddresses(script: string, { redis, auth0, gateway }: Services): string {
  return script
    .replace("url 'rediss://redis.example.com:6379', secret 'REDIS'", `url '${redis.url}'`)
    .replace("domain 'example.eu.auth0.com', client_id 'CLIENT_ID'", `domain '${auth0.url}', client_id 'app'`)
    .replace("endpoint 'https://s3.example.com'", `endpoint '${gateway.endpoint}'`)
    .replace("access_key_id 'ACCESS_KEY_ID'", "access_key_id 'test-access'");
}

async function answer(request: IncomingMessage, as: Project["as"], users: Project["users"]) {
  const token = /^Bearer (.+)$/.exec(request.headers.authorization ?? "")?.[1];
  if (request.url === "/auth/v1/user") {
    const user = users.get(token ?? "");
    if (!user) return { status: 403, body: { code: 403, error_code: "bad_jwt", msg: "invalid JWT" } };
    return { status: 200, body: { id: token, aud: "authenticated", app_metadata: user } };
  }
  const name = /^\/rest\/v1\/rpc\/(\w+)$/.exec(request.url ?? "")?.[1];
  const [role] = Object.entries(keys).find(([, key]) => key === token) ?? [];
  if (!name || !role) return { status: 401, body: { message: "no such key" } };
  let text = "";
  for await (const chunk of request) text += chunk;
  const parameters = JSON.parse(text) as Record<string, unknown>;
  const named = Object.keys(parameters).map((parameter, i) => `"${parameter}" => $${i + 1}`);
  const client = await as(role as Role);
  try {
    const { rows } = await client.query(
      `SELECT * FROM public.${name}(${named.join(", ")})`,
      Object.values(parameters),
    );
    return { status: 200, body: rows };
  } catch (error) {
    const { code, message } = error as pg.DatabaseError;
    return { status: 400, body: { code, message } };
  } finally {
    await client.end();
  }
}
