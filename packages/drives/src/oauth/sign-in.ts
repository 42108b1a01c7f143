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

/** A sign-in in the browser of this machine. Ends with `wait` or `close`. */
export interface BrowserSignIn {
  readonly address: string;
  /** Waits until the browser comes back. @throws SignInEnded when the user declines, DriveError */
  wait(signal?: AbortSignal): Promise<Token>;
  close(): void;
}

/**
 * Signs in with the browser, which comes back to a port of this machine (RFC 8252), with PKCE (RFC 7636).
 * @param redirect such as `http://localhost:53682/`, as it is registered; port 0 takes a free one
 * @throws Error when the port is in use
 */
export async function startBrowserSignIn(
  { title, client, scope, authorize }: SignInRequest,
  redirect: string,
): Promise<BrowserSignIn> {
  const server = configuration(client, title);
  const listener = await listenForRedirect(redirect);
  const pkceCodeVerifier = randomPKCECodeVerifier();
  const expectedState = randomState();
  const address = buildAuthorizationUrl(server, {
    ...authorize,
    response_type: "code",
    redirect_uri: listener.address,
    scope,
    state: expectedState,
    code_challenge: await calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: "S256",
  });
  return {
    address: address.href,
    async wait(signal) {
      try {
        const answer = await listener.wait(signal);
        return await tokenOf(
          authorizationCodeGrant(server, answer, { pkceCodeVerifier, expectedState }),
          title,
        );
      } finally {
        listener.close();
      }
    },
    close: () => listener.close(),
  };
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
