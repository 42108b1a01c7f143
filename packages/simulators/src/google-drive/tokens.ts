import { createHash, randomBytes } from "node:crypto";
import type { Reply } from "../drives/call.ts";
import type { Clock } from "../drives/clock.ts";
import { DriveApiError } from "./errors.ts";

export interface TokenOptions {
  /** Any client is known where not given. */
  readonly clientId?: string;
  /** Any will do where not given, but there must be one. */
  readonly clientSecret?: string;
  /** Seconds that an access token is good for; 3,599 where not given. */
  readonly tokenSeconds?: number;
  /** Seconds that a refresh token is good for; for ever where not given. An app in testing has 7 days. */
  readonly refreshSeconds?: number;
}

/** Who calls: properties of an app are seen by its client alone, and so is what it made where it may see no more. */
export interface Viewer {
  readonly clientId: string;
  /** Scopes without the address before them: `drive`, `drive.file`. */
  readonly scopes: ReadonlySet<string>;
}

/** The tokens that a user gets who signs in. */
export interface SignedIn {
  readonly access_token: string;
  readonly refresh_token: string;
  readonly expires_in: number;
}

interface Grant extends Viewer {
  readonly expires: number;
}

interface DeviceCode extends Grant {
  readonly userCode: string;
  state: "pending" | "approved" | "declined";
}

interface AuthorizationCode extends Grant {
  readonly redirect: string;
  readonly challenge: string;
  readonly offline: boolean;
}

const prefix = "https://www.googleapis.com/auth/";
const deviceScopes = new Set(["drive.file", "drive.appdata"]);
const deviceSeconds = 1800;
const mostGrants = 10_000;
const defaultClient = "stand-in";

/** Google's token endpoints, and the check of what they gave out. */
export class Tokens {
  readonly #options: TokenOptions;
  readonly #clock: Clock;
  readonly #access = new Map<string, Grant>();
  readonly #refresh = new Map<string, Grant>();
  readonly #devices = new Map<string, DeviceCode>();
  readonly #codes = new Map<string, AuthorizationCode>();

  constructor(options: TokenOptions, clock: Clock) {
    this.#options = options;
    this.#clock = clock;
  }

  /** Answers `POST /token`. */
  token(form: URLSearchParams): Reply {
    const refused = this.#checkClient(form);
    if (refused) return refused;
    const grant = form.get("grant_type");
    if (grant === "refresh_token") return this.#refreshed(form);
    if (grant === "authorization_code") return this.#codeToken(form);
    if (grant === "urn:ietf:params:oauth:grant-type:device_code") return this.#deviceToken(form);
    return refuse(400, "unsupported_grant_type", `Invalid grant_type: ${grant}`);
  }

  /** Answers `POST /device/code`. Only few scopes can be had this way. @param origin where the user signs in */
  device(form: URLSearchParams, origin: string): Reply {
    const clientId = form.get("client_id");
    if (!clientId) return refuse(400, "invalid_request", "Missing required parameter: client_id");
    const scopes = scopesOf(form.get("scope") ?? "");
    if (scopes.size === 0 || ![...scopes].every((scope) => deviceScopes.has(scope)))
      return refuse(400, "invalid_scope", "Invalid device flow scope.");
    const code = secret();
    const userCode = randomBytes(4).toString("hex").toUpperCase().replace(/^.{4}/, "$&-");
    const expires = this.#clock.now() + deviceSeconds * 1000;
    remember(this.#devices, code, { clientId, scopes, expires, userCode, state: "pending" });
    return {
      status: 200,
      body: {
        device_code: code,
        user_code: userCode,
        expires_in: deviceSeconds,
        interval: 5,
        verification_url: `${origin}/device`,
      },
    };
  }

  /** What the user of a device does in the browser. @returns false where there is no such code */
  decide(userCode: string, state: "approved" | "declined"): boolean {
    const device = [...this.#devices.values()].find((each) => each.userCode === userCode);
    if (device) device.state = state;
    return device !== undefined;
  }

  /**
   * Answers `GET /o/oauth2/v2/auth`: the browser is sent on, the user agreeing at once.
   * @throws DriveApiError 400 where the request is not that of a desktop app
   */
  authorize(query: URLSearchParams): Reply {
    const clientId = query.get("client_id") ?? "";
    const known = this.#options.clientId;
    const fail = (message: string) => new DriveApiError(400, "invalid_request", message);
    if (clientId === "" || (known !== undefined && clientId !== known))
      throw fail("The OAuth client was not found.");
    if (query.get("response_type") !== "code") throw fail("response_type must be code.");
    const redirect = query.get("redirect_uri") ?? "";
    if (!/^http:\/\/(127\.0\.0\.1|localhost|\[::1\])(:\d+)?(\/|$)/.test(redirect))
      throw fail("redirect_uri must be a loopback address.");
    const scopes = scopesOf(query.get("scope") ?? "");
    if (scopes.size === 0) throw fail("Missing required parameter: scope");
    const challenge = query.get("code_challenge") ?? "";
    if (challenge !== "" && query.get("code_challenge_method") !== "S256")
      throw fail("code_challenge_method must be S256.");
    const code = `4/${secret()}`;
    const offline = query.get("access_type") === "offline";
    const expires = this.#clock.now() + 600_000;
    remember(this.#codes, code, { clientId, scopes, expires, redirect, challenge, offline });
    const target = new URL(redirect);
    target.searchParams.set("code", code);
    const state = query.get("state");
    if (state !== null) target.searchParams.set("state", state);
    return { status: 302, headers: { location: target.href } };
  }

  /** Answers `POST /revoke`: any token ends all that was granted with it. */
  revokeToken(token: string): Reply {
    const known = this.#refresh.delete(token) || this.#access.delete(token);
    return known ? { status: 200, body: {} } : refuse(400, "invalid_token", "Token expired or revoked");
  }

  /** Tokens as a user gets them who signs in now. @param scope such as `drive` or `drive.file` */
  signIn(scope = "drive", clientId = this.#options.clientId ?? defaultClient): SignedIn {
    const { body } = this.#issue({ clientId, scopes: scopesOf(scope) }, true);
    return body as unknown as SignedIn;
  }

  /** Ends all access tokens, as time does. */
  expire(): void {
    for (const [token, grant] of this.#access) this.#access.set(token, { ...grant, expires: 0 });
  }

  /** Ends everything, as a user does who withdraws consent. */
  revoke(): void {
    this.#access.clear();
    this.#refresh.clear();
  }

  /** Who a request comes from. @throws DriveApiError 401 */
  check(authorization: string | undefined): Viewer {
    const token = /^Bearer (.+)$/i.exec(authorization ?? "")?.[1];
    const grant = token === undefined ? undefined : this.#access.get(token);
    if (grant && grant.expires > this.#clock.now()) return grant;
    const message = token === undefined ? "Login Required" : "Invalid Credentials";
    throw new DriveApiError(401, token === undefined ? "required" : "authError", message, {
      location: "Authorization",
      locationType: "header",
      headers: { "www-authenticate": `Bearer realm="https://accounts.google.com/"` },
    });
  }

  #checkClient(form: URLSearchParams): Reply | undefined {
    const { clientId, clientSecret } = this.#options;
    const id = form.get("client_id");
    const given = form.get("client_secret");
    if (!id) return refuse(400, "invalid_request", "Could not determine client ID from request.");
    if (clientId !== undefined && id !== clientId)
      return refuse(401, "invalid_client", "The OAuth client was not found.");
    // Desktop apps have a secret as well, though it is none.
    if (!given) return refuse(400, "invalid_request", "client_secret is missing.");
    return clientSecret !== undefined && given !== clientSecret
      ? refuse(401, "invalid_client", "Unauthorized")
      : undefined;
  }

  #refreshed(form: URLSearchParams): Reply {
    const grant = this.#refresh.get(form.get("refresh_token") ?? "");
    if (!grant || grant.expires <= this.#clock.now() || grant.clientId !== form.get("client_id"))
      return refuse(400, "invalid_grant", "Token has been expired or revoked.");
    return this.#issue(grant, false);
  }

  #codeToken(form: URLSearchParams): Reply {
    const code = form.get("code") ?? "";
    const given = this.#codes.get(code);
    this.#codes.delete(code);
    if (!given || given.expires <= this.#clock.now() || given.clientId !== form.get("client_id"))
      return refuse(400, "invalid_grant", "Malformed auth code.");
    if (given.redirect !== form.get("redirect_uri"))
      return refuse(400, "redirect_uri_mismatch", "Bad Request");
    const verifier = createHash("sha256").update(form.get("code_verifier") ?? "");
    if (given.challenge !== "" && given.challenge !== verifier.digest("base64url"))
      return refuse(400, "invalid_grant", "Invalid code verifier.");
    return this.#issue(given, given.offline);
  }

  #deviceToken(form: URLSearchParams): Reply {
    const code = form.get("device_code") ?? "";
    const device = this.#devices.get(code);
    if (!device) return refuse(400, "invalid_grant", "Malformed device code.");
    if (device.expires <= this.#clock.now())
      return refuse(400, "expired_token", "The device code has expired.");
    if (device.state === "pending") return refuse(428, "authorization_pending", "Precondition Required");
    this.#devices.delete(code);
    if (device.state === "declined") return refuse(403, "access_denied", "Forbidden");
    return this.#issue(device, true);
  }

  /** Refresh tokens do not rotate: one comes with the first access token only. */
  #issue({ clientId, scopes }: Viewer, refreshable: boolean): Reply {
    const { tokenSeconds = 3599, refreshSeconds = Number.POSITIVE_INFINITY } = this.#options;
    const now = this.#clock.now();
    const access_token = `ya29.${secret()}`;
    remember(this.#access, access_token, { clientId, scopes, expires: now + tokenSeconds * 1000 });
    const body: Record<string, unknown> = {
      access_token,
      expires_in: tokenSeconds,
      scope: [...scopes].map((scope) => prefix + scope).join(" "),
      token_type: "Bearer",
    };
    if (refreshable) {
      const refresh_token = `1//${secret()}`;
      remember(this.#refresh, refresh_token, { clientId, scopes, expires: now + refreshSeconds * 1000 });
      body.refresh_token = refresh_token;
    }
    return { status: 200, body };
  }
}

const secret = () => randomBytes(32).toString("base64url");

function scopesOf(text: string): Set<string> {
  const names = text.split(/\s+/).filter(Boolean);
  return new Set(names.map((name) => (name.startsWith(prefix) ? name.slice(prefix.length) : name)));
}

function remember<T>(grants: Map<string, T>, key: string, grant: T): void {
  grants.set(key, grant);
  if (grants.size > mostGrants) grants.delete(grants.keys().next().value!);
}

function refuse(status: number, error: string, error_description: string): Reply {
  return { status, body: { error, error_description } };
}
