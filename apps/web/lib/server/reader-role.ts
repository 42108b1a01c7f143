import type { Sql } from "postgres";

export const readerRole = "overcoat_reader";

/**
 * Lets the reading role see what is in all schemas but the system's and Overcoat's own, which holds a login, and ask
 * what foreign servers would be asked.
 */
export const grantReading = (owner: Sql) =>
  owner.unsafe(`
DO $$
DECLARE
  one record;
BEGIN
  -- Two GRANTs at once would fail.
  PERFORM pg_advisory_xact_lock(hashtext('${readerRole}'));
  FOR one IN SELECT oid, nspname FROM pg_namespace WHERE nspname !~ '^pg_|^(information_schema|overcoat)$' LOOP
    IF NOT has_schema_privilege('${readerRole}', one.oid, 'USAGE') THEN
      EXECUTE format('GRANT USAGE ON SCHEMA %I TO ${readerRole}', one.nspname);
    END IF;
  END LOOP;
  FOR one IN
    SELECT c.oid, c.oid::regclass AS name FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
    WHERE relkind IN ('r', 'v', 'm', 'f', 'p') AND nspname !~ '^pg_|^(information_schema|overcoat)$'
  LOOP
    IF NOT has_table_privilege('${readerRole}', one.oid, 'SELECT') THEN
      EXECUTE format('GRANT SELECT ON %s TO ${readerRole}', one.name);
    END IF;
  END LOOP;
  FOR one IN SELECT srvname FROM pg_foreign_server LOOP
    IF NOT has_server_privilege('${readerRole}', one.srvname, 'USAGE') THEN
      EXECUTE format('GRANT USAGE ON FOREIGN SERVER %I TO ${readerRole}', one.srvname);
    END IF;
  END LOOP;
END
$$`);
