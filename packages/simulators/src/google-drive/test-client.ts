import { auth, drive, type drive_v3 } from "@googleapis/drive";
import { expect } from "vitest";
import type { GoogleDriveServer } from "./server.ts";

export interface Client {
  readonly drive: drive_v3.Drive;
  readonly oauth: InstanceType<typeof auth.OAuth2>;
}

/** Google's own client, signed in. It makes no second try where the test is not about that. */
export function officialClient(server: GoogleDriveServer, scope = "drive", clientId?: string): Client {
  const { url } = server;
  const oauth = new auth.OAuth2({
    clientId: clientId ?? "stand-in",
    clientSecret: "stand-in",
    endpoints: { oauth2TokenUrl: `${url}/token`, oauth2RevokeUrl: `${url}/revoke` },
  });
  oauth.setCredentials(server.signIn(scope, clientId));
  // It keeps to rootUrl except in uploads.
  oauth.transporter.interceptors.request.add({
    async resolved(config) {
      config.url = new URL(String(config.url).replace("https://www.googleapis.com", url));
      return config;
    },
  });
  return { drive: drive({ version: "v3", auth: oauth, rootUrl: url, retry: false }), oauth };
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into whatever came
  readonly body: any;
}

/** Calls as they go over the wire, with a token. A path goes to the stand-in, an address as it is. */
export function callsTo(server: GoogleDriveServer, scope = "drive") {
  const { access_token } = server.signIn(scope);
  return async (
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answer> => {
    const raw = body === undefined || typeof body === "string" || body instanceof Uint8Array;
    const response = await fetch(path.startsWith("/") ? server.url + path : path, {
      method,
      redirect: "manual",
      headers: {
        authorization: `Bearer ${access_token}`,
        ...(!raw && { "content-type": "application/json" }),
        ...headers,
      },
      body: raw ? (body as string) : JSON.stringify(body),
    });
    const text = await response.text();
    const json = response.headers.get("content-type")?.startsWith("application/json");
    return { status: response.status, headers: response.headers, body: json ? JSON.parse(text) : text };
  };
}

/** What the official client throws. */
export const refusal = (status: number, reason: string) =>
  expect.objectContaining({
    status,
    response: expect.objectContaining({
      data: {
        error: expect.objectContaining({ code: status, errors: [expect.objectContaining({ reason })] }),
      },
    }),
  });
