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
  ours jsonb := '@defaults@';
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
