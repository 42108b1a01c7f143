import type { Provider } from "../oauth/providers.ts";
import type { SignInRequest } from "../oauth/sign-in.ts";
import type { Token } from "../oauth/token.ts";
import { type FoundDrive, findDrives, graphUrl } from "../onedrive/index.ts";
import type { Section } from "./config-text.ts";
import { ConfigError } from "./errors.ts";

/** How to sign in with the keys of a section. @throws ConfigError where it has no client id */
export function signInRequest(provider: Provider, options: Section): SignInRequest {
  const { client_id: clientId, client_secret } = options;
  if (!clientId) throw new ConfigError("client_id is missing");
  const client = { clientId, clientSecret: client_secret || undefined, ...provider.endpoints(options) };
  return { title: provider.title, client, scope: provider.scope(options), authorize: provider.authorize };
}

/**
 * The OneDrives to choose from for who has just signed in.
 * @param site a SharePoint site, by its address or words of its name; the user's own drives where not given
 * @throws DriveError
 */
export function findOneDrives(options: Section, token: Token, site?: string): Promise<FoundDrive[]> {
  const tokens = { get: async () => token.accessToken, refused: () => {} };
  return findDrives({ tokens, url: graphUrl(options), site });
}
