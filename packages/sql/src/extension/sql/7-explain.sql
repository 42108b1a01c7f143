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
