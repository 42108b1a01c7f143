import { generateKeyPairSync } from "node:crypto";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { jwtVerify } from "jose";
import { afterEach, expect, test } from "vitest";
import { refreshToken, SignInEnded, serviceAccountToken } from "./client.ts";

let server: Server | undefined;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

/** A provider that answers this to each call of its token end point. */
async function provider(
  answer: (form: URLSearchParams) => Promise<{ status: number; body: unknown; headers?: object }>,
): Promise<string> {
  server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { status, body, headers } = await answer(new URLSearchParams(Buffer.concat(chunks).toString()));
    const text = typeof body === "string" ? body : JSON.stringify(body);
    response.writeHead(status, { "content-type": "application/json", ...headers }).end(text);
  });
  await new Promise<void>((done) => server!.listen(0, "127.0.0.1", done));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/token`;
}

const client = (tokenUrl: string) => ({
  clientId: "mine",
  clientSecret: "s3cret",
  authorizeUrl: tokenUrl,
  tokenUrl,
});
const token = { accessToken: "old-access", refreshToken: "old-refresh" };

test("a service account signs for itself, or for the user that it acts for", async () => {
  const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const url = await provider(async (form) => {
    const { payload, protectedHeader } = await jwtVerify(form.get("assertion")!, publicKey, {
      audience: url,
    });
    expect(protectedHeader).toMatchObject({ alg: "RS256", kid: "k1" });
    expect(payload).toMatchObject({ iss: "a@b.iam", sub: "user@b", scope: "drive" });
    expect(payload.exp! - payload.iat!).toBe(3600);
    expect(form.get("grant_type")).toBe("urn:ietf:params:oauth:grant-type:jwt-bearer");
    return { status: 200, body: { access_token: "new", token_type: "Bearer", expires_in: 3599 } };
  });
  const account = {
    client_email: "a@b.iam",
    private_key: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    private_key_id: "k1",
    token_uri: url,
  };
  const got = await serviceAccountToken(account, "Google Drive", "drive", "user@b");
  expect(got.accessToken).toBe("new");
  expect(got.expires).toBeGreaterThan(Date.now() + 3_500_000);
});

test("a refresh token that is not given anew stays", async () => {
  const url = await provider(async () => ({
    status: 200,
    body: { access_token: "new", token_type: "bearer" },
  }));
  expect(await refreshToken(client(url), "Dropbox", token)).toEqual({
    accessToken: "new",
    refreshToken: "old-refresh",
  });
});

test.each([
  [429, { error: "slow" }, { "retry-after": "7" }, { code: "Throttled", retryAfter: 7000 }],
  [503, "<html>", {}, { code: "Unavailable" }],
  [401, { error: "invalid_client", error_description: "no such secret" }, {}, { code: "Unauthenticated" }],
  [
    200,
    "<html>",
    { "content-type": "text/html" },
    { code: "Unavailable", message: expect.stringContaining("no sense") },
  ],
])("an answer of %i is told without secrets", async (status, body, headers, expected) => {
  const url = await provider(async () => ({ status, body, headers }));
  const error = await refreshToken(client(url), "Dropbox", token).catch((error) => error);
  expect(error).toMatchObject(expected);
  expect(`${error.message} ${error.stack}`).not.toMatch(/old-access|old-refresh|s3cret/);
});

test("what the provider says of a grant that has ended is passed on, without addresses", async () => {
  const url = await provider(async () => ({
    status: 400,
    body: { error: "invalid_grant", error_description: "Expired. See https://x.test/?t=secret\r\nTrace: 1" },
  }));
  const error = await refreshToken(client(url), "Dropbox", token).catch((error) => error);
  expect(error).toBeInstanceOf(SignInEnded);
  expect(error.message).toBe("invalid_grant: Expired. See https://x.test/…");
});

test("a provider that is not there is told", async () => {
  const url = await provider(async () => ({ status: 200, body: {} }));
  server!.close();
  await expect(refreshToken(client(url), "Dropbox", token)).rejects.toMatchObject({
    code: "Unavailable",
    message: "the sign-in of Dropbox could not be reached (ECONNREFUSED)",
  });
});
