-- What the helpers of apps/web/integrations call, with the rights of the tables' owner. Made by `npm run supabase`.

CREATE OR REPLACE FUNCTION "public"."get_redis_session"("id" text)
RETURNS TABLE (session_id text, payload jsonb)
LANGUAGE sql SECURITY DEFINER SET search_path = "services", pg_catalog, pg_temp
AS $$
SELECT session_id, payload FROM redis_sessions WHERE session_id = $1
$$;
REVOKE ALL ON FUNCTION "public"."get_redis_session"(text) FROM PUBLIC, "anon", "authenticated";
GRANT EXECUTE ON FUNCTION "public"."get_redis_session"(text) TO "service_role";

CREATE OR REPLACE FUNCTION "public"."list_redis_sessions"("pattern" text, "after" text, "most" integer)
RETURNS TABLE (session_id text, payload jsonb)
LANGUAGE sql SECURITY DEFINER SET search_path = "services", pg_catalog, pg_temp
AS $$
SELECT session_id, payload FROM redis_sessions WHERE session_id LIKE $1 AND session_id > $2 ORDER BY session_id LIMIT $3
$$;
REVOKE ALL ON FUNCTION "public"."list_redis_sessions"(text, text, integer) FROM PUBLIC, "anon", "authenticated";
GRANT EXECUTE ON FUNCTION "public"."list_redis_sessions"(text, text, integer) TO "service_role";

CREATE OR REPLACE FUNCTION "public"."delete_redis_session"("id" text)
RETURNS TABLE (session_id text)
LANGUAGE sql SECURITY DEFINER SET search_path = "services", pg_catalog, pg_temp
AS $$
DELETE FROM redis_sessions WHERE session_id = $1 RETURNING session_id
$$;
REVOKE ALL ON FUNCTION "public"."delete_redis_session"(text) FROM PUBLIC, "anon", "authenticated";
GRANT EXECUTE ON FUNCTION "public"."delete_redis_session"(text) TO "service_role";

CREATE OR REPLACE FUNCTION "public"."get_auth0_user_by_id"("id" text)
RETURNS TABLE (user_id text, email text, profile jsonb)
LANGUAGE sql SECURITY DEFINER SET search_path = "services", pg_catalog, pg_temp
AS $$
SELECT user_id, email, profile FROM auth0_users WHERE user_id = $1
$$;
REVOKE ALL ON FUNCTION "public"."get_auth0_user_by_id"(text) FROM PUBLIC, "anon", "authenticated";
GRANT EXECUTE ON FUNCTION "public"."get_auth0_user_by_id"(text) TO "service_role";

CREATE OR REPLACE FUNCTION "public"."get_auth0_user_by_email"("email" text, "lower_case" text)
RETURNS TABLE (user_id text, email text, profile jsonb)
LANGUAGE sql SECURITY DEFINER SET search_path = "services", pg_catalog, pg_temp
AS $$
SELECT user_id, email, profile FROM auth0_users WHERE email IN ($1, $2) ORDER BY user_id LIMIT 1
$$;
REVOKE ALL ON FUNCTION "public"."get_auth0_user_by_email"(text, text) FROM PUBLIC, "anon", "authenticated";
GRANT EXECUTE ON FUNCTION "public"."get_auth0_user_by_email"(text, text) TO "service_role";

CREATE OR REPLACE FUNCTION "public"."search_auth0_users"("pattern" text, "after" text, "most" integer)
RETURNS TABLE (user_id text, email text, profile jsonb)
LANGUAGE sql SECURITY DEFINER SET search_path = "services", pg_catalog, pg_temp
AS $$
SELECT user_id, email, profile FROM auth0_users WHERE email LIKE $1 AND user_id > $2 ORDER BY user_id LIMIT $3
$$;
REVOKE ALL ON FUNCTION "public"."search_auth0_users"(text, text, integer) FROM PUBLIC, "anon", "authenticated";
GRANT EXECUTE ON FUNCTION "public"."search_auth0_users"(text, text, integer) TO "service_role";

CREATE OR REPLACE FUNCTION "public"."list_auth0_users"("after" text, "most" integer)
RETURNS TABLE (user_id text, email text, profile jsonb)
LANGUAGE sql SECURITY DEFINER SET search_path = "services", pg_catalog, pg_temp
AS $$
SELECT user_id, email, profile FROM auth0_users WHERE user_id > $1 ORDER BY user_id LIMIT $2
$$;
REVOKE ALL ON FUNCTION "public"."list_auth0_users"(text, integer) FROM PUBLIC, "anon", "authenticated";
GRANT EXECUTE ON FUNCTION "public"."list_auth0_users"(text, integer) TO "service_role";

CREATE OR REPLACE FUNCTION "public"."update_auth0_user_metadata"("id" text, "patch" jsonb)
RETURNS TABLE (user_id text)
LANGUAGE sql SECURITY DEFINER SET search_path = "services", pg_catalog, pg_temp
AS $$
UPDATE auth0_users SET profile = jsonb_set(profile, '{user_metadata}',
      (coalesce(profile -> 'user_metadata', '{}') || $2::jsonb)
        - ARRAY(SELECT key FROM jsonb_each($2::jsonb) WHERE value = 'null'))
      WHERE user_id = $1 RETURNING user_id
$$;
REVOKE ALL ON FUNCTION "public"."update_auth0_user_metadata"(text, jsonb) FROM PUBLIC, "anon", "authenticated";
GRANT EXECUTE ON FUNCTION "public"."update_auth0_user_metadata"(text, jsonb) TO "service_role";

CREATE OR REPLACE FUNCTION "public"."block_auth0_user"("id" text, "blocked" boolean)
RETURNS TABLE (user_id text)
LANGUAGE sql SECURITY DEFINER SET search_path = "services", pg_catalog, pg_temp
AS $$
UPDATE auth0_users SET profile = jsonb_set(profile, '{blocked}', to_jsonb($2::boolean))
      WHERE user_id = $1 RETURNING user_id
$$;
REVOKE ALL ON FUNCTION "public"."block_auth0_user"(text, boolean) FROM PUBLIC, "anon", "authenticated";
GRANT EXECUTE ON FUNCTION "public"."block_auth0_user"(text, boolean) TO "service_role";

CREATE OR REPLACE FUNCTION "public"."get_s3_file"("filename" text)
RETURNS TABLE (filename text, url text, metadata jsonb)
LANGUAGE sql SECURITY DEFINER SET search_path = "services", pg_catalog, pg_temp
AS $$
SELECT filename, url, metadata FROM s3_files WHERE filename = $1
$$;
REVOKE ALL ON FUNCTION "public"."get_s3_file"(text) FROM PUBLIC, "anon", "authenticated";
GRANT EXECUTE ON FUNCTION "public"."get_s3_file"(text) TO "service_role";

CREATE OR REPLACE FUNCTION "public"."list_s3_files"("pattern" text, "after" text, "most" integer)
RETURNS TABLE (filename text, url text, metadata jsonb)
LANGUAGE sql SECURITY DEFINER SET search_path = "services", pg_catalog, pg_temp
AS $$
SELECT filename, url, metadata FROM s3_files WHERE filename LIKE $1 AND filename > $2 ORDER BY filename LIMIT $3
$$;
REVOKE ALL ON FUNCTION "public"."list_s3_files"(text, text, integer) FROM PUBLIC, "anon", "authenticated";
GRANT EXECUTE ON FUNCTION "public"."list_s3_files"(text, text, integer) TO "service_role";
