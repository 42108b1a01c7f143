-- Event triggers run the linker after each statement that touches its objects, with the rights of the owner,
-- since only the owner may read the settings. The linker warns of what it cannot do and lets the statement be.
-- Its own statements fire it again, which finds nothing more to do.

-- Does one piece of work for an object: `server`, `mapping`, `table`, or `import` into a server's tables.
CREATE OR REPLACE FUNCTION overcoat.attempt(work text, object oid) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  column_name name;
BEGIN
  IF work = 'table' THEN
    SELECT name INTO column_name FROM overcoat.text_columns(object) JOIN pg_collation c ON c.oid = collation_oid
    WHERE NOT collisdeterministic LIMIT 1;
    IF FOUND THEN
      RAISE EXCEPTION USING ERRCODE = 'feature_not_supported',
        MESSAGE = format('column "%s" of "%s" has a nondeterministic collation', column_name, object::regclass),
        DETAIL = 'The SQL server compares text by code point.',
        HINT = 'Leave its collation away.';
    END IF;
  END IF;
  BEGIN
    CASE work
      WHEN 'server' THEN PERFORM overcoat.link_server(object);
      WHEN 'mapping' THEN PERFORM overcoat.link_mapping(object);
      WHEN 'table' THEN PERFORM overcoat.link_table(object);
      WHEN 'import' THEN PERFORM overcoat.ensure_mapping(object);
    END CASE;
  EXCEPTION
  WHEN query_canceled THEN
    -- Anew, since the context would show the statement that was cancelled, with the login in it.
    RAISE EXCEPTION USING ERRCODE = 'query_canceled', MESSAGE = SQLERRM;
  WHEN OTHERS THEN
    RAISE WARNING USING
      MESSAGE = format('%s is not linked to the SQL server: %s',
        pg_describe_object(
          CASE work WHEN 'mapping' THEN 'pg_user_mapping'::regclass WHEN 'table' THEN 'pg_class'::regclass
            ELSE 'pg_foreign_server'::regclass END,
          object, 0),
        SQLERRM),
      HINT = 'Mend the cause, then run SELECT overcoat.relink().';
  END;
END
$$;

-- The foreign tables among a table and its heirs.
CREATE OR REPLACE FUNCTION overcoat.foreign_tables(relation oid) RETURNS SETOF oid
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  WITH RECURSIVE heirs(heir) AS (
    SELECT relation UNION SELECT inhrelid FROM heirs JOIN pg_inherits ON inhparent = heir
  )
  SELECT ftrelid FROM heirs JOIN pg_foreign_table ON ftrelid = heir
  WHERE overcoat.wrapper_of(ftserver) IS NOT NULL;
$$;

CREATE OR REPLACE FUNCTION overcoat.link_command() RETURNS event_trigger
LANGUAGE plpgsql SECURITY DEFINER
@guarded@
AS $$
BEGIN
  PERFORM overcoat.attempt('server', s.oid)
  FROM (
    SELECT s.oid FROM pg_event_trigger_ddl_commands() c JOIN pg_foreign_server s ON s.oid = c.objid
    WHERE c.classid = 'pg_foreign_server'::regclass AND overcoat.wrapper_of(s.oid) IS NOT NULL
    GROUP BY s.oid
  ) AS s;
  PERFORM overcoat.attempt('mapping', m.oid)
  FROM (
    SELECT m.oid FROM pg_event_trigger_ddl_commands() c JOIN pg_user_mapping m ON m.oid = c.objid
    WHERE c.classid = 'pg_user_mapping'::regclass AND overcoat.wrapper_of(m.umserver) IS NOT NULL
    GROUP BY m.oid
  ) AS m;
  PERFORM overcoat.attempt('table', t.oid)
  FROM (
    SELECT t.oid FROM pg_event_trigger_ddl_commands() c, overcoat.foreign_tables(c.objid) AS t(oid)
    WHERE c.classid = 'pg_class'::regclass
    GROUP BY t.oid
  ) AS t;
END
$$;

-- Columns go with their types.
CREATE OR REPLACE FUNCTION overcoat.link_dropped() RETURNS event_trigger
LANGUAGE plpgsql SECURITY DEFINER
@guarded@
AS $$
BEGIN
  PERFORM overcoat.attempt('table', t.oid)
  FROM (
    SELECT t.oid FROM pg_event_trigger_dropped_objects() d, overcoat.foreign_tables(d.objid) AS t(oid)
    WHERE d.classid = 'pg_class'::regclass AND d.objsubid > 0
    GROUP BY t.oid
  ) AS t;
END
$$;

-- IMPORT FOREIGN SCHEMA asks the SQL server before there is a table.
CREATE OR REPLACE FUNCTION overcoat.ready_import() RETURNS event_trigger
LANGUAGE plpgsql SECURITY DEFINER
@guarded@
AS $$
BEGIN
  PERFORM overcoat.attempt('import', oid) FROM (
    SELECT oid FROM pg_foreign_server WHERE overcoat.wrapper_of(oid) IS NOT NULL OFFSET 0) AS ours;
END
$$;

-- Derives all anew: after the settings have changed, or to repair what somebody changed by hand.
CREATE OR REPLACE FUNCTION overcoat.relink() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
@guarded@
AS $$
BEGIN
  PERFORM overcoat.attempt('server', oid) FROM (
    SELECT oid FROM pg_foreign_server WHERE overcoat.wrapper_of(oid) IS NOT NULL OFFSET 0) AS ours;
  PERFORM overcoat.attempt('table', ftrelid) FROM (
    SELECT ftrelid FROM pg_foreign_table WHERE overcoat.wrapper_of(ftserver) IS NOT NULL OFFSET 0) AS ours;
END
$$;
REVOKE EXECUTE ON FUNCTION overcoat.relink FROM PUBLIC;

DROP EVENT TRIGGER IF EXISTS overcoat_link;
CREATE EVENT TRIGGER overcoat_link ON ddl_command_end
  WHEN TAG IN ('CREATE SERVER', 'ALTER SERVER', 'CREATE USER MAPPING', 'ALTER USER MAPPING',
    'CREATE FOREIGN TABLE', 'ALTER FOREIGN TABLE', 'ALTER TABLE', 'IMPORT FOREIGN SCHEMA')
  EXECUTE FUNCTION overcoat.link_command();
DROP EVENT TRIGGER IF EXISTS overcoat_link_dropped;
CREATE EVENT TRIGGER overcoat_link_dropped ON sql_drop
  WHEN TAG IN ('DROP TYPE', 'DROP DOMAIN', 'DROP COLLATION', 'DROP SCHEMA', 'DROP EXTENSION', 'DROP OWNED')
  EXECUTE FUNCTION overcoat.link_dropped();
DROP EVENT TRIGGER IF EXISTS overcoat_ready_import;
CREATE EVENT TRIGGER overcoat_ready_import ON ddl_command_start
  WHEN TAG IN ('IMPORT FOREIGN SCHEMA')
  EXECUTE FUNCTION overcoat.ready_import();
