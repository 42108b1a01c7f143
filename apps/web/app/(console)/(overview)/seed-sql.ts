/** The statements that lead to tables over the services. */

export const extensionsSql = `CREATE EXTENSION IF NOT EXISTS redis_wrapper;
CREATE EXTENSION IF NOT EXISTS auth0_wrapper;
CREATE EXTENSION IF NOT EXISTS s3_wrapper;`;

export const serversSql = (
  endpoint: string,
) => `CREATE SERVER redis_server FOREIGN DATA WRAPPER redis_fdw OPTIONS (url 'redis://127.0.0.1:6379');
CREATE SERVER auth0_server FOREIGN DATA WRAPPER auth0_fdw
  OPTIONS (domain 'example.eu.auth0.com', client_id '…', secret 'AUTH0');
CREATE SERVER s3_server FOREIGN DATA WRAPPER s3_fdw OPTIONS (endpoint '${endpoint}', bucket 'sample');
CREATE USER MAPPING FOR PUBLIC SERVER s3_server OPTIONS (access_key_id '…', secret_access_key '…');`;

export const wrappedTables = [
  {
    title: "Map sessions of Redis",
    name: "redis_sessions",
    sql: `CREATE FOREIGN TABLE redis_sessions (
  session_id TEXT,
  payload    JSONB
) SERVER redis_server OPTIONS (key_prefix 'session:');`,
  },
  {
    title: "Map users of Auth0",
    name: "auth0_users",
    sql: `CREATE FOREIGN TABLE auth0_users (
  user_id TEXT,
  email   TEXT,
  profile JSONB
) SERVER auth0_server;`,
  },
  {
    title: "Map files in S3",
    name: "s3_files",
    sql: `CREATE FOREIGN TABLE s3_files (
  filename TEXT,
  url      TEXT,
  metadata JSONB
) SERVER s3_server;`,
  },
] as const;
