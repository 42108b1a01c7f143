import type { OAuthClient } from "./client.ts";

type Options = Readonly<Record<string, string | undefined>>;

/** `device`: on any device; `browser`: in the one of this machine; `code`: with one that is copied from the page. */
export type SignInMethod = "device" | "browser" | "code";

/** How people sign in to a kind of drive. */
export interface Provider {
  /** rclone's name of the kind. */
  readonly type: string;
  /** What `overcoat login` calls it. */
  readonly command: string;
  /** For people. */
  readonly title: string;
  /** The usual one first. */
  readonly methods: readonly SignInMethod[];
  /** Whether its clients must have a secret; public clients have none. */
  readonly needsSecret: boolean;
  /** Where the browser comes back to; the same as rclone's, so that one registration serves both. */
  readonly redirect: string;
  /** What the application is allowed to do, in the form of the authorization request. */
  scope(options: Options): string;
  /** Further parameters of the authorization request, by which a refresh token is given. */
  readonly authorize: Readonly<Record<string, string>>;
  /** The end points; rclone's keys `auth_url` and `token_url` stand before the provider's own. */
  endpoints(options: Options): Pick<OAuthClient, "authorizeUrl" | "tokenUrl" | "deviceUrl">;
}

const microsoftLogins: Record<string, string> = {
  us: "https://login.microsoftonline.us",
  de: "https://login.microsoftonline.de",
  cn: "https://login.chinacloudapi.cn",
};

export const oneDriveProvider: Provider = {
  type: "onedrive",
  command: "onedrive",
  title: "OneDrive",
  methods: ["device", "browser"],
  needsSecret: false,
  redirect: "http://localhost:53682/",
  authorize: {},
  scope: ({ access_scopes, disable_site_permission }) =>
    access_scopes ||
    `Files.Read Files.ReadWrite Files.Read.All Files.ReadWrite.All ${disable_site_permission === "true" ? "" : "Sites.Read.All "}offline_access`,
  endpoints({ region = "global", tenant, auth_url, token_url }) {
    const login = microsoftLogins[region] ?? "https://login.microsoftonline.com";
    const base = `${login}/${tenant || "common"}/oauth2/v2.0`;
    const tokenUrl = token_url || `${base}/token`;
    return {
      authorizeUrl: auth_url || `${base}/authorize`,
      tokenUrl,
      deviceUrl: tokenUrl.replace(/token$/, "devicecode"),
    };
  },
};

export const googleDriveProvider: Provider = {
  type: "drive",
  command: "google-drive",
  title: "Google Drive",
  methods: ["browser"],
  needsSecret: true,
  redirect: "http://127.0.0.1:53682/",
  authorize: { access_type: "offline", prompt: "consent" },
  scope: ({ scope }) =>
    (scope || "drive")
      .split(/[\s,]+/)
      .map((name) => (name.includes("/") ? name : `https://www.googleapis.com/auth/${name}`))
      .join(" "),
  endpoints: ({ auth_url, token_url }) => ({
    authorizeUrl: auth_url || "https://accounts.google.com/o/oauth2/v2/auth",
    tokenUrl: token_url || "https://oauth2.googleapis.com/token",
  }),
};

export const dropboxProvider: Provider = {
  type: "dropbox",
  command: "dropbox",
  title: "Dropbox",
  methods: ["code", "browser"],
  needsSecret: false,
  redirect: "http://localhost:53682/",
  authorize: { token_access_type: "offline" },
  scope: () =>
    "account_info.read files.metadata.read files.metadata.write files.content.read files.content.write",
  endpoints: ({ auth_url, token_url }) => ({
    authorizeUrl: auth_url || "https://www.dropbox.com/oauth2/authorize",
    tokenUrl: token_url || "https://api.dropboxapi.com/oauth2/token",
  }),
};

export const providers: readonly Provider[] = [oneDriveProvider, googleDriveProvider, dropboxProvider];
