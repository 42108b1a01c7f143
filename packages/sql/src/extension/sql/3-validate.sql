-- Checks the options of a wrapper's server, user mapping, table or column. `known` is what
-- `overcoat.<wrapper>_options()` returns; all other options are those of postgres_fdw, which checks them itself.
-- It runs with the rights of who sets the options: postgres_fdw leaves some of them to superusers.
CREATE OR REPLACE FUNCTION overcoat.validate(options text[], catalog oid, wrapper text, known jsonb) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  level text := CASE catalog
    WHEN 'pg_foreign_server'::regclass THEN 'server'
    WHEN 'pg_user_mapping'::regclass THEN 'user'
    WHEN 'pg_foreign_table'::regclass THEN 'table'
    WHEN 'pg_attribute'::regclass THEN 'column'
    ELSE 'wrapper'
  END;
  place text := CASE level WHEN 'server' THEN 'a server' WHEN 'user' THEN 'a user mapping'
    WHEN 'table' THEN 'a foreign table' WHEN 'column' THEN 'a column' ELSE 'the wrapper' END;
  names jsonb := coalesce(known -> level, '{}');
  seen jsonb := '{}';
  option text;
  name text;
  value text;
BEGIN
  FOREACH option IN ARRAY options LOOP
    name := split_part(option, '=', 1);
    value := substr(option, length(name) + 2);
    IF names ? name THEN
      IF seen ? (names ->> name) THEN
        RAISE EXCEPTION USING ERRCODE = 'fdw_invalid_option_name',
          MESSAGE = format('options "%s" and "%s" mean the same', seen ->> (names ->> name), name),
          HINT = 'Give one of them.';
      END IF;
      seen := seen || jsonb_build_object(names ->> name, name);
      CONTINUE;
    END IF;
    CONTINUE WHEN name = 'linked' AND level IN ('server', 'user');
    CONTINUE WHEN name = 'explain' AND level = 'table';
    CONTINUE WHEN name = 'options' AND level = 'user' AND value LIKE '%-c overcoat.link=%';
    IF name = 'extensions' AND level = 'server' THEN
      RAISE EXCEPTION USING ERRCODE = 'fdw_invalid_option_name',
        MESSAGE = format('option "extensions" is not for servers of %s', wrapper),
        DETAIL = 'Functions of extensions are evaluated in this database.';
    END IF;
    BEGIN
      PERFORM overcoat.stock_validator(ARRAY[option], catalog);
    EXCEPTION WHEN fdw_invalid_option_name THEN
      IF name ~ '^vault_|_id$' THEN
        RAISE EXCEPTION USING ERRCODE = 'fdw_invalid_option_name',
          MESSAGE = format('invalid option "%s"', name),
          DETAIL = 'Secrets of Supabase Vault stay in the database, where the SQL server cannot read them.',
          HINT = 'Give secret ''NAME'' instead, and that secret to the SQL server, e.g. as OVERCOAT_SECRET_NAME.';
      END IF;
      RAISE EXCEPTION USING ERRCODE = 'fdw_invalid_option_name',
        MESSAGE = format('invalid option "%s"', name),
        HINT = overcoat.valid_options(wrapper, place, level, names);
    END;
  END LOOP;
END
$$;

-- A sentence that lists them.
CREATE OR REPLACE FUNCTION overcoat.valid_options(wrapper text, place text, level text, names jsonb) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT format('Valid options of %s of %s: ', place, wrapper)
    || coalesce(string_agg(DISTINCT value, ', ') || '; and ', '')
    || CASE level
      WHEN 'server' THEN 'those of postgres_fdw, as host, port, sslmode, fetch_size, batch_size, use_remote_estimate.'
      WHEN 'user' THEN 'those of postgres_fdw, as user, password.'
      WHEN 'table' THEN 'those of postgres_fdw, as fetch_size, batch_size, updatable.'
      WHEN 'column' THEN 'column_name.'
      ELSE 'none.'
    END
  FROM jsonb_each_text(names);
$$;

GRANT EXECUTE ON FUNCTION overcoat.validate, overcoat.stock_validator, overcoat.valid_options TO PUBLIC;
