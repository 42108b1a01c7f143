/**
 * Options of postgres_fdw and libpq in any version up to 18, and the linker's own
 * (https://www.postgresql.org/docs/current/postgres-fdw.html,
 * https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-PARAMKEYWORDS).
 */
const stockOptions = new Set(
  `analyze_sampling application_name async_capable authtype batch_size channel_binding client_encoding
  column_name connect_timeout dbname explain extensions fallback_application_name fdw_startup_cost fdw_tuple_cost
  fetch_size gssdelegation gssencmode gsslib host hostaddr keep_connections keepalives keepalives_count
  keepalives_idle keepalives_interval krbsrvname linked load_balance_hosts max_protocol_version
  min_protocol_version oauth_client_id oauth_client_secret oauth_issuer oauth_scope options parallel_abort
  parallel_commit passfile password password_required port replication require_auth requirepeer schema_name
  scram_client_key scram_server_key service servicefile ssl_max_protocol_version
  ssl_min_protocol_version sslcert sslcertmode sslcompression sslcrl sslcrldir sslkey sslkeylogfile sslmode
  sslnegotiation sslpassword sslrootcert sslsni table_name target_session_attrs tcp_user_timeout truncatable
  tty updatable use_remote_estimate use_scram_passthrough user`.split(/\s+/),
);

/** Whether a source may not use the name for an option of its own. */
export const isStockOption = (name: string) => stockOptions.has(name);
