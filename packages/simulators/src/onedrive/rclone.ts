/** Where a stand-in is and what it takes to use it. */
export interface RcloneRemote {
  readonly url: string;
  readonly driveId: string;
  readonly driveType: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly token: { access_token: string; refresh_token: string; expires_in: number };
}

/**
 * A section of rclone.conf for the stand-in. rclone 1.76 reaches it by `tenant_url`; older ones only
 * through a proxy that takes the place of graph.microsoft.com.
 */
export function rcloneSection(name: string, remote: RcloneRemote): string {
  const { url, driveId, driveType, clientId, clientSecret, token } = remote;
  const expiry = new Date(Date.now() + token.expires_in * 1000).toISOString();
  const { access_token, refresh_token } = token;
  const lines = [
    `[${name}]`,
    "type = onedrive",
    `client_id = ${clientId}`,
    `client_secret = ${clientSecret}`,
    `auth_url = ${url}/common/oauth2/v2.0/authorize`,
    `token_url = ${url}/common/oauth2/v2.0/token`,
    `tenant_url = ${url}`,
    "tenant_api_version = v1.0",
    `token = ${JSON.stringify({ access_token, token_type: "Bearer", refresh_token, expiry })}`,
    `drive_id = ${driveId}`,
    `drive_type = ${driveType}`,
  ];
  return `${lines.join("\n")}\n`;
}
