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
