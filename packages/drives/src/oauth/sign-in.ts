import {
  authorizationCodeGrant,
  buildAuthorizationUrl,
  calculatePKCECodeChallenge,
  genericGrantRequest,
  initiateDeviceAuthorization,
  pollDeviceAuthorizationGrant,
  randomPKCECodeVerifier,
  randomState,
} from "openid-client";
import { configuration, explain, type OAuthClient, tokenOf } from "./client.ts";
import { listenForRedirect } from "./redirect.ts";
import type { Token } from "./token.ts";

/** What is signed in to. */
export interface SignInRequest {
  /** For people: `OneDrive`. */
  readonly title: string;
  readonly client: OAuthClient;
  readonly scope: string;
  /** Further parameters of the authorization request. */
  readonly authorize: Readonly<Record<string, string>>;
}

/** A sign-in that waits for the user. */
export interface DeviceSignIn {
  /** Where the user goes, on any device. */
  readonly address: string;
  /** What the user enters there. */
  readonly code: string;
  /** Waits until that is done. @throws SignInEnded when the user declines or takes too long, DriveError */
  wait(signal?: AbortSignal): Promise<Token>;
}

/** Signs in with any device that has a browser (RFC 8628). @throws SignInEnded, DriveError */
export async function startDeviceSignIn({ title, client, scope }: SignInRequest): Promise<DeviceSignIn> {
  const server = configuration(client, title);
  const started = await initiateDeviceAuthorization(server, { scope }).catch((error) => {
    throw explain(error, title);
  });
  return {
    address: started.verification_uri_complete ?? started.verification_uri,
    code: started.user_code,
    wait: (signal) => tokenOf(pollDeviceAuthorizationGrant(server, started, {}, { signal }), title),
  };
}

/** A sign-in whose browser comes back to an address. */
export interface RedirectSignIn {
  /** Where the browser is to go. */
  readonly address: string;
  /** What tells this sign-in from all others; the browser brings it back. */
  readonly state: string;
  /** @param answer the whole address that the browser came back with. @throws SignInEnded when the user declines, DriveError */
  finish(answer: URL): Promise<Token>;
}

/**
 * Signs in with a browser that comes back to an address, with PKCE (RFC 7636).
 * @param redirect that address, as it is registered
 */
export async function startRedirectSignIn(
  { title, client, scope, authorize }: SignInRequest,
  redirect: string,
): Promise<RedirectSignIn> {
  const server = configuration(client, title);
  const pkceCodeVerifier = randomPKCECodeVerifier();
  const state = randomState();
  const address = buildAuthorizationUrl(server, {
    ...authorize,
    response_type: "code",
    redirect_uri: redirect,
    scope,
    state,
    code_challenge: await calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: "S256",
  });
  return {
    address: address.href,
    state,
    finish: (answer) =>
      tokenOf(authorizationCodeGrant(server, answer, { pkceCodeVerifier, expectedState: state }), title),
  };
}

/** A sign-in in the browser of this machine. Ends with `wait` or `close`. */
export interface BrowserSignIn {
  readonly address: string;
  /** Waits until the browser comes back. @throws SignInEnded when the user declines, DriveError */
  wait(signal?: AbortSignal): Promise<Token>;
  close(): void;
}

/**
 * Signs in with the browser of this machine, which comes back to a port of it (RFC 8252).
 * @param redirect such as `http://localhost:53682/`, as it is registered; port 0 takes a free one
 * @throws Error when the port is in use
 */
export async function startBrowserSignIn(request: SignInRequest, redirect: string): Promise<BrowserSignIn> {
  const listener = await listenForRedirect(redirect);
  try {
    const { address, finish } = await startRedirectSignIn(request, listener.address);
    return {
      address,
      async wait(signal) {
        try {
          return await finish(await listener.wait(signal));
        } finally {
          listener.close();
        }
      },
      close: () => listener.close(),
    };
  } catch (error) {
    listener.close();
    throw error;
  }
}

/** A sign-in whose code the user copies from the provider's page. */
export interface CodeSignIn {
  readonly address: string;
  /** @throws SignInEnded when the code is not right, DriveError */
  finish(code: string): Promise<Token>;
}

/** Signs in with a code that the user copies, for providers that show one where no redirect is asked for. */
export async function startCodeSignIn(request: SignInRequest): Promise<CodeSignIn> {
  const { title, client, scope, authorize } = request;
  const server = configuration(client, title);
  const code_verifier = randomPKCECodeVerifier();
  const address = buildAuthorizationUrl(server, {
    ...authorize,
    response_type: "code",
    scope,
    code_challenge: await calculatePKCECodeChallenge(code_verifier),
    code_challenge_method: "S256",
  });
  return {
    address: address.href,
    finish: (code) =>
      tokenOf(genericGrantRequest(server, "authorization_code", { code: code.trim(), code_verifier }), title),
  };
}
