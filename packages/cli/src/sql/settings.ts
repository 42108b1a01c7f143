import { resolve } from "node:path";
import type { Login, Secrets } from "@overcoat/sql";
import type { ParsedConfig } from "../config.ts";
import { UsageError } from "../errors.ts";
import { resolveLog } from "../flags/log.ts";
import type { Environment } from "../flags/resolve.ts";
import * as values from "../flags/values.ts";
import { resolveSecrets } from "./secrets.ts";

/** What commander hands over: text as typed. */
export interface SqlFlags {
  addr?: string[];
  login?: string[];
  allow?: string[];
  cert?: string;
  key?: string;
  data?: string;
  config?: string;
  logFormat?: string;
  logFile?: string;
  logLevel?: string;
  verbose?: number;
  quiet?: boolean;
}

/** What the SQL server serves and to whom. */
export interface SqlSettings {
  readonly addresses: readonly values.Address[];
  readonly tls?: { readonly cert: string; readonly key: string };
  readonly logins: readonly Login[];
  readonly secrets: Secrets;
  readonly allow?: readonly string[];
  /** Bytes that a transaction may write. */
  readonly maxTransactionBytes?: number;
  readonly log: ReturnType<typeof resolveLog>;
}

export const defaultSqlPort = 54330;

/** Flags win over the environment, and that over the configuration. */
export function resolveSqlSettings(flags: SqlFlags, env: Environment, config: ParsedConfig): SqlSettings {
  const sql = config.sql ?? {};
  const given = flags.addr ?? (sql.addr === undefined ? undefined : [sql.addr].flat());
  const addresses = given?.map((text) => values.parseAddress(text, "--addr")) ?? [
    { host: "127.0.0.1", port: defaultSqlPort },
  ];
  const cert = flags.cert ?? sql.cert;
  const key = flags.key ?? sql.key;
  if (!cert !== !key) throw new UsageError("--cert and --key must be given together");
  const open = addresses.find((address) => !values.isLoopback(address));
  if (open && !cert)
    throw new UsageError(
      `refusing to listen on ${values.formatAddress(open)} without TLS: what services hold would be readable on the way. Give --cert and --key, or listen on 127.0.0.1 only`,
    );
  return {
    addresses,
    ...(cert && key && { tls: { cert: resolve(cert), key: resolve(key) } }),
    logins: resolveLogins(flags, env, config),
    secrets: resolveSecrets(env, config),
    allow: flags.allow ?? sql.allow,
    maxTransactionBytes: sql.maxTransactionBytes,
    log: resolveLog(flags, config),
  };
}

function resolveLogins(flags: SqlFlags, env: Environment, config: ParsedConfig): Login[] {
  const logins: Login[] = [
    ...(flags.login ?? []).map((text) => parseLogin(text, "--login")),
    ...(env.OVERCOAT_SQL_LOGIN ? [parseLogin(env.OVERCOAT_SQL_LOGIN, "OVERCOAT_SQL_LOGIN")] : []),
    ...(config.sql?.logins ?? []),
  ];
  const twice = logins.find(({ user }, i) => logins.findIndex((other) => other.user === user) !== i);
  if (twice) throw new UsageError(`the login of ${twice.user} is given twice`);
  return logins;
}

/** `USER,PASSWORD`; the password may hold commas. */
export function parseLogin(text: string, flag: string): { user: string; password: string } {
  const comma = text.indexOf(",");
  const user = text.slice(0, Math.max(comma, 0)).trim();
  const password = comma < 0 ? "" : text.slice(comma + 1);
  if (!user || !password) throw new UsageError(`${flag}: must be USER,PASSWORD`);
  return { user, password };
}
