/** Types that parameters have in PostgreSQL. */
export type ParameterType = "text" | "integer" | "boolean" | "jsonb";

/**
 * What a helper asks the database, `$1` being the first parameter. Where tables cannot be reached, as in hosted
 * projects, a function of this name, with these parameters and this text as its body, is called instead.
 */
export interface Statement {
  readonly name: string;
  readonly parameters: Readonly<Record<string, ParameterType>>;
  /** Columns with their types, as RETURNS TABLE takes them. */
  readonly returns: string;
  readonly text: string;
}

const session = "session_id text, payload jsonb";
const user = "user_id text, email text, profile jsonb";
const file = "filename text, url text, metadata jsonb";

/** Conditions, order and limit stand bare, so that the services are asked for no more than the answer. */
export const statements = {
  getRedisSession: {
    name: "get_redis_session",
    parameters: { id: "text" },
    returns: session,
    text: "SELECT session_id, payload FROM redis_sessions WHERE session_id = $1",
  },
  listRedisSessions: {
    name: "list_redis_sessions",
    parameters: { pattern: "text", after: "text", most: "integer" },
    returns: session,
    text: "SELECT session_id, payload FROM redis_sessions WHERE session_id LIKE $1 AND session_id > $2 ORDER BY session_id LIMIT $3",
  },
  deleteRedisSession: {
    name: "delete_redis_session",
    parameters: { id: "text" },
    returns: "session_id text",
    text: "DELETE FROM redis_sessions WHERE session_id = $1 RETURNING session_id",
  },
  getAuth0UserById: {
    name: "get_auth0_user_by_id",
    parameters: { id: "text" },
    returns: user,
    text: "SELECT user_id, email, profile FROM auth0_users WHERE user_id = $1",
  },
  getAuth0UserByEmail: {
    name: "get_auth0_user_by_email",
    parameters: { email: "text", lower_case: "text" },
    returns: user,
    text: "SELECT user_id, email, profile FROM auth0_users WHERE email IN ($1, $2) ORDER BY user_id LIMIT 1",
  },
  searchAuth0Users: {
    name: "search_auth0_users",
    parameters: { pattern: "text", after: "text", most: "integer" },
    returns: user,
    text: "SELECT user_id, email, profile FROM auth0_users WHERE email LIKE $1 AND user_id > $2 ORDER BY user_id LIMIT $3",
  },
  listAuth0Users: {
    name: "list_auth0_users",
    parameters: { after: "text", most: "integer" },
    returns: user,
    text: "SELECT user_id, email, profile FROM auth0_users WHERE user_id > $1 ORDER BY user_id LIMIT $2",
  },
  updateAuth0UserMetadata: {
    name: "update_auth0_user_metadata",
    parameters: { id: "text", patch: "jsonb" },
    returns: "user_id text",
    text: `UPDATE auth0_users SET profile = jsonb_set(profile, '{user_metadata}',
      (coalesce(profile -> 'user_metadata', '{}') || $2::jsonb)
        - ARRAY(SELECT key FROM jsonb_each($2::jsonb) WHERE value = 'null'))
      WHERE user_id = $1 RETURNING user_id`,
  },
  blockAuth0User: {
    name: "block_auth0_user",
    parameters: { id: "text", blocked: "boolean" },
    returns: "user_id text",
    text: `UPDATE auth0_users SET profile = jsonb_set(profile, '{blocked}', to_jsonb($2::boolean))
      WHERE user_id = $1 RETURNING user_id`,
  },
  getS3File: {
    name: "get_s3_file",
    parameters: { filename: "text" },
    returns: file,
    text: "SELECT filename, url, metadata FROM s3_files WHERE filename = $1",
  },
  listS3Files: {
    name: "list_s3_files",
    parameters: { pattern: "text", after: "text", most: "integer" },
    returns: file,
    text: "SELECT filename, url, metadata FROM s3_files WHERE filename LIKE $1 AND filename > $2 ORDER BY filename LIMIT $3",
  },
} as const satisfies Record<string, Statement>;
