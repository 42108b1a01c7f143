import { createHash } from "node:crypto";
import { availableParallelism, homedir, hostname } from "node:os";
import { join, resolve } from "node:path";
import type { Credential } from "@overcoat/s3";
import type { ParsedConfig } from "../config.ts";
import { UsageError } from "../errors.ts";
import { identityOf, type Place, resolvePlace } from "../remotes/place.ts";
import { noRemotes, type RcloneRemotes } from "../remotes/rclone-remotes.ts";
import { resolveCredentials } from "./credentials.ts";
import { type LogLevel, resolveLog } from "./log.ts";
import { rcloneVariables } from "./rclone-variables.ts";
import * as values from "./values.ts";

/** What commander hands over: text as typed. */
export interface Flags {
  addr?: string[];
  adminAddr?: string;
  authKey?: string[];
  accessKeyId?: string;
  secretAccessKey?: string;
  user?: string;
  pass?: string;
  region?: string;
  v2Auth?: boolean;
  domain?: string[];
  forcePathStyle?: boolean;
  publicUrl?: string;
  trustedProxies?: string[];
  allowOrigin?: string;
  baseurl?: string;
  responseHeader?: string[];
  cert?: string;
  key?: string;
  clientCa?: string;
  minTlsVersion?: string;
  maxHeaderBytes?: string;
  serverReadTimeout?: string;
  serverWriteTimeout?: string;
  cleanup?: boolean;
  versions?: boolean;
  readOnly?: boolean;
  fsync?: boolean;
  pollInterval?: string;
  dirCacheTime?: string;
  cacheDir?: string;
  cacheSize?: string;
  vfsCacheMaxSize?: string;
  umask?: string;
  filePerms?: string;
  dirPerms?: string;
  data?: string;
  workers?: string;
  logFormat?: string;
  useJsonLog?: boolean;
  logFile?: string;
  logLevel?: string;
  verbose?: number;
  quiet?: boolean;
  config?: string;
}

/** All that a serving process needs, in plain JSON so that it can be sent to workers. */
export interface Settings {
  readonly place: Place;
  /** For buckets that live elsewhere. */
  readonly buckets: Readonly<Record<string, Place>>;
  /** Whether more of them may come while it serves. */
  readonly growing?: boolean;
  readonly addresses: readonly values.Address[];
  /** The flag that chooses them, for messages; `--addr` if left out. */
  readonly addressFlag?: string;
  readonly adminAddress?: values.Address;
  readonly region: string;
  readonly credentials: Credential[];
  readonly anonymousRead: string[];
  readonly v2Auth: boolean;
  readonly domains: string[];
  readonly publicUrl?: string;
  readonly trustedProxies: string[];
  /** Origins, or `*`, that may use every bucket from a browser. */
  readonly allowOrigins: readonly string[];
  readonly baseUrl?: string;
  readonly responseHeaders: [string, string][];
  readonly tls?: { cert: string; key: string; ca?: string; minVersion?: string };
  readonly maxHeaderBytes?: number;
  readonly readTimeout?: number;
  readonly writeTimeout?: number;
  /** Milliseconds; the drive's own choice where undefined. */
  readonly pollInterval?: number;
  /** Where bytes that were read from drives are kept, and how many. */
  readonly cache?: { readonly folder: string; readonly size?: number };
  readonly cleanup: boolean;
  /** Whether clients may list and read the earlier versions that a drive keeps. */
  readonly versions: boolean;
  readonly readOnly: boolean;
  readonly fsync: boolean;
  readonly umask?: number;
  readonly filePermissions?: number;
  readonly folderPermissions?: number;
  readonly data: string;
  readonly workers: number;
  readonly logFormat: "json" | "pretty";
  /** Standard error where there is none. */
  readonly logFile?: string;
  readonly logLevel: LogLevel;
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** Flags win over `RCLONE_*` and `RC_S3_*`, these over the configuration, and that over `AWS_*`. */
export function resolveSettings(
  remote: string | undefined,
  given: Flags,
  env: Environment,
  config: ParsedConfig,
  rclone: RcloneRemotes = noRemotes,
): Settings {
  const flags: Flags = { ...rcloneVariables(env), ...given };
  if (given.user ?? given.accessKeyId) flags.authKey = given.authKey;
  const credentials = resolveCredentials(flags, env, config);
  const addresses = resolveAddresses(flags, env, config);
  const adminText = flags.adminAddr ?? config.adminAddr;
  const open = addresses.find((address) => !values.isLoopback(address));
  if (credentials.length === 0 && open) {
    throw new UsageError(
      `refusing to listen on ${values.formatAddress(open)} without a key: anybody could read and write. Give --auth-key ID,SECRET, or listen on 127.0.0.1 only`,
    );
  }
  const umask = optional(flags.umask ?? config.umask, values.parseOctal, "--umask");
  const mask = umask ?? 0;
  const filePerms = optional(flags.filePerms ?? config.filePerms, values.parseOctal, "--file-perms");
  const dirPerms = optional(flags.dirPerms ?? config.dirPerms, values.parseOctal, "--dir-perms");
  const workers = flags.workers ?? (config.workers === undefined ? undefined : String(config.workers));
  const count = optional(workers, values.parseCount, "--workers");
  const baseUrl = (flags.baseurl ?? config.baseUrl)?.replace(/^\/+|\/+$/g, "");
  const tls = resolveTls(flags, config);
  const secure = addresses.find((address) => address.tls);
  if (secure && !tls) throw new UsageError(`tls://${values.formatAddress(secure)} needs --cert and --key`);
  const settings: Omit<Settings, "place" | "buckets" | "data" | "workers" | "cache"> = {
    addresses,
    adminAddress: optional(adminText, values.parseAddress, "--admin-addr"),
    region: flags.region ?? (env.RC_S3_REGION || undefined) ?? config.region ?? "us-east-1",
    credentials,
    anonymousRead: config.anonymousRead ?? [],
    v2Auth:
      flags.v2Auth ??
      (env.RC_S3_V2_AUTH ? values.parseBoolean(env.RC_S3_V2_AUTH, "RC_S3_V2_AUTH") : undefined) ??
      config.v2Auth ??
      false,
    domains: resolveDomains(flags, config),
    publicUrl: optional(flags.publicUrl ?? config.publicUrl, values.parseUrl, "--public-url"),
    trustedProxies: values.parseProxies(flags.trustedProxies ?? config.trustedProxies, "--trusted-proxies"),
    allowOrigins: [flags.allowOrigin ?? config.allowOrigin].filter((origin) => origin !== undefined),
    baseUrl: baseUrl ? `/${baseUrl}` : undefined,
    responseHeaders: [
      ...Object.entries(config.responseHeaders ?? {}),
      ...(flags.responseHeader ?? []).map((text) => values.parseHeader(text, "--response-header")),
    ],
    tls,
    maxHeaderBytes: optional(
      flags.maxHeaderBytes ?? config.maxHeaderBytes,
      values.parseBytes,
      "--max-header-bytes",
    ),
    readTimeout: optional(
      flags.serverReadTimeout ?? config.serverReadTimeout,
      values.parseDuration,
      "--server-read-timeout",
    ),
    writeTimeout: optional(
      flags.serverWriteTimeout ?? config.serverWriteTimeout,
      values.parseDuration,
      "--server-write-timeout",
    ),
    cleanup: flags.cleanup ?? config.cleanup ?? true,
    versions: flags.versions ?? config.versions ?? false,
    readOnly: flags.readOnly ?? config.readOnly ?? false,
    fsync: flags.fsync ?? config.fsync ?? true,
    umask,
    filePermissions: filePerms === undefined ? undefined : filePerms & ~mask,
    folderPermissions: dirPerms === undefined ? undefined : dirPerms & ~mask,
    pollInterval: resolvePollInterval(flags, config),
    ...resolveLog(flags, config),
  };
  // What the command line says is right; now what it points at.
  const named = remote || env.RC_S3_REMOTE || config.remote;
  if (!named) throw new UsageError("no REMOTE given: name the folder to serve, or set RC_S3_REMOTE");
  const place = resolvePlace(named, config, rclone);
  const buckets = Object.fromEntries(
    Object.entries(config.buckets ?? {}).map(([bucket, text]) => [
      bucket,
      resolvePlace(text, config, rclone),
    ]),
  );
  const data = resolveData(flags.data ?? config.data, place, env);
  return {
    place,
    buckets,
    ...settings,
    workers: count ?? defaultWorkers(place),
    cache: resolveCache(flags, config, data),
    data,
  };
}

/** A drive's answers take long and little work, and each process has its own limit of calls. */
const defaultWorkers = (place: Place) =>
  place.kind === "drive" ? Math.min(2, availableParallelism()) : availableParallelism();

function optional<T>(
  text: string | undefined,
  parse: (text: string, flag: string) => T,
  flag: string,
): T | undefined {
  return text === undefined ? undefined : parse(text, flag);
}

/** How often to ask what others changed, in milliseconds; never for 0, as in rclone. */
function resolvePollInterval(flags: Flags, config: ParsedConfig): number | undefined {
  const poll = optional(flags.pollInterval ?? config.pollInterval, values.parseDuration, "--poll-interval");
  const cache = optional(flags.dirCacheTime, values.parseDuration, "--dir-cache-time");
  if (poll !== undefined && cache !== undefined && poll >= cache) {
    throw new UsageError("--poll-interval must be smaller than --dir-cache-time");
  }
  return poll === 0 ? never : poll;
}

/** None where no flag asks for one. @param data where it is unless a flag says so */
function resolveCache(flags: Flags, config: ParsedConfig, data: string): Settings["cache"] {
  const cacheDir = flags.cacheDir ?? config.cacheDir;
  const cacheSize = flags.cacheSize ?? config.cacheSize;
  const text = cacheSize ?? flags.vfsCacheMaxSize;
  if (cacheDir === undefined && text === undefined) return undefined;
  const flag = cacheSize === undefined ? "--vfs-cache-max-size" : "--cache-size";
  // "off" is no limit.
  const size = text && (values.parseSize(text, flag) ?? Number.MAX_SAFE_INTEGER);
  if (size === 0) return undefined;
  return {
    folder: cacheDir === undefined ? join(data, "cache") : resolve(cacheDir),
    size: size || undefined,
  };
}

/** Milliseconds of the longest timer. */
const never = 2 ** 31 - 1;

function resolveAddresses(flags: Flags, env: Environment, config: ParsedConfig): values.Address[] {
  if (flags.addr?.length) return flags.addr.map((text) => values.parseListener(text, "--addr"));
  if (env.RC_S3_ADDR)
    return env.RC_S3_ADDR.split(",").map((text) => values.parseListener(text, "RC_S3_ADDR"));
  const configured = config.addr === undefined ? [] : [config.addr].flat();
  if (configured.length > 0) return configured.map((text) => values.parseListener(text, "addr"));
  return [{ host: "127.0.0.1", port: 8080 }];
}

function resolveDomains(flags: Flags, config: ParsedConfig): string[] {
  const domains = (flags.domain ?? config.domains ?? []).map((text) => values.parseDomain(text, "--domain"));
  if (flags.forcePathStyle !== false) return domains;
  return domains.length > 0 ? domains : [...new Set(["localhost", hostname().toLowerCase()])];
}

function resolveTls(flags: Flags, config: ParsedConfig): Settings["tls"] {
  const cert = flags.cert ?? config.cert;
  const key = flags.key ?? config.key;
  const ca = flags.clientCa ?? config.clientCa;
  const minVersion = flags.minTlsVersion ?? config.minTlsVersion;
  const version = optional(minVersion, values.parseTlsVersion, "--min-tls-version");
  if (!cert && !key) {
    if (ca) throw new UsageError("--client-ca needs --cert and --key");
    return undefined;
  }
  if (!cert || !key) throw new UsageError("--cert and --key must be given together");
  return { cert: resolve(cert), key: resolve(key), ca: ca ? resolve(ca) : undefined, minVersion: version };
}

function resolveData(given: string | undefined, place: Place, env: Environment): string {
  return given
    ? resolve(given)
    : defaultData(createHash("sha256").update(identityOf(place)).digest("hex").slice(0, 16), env);
}

/** The user's own folder for this purpose. */
export function defaultData(name: string, env: Environment): string {
  return join(env.XDG_DATA_HOME || join(env.HOME || homedir(), ".local", "share"), "overcoat", name);
}
