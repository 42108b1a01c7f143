import { SqlError } from "../error.ts";
import type { OptionDescriptions, Options } from "../source.ts";

export const userOptions: OptionDescriptions = {
  access_key_id: { description: "access key; without keys requests are anonymous" },
  secret_access_key: { description: "secret key that belongs to access_key_id", secret: true },
  session_token: { description: "session token of temporary keys", secret: true },
  aws_access_key_id: { description: "another name of access_key_id", synonymOf: "access_key_id" },
  aws_secret_access_key: {
    description: "another name of secret_access_key",
    synonymOf: "secret_access_key",
    secret: true,
  },
  aws_session_token: {
    description: "another name of session_token",
    synonymOf: "session_token",
    secret: true,
  },
};

export const serverOptions: OptionDescriptions = {
  ...userOptions,
  endpoint: { description: "URL of the S3 service, e.g. http://127.0.0.1:9000; default: Amazon S3" },
  region: { description: "region; default us-east-1" },
  bucket: { description: "bucket of tables that name none" },
  path_style: {
    description: "true: buckets are in the path of URLs, not in the host; default true off Amazon S3",
  },
  request_timeout: { description: "milliseconds that the service may stay silent; default 30000" },
  url_expires_in: {
    description: "seconds for which addresses in the url column are valid, signed; default: not signed",
  },
  endpoint_url: { description: "another name of endpoint", synonymOf: "endpoint" },
  aws_endpoint_url: { description: "another name of endpoint", synonymOf: "endpoint" },
  aws_region: { description: "another name of region", synonymOf: "region" },
  path_style_url: { description: "another name of path_style", synonymOf: "path_style" },
};

/** The options of a server and mapping, checked. */
export interface Settings {
  /** Where the service is; of Amazon S3 the region's. */
  readonly endpoint: URL;
  readonly amazon: boolean;
  readonly region: string;
  readonly bucket: string | undefined;
  readonly pathStyle: boolean;
  readonly keys: Keys | undefined;
  /** Milliseconds. */
  readonly timeout: number;
  /** Seconds. */
  readonly urlExpiresIn: number | undefined;
}

export interface Keys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

/** @throws SqlError HV00D for a value that cannot be used. */
export function readSettings(options: Options): Settings {
  const region = regionOf(options);
  const endpoint = endpointOf(options);
  const amazon = /(^|\.)amazonaws\.com(\.cn)?$/.test(endpoint.hostname);
  return {
    endpoint,
    amazon,
    region,
    bucket: options.bucket || undefined,
    pathStyle: booleanOption(options, "path_style") ?? !amazon,
    keys: readKeys(options),
    timeout: integerOption(options, "request_timeout", 1, 3_600_000) ?? 30_000,
    urlExpiresIn: integerOption(options, "url_expires_in", 1, 604_800),
  };
}

const regionOf = (options: Options) => options.region || "us-east-1";

/** Where the service is. @throws SqlError HV00D */
export const endpointOf = (options: Options): URL =>
  options.endpoint ? readEndpoint(options.endpoint) : amazonEndpoint(regionOf(options));

const invalid = (message: string, hint?: string) => new SqlError("HV00D", message, { hint });

function amazonEndpoint(region: string): URL {
  if (!/^[a-z0-9-]+$/.test(region)) throw invalid(`option region is no region: ${region}`);
  return new URL(`https://s3.${region}.amazonaws.com${region.startsWith("cn-") ? ".cn" : ""}`);
}

function readEndpoint(text: string): URL {
  const url = URL.parse(text);
  // Not repeated in the message when it may hold a password.
  if (url?.username || url?.password)
    throw invalid("option endpoint holds a name or password", "give access_key_id and secret_access_key");
  if (!url?.hostname || !/^https?:$/.test(url.protocol))
    throw invalid(`option endpoint is no URL: ${text}`, "write it as http://127.0.0.1:9000");
  if (url.search || url.hash) throw invalid("option endpoint has more than a host, port and path");
  return url;
}

function readKeys(options: Options): Keys | undefined {
  const {
    access_key_id: accessKeyId,
    secret_access_key: secretAccessKey,
    session_token: sessionToken,
  } = options;
  if (accessKeyId && secretAccessKey)
    return { accessKeyId, secretAccessKey, ...(sessionToken && { sessionToken }) };
  if (accessKeyId || secretAccessKey)
    throw invalid(
      `option ${accessKeyId ? "secret_access_key" : "access_key_id"} is missing`,
      "give access_key_id and secret_access_key together, or neither for anonymous requests",
    );
  return undefined;
}

const booleans: Readonly<Record<string, boolean>> = {
  true: true,
  on: true,
  yes: true,
  1: true,
  false: false,
  off: false,
  no: false,
  0: false,
};

/** @throws SqlError HV00D when it is neither true nor false in one of PostgreSQL's spellings. */
export function booleanOption(options: Options, name: string): boolean | undefined {
  const text = options[name];
  if (text === undefined) return undefined;
  const value = booleans[text.trim().toLowerCase()];
  if (value === undefined) throw invalid(`option ${name} must be true or false, not ${text}`);
  return value;
}

/** @throws SqlError HV00D when it is no whole number of this range. */
export function integerOption(
  options: Options,
  name: string,
  least: number,
  most: number,
): number | undefined {
  const text = options[name];
  if (text === undefined) return undefined;
  const value = /^\d+$/.test(text.trim()) ? Number(text) : Number.NaN;
  if (!(value >= least && value <= most))
    throw invalid(`option ${name} must be a whole number from ${least} to ${most}, not ${text}`);
  return value;
}

/** @throws SqlError HV00D when it is none of these words. */
export function choiceOption<Choice extends string>(
  options: Options,
  name: string,
  choices: readonly Choice[],
): Choice | undefined {
  const text = options[name]?.trim().toLowerCase();
  if (text === undefined) return undefined;
  const found = choices.find((choice) => choice === text);
  if (!found) throw invalid(`option ${name} must be one of ${choices.join(", ")}, not ${text}`);
  return found;
}
