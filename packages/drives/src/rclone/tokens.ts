import { accessSync, constants } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { DriveError } from "../drive.ts";
import { type Renew, RenewedTokens } from "../oauth/access-tokens.ts";
import {
  clientCredentials,
  refreshToken,
  type ServiceAccount,
  serviceAccountToken,
} from "../oauth/client.ts";
import { KeptTokenStore } from "../oauth/kept-token-store.ts";
import type { Provider } from "../oauth/providers.ts";
import { parseToken } from "../oauth/token.ts";
import { MemoryTokenStore, type TokenStore } from "../oauth/token-store.ts";
import type { AccessTokens } from "../remote/tokens.ts";
import type { ConfigFile } from "./config-file.ts";
import { ConfigError } from "./errors.ts";
import type { Remote } from "./remotes.ts";
import { renewByRclone } from "./renewal.ts";
import { ConfigTokenStore } from "./token-store.ts";

export interface TokensOptions {
  /** Where the remote is configured; undefined where its options came from elsewhere. */
  readonly file?: ConfigFile;
  /** A folder of its own, for tokens that cannot be kept in the file. */
  readonly data: string;
}

/**
 * The access tokens of a remote, by rclone's keys: `token` with `client_id` and `client_secret`, `client_credentials`,
 * `service_account_file` and `service_account_credentials`.
 * @throws DriveError `Unauthenticated` when the remote is not signed in
 */
export async function openTokens(
  remote: Remote,
  provider: Provider,
  { file, data }: TokensOptions,
): Promise<AccessTokens> {
  const { name, options } = remote;
  const { title } = provider;
  const shown = { remote: `${name}:`, advice: adviceFor(remote, provider, file) };
  const account = await readServiceAccount(remote, provider);
  if (account) {
    const renew = () => serviceAccountToken(account, title, provider.scope(options), options.impersonate);
    return new RenewedTokens({ ...shown, store: new MemoryTokenStore(), renew });
  }
  const { client_id: clientId, client_secret: clientSecret } = options;
  const client = clientId && { ...provider.endpoints(options), clientId, clientSecret };
  if (options.client_credentials === "true") {
    if (!client) throw new ConfigError(`client_credentials of ${name}: needs client_id and client_secret`);
    const scope = options.access_scopes || "https://graph.microsoft.com/.default";
    const renew = () => clientCredentials(client, title, scope);
    return new RenewedTokens({ ...shown, store: new MemoryTokenStore(), renew });
  }
  const given = parseToken(options.token);
  if (!given) throw new DriveError("Unauthenticated", `${name}: is not signed in: ${shown.advice}`);
  const inFile = !remote.overridden.includes("token");
  const store: TokenStore =
    file && inFile && isWritable(file.path)
      ? new ConfigTokenStore(file, name)
      : new KeptTokenStore(join(data, "token.json"), given);
  let renew: Renew;
  if (client) renew = (token) => refreshToken(client, title, token);
  else if (file && inFile) renew = renewByRclone(name, file.path, store);
  else
    renew = async () => {
      throw new DriveError(
        "Unauthenticated",
        `the sign-in of ${name}: cannot be renewed without the client id that it was got with: give client_id and client_secret with the token`,
      );
    };
  return new RenewedTokens({ ...shown, store, renew });
}

function adviceFor({ name, options }: Remote, { command }: Provider, file: ConfigFile | undefined): string {
  if (!file) return "give another token";
  const own = options.client_id ? "" : " (with a client id of your own)";
  return `run "overcoat login ${command} ${name}"${own} or "rclone config reconnect ${name}:"`;
}

async function readServiceAccount(
  { name, options }: Remote,
  { type }: Provider,
): Promise<ServiceAccount | undefined> {
  if (type !== "drive") return undefined;
  const { service_account_credentials: text, service_account_file: path } = options;
  if (!text && !path) return undefined;
  try {
    const account = JSON.parse(text || (await readFile(path!, "utf8"))) as Partial<ServiceAccount>;
    if (account.client_email && account.private_key) return account as ServiceAccount;
  } catch (error) {
    if (!(error instanceof SyntaxError))
      throw new ConfigError(`service_account_file of ${name}: cannot be read: ${(error as Error).message}`);
  }
  throw new ConfigError(`the service account of ${name}: is not the JSON key that Google's console gives`);
}

/** Whether the file can be replaced, or at least written to. */
function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
