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
