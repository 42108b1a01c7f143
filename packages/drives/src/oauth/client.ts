import { importPKCS8, SignJWT } from "jose";
import {
  AuthorizationResponseError,
  allowInsecureRequests,
  Configuration,
  clientCredentialsGrant,
  customFetch,
  genericGrantRequest,
  None,
  ResponseBodyError,
  refreshTokenGrant,
  type TokenEndpointResponse,
} from "openid-client";
import { fetch } from "undici";
import { DriveError } from "../drive.ts";
import { proxyAgent } from "../remote/http/proxy.ts";
import { redact } from "../remote/http/redact.ts";
import { retryAfter } from "../remote/http/retry-after.ts";
import type { Token } from "./token.ts";

/** An application as it is registered with a provider, and the provider's end points. */
export interface OAuthClient {
  readonly clientId: string;
  /** Undefined for a public client. */
  readonly clientSecret?: string;
  readonly authorizeUrl: string;
  readonly tokenUrl: string;
  /** Of the device code grant, where the provider has it. */
  readonly deviceUrl?: string;
}

/** Google's key of a service account, as its console gives it. */
export interface ServiceAccount {
  readonly client_email: string;
  readonly private_key: string;
  readonly private_key_id?: string;
  readonly token_uri?: string;
}

/** The provider no longer takes what the sign-in was kept as. */
export class SignInEnded extends Error {
  override name = "SignInEnded";
}

const timeOutSeconds = 20;
let agent: ReturnType<typeof proxyAgent> | undefined;

/** What openid-client needs to call the provider. Its answers 429 and 5xx become `DriveError`. */
export function configuration(client: OAuthClient, title: string): Configuration {
  const { clientId, clientSecret, authorizeUrl, tokenUrl, deviceUrl } = client;
  const server = {
    issuer: new URL(authorizeUrl).origin,
    authorization_endpoint: authorizeUrl,
    token_endpoint: tokenUrl,
    device_authorization_endpoint: deviceUrl,
  };
  const made = new Configuration(server, clientId, clientSecret, clientSecret ? undefined : None());
  made.timeout = timeOutSeconds;
  made[customFetch] = async (url, options) => {
    agent ??= proxyAgent();
    const response = await fetch(url, { ...(options as object), dispatcher: agent });
    if (response.status !== 429 && response.status < 500) return response as unknown as Response;
    await response.body?.cancel();
    throw unavailable(
      title,
      `answered ${response.status}`,
      response.status === 429 ? "Throttled" : "Unavailable",
      retryAfter(Object.fromEntries(response.headers), Date.now()),
    );
  };
  // Stand-ins and providers of one's own on this machine.
  if (isLoopback(tokenUrl)) allowInsecureRequests(made);
  return made;
}

const isLoopback = (url: string) => /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(new URL(url).hostname);

/** @throws SignInEnded; DriveError `Unavailable` or `Throttled`, or `Unauthenticated` where the client is refused */
export async function refreshToken(client: OAuthClient, title: string, token: Token): Promise<Token> {
  if (token.refreshToken === undefined) throw new SignInEnded("there is no refresh token");
  return tokenOf(refreshTokenGrant(configuration(client, title), token.refreshToken), title, token);
}

/** A token for the application itself. @throws DriveError as above */
export function clientCredentials(client: OAuthClient, title: string, scope: string): Promise<Token> {
  return tokenOf(clientCredentialsGrant(configuration(client, title), { scope }), title);
}

/** A token for a service account (RFC 7523). @param subject the user for whom it acts. @throws DriveError as above */
export async function serviceAccountToken(
  account: ServiceAccount,
  title: string,
  scope: string,
  subject?: string,
): Promise<Token> {
  const tokenUrl = account.token_uri ?? "https://oauth2.googleapis.com/token";
  const key = await importPKCS8(account.private_key, "RS256");
  const jwt = new SignJWT({ scope })
    .setProtectedHeader({ alg: "RS256", typ: "JWT", kid: account.private_key_id })
    .setIssuer(account.client_email)
    .setAudience(tokenUrl)
    .setIssuedAt()
    .setExpirationTime("1h");
  if (subject) jwt.setSubject(subject);
  const client = { clientId: account.client_email, authorizeUrl: tokenUrl, tokenUrl };
  const grant = "urn:ietf:params:oauth:grant-type:jwt-bearer";
  const answer = genericGrantRequest(configuration(client, title), grant, { assertion: await jwt.sign(key) });
  return tokenOf(answer, title);
}

/** What the provider answers, as a token. @param before the one that is renewed, of which the answer may lack parts */
export async function tokenOf(
  answer: Promise<TokenEndpointResponse>,
  title: string,
  before?: Token,
): Promise<Token> {
  try {
    const { access_token, refresh_token, expires_in } = await answer;
    return {
      accessToken: access_token,
      refreshToken: refresh_token ?? before?.refreshToken,
      expires: expires_in === undefined ? undefined : Date.now() + expires_in * 1000,
    };
  } catch (error) {
    throw explain(error, title);
  }
}

/** What went wrong in the words of the provider; no part of a token or secret is in it. */
export function explain(error: unknown, title: string): Error {
  for (let cause = error; cause instanceof Error; cause = cause.cause)
    if (cause instanceof DriveError) return cause;
  if (!(error instanceof ResponseBodyError || error instanceof AuthorizationResponseError)) {
    const { code, cause } = error as NodeJS.ErrnoException;
    const reason = (cause as NodeJS.ErrnoException | undefined)?.code ?? code ?? (error as Error).name;
    const answered = reason.startsWith("OAUTH_") && !/TIMEOUT|ABORT/.test(reason);
    const what = answered ? "gave an answer that makes no sense" : "could not be reached";
    return unavailable(title, `${what} (${reason})`, "Unavailable");
  }
  const description = redact((error.error_description ?? "").split(/\r?\n/, 1)[0]!);
  const told = [error.error, description].filter(Boolean).join(": ");
  if (/^(invalid_client|unauthorized_client)$/.test(error.error))
    return new DriveError(
      "Unauthenticated",
      `the sign-in of ${title} does not know the client id or its secret (${told}): check client_id and client_secret of the remote`,
    );
  return new SignInEnded(told);
}

function unavailable(
  title: string,
  what: string,
  code: "Throttled" | "Unavailable",
  retryAfter = 1000,
): DriveError {
  return new DriveError(code, `the sign-in of ${title} ${what}`, { retryAfter });
}
