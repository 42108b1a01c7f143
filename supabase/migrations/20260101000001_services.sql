-- Redis, Auth0 and S3 as tables, in a schema that the API does not expose: only the functions of the next migration
-- reach them. Put your own addresses here before the first `supabase db push`; afterwards
-- ALTER SERVER … OPTIONS (SET …) changes them. Secrets are named, and known to the SQL server alone.

CREATE SCHEMA IF NOT EXISTS services;
REVOKE ALL ON SCHEMA services FROM PUBLIC;

CREATE SERVER IF NOT EXISTS redis_server FOREIGN DATA WRAPPER redis_fdw
  OPTIONS (url 'rediss://redis.example.com:6379', secret 'REDIS');
CREATE SERVER IF NOT EXISTS auth0_server FOREIGN DATA WRAPPER auth0_fdw
  OPTIONS (domain 'example.eu.auth0.com', client_id 'CLIENT_ID', secret 'AUTH0');
CREATE SERVER IF NOT EXISTS s3_server FOREIGN DATA WRAPPER s3_fdw
  OPTIONS (endpoint 'https://s3.example.com', bucket 'datasets', access_key_id 'ACCESS_KEY_ID', secret 'S3');

CREATE FOREIGN TABLE IF NOT EXISTS services.redis_sessions (
  session_id TEXT,
  payload    JSONB
) SERVER redis_server OPTIONS (key_prefix 'session:');

CREATE FOREIGN TABLE IF NOT EXISTS services.auth0_users (
  user_id TEXT,
  email   TEXT,
  profile JSONB
) SERVER auth0_server;

CREATE FOREIGN TABLE IF NOT EXISTS services.s3_files (
  filename TEXT,
  url      TEXT,
  metadata JSONB
) SERVER s3_server;

-- Row level security does not apply to foreign tables.
REVOKE ALL ON ALL TABLES IN SCHEMA services FROM PUBLIC, anon, authenticated, service_role;
