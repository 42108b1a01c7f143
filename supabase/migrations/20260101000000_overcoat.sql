-- What `overcoat sql print --target supabase` prints: the wrappers, without where the SQL server is. Made by `npm run supabase`.

CREATE EXTENSION IF NOT EXISTS postgres_fdw;

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

DO $$
BEGIN
  EXECUTE pg_catalog.format(
    'CREATE OR REPLACE FUNCTION overcoat.stock_validator(text[], oid) RETURNS void LANGUAGE sql '
    'SET search_path = pg_catalog, pg_temp AS ''SELECT %s($1, $2)''',
    (SELECT pg_catalog.format('%I.%I', nspname, proname) FROM pg_catalog.pg_foreign_data_wrapper w
      JOIN pg_catalog.pg_proc p ON p.oid = w.fdwvalidator JOIN pg_catalog.pg_namespace n ON n.oid = pronamespace
      WHERE fdwname = 'postgres_fdw'));
END
$$;

-- Options as jsonb objects of texts.

CREATE OR REPLACE FUNCTION overcoat.options(options text[]) RETURNS jsonb
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT coalesce(jsonb_object_agg(option_name, coalesce(option_value, '')), '{}')
  FROM pg_options_to_table(options);
$$;

-- Those that the names know, under the names that they stand for.
CREATE OR REPLACE FUNCTION overcoat.known_options(options jsonb, names jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT coalesce(jsonb_object_agg(names ->> key, value), '{}') FROM jsonb_each(options) WHERE names ? key;
$$;

-- JSON without blanks, so that little has to be escaped.
CREATE OR REPLACE FUNCTION overcoat.compact(options jsonb) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT '{' || coalesce(
    string_agg(to_json(key)::text || ':' || to_json(value)::text, ',' ORDER BY key COLLATE "C"), '') || '}'
  FROM jsonb_each_text(options);
$$;

-- The object that a text holds; an empty one when it holds none.
CREATE OR REPLACE FUNCTION overcoat.object(value text) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF value LIKE '{%' AND jsonb_typeof(value::jsonb) = 'object' THEN RETURN value::jsonb; END IF;
  RETURN '{}';
EXCEPTION WHEN data_exception THEN
  RETURN '{}';
END
$$;

-- What an object got from its user: its options without those that the linker gave it and nobody changed since.
-- The option `linked` names them with their values.
CREATE OR REPLACE FUNCTION overcoat.given_options(options jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT coalesce(jsonb_object_agg(key, value), '{}')
  FROM jsonb_each(options)
  WHERE key <> 'linked' AND value IS DISTINCT FROM overcoat.object(options ->> 'linked') -> key;
$$;

-- Adds, sets and drops what differs, and tells whether something did. The object is quoted already, e.g.
-- `SERVER redis_server`.
CREATE OR REPLACE FUNCTION overcoat.set_options(object text, old jsonb, new jsonb) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  changes text;
BEGIN
  SELECT string_agg(change, ', ') INTO changes FROM (
    SELECT format('%s %I %L', CASE WHEN old ? key THEN 'SET' ELSE 'ADD' END, key, value)
    FROM jsonb_each_text(new) WHERE value IS DISTINCT FROM old ->> key
    UNION ALL
    SELECT format('DROP %I', key) FROM jsonb_object_keys(old) AS key WHERE NOT new ? key
  ) AS changed(change);
  IF changes IS NOT NULL THEN
    EXECUTE format('ALTER %s OPTIONS (%s)', object, changes);
  END IF;
  RETURN changes IS NOT NULL;
END
$$;

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

-- The SQL server compares text by code point and maps cases as one of three collations does: pg_c_utf8 (the
-- builtin C.UTF-8 of PostgreSQL 17), C.utf8 of the system, or C.

-- Which of the three a collation equals, if any.
CREATE OR REPLACE FUNCTION overcoat.exact_collation(collation_oid oid) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT CASE
    WHEN provider = 'b' AND locale = 'C.UTF-8' THEN 'pg_c_utf8'
    WHEN provider = 'b' AND locale = 'C' THEN 'C'
    WHEN provider = 'c' AND lc_collate IN ('C', 'POSIX') AND lc_ctype IN ('C', 'POSIX') THEN 'C'
    WHEN provider = 'c' AND lc_collate IN ('C.UTF-8', 'C.utf8') AND lc_ctype IN ('C.UTF-8', 'C.utf8') THEN 'C.utf8'
  END
  FROM (
    -- As jsonb, since the columns differ between versions of PostgreSQL.
    SELECT coalesce(d ->> 'datlocprovider', 'c') AS provider, d ->> 'datlocale' AS locale,
      d ->> 'datcollate' AS lc_collate, d ->> 'datctype' AS lc_ctype
    FROM (SELECT to_jsonb(pg_database) FROM pg_database WHERE datname = current_database()) AS found(d)
    WHERE collation_oid = 'pg_catalog."default"'::regcollation
    UNION ALL
    SELECT c ->> 'collprovider', c ->> 'colllocale', c ->> 'collcollate', c ->> 'collctype'
    FROM (SELECT to_jsonb(pg_collation) FROM pg_collation WHERE oid = collation_oid) AS found(c)
    WHERE collation_oid <> 'pg_catalog."default"'::regcollation
  ) AS facts;
$$;

-- The best of the three in this database, by name in pg_catalog.
CREATE OR REPLACE FUNCTION overcoat.best_collation() RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT collname::text FROM pg_collation
  WHERE collnamespace = 'pg_catalog'::regnamespace AND collname IN ('pg_c_utf8', 'C.utf8', 'C')
    AND collencoding IN (-1, pg_char_to_encoding(getdatabaseencoding()))
  ORDER BY collname = 'pg_c_utf8' DESC, collname = 'C.utf8' DESC LIMIT 1;
$$;

-- A foreign table's columns of text types. Conditions on columns of other types that have a collation, such as
-- domains, are never sent to the SQL server.
CREATE OR REPLACE FUNCTION overcoat.text_columns(relation oid)
RETURNS TABLE (name name, type text, collation_oid oid, own boolean)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT attname, format_type(atttypid, atttypmod), attcollation, attinhcount = 0
  FROM pg_attribute
  WHERE attrelid = relation AND attnum > 0 AND NOT attisdropped
    AND atttypid IN ('text'::regtype, 'varchar'::regtype, 'bpchar'::regtype,
      'text[]'::regtype, 'varchar[]'::regtype, 'bpchar[]'::regtype)
  ORDER BY attnum;
$$;

-- Gives a table's own text columns one collation in which the SQL server is exact, and returns which of the three it
-- is: the one that they share, else the database's own, else the best. `renew` is for imported columns, whose
-- collation nobody chose.
CREATE OR REPLACE FUNCTION overcoat.set_collation(relation oid, quoted text, renew boolean) RETURNS text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  own_default text := overcoat.exact_collation('pg_catalog."default"'::regcollation);
  kind text := coalesce(own_default, overcoat.best_collation());
  target text := CASE WHEN own_default IS NULL THEN kind ELSE 'default' END;
  kinds text[];
  changes text;
  told text;
BEGIN
  SELECT array_agg(DISTINCT coalesce(overcoat.exact_collation(collation_oid), 'other')) INTO kinds
  FROM overcoat.text_columns(relation);
  IF kinds IS NULL THEN RETURN kind; END IF;
  IF cardinality(kinds) = 1 AND kinds[1] <> 'other' AND NOT renew THEN RETURN kinds[1]; END IF;
  SELECT string_agg(format('ALTER COLUMN %I TYPE %s COLLATE pg_catalog.%I', name, type, target), ', '),
    string_agg(quote_ident(name), ', ') FILTER (WHERE collation_oid <> 'pg_catalog."default"'::regcollation)
  INTO changes, told
  FROM overcoat.text_columns(relation)
  WHERE own AND overcoat.exact_collation(collation_oid) IS DISTINCT FROM kind;
  IF changes IS NOT NULL THEN
    EXECUTE format('ALTER FOREIGN TABLE %s %s', quoted, changes);
  END IF;
  IF told IS NOT NULL AND NOT renew THEN
    RAISE NOTICE USING MESSAGE = format('collation of %s in %s is now %I', told, quoted, target),
      DETAIL = 'The SQL server compares text in this collation.';
  END IF;
  RETURN kind;
END
$$;

-- The linker turns the options of wrappers into what postgres_fdw carries to the SQL server. All of it may be
-- done again at any time: what is right already is left alone.

-- `redis_fdw` for a server whose wrapper is one of ours under whatever name, else NULL.
CREATE OR REPLACE FUNCTION overcoat.wrapper_of(server oid) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT substring(proname FROM '^([a-z0-9_]+_fdw)_validator$')
  FROM pg_foreign_server s
  JOIN pg_foreign_data_wrapper w ON w.oid = s.srvfdw
  JOIN pg_proc p ON p.oid = w.fdwvalidator
  WHERE s.oid = server AND p.pronamespace = 'overcoat'::regnamespace;
$$;

-- What `overcoat.<wrapper>_options()` returns: for `server`, `user`, `table` and `column` the options that the
-- wrapper knows and what each stands for; `secret` is the option that `secret 'NAME'` stands for.
CREATE OR REPLACE FUNCTION overcoat.known_of(wrapper text) RETURNS jsonb
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  known jsonb;
BEGIN
  EXECUTE format('SELECT overcoat.%I()', wrapper || '_options') INTO known;
  RETURN known;
END
$$;

CREATE OR REPLACE FUNCTION overcoat.setting(names text[]) RETURNS jsonb
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT coalesce(jsonb_object_agg(name, value), '{}') FROM overcoat.settings
  WHERE name = ANY (names) AND (name <> 'require_auth' OR current_setting('server_version_num')::int >= 160000);
$$;

-- Whether a server's address came from the linker: only such a server gets the login.
CREATE OR REPLACE FUNCTION overcoat.is_ours(server_options jsonb) RETURNS boolean
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT server_options ? 'host' AND NOT overcoat.given_options(server_options) ?| '{host,hostaddr,port,service}';
$$;

CREATE OR REPLACE FUNCTION overcoat.link_server(server oid) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  address_names text[] := '{host,port,sslmode,sslrootcert,require_auth}';
  name name;
  old jsonb;
  given jsonb;
  ours jsonb := '{"fetch_size":"2000","batch_size":"100","use_remote_estimate":"true"}';
  address jsonb;
  mapping oid;
BEGIN
  SELECT srvname, overcoat.options(srvoptions) INTO name, old FROM pg_foreign_server WHERE oid = server;
  given := overcoat.given_options(old);
  IF NOT given ?| '{host,hostaddr,port,service}' THEN
    address := overcoat.setting(address_names);
    -- A database that was restored elsewhere has none yet.
    IF address = '{}' THEN
      SELECT coalesce(jsonb_object_agg(key, value), '{}') INTO address FROM jsonb_each(old)
      WHERE key = ANY (address_names) AND NOT given ? key;
    END IF;
    ours := ours || address;
  END IF;
  SELECT coalesce(jsonb_object_agg(key, value), '{}') INTO ours FROM jsonb_each(ours) WHERE NOT given ? key;
  PERFORM overcoat.set_options(format('SERVER %I', name), old,
    given || ours || CASE ours WHEN '{}' THEN '{}' ELSE jsonb_build_object('linked', overcoat.compact(ours)) END);
  FOR mapping IN SELECT oid FROM pg_user_mapping WHERE umserver = server LOOP
    PERFORM overcoat.link_mapping(mapping);
  END LOOP;
END
$$;

CREATE OR REPLACE FUNCTION overcoat.link_mapping(mapping oid) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  role text;
  server oid;
  server_name name;
  server_options jsonb;
  wrapper text;
  known jsonb;
  old jsonb;
  given jsonb;
  login jsonb := '{}';
  kept jsonb := '{}';
  mapping_known jsonb;
  server_known jsonb;
  link text;
BEGIN
  SELECT CASE umuser WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(umuser)) END,
    overcoat.options(umoptions), s.oid, s.srvname, overcoat.options(srvoptions)
  INTO role, old, server, server_name, server_options
  FROM pg_user_mapping m JOIN pg_foreign_server s ON s.oid = umserver WHERE m.oid = mapping;
  wrapper := overcoat.wrapper_of(server);
  known := overcoat.known_of(wrapper);

  given := overcoat.given_options(old) - 'options';
  -- `linked` names the user alone; the password goes with it.
  IF old ? 'user' AND NOT given ? 'user' THEN
    given := given - 'password';
    kept := jsonb_build_object('user', old -> 'user', 'password', coalesce(old -> 'password', '""'));
  END IF;
  IF overcoat.is_ours(server_options) AND NOT given ?| '{user,password}' THEN
    login := overcoat.setting('{user,password}');
    -- A database that was restored elsewhere has none yet.
    IF login = '{}' THEN login := kept; END IF;
  END IF;

  mapping_known := overcoat.known_options(given, known -> 'user');
  server_known := overcoat.known_options(server_options, known -> 'server');
  -- A named secret and the option that it stands for are two ways to say one thing: the mapping's wins.
  IF mapping_known ? 'secret' THEN server_known := server_known - (known ->> 'secret'); END IF;
  IF mapping_known ? (known ->> 'secret') THEN server_known := server_known - 'secret'; END IF;
  link := format('{"wrapper":%s,"server":%s,"options":%s}',
    to_json(wrapper), to_json(server_name), overcoat.compact(server_known || mapping_known));

  PERFORM overcoat.set_options(format('USER MAPPING FOR %s SERVER %I', role, server_name), old,
    given || login
    || CASE WHEN login ? 'user'
      THEN jsonb_build_object('linked', overcoat.compact(jsonb_build_object('user', login -> 'user')))
      ELSE '{}' END
    -- The last one counts.
    || jsonb_build_object('options', concat_ws(' ', server_options ->> 'options',
      '-c overcoat.link=' || regexp_replace(link, E'([ \\\\])', E'\\\\\\1', 'g'))));
END
$$;

-- A mapping for all users of a server that nobody made one for. Not before the server is used, since pg_dump
-- makes mappings after servers and before tables.
CREATE OR REPLACE FUNCTION overcoat.ensure_mapping(server oid) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  name name;
  ours boolean;
BEGIN
  IF EXISTS (SELECT FROM pg_user_mapping WHERE umserver = server) THEN RETURN; END IF;
  SELECT srvname, overcoat.is_ours(overcoat.options(srvoptions)) INTO name, ours
  FROM pg_foreign_server WHERE oid = server;
  IF ours AND overcoat.setting('{user}') <> '{}' THEN
    EXECUTE format('CREATE USER MAPPING FOR PUBLIC SERVER %I', name);
    PERFORM overcoat.link_mapping(oid) FROM pg_user_mapping WHERE umserver = server;
  END IF;
END
$$;

-- The type as which a column's values travel: built in, for the SQL server knows no others.
CREATE OR REPLACE FUNCTION overcoat.travelling_type(type oid, modifier integer) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  found pg_type;
BEGIN
  IF type < 10000 THEN RETURN format_type(type, modifier); END IF;
  SELECT * INTO found FROM pg_type WHERE oid = type;
  IF found.typtype = 'd' THEN RETURN overcoat.travelling_type(found.typbasetype, found.typtypmod); END IF;
  IF found.typcategory <> 'A' OR found.typelem = 0 THEN RETURN 'text'; END IF;
  RETURN regexp_replace(overcoat.travelling_type(found.typelem, modifier), '([[][]])?$', '[]');
END
$$;

CREATE OR REPLACE FUNCTION overcoat.columns_of(relation oid, names jsonb) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT '[' || coalesce(string_agg(
    format('[%s,%s%s]',
      to_json(coalesce(options ->> 'column_name', attname)),
      to_json(overcoat.travelling_type(atttypid, atttypmod)),
      CASE WHEN known <> '{}' THEN ',' || overcoat.compact(known) END),
    ',' ORDER BY attnum), '') || ']'
  FROM pg_attribute,
    LATERAL (SELECT overcoat.options(attfdwoptions)) AS given(options),
    LATERAL (SELECT overcoat.known_options(options, names)) AS filtered(known)
  WHERE attrelid = relation AND attnum > 0 AND NOT attisdropped;
$$;

-- Whether a table carries names that are not the linker's.
CREATE OR REPLACE FUNCTION overcoat.is_imported(table_options jsonb) RETURNS boolean
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT table_options ?| '{schema_name,table_name}' AND NOT (
    coalesce(table_options ->> 'schema_name' = 'overcoat', false)
    AND overcoat.object(coalesce(table_options ->> 'table_name', '')) ? 'columns');
$$;

-- What stays wrong after all that the linker could do.
CREATE OR REPLACE FUNCTION overcoat.warn_of(relation oid, quoted text, server oid) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  best text := overcoat.best_collation();
  names text;
BEGIN
  SELECT string_agg(quote_ident(name), ', ') INTO names FROM overcoat.text_columns(relation)
  WHERE overcoat.exact_collation(collation_oid) IS NULL;
  IF names IS NOT NULL THEN
    RAISE WARNING USING MESSAGE = format('the SQL server compares %s in %s otherwise than this database', names, quoted),
      HINT = format('Give these columns COLLATE %I, in the parent table if they come from one.', best);
  END IF;
  SELECT srvname INTO names FROM pg_foreign_server WHERE oid = server AND NOT overcoat.options(srvoptions) ? 'host';
  IF names IS NOT NULL AND overcoat.setting('{host}') = '{}' THEN
    RAISE WARNING USING MESSAGE = format('no SQL server is known here that could answer for server "%s"', names),
      HINT = 'Start `overcoat up` again, or run `overcoat sql install --url postgres://…` for this database.';
  END IF;
END
$$;

CREATE OR REPLACE FUNCTION overcoat.link_table(relation oid) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  schema_name name;
  name name;
  quoted text;
  server oid;
  old jsonb;
  known jsonb;
  options jsonb;
  imported boolean;
  collation_name text;
  remote jsonb;
  link text;
BEGIN
  SELECT nspname, relname, format('%I.%I', nspname, relname), ftserver
  INTO schema_name, name, quoted, server
  FROM pg_foreign_table JOIN pg_class c ON c.oid = ftrelid JOIN pg_namespace n ON n.oid = relnamespace
  WHERE ftrelid = relation;
  known := overcoat.known_of(overcoat.wrapper_of(server));
  PERFORM overcoat.ensure_mapping(server);
  SELECT overcoat.is_imported(overcoat.options(ftoptions)) INTO imported FROM pg_foreign_table WHERE ftrelid = relation;
  collation_name := overcoat.set_collation(relation, quoted, imported);
  -- Not before: the statements above fire the linker again.
  SELECT overcoat.options(ftoptions) INTO old FROM pg_foreign_table WHERE ftrelid = relation;
  options := overcoat.known_options(old, known -> 'table' || '{"explain": "explain"}');
  IF NOT overcoat.is_imported(old) THEN
    remote := overcoat.object(old ->> 'table_name') -> 'remote';
  ELSE
    remote := jsonb_build_array(coalesce(old ->> 'schema_name', schema_name), coalesce(old ->> 'table_name', name));
  END IF;
  link := concat_ws(',',
    '{"table":' || to_json(name),
    CASE WHEN options <> '{}' THEN '"options":' || overcoat.compact(options) END,
    '"columns":' || overcoat.columns_of(relation, known -> 'column'),
    CASE WHEN collation_name <> 'pg_c_utf8' THEN '"collation":' || to_json(collation_name) END,
    CASE WHEN remote IS NOT NULL THEN format('"remote":[%s,%s]', to_json(remote ->> 0), to_json(remote ->> 1)) END
  ) || '}';
  IF NOT overcoat.set_options(format('FOREIGN TABLE %s', quoted), old,
    old || jsonb_build_object('schema_name', 'overcoat', 'table_name', link))
  THEN
    PERFORM overcoat.warn_of(relation, quoted, server);
  END IF;
END
$$;

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
SET search_path = pg_catalog, pg_temp SET standard_conforming_strings = on SET quote_all_identifiers = off SET debug_print_parse = off SET debug_print_rewritten = off SET debug_print_plan = off
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
SET search_path = pg_catalog, pg_temp SET standard_conforming_strings = on SET quote_all_identifiers = off SET debug_print_parse = off SET debug_print_rewritten = off SET debug_print_plan = off
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
SET search_path = pg_catalog, pg_temp SET standard_conforming_strings = on SET quote_all_identifiers = off SET debug_print_parse = off SET debug_print_rewritten = off SET debug_print_plan = off
AS $$
BEGIN
  PERFORM overcoat.attempt('import', oid) FROM (
    SELECT oid FROM pg_foreign_server WHERE overcoat.wrapper_of(oid) IS NOT NULL OFFSET 0) AS ours;
END
$$;

-- Derives all anew: after the settings have changed, or to repair what somebody changed by hand.
CREATE OR REPLACE FUNCTION overcoat.relink() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET standard_conforming_strings = on SET quote_all_identifiers = off SET debug_print_parse = off SET debug_print_rewritten = off SET debug_print_plan = off
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

-- What each service would be asked for a query, in its own words: EXPLAIN shows only what goes to the SQL server.
-- The query is planned, not run, with the rights of who asks; they need USAGE of the foreign servers and TEMP.
CREATE OR REPLACE FUNCTION overcoat.explain(
  query text,
  search_path text DEFAULT pg_catalog.current_setting('search_path'),
  OUT server name,
  OUT request text
) RETURNS SETOF record
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  plan json;
  statement text;
  requests text[];
BEGIN
  query := 'EXPLAIN (VERBOSE, FORMAT JSON) ' || query;
  PERFORM set_config('search_path', search_path, true);
  EXECUTE query INTO plan;
  PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
  FOR statement IN
    SELECT node ->> 'Remote SQL'
    FROM jsonb_path_query(plan::jsonb, 'strict $.** ? (exists (@."Remote SQL"))') AS node
  LOOP
    SELECT srvname INTO server
    FROM regexp_matches(statement, 'overcoat"?[.]"((?:[^"]|"")+)"', 'g') AS found(name)
    JOIN pg_foreign_table ON ftoptions @> ARRAY['table_name=' || replace(name[1], '""', '"')]
    JOIN pg_foreign_server s ON s.oid = ftserver
    LIMIT 1;
    CONTINUE WHEN NOT FOUND;
    IF NOT has_server_privilege(server, 'USAGE') THEN
      RAISE EXCEPTION USING ERRCODE = 'insufficient_privilege',
        MESSAGE = format('permission denied for foreign server %s', server),
        HINT = format('GRANT USAGE ON FOREIGN SERVER %I to those who explain queries.', server);
    END IF;
    BEGIN
      EXECUTE format('CREATE FOREIGN TABLE pg_temp.overcoat_explain (request text) SERVER %I OPTIONS (explain %L)',
        server, statement);
      EXECUTE 'SELECT array_agg(request) FROM pg_temp.overcoat_explain' INTO requests;
      -- The table goes with the subtransaction.
      RAISE SQLSTATE 'OC000';
    EXCEPTION WHEN SQLSTATE 'OC000' THEN
      NULL;
    END;
    FOREACH request IN ARRAY coalesce(requests, '{}') LOOP
      RETURN NEXT;
    END LOOP;
  END LOOP;
END
$$;
GRANT EXECUTE ON FUNCTION overcoat.explain TO PUBLIC;

CREATE OR REPLACE FUNCTION overcoat.redis_fdw_options() RETURNS jsonb
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
AS 'SELECT ''{"server":{"url":"url","conn_url":"url","username":"username","auth_password":"auth_password","client_certificate":"client_certificate","client_key":"client_key","sentinel_username":"sentinel_username","sentinel_password":"sentinel_password","database":"database","cluster":"cluster","sentinels":"sentinels","master_name":"master_name","ca":"ca","tls_server_name":"tls_server_name","timeout":"timeout","secret":"secret"},"user":{"url":"url","conn_url":"url","username":"username","auth_password":"auth_password","client_certificate":"client_certificate","client_key":"client_key","sentinel_username":"sentinel_username","sentinel_password":"sentinel_password","secret":"secret"},"table":{"key_prefix":"key_prefix","key":"key","type":"type","on_conflict":"on_conflict","ttl":"ttl","src_type":"src_type","src_key":"src_key","tabletype":"type","tablekeyprefix":"key_prefix","singleton_key":"key"},"column":{"field":"field","role":"role"},"secret":"auth_password"}''::jsonb';

CREATE OR REPLACE FUNCTION overcoat.redis_fdw_validator(options text[], catalog oid) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  PERFORM overcoat.validate(options, catalog, 'redis_fdw', overcoat.redis_fdw_options());
END
$$;
GRANT EXECUTE ON FUNCTION overcoat.redis_fdw_options, overcoat.redis_fdw_validator TO PUBLIC;

DO $$
BEGIN
  IF NOT EXISTS (
    SELECT FROM pg_catalog.pg_foreign_data_wrapper
    WHERE fdwname = 'redis_fdw' AND fdwvalidator = 'overcoat.redis_fdw_validator'::pg_catalog.regproc
  ) THEN
    EXECUTE pg_catalog.format(
      'CREATE FOREIGN DATA WRAPPER redis_fdw HANDLER %s VALIDATOR overcoat.redis_fdw_validator',
      (SELECT pg_catalog.format('%I.%I', nspname, proname) FROM pg_catalog.pg_foreign_data_wrapper w
      JOIN pg_catalog.pg_proc p ON p.oid = w.fdwhandler JOIN pg_catalog.pg_namespace n ON n.oid = pronamespace
      WHERE fdwname = 'postgres_fdw'));
  END IF;
END
$$;

CREATE OR REPLACE FUNCTION overcoat.auth0_fdw_options() RETURNS jsonb
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
AS 'SELECT ''{"server":{"domain":"domain","url":"domain","audience":"audience","client_id":"client_id","client_secret":"client_secret","api_key":"api_key","secret":"secret"},"user":{"client_id":"client_id","client_secret":"client_secret","api_key":"api_key","secret":"secret"},"table":{"object":"object","connection":"connection"},"column":{},"secret":"client_secret"}''::jsonb';

CREATE OR REPLACE FUNCTION overcoat.auth0_fdw_validator(options text[], catalog oid) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  PERFORM overcoat.validate(options, catalog, 'auth0_fdw', overcoat.auth0_fdw_options());
END
$$;
GRANT EXECUTE ON FUNCTION overcoat.auth0_fdw_options, overcoat.auth0_fdw_validator TO PUBLIC;

DO $$
BEGIN
  IF NOT EXISTS (
    SELECT FROM pg_catalog.pg_foreign_data_wrapper
    WHERE fdwname = 'auth0_fdw' AND fdwvalidator = 'overcoat.auth0_fdw_validator'::pg_catalog.regproc
  ) THEN
    EXECUTE pg_catalog.format(
      'CREATE FOREIGN DATA WRAPPER auth0_fdw HANDLER %s VALIDATOR overcoat.auth0_fdw_validator',
      (SELECT pg_catalog.format('%I.%I', nspname, proname) FROM pg_catalog.pg_foreign_data_wrapper w
      JOIN pg_catalog.pg_proc p ON p.oid = w.fdwhandler JOIN pg_catalog.pg_namespace n ON n.oid = pronamespace
      WHERE fdwname = 'postgres_fdw'));
  END IF;
END
$$;

CREATE OR REPLACE FUNCTION overcoat.s3_fdw_options() RETURNS jsonb
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
AS 'SELECT ''{"server":{"access_key_id":"access_key_id","secret_access_key":"secret_access_key","session_token":"session_token","aws_access_key_id":"access_key_id","aws_secret_access_key":"secret_access_key","aws_session_token":"session_token","endpoint":"endpoint","region":"region","bucket":"bucket","path_style":"path_style","request_timeout":"request_timeout","url_expires_in":"url_expires_in","endpoint_url":"endpoint","aws_endpoint_url":"endpoint","aws_region":"region","path_style_url":"path_style","secret":"secret"},"user":{"access_key_id":"access_key_id","secret_access_key":"secret_access_key","session_token":"session_token","aws_access_key_id":"access_key_id","aws_secret_access_key":"secret_access_key","aws_session_token":"session_token","secret":"secret"},"table":{"bucket":"bucket","prefix":"prefix","metadata_from":"metadata_from","url_expires_in":"url_expires_in","format":"format","uri":"uri","compress":"compress","filename_column":"filename_column","has_header":"has_header","delimiter":"delimiter","quote":"quote","escape":"escape","null":"null","on_conflict":"on_conflict"},"column":{},"secret":"secret_access_key"}''::jsonb';

CREATE OR REPLACE FUNCTION overcoat.s3_fdw_validator(options text[], catalog oid) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  PERFORM overcoat.validate(options, catalog, 's3_fdw', overcoat.s3_fdw_options());
END
$$;
GRANT EXECUTE ON FUNCTION overcoat.s3_fdw_options, overcoat.s3_fdw_validator TO PUBLIC;

DO $$
BEGIN
  IF NOT EXISTS (
    SELECT FROM pg_catalog.pg_foreign_data_wrapper
    WHERE fdwname = 's3_fdw' AND fdwvalidator = 'overcoat.s3_fdw_validator'::pg_catalog.regproc
  ) THEN
    EXECUTE pg_catalog.format(
      'CREATE FOREIGN DATA WRAPPER s3_fdw HANDLER %s VALIDATOR overcoat.s3_fdw_validator',
      (SELECT pg_catalog.format('%I.%I', nspname, proname) FROM pg_catalog.pg_foreign_data_wrapper w
      JOIN pg_catalog.pg_proc p ON p.oid = w.fdwhandler JOIN pg_catalog.pg_namespace n ON n.oid = pronamespace
      WHERE fdwname = 'postgres_fdw'));
  END IF;
END
$$;
