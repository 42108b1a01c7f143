/** A sign-in as it is kept. */
export interface Token {
  readonly accessToken: string;
  /** Undefined where it cannot be renewed by itself. */
  readonly refreshToken?: string;
  /** Milliseconds since 1970; undefined where it does not end. */
  readonly expires?: number;
}

/** What rclone's `token` may hold: as OAuth libraries of Go write it, and as they did long ago. */
interface RcloneToken {
  readonly access_token?: string;
  readonly refresh_token?: string;
  readonly expiry?: string;
  readonly AccessToken?: string;
  readonly RefreshToken?: string;
  readonly Expiry?: string;
}

/** Reads rclone's `token`. Undefined where it holds none. */
export function parseToken(text: string | undefined): Token | undefined {
  if (!text?.trim()) return undefined;
  let json: RcloneToken;
  try {
    json = JSON.parse(text);
  } catch {
    // Of Dropbox there was once the bare access token.
    return /^[\x21-\x7e]+$/.test(text) ? { accessToken: text } : undefined;
  }
  if (typeof json !== "object" || json === null) return undefined;
  const accessToken = json.access_token ?? json.AccessToken ?? "";
  const refreshToken = json.refresh_token || json.RefreshToken || undefined;
  if (!accessToken && !refreshToken) return undefined;
  const expires = Date.parse(json.expiry ?? json.Expiry ?? "");
  // Go's zero time, year 1, stands for no end.
  return { accessToken, refreshToken, expires: expires > 0 ? expires : undefined };
}

/** Writes rclone's `token`. */
export function formatToken({ accessToken, refreshToken, expires }: Token): string {
  return JSON.stringify({
    access_token: accessToken,
    token_type: "Bearer",
    refresh_token: refreshToken,
    expiry: expires === undefined ? "0001-01-01T00:00:00Z" : new Date(expires).toISOString(),
  });
}
