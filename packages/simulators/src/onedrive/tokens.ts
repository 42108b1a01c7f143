import { createHash, randomBytes } from "node:crypto";
import type { Clock } from "../drives/clock.ts";
import { GraphError } from "./errors.ts";

export interface TokenOptions {
  /** Any client is known where not given. */
  readonly clientId?: string;
  /** A client without one is a public client. */
  readonly clientSecret?: string;
  /** Seconds that an access token is good for; 3,600 where not given. */
  readonly tokenSeconds?: number;
  /** Seconds that a refresh token is good for; 90 days where not given. */
  readonly refreshSeconds?: number;
  /** Seconds that a refresh token lives on once it was used; as long as before where not given. */
  readonly usedRefreshSeconds?: number;
}

/** An answer of the token endpoints, in OAuth's terms. */
export interface TokenReply {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

interface Grant {
  readonly scope: string;
  expires: number;
}

interface DeviceCode extends Grant {
  readonly userCode: string;
  state: "pending" | "approved" | "declined";
}

interface AuthorizationCode extends Grant {
  readonly redirect: string;
  readonly challenge: string;
}

const deviceSeconds = 900;
const mostGrants = 10_000;
const defaultScope = "Files.ReadWrite.All offline_access";

/** The token endpoints of the Microsoft identity platform, and the check of what they gave out. */
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

  /** Answers `POST /{tenant}/oauth2/v2.0/token`. */
  token(tenant: string, form: URLSearchParams): TokenReply {
    const refused = this.#checkClient(form);
    if (refused) return refused;
    const grant = form.get("grant_type");
    if (grant === "refresh_token") return this.#refreshed(form);
    if (grant === "urn:ietf:params:oauth:grant-type:device_code") return this.#deviceToken(form);
    if (grant === "authorization_code") return this.#codeToken(form);
    if (grant !== "client_credentials")
      return refuse(
        "unsupported_grant_type",
        `AADSTS70003: The grant type '${grant}' is not supported.`,
        70003,
      );
    if (["common", "consumers", "organizations"].includes(tenant))
      return refuse("invalid_request", "AADSTS53003: Client credentials need the id of a tenant.", 53003);
    if (form.get("scope") !== "https://graph.microsoft.com/.default")
      return refuse(
        "invalid_scope",
        "AADSTS1002012: The scope must be of the form RESOURCE/.default.",
        1002012,
      );
    return this.#issue("Files.ReadWrite.All", false);
  }

  /** Answers `POST /{tenant}/oauth2/v2.0/devicecode`. @param origin where the user signs in */
  device(form: URLSearchParams, origin: string): TokenReply {
    const refused = this.#checkClient(form, false);
    if (refused) return refused;
    const code = secret();
    const userCode = randomBytes(5).toString("hex").slice(0, 9).toUpperCase();
    const scope = form.get("scope") ?? "";
    if (!scope) return refuse("invalid_request", "AADSTS900144: The body must contain 'scope'.", 900144);
    const expires = this.#clock.now() + deviceSeconds * 1000;
    remember(this.#devices, code, { scope, expires, userCode, state: "pending" });
    const verification_uri = `${origin}/devicelogin?user_code=${userCode}`;
    return {
      status: 200,
      body: {
        user_code: userCode,
        device_code: code,
        verification_uri,
        expires_in: deviceSeconds,
        interval: 5,
        message: `To sign in, open ${verification_uri}; the code is ${userCode}.`,
      },
    };
  }

  /** What the user does in the browser. @returns false where there is no such code */
  decide(userCode: string, state: "approved" | "declined"): boolean {
    for (const device of this.#devices.values())
      if (device.userCode === userCode) {
        device.state = state;
        return true;
      }
    return false;
  }

  /**
   * The address to which the browser is sent on, the user agreeing at once.
   * @throws GraphError 400 where the request is not that of a public client with PKCE on loopback
   */
  authorize(query: URLSearchParams): string {
    const redirect = query.get("redirect_uri") ?? "";
    const refuse = (message: string) => new GraphError(400, "invalidRequest", message);
    if (this.#options.clientId !== undefined && query.get("client_id") !== this.#options.clientId)
      throw refuse("AADSTS700016: The application was not found.");
    if (query.get("response_type") !== "code") throw refuse("AADSTS900144: response_type must be code.");
    if (!/^http:\/\/(localhost|127\.0\.0\.1)(:\d+)?(\/|$)/.test(redirect))
      throw refuse("AADSTS50011: The redirect URI is not registered for the application.");
    const challenge = query.get("code_challenge") ?? "";
    if (challenge && query.get("code_challenge_method") !== "S256")
      throw refuse("AADSTS9002313: code_challenge_method must be S256.");
    const code = secret();
    const expires = this.#clock.now() + 600_000;
    remember(this.#codes, code, { scope: query.get("scope") ?? defaultScope, expires, redirect, challenge });
    const target = new URL(redirect);
    target.searchParams.set("code", code);
    const state = query.get("state");
    if (state !== null) target.searchParams.set("state", state);
    return target.href;
  }

  /** Tokens as a user gets them who signs in now. */
  signIn(scope = defaultScope): { access_token: string; refresh_token: string; expires_in: number } {
    const { body } = this.#issue(scope, true);
    return body as { access_token: string; refresh_token: string; expires_in: number };
  }

  /** Ends all access tokens, as time does. */
  expire(): void {
    for (const grant of this.#access.values()) grant.expires = 0;
  }

  /** Ends everything, as a user does who withdraws consent. */
  revoke(): void {
    this.#access.clear();
    this.#refresh.clear();
  }

  /** The scope of a request. @throws GraphError 401 */
  check(authorization: string | undefined): string {
    const token = /^Bearer (.+)$/i.exec(authorization ?? "")?.[1];
    if (!token) throw unauthenticated("Access token is empty.", "");
    const grant = this.#access.get(token);
    if (!grant) throw unauthenticated("The access token is not valid.", "invalid_token");
    if (grant.expires <= this.#clock.now())
      throw unauthenticated("Lifetime validation failed, the token is expired.", "expired_token");
    return grant.scope;
  }

  #checkClient(form: URLSearchParams, confidential = true): TokenReply | undefined {
    const { clientId, clientSecret } = this.#options;
    const id = form.get("client_id");
    if (!id) return refuse("invalid_request", "AADSTS900144: The body must contain 'client_id'.", 900144);
    if (clientId !== undefined && id !== clientId)
      return refuse("unauthorized_client", `AADSTS700016: The application '${id}' was not found.`, 700016);
    if (!confidential || clientSecret === undefined || form.get("client_secret") === clientSecret) return;
    return {
      ...refuse("invalid_client", "AADSTS7000215: Invalid client secret provided.", 7000215),
      status: 401,
    };
  }

  #refreshed(form: URLSearchParams): TokenReply {
    const token = form.get("refresh_token") ?? "";
    const grant = this.#refresh.get(token);
    if (!grant) return refuse("invalid_grant", "AADSTS50173: The grant was revoked.", 50173, "bad_token");
    const now = this.#clock.now();
    if (grant.expires <= now)
      return refuse("invalid_grant", "AADSTS700082: The refresh token has expired.", 700082, "token_expired");
    const { usedRefreshSeconds } = this.#options;
    if (usedRefreshSeconds !== undefined)
      grant.expires = Math.min(grant.expires, now + usedRefreshSeconds * 1000);
    return this.#issue(grant.scope, true);
  }

  #deviceToken(form: URLSearchParams): TokenReply {
    const code = form.get("device_code") ?? "";
    const device = this.#devices.get(code);
    if (!device)
      return refuse("bad_verification_code", "AADSTS70018: The verification code is not known.", 70018);
    if (device.expires <= this.#clock.now())
      return refuse("expired_token", "AADSTS70020: The device code has expired.", 70020);
    if (device.state === "pending")
      return refuse("authorization_pending", "AADSTS70016: The user has not signed in yet.", 70016);
    this.#devices.delete(code);
    if (device.state === "declined")
      return refuse("authorization_declined", "AADSTS70000: The user declined.", 70000);
    return this.#issue(device.scope, device.scope.includes("offline_access"));
  }

  #codeToken(form: URLSearchParams): TokenReply {
    const code = form.get("code") ?? "";
    const given = this.#codes.get(code);
    this.#codes.delete(code);
    const verifier = createHash("sha256")
      .update(form.get("code_verifier") ?? "")
      .digest("base64url");
    if (!given || given.expires <= this.#clock.now())
      return refuse("invalid_grant", "AADSTS70008: The code is not known or has expired.", 70008);
    if (given.redirect !== form.get("redirect_uri"))
      return refuse("invalid_grant", "AADSTS50011: redirect_uri is not that of the code.", 50011);
    if (given.challenge && given.challenge !== verifier)
      return refuse("invalid_grant", "AADSTS501481: The code_verifier does not match.", 501481);
    return this.#issue(given.scope, given.scope.includes("offline_access"));
  }

  #issue(scope: string, refreshable: boolean): TokenReply {
    const { tokenSeconds = 3600, refreshSeconds = 90 * 86_400 } = this.#options;
    const now = this.#clock.now();
    const access_token = secret();
    remember(this.#access, access_token, { scope, expires: now + tokenSeconds * 1000 });
    const body: Record<string, unknown> = {
      token_type: "Bearer",
      scope,
      expires_in: tokenSeconds,
      ext_expires_in: tokenSeconds,
      access_token,
    };
    if (refreshable) {
      const refresh_token = secret();
      remember(this.#refresh, refresh_token, { scope, expires: now + refreshSeconds * 1000 });
      body.refresh_token = refresh_token;
    }
    return { status: 200, body };
  }
}

const secret = () => randomBytes(32).toString("base64url");

function remember<T>(grants: Map<string, T>, key: string, grant: T): void {
  grants.set(key, grant);
  if (grants.size > mostGrants) grants.delete(grants.keys().next().value!);
}

function refuse(error: string, error_description: string, code: number, suberror?: string): TokenReply {
  return {
    status: 400,
    body: { error, error_description, error_codes: [code], ...(suberror && { suberror }) },
  };
}

function unauthenticated(message: string, error: string): GraphError {
  const details = error ? `, error="invalid_token", error_description="${error}"` : "";
  return new GraphError(401, "InvalidAuthenticationToken", message, {
    inner: "unauthenticated",
    headers: { "www-authenticate": `Bearer realm=""${details}` },
  });
}
