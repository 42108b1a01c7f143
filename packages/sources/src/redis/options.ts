import { SqlError } from "../error.ts";
import type { OptionDescriptions, Options } from "../source.ts";
import type { Address, ClientOptions } from "./client/node.ts";

const login: OptionDescriptions = {
  url: {
    description:
      "redis://[user[:password]@]host[:port][/database], rediss:// with TLS; further hosts by commas",
    secret: true,
  },
  conn_url: { description: "as in Supabase Wrappers", synonymOf: "url", secret: true },
  username: { description: "ACL user" },
  auth_password: { description: "password of the ACL user, or requirepass", secret: true },
  client_certificate: { description: "certificate to log in with, PEM" },
  client_key: { description: "key of client_certificate, PEM", secret: true },
  sentinel_username: { description: "ACL user of the Sentinels" },
  sentinel_password: { description: "password of the Sentinels", secret: true },
};

export const serverOptions: OptionDescriptions = {
  ...login,
  database: { description: "number of the database, 0 if left out" },
  cluster: { description: "'true' for Redis Cluster; url then names one or more of its nodes" },
  sentinels: { description: "host:port of each Sentinel, by commas; url then needs no host" },
  master_name: { description: "the master's name at the Sentinels, mymaster if left out" },
  ca: { description: "certificates of the authority that signed the server's, PEM" },
  tls_server_name: { description: "the name that the server's certificate must have, if not the host's" },
  timeout: { description: "seconds that connecting, and each command, may take; 10 if left out" },
};

export const userOptions: OptionDescriptions = login;

export const tableOptions: OptionDescriptions = {
  key_prefix: { description: "the table's keys are those with this prefix; its key column shows the rest" },
  key: { description: "the one key that the table shows" },
  type: { description: "string (if left out), hash, list, set, zset or stream" },
  on_conflict: { description: "'replace': INSERT of a key that exists replaces it" },
  ttl: { description: "seconds after which inserted keys expire, unless the row says otherwise" },
  src_type: { description: "as in Supabase Wrappers: list, set, hash, zset, stream or multi_…" },
  src_key: { description: "as in Supabase Wrappers: the key, or for multi_… a pattern such as list:*" },
  tabletype: { description: "as in redis_fdw of pg-redis", synonymOf: "type" },
  tablekeyprefix: { description: "as in redis_fdw of pg-redis", synonymOf: "key_prefix" },
  singleton_key: { description: "as in redis_fdw of pg-redis", synonymOf: "key" },
};

export const columnOptions: OptionDescriptions = {
  field: { description: "field of the hash or the stream's entries, if not the column's name" },
  role: {
    description:
      "what the column holds: key, value, ttl, expires_at, field, fields, member, score, index, id, items",
  },
};

/** Where a Redis is and how to log in. */
export interface Settings {
  readonly kind: "standalone" | "sentinel" | "cluster";
  /** The server, the Sentinels, or nodes of the cluster. */
  readonly addresses: readonly Address[];
  readonly client: ClientOptions;
  readonly masterName: string;
  readonly sentinelClient: ClientOptions;
}

/** @throws SqlError HV024 or HV00B for a value that cannot be used */
export function readSettings(options: Options): Settings {
  const cluster = readBoolean(options, "cluster");
  const sentinels = options.sentinels !== undefined;
  if (cluster && sentinels) throw invalid("sentinels", "a cluster needs no Sentinels: drop one of the two");
  if (options.url === undefined && !sentinels) {
    throw new SqlError("HV00B", 'The server option "url" is missing', {
      hint: "For example OPTIONS (url 'redis://127.0.0.1:6379').",
    });
  }
  const url = options.url === undefined ? undefined : readUrl(options.url);
  const addresses = sentinels ? readAddresses("sentinels", options.sentinels!, 26379) : url!.addresses;
  if (addresses.length > 1 && !cluster && !sentinels) {
    throw invalid(
      "url",
      "several hosts are for a cluster: set cluster 'true', or name Sentinels in sentinels",
    );
  }
  const database = readInteger("database", options.database ?? url?.database ?? "0");
  if (cluster && database !== 0) throw invalid("database", "a cluster has only database 0");
  const encrypted = url?.tls || options.ca !== undefined || options.tls_server_name !== undefined;
  const shared = {
    tls: encrypted
      ? {
          ca: options.ca,
          cert: options.client_certificate,
          key: options.client_key,
          servername: options.tls_server_name,
        }
      : undefined,
    timeout: readSeconds(options.timeout ?? "10"),
  };
  return {
    kind: cluster ? "cluster" : sentinels ? "sentinel" : "standalone",
    addresses,
    client: {
      ...shared,
      username: options.username ?? url?.username,
      password: options.auth_password ?? url?.password,
      database,
    },
    masterName: options.master_name ?? "mymaster",
    sentinelClient: {
      ...shared,
      username: options.sentinel_username,
      password: options.sentinel_password,
    },
  };
}

/** `redis://user:password@host:port,host:port/database` */
function readUrl(text: string) {
  const match = /^(rediss?):\/\/(?:([^/?#]*)@)?([^@/?#]*)(?:\/(\d+)?)?$/.exec(text);
  if (!match) {
    throw invalid("url", "it is not of the form redis://[user[:password]@]host[:port][/database]");
  }
  const [, scheme, login = "", hosts, database] = match;
  const colon = login.indexOf(":");
  const [username, password] = colon === -1 ? [login, ""] : [login.slice(0, colon), login.slice(colon + 1)];
  return {
    tls: scheme === "rediss",
    username: decode(username) || undefined,
    password: decode(password) || undefined,
    addresses: readAddresses("url", hosts!, 6379),
    database,
  };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw invalid("url", "a % in the user or the password must be written as %25");
  }
}

function readAddresses(option: string, text: string, defaultPort: number): Address[] {
  return text.split(",").map((part) => {
    const match = /^(?:\[([\da-fA-F:.]+)\]|([^\s:[\]]*))(?::(\d{1,5}))?$/.exec(part.trim());
    const port = Number(match?.[3] ?? defaultPort);
    if (!match || port < 1 || port > 65535) throw invalid(option, `"${part.trim()}" is not host:port`);
    return { host: match[1] ?? (match[2] || "localhost"), port };
  });
}

function readBoolean(options: Options, name: string): boolean {
  const value = options[name]?.toLowerCase() ?? "false";
  if (["true", "on", "yes", "1"].includes(value)) return true;
  if (["false", "off", "no", "0"].includes(value)) return false;
  throw invalid(name, "it is neither true nor false");
}

function readInteger(name: string, value: string): number {
  if (!/^\d{1,6}$/.test(value)) throw invalid(name, "it is not a whole number");
  return Number(value);
}

function readSeconds(value: string): number {
  const seconds = Number(value);
  if (!(seconds > 0 && seconds <= 3600)) throw invalid("timeout", "it is not a number of seconds up to 3600");
  return seconds * 1000;
}

export function invalid(option: string, reason: string): SqlError {
  return new SqlError("HV024", `The option "${option}" cannot be used: ${reason}`);
}
