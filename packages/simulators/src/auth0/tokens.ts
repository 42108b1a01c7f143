import { createHmac, randomBytes, randomUUID } from "node:crypto";
import { ApiError } from "./errors.ts";
import type { Item } from "./route.ts";

export interface TokenOptions {
  readonly clientId: string;
  readonly clientSecret: string;
  readonly audience: string;
  readonly scopes: readonly string[];
  readonly expiresIn: number;
}

interface Grant {
  readonly scopes: ReadonlySet<string>;
  /** Milliseconds since 1970. */
  readonly expires: number;
}

/** The token endpoint for client credentials, and the check of what it gave out. */
export class Tokens {
  readonly #options: TokenOptions;
  readonly #granted = new Map<string, Grant>();
  readonly #key = randomBytes(32);

  constructor(options: TokenOptions) {
    this.#options = options;
  }

  /** Answers POST /oauth/token: a status and a body in OAuth's terms. */
  answer(body: Item): { status: number; body: Item } {
    const { clientId, clientSecret, audience, scopes, expiresIn } = this.#options;
    const refuse = (status: number, error: string, error_description: string) => ({
      status,
      body: { error, error_description },
    });
    for (const name of ["grant_type", "client_id"] as const)
      if (typeof body[name] !== "string")
        return refuse(400, "invalid_request", `Missing required parameter: ${name}`);
    if (body.grant_type !== "client_credentials")
      return refuse(403, "unsupported_grant_type", `Unsupported grant type: ${body.grant_type}`);
    if (body.client_id !== clientId || body.client_secret !== clientSecret)
      return refuse(401, "access_denied", "Unauthorized");
    if (typeof body.audience !== "string")
      return refuse(403, "access_denied", "Non-global clients are not allowed access to APIv1");
    if (body.audience !== audience)
      return refuse(403, "access_denied", `Service not enabled within domain: ${body.audience}`);
    return {
      status: 200,
      body: {
        access_token: this.issue(),
        scope: scopes.join(" "),
        expires_in: expiresIn,
        token_type: "Bearer",
      },
    };
  }

  /** A token as the endpoint gives it: a JWT. */
  issue(): string {
    const { clientId, audience, scopes, expiresIn } = this.#options;
    const now = Date.now();
    const claims = {
      iss: audience.replace(/api\/v2\/$/, ""),
      sub: `${clientId}@clients`,
      aud: audience,
      iat: Math.floor(now / 1000),
      exp: Math.floor(now / 1000) + expiresIn,
      scope: scopes.join(" "),
      gty: "client-credentials",
      azp: clientId,
      jti: randomUUID(),
    };
    const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
    const signed = `${part({ alg: "HS256", typ: "JWT" })}.${part(claims)}`;
    const token = `${signed}.${createHmac("sha256", this.#key).update(signed).digest("base64url")}`;
    this.#granted.set(token, { scopes: new Set(scopes), expires: now + expiresIn * 1000 });
    return token;
  }

  /** Ends all tokens, as a rotated secret does. */
  revokeAll(): void {
    this.#granted.clear();
  }

  /** The scopes of a request. @throws ApiError 401 */
  check(authorization: string | undefined): ReadonlySet<string> {
    const token = /^Bearer (.+)$/i.exec(authorization ?? "")?.[1];
    if (!token) throw new ApiError(401, "Missing authentication");
    const grant = this.#granted.get(token);
    if (!grant) throw new ApiError(401, "Invalid token");
    if (grant.expires <= Date.now())
      throw new ApiError(401, "Expired token received for JSON Web Token validation");
    return grant.scopes;
  }
}
