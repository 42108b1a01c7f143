import type { SignedIn } from "./tokens.ts";

/** Where a stand-in is and what it takes to use it. */
export interface RcloneRemote {
  readonly url: string;
  readonly contentUrl: string;
  readonly notifyUrl: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly token: SignedIn;
}

/**
 * A section of rclone.conf for the stand-in. rclone itself takes no notice of `api_url`, `content_url` and
 * `notify_url`: it needs a proxy that takes the place of dropboxapi.com.
 */
export function rcloneSection(name: string, remote: RcloneRemote): string {
  const { url, contentUrl, notifyUrl, clientId, clientSecret, token } = remote;
  const expiry = new Date(Date.now() + token.expires_in * 1000).toISOString();
  const { access_token, refresh_token } = token;
  const lines = [
    `[${name}]`,
    "type = dropbox",
    `client_id = ${clientId}`,
    `client_secret = ${clientSecret}`,
    `auth_url = ${url}/oauth2/authorize`,
    `token_url = ${url}/oauth2/token`,
    `api_url = ${url}`,
    `content_url = ${contentUrl}`,
    `notify_url = ${notifyUrl}`,
    `token = ${JSON.stringify({ access_token, token_type: "bearer", refresh_token, expiry })}`,
  ];
  return `${lines.join("\n")}\n`;
}
