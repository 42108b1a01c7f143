import type { SignedIn } from "./tokens.ts";

/** Where a stand-in is and what it takes to use it. */
export interface RcloneRemote {
  readonly url: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly token: SignedIn;
  /** A shared drive; My Drive where not given. */
  readonly teamDrive?: string;
}

/**
 * A section of rclone.conf for the stand-in. `root_url` says where the API is; rclone itself knows
 * www.googleapis.com only and needs a proxy that takes its place.
 */
export function rcloneSection(name: string, remote: RcloneRemote): string {
  const { url, clientId, clientSecret, token, teamDrive } = remote;
  const { access_token, refresh_token, expires_in } = token;
  const expiry = new Date(Date.now() + expires_in * 1000).toISOString();
  const lines = [
    `[${name}]`,
    "type = drive",
    `client_id = ${clientId}`,
    `client_secret = ${clientSecret}`,
    "scope = drive",
    `root_url = ${url}`,
    `auth_url = ${url}/o/oauth2/v2/auth`,
    `token_url = ${url}/token`,
    `token = ${JSON.stringify({ access_token, token_type: "Bearer", refresh_token, expiry })}`,
    ...(teamDrive === undefined ? [] : [`team_drive = ${teamDrive}`]),
  ];
  return `${lines.join("\n")}\n`;
}
