import { SqlError } from "../error.ts";
import type { OptionDescriptions, Options } from "../source.ts";

const credentials: OptionDescriptions = {
  client_id: { description: "client id of a machine-to-machine application that may use the Management API" },
  client_secret: { description: "client secret of that application", secret: true },
  api_key: { description: "a Management API token, in place of client_id and client_secret", secret: true },
};

export const serverOptions: OptionDescriptions = {
  domain: { description: "the tenant's domain, e.g. example.eu.auth0.com" },
  url: { description: "the tenant's address, e.g. https://example.eu.auth0.com", synonymOf: "domain" },
  audience: {
    description:
      "the Management API's identifier where domain is a custom one: https://<canonical domain>/api/v2/",
  },
  ...credentials,
};

export const userOptions = credentials;

export const tableOptions: OptionDescriptions = {
  object: { description: "what the table holds: users (if not given), roles, organizations, …" },
  connection: { description: "name of the connection in which INSERT creates users" },
};

/** Where a tenant is and who asks. */
export interface Settings {
  /** `host` or `host:port`, as Auth0's SDK takes it. */
  readonly domain: string;
  /** False for a stand-in on loopback, which speaks plain http. */
  readonly secure: boolean;
  readonly audience: string | undefined;
  readonly credentials:
    | { readonly token: string }
    | { readonly clientId: string; readonly clientSecret: string };
}

/**
 * The host and port that the options lead to. A domain may stand there bare or as a URL, whose path is of no
 * account: Supabase's wrapper has `https://example.auth0.com/api/v2/users` there.
 * @throws SqlError HV00D
 */
export function address(options: Options): { host: string; port: number; secure: boolean } {
  const { domain } = options;
  if (!domain)
    throw new SqlError("HV00D", "the server has no Auth0 domain", {
      hint: "ALTER SERVER … OPTIONS (ADD domain 'example.eu.auth0.com')",
    });
  const malformed = (detail: string) =>
    new SqlError("HV00D", `invalid Auth0 domain "${domain}"`, {
      detail,
      hint: "Give the tenant's domain, e.g. example.eu.auth0.com.",
    });
  const url = URL.parse(/^https?:\/\//.test(domain) ? domain : `https://${domain}`);
  if (!url?.hostname) throw malformed("It is neither a host's name nor a URL.");
  if (url.username || url.password) throw malformed("A login does not belong there.");
  const secure = url.protocol === "https:";
  if (!secure && !/^(127\.\d+\.\d+\.\d+|localhost|\[::1\])$/.test(url.hostname))
    throw malformed(
      "Plain http would show the credentials to the network: only loopback may be reached by it.",
    );
  return { host: url.hostname, port: Number(url.port || (secure ? 443 : 80)), secure };
}

/** @throws SqlError HV00D for a malformed domain or missing credentials */
export function settings(options: Options): Settings {
  const { host, port, secure } = address(options);
  const { client_id, client_secret, api_key, audience } = options;
  // `secret 'NAME'` arrives as the client's secret; without a client it is a token.
  const token = api_key ?? (client_id ? undefined : client_secret);
  if (!token && !(client_id && client_secret))
    throw new SqlError("HV00D", "the server has no credentials for Auth0", {
      hint: "Give client_id and client_secret (or secret), or api_key, as options of the server or the user mapping.",
    });
  return {
    domain: port === (secure ? 443 : 80) ? host : `${host}:${port}`,
    secure,
    audience,
    credentials: token ? { token } : { clientId: client_id!, clientSecret: client_secret! },
  };
}
