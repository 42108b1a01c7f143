import { createHash, randomBytes } from "node:crypto";
import type { Clock } from "../drives/clock.ts";
import { badRequest, unauthorized } from "./errors.ts";

export interface TokenOptions {
  /** Any client is known where not given. */
  readonly clientId?: string;
  /** A client without one must use PKCE. */
  readonly clientSecret?: string;
  /** Seconds that an access token is good for; 4 hours where not given. */
  readonly tokenSeconds?: number;
}

/** An answer of the token end point, in OAuth's terms. */
export interface TokenReply {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

export interface SignedIn {
  readonly access_token: string;
  readonly refresh_token: string;
  readonly expires_in: number;
}

interface Grant {
  readonly scope: string;
  /** The refresh token that it goes with, if any. */
  readonly refresh: string | undefined;
  expires: number;
}

interface Code {
  readonly scope: string;
  readonly expires: number;
  readonly redirect: string | undefined;
  readonly challenge: string;
  readonly offline: boolean;
}

const mostGrants = 10_000;
const defaultScope =
  "account_info.read files.content.read files.content.write files.metadata.read files.metadata.write";

/** The token end points of Dropbox, and the check of what they gave out. Refresh tokens stay as they are. */
export class Tokens {
  readonly #options: TokenOptions;
  readonly #clock: Clock;
  readonly #access = new Map<string, Grant>();
  /** Scopes by refresh token. */
  readonly #refresh = new Map<string, string>();
  readonly #codes = new Map<string, Code>();

  constructor(options: TokenOptions, clock: Clock) {
    this.#options = options;
    this.#clock = clock;
  }

  /** Answers `POST /oauth2/token`. */
  token(form: URLSearchParams): TokenReply {
    const grant = form.get("grant_type");
    const refused = this.#checkClient(form);
    if (refused) return refused;
    if (grant === "refresh_token") return this.#refreshed(form);
    if (grant === "authorization_code") return this.#exchanged(form);
    return refuse("unsupported_grant_type", "grant type is not supported");
  }

  /**
   * The user agrees at once.
   * @returns the address to which the browser is sent, or the code where it is to be copied by hand
   * @throws ApiError 400
   */
  authorize(query: URLSearchParams): { readonly location: string } | { readonly code: string } {
    const redirect = query.get("redirect_uri") ?? undefined;
    const id = query.get("client_id");
    if (!id || (this.#options.clientId !== undefined && id !== this.#options.clientId))
      throw badRequest("Invalid client_id: the app does not exist.");
    if (query.get("response_type") !== "code") throw badRequest("Invalid response_type: it must be code.");
    if (redirect !== undefined && !/^http:\/\/(localhost|127\.0\.0\.1)(:\d+)?(\/|$)/.test(redirect))
      throw badRequest("Invalid redirect_uri: it is not registered with the app.");
    const challenge = query.get("code_challenge") ?? "";
    if (challenge && query.get("code_challenge_method") !== "S256")
      throw badRequest("Invalid code_challenge_method: it must be S256.");
    const code = secret();
    remember(this.#codes, code, {
      scope: query.get("scope") ?? defaultScope,
      expires: this.#clock.now() + 600_000,
      redirect,
      challenge,
      offline: query.get("token_access_type") === "offline",
    });
    if (redirect === undefined) return { code };
    const target = new URL(redirect);
    target.searchParams.set("code", code);
    const state = query.get("state");
    if (state !== null) target.searchParams.set("state", state);
    return { location: target.href };
  }

  /** Tokens as a user gets them who signs in now. */
  signIn(scope = defaultScope): SignedIn {
    return this.#issue(scope, this.#newRefresh(scope), true).body as unknown as SignedIn;
  }

  /** Ends all access tokens, as time does. */
  expire(): void {
    for (const grant of this.#access.values()) grant.expires = 0;
  }

  /** Ends everything, as a user does who disconnects the app. */
  revokeAll(): void {
    this.#access.clear();
    this.#refresh.clear();
  }

  /** Ends a token and the refresh token that it came from, with all others of that. */
  revoke(authorization: string | undefined): void {
    const token = bearer(authorization);
    const grant = this.#access.get(token);
    this.#access.delete(token);
    if (grant?.refresh === undefined) return;
    this.#refresh.delete(grant.refresh);
    for (const [other, { refresh }] of this.#access)
      if (refresh === grant.refresh) this.#access.delete(other);
  }

  /** @param required the scope of the route @throws ApiError 400, 401 */
  check(authorization: string | undefined, required: string): void {
    const grant = this.#access.get(bearer(authorization));
    if (!grant) throw unauthorized("invalid_access_token");
    if (grant.expires <= this.#clock.now()) throw unauthorized("expired_access_token");
    if (required !== "" && !grant.scope.split(" ").includes(required))
      throw unauthorized("missing_scope", { required_scope: required });
  }

  #checkClient(form: URLSearchParams): TokenReply | undefined {
    const { clientId, clientSecret } = this.#options;
    const id = form.get("client_id");
    if (!id) return refuse("invalid_request", "missing required field client_id");
    if (clientId !== undefined && id !== clientId)
      return refuse("invalid_client", "Invalid client_id or client_secret");
    const given = form.get("client_secret");
    // A code that came with PKCE is exchanged, and its token refreshed, without the secret.
    if (given === null || clientSecret === undefined || given === clientSecret) return undefined;
    return refuse("invalid_client", "Invalid client_id or client_secret");
  }

  #refreshed(form: URLSearchParams): TokenReply {
    const token = form.get("refresh_token") ?? "";
    const scope = this.#refresh.get(token);
    if (scope === undefined) return refuse("invalid_grant", "refresh token is invalid or revoked");
    const narrower = form.get("scope");
    if (narrower?.split(" ").some((each) => !scope.split(" ").includes(each)))
      return refuse("invalid_scope", "refresh token does not contain requested scope");
    return this.#issue(narrower ?? scope, token, false);
  }

  #exchanged(form: URLSearchParams): TokenReply {
    const code = form.get("code") ?? "";
    const given = this.#codes.get(code);
    this.#codes.delete(code);
    if (!given || given.expires <= this.#clock.now())
      return refuse("invalid_grant", "code doesn't exist or has expired");
    if (given.redirect !== (form.get("redirect_uri") ?? undefined))
      return refuse("invalid_grant", "redirect_uri mismatch");
    const verifier = createHash("sha256")
      .update(form.get("code_verifier") ?? "")
      .digest("base64url");
    if (given.challenge && given.challenge !== verifier)
      return refuse("invalid_grant", "invalid code verifier");
    if (!given.challenge && this.#options.clientSecret !== undefined && !form.has("client_secret"))
      return refuse("invalid_client", "Invalid client_id or client_secret");
    return this.#issue(given.scope, given.offline ? this.#newRefresh(given.scope) : undefined, given.offline);
  }

  #newRefresh(scope: string): string {
    const token = secret();
    remember(this.#refresh, token, scope);
    return token;
  }

  #issue(scope: string, refresh: string | undefined, withRefresh: boolean): TokenReply {
    const { tokenSeconds = 14_400 } = this.#options;
    const access_token = `sl.${secret()}`;
    remember(this.#access, access_token, {
      scope,
      refresh,
      expires: this.#clock.now() + tokenSeconds * 1000,
    });
    return {
      status: 200,
      body: {
        access_token,
        token_type: "bearer",
        expires_in: tokenSeconds,
        scope,
        uid: "1",
        account_id: "dbid:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        ...(withRefresh && refresh !== undefined && { refresh_token: refresh }),
      },
    };
  }
}

function bearer(authorization: string | undefined): string {
  const token = /^Bearer (.+)$/i.exec(authorization ?? "")?.[1];
  if (token) return token;
  throw badRequest(
    authorization === undefined
      ? 'Must provide HTTP header "Authorization" or URL parameter "authorization".'
      : 'Invalid authorization value in HTTP header "Authorization". Expecting "Bearer <access token>".',
  );
}

const secret = () => randomBytes(32).toString("base64url");

function remember<T>(grants: Map<string, T>, key: string, grant: T): void {
  grants.set(key, grant);
  if (grants.size > mostGrants) grants.delete(grants.keys().next().value!);
}

function refuse(error: string, error_description: string): TokenReply {
  return { status: error === "invalid_client" ? 401 : 400, body: { error, error_description } };
}
