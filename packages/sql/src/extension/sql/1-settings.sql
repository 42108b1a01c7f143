-- Where the SQL server is and the login that it knows, as libpq's options; the linker gives them to servers and
-- user mappings. Written by `overcoat up`, `overcoat sql install` and `overcoat sql relink`.

CREATE SCHEMA IF NOT EXISTS overcoat;
-- Whoever owns the schema can do what the linker can.
DO $$
BEGIN
  IF (SELECT nspowner <> current_user::regrole FROM pg_namespace WHERE nspname = 'overcoat')
    AND NOT (SELECT rolsuper FROM pg_roles JOIN pg_namespace ON nspowner = pg_roles.oid WHERE nspname = 'overcoat')
  THEN
    RAISE EXCEPTION 'schema "overcoat" exists already and belongs to another role'
      USING HINT = 'Drop or rename it, if it is not needed.';
  END IF;
END
$$;
GRANT USAGE ON SCHEMA overcoat TO PUBLIC;

CREATE TABLE IF NOT EXISTS overcoat.settings (
  name text PRIMARY KEY
    CHECK (name IN ('host', 'port', 'sslmode', 'sslrootcert', 'require_auth', 'user', 'password')),
  value text NOT NULL
);
REVOKE ALL ON overcoat.settings FROM PUBLIC;
-- Holds where default privileges grant more.
ALTER TABLE overcoat.settings ENABLE ROW LEVEL SECURITY;
