import {
  AuthenticationHandler,
  Client,
  type Context,
  type Middleware,
  RedirectHandler,
  RedirectHandlerOptions,
  RetryHandler,
  RetryHandlerOptions,
} from "@microsoft/microsoft-graph-client";
import type { OneDriveServer } from "./server.ts";

const graph = "https://graph.microsoft.com";
const storage = "https://stand-in.sharepoint.com";

/**
 * Microsoft's own client, signed in. It knows https only, and gives its token to https://graph.microsoft.com
 * alone, so what it sends there is brought to the stand-in, and addresses in answers are brought back.
 */
export function officialClient(server: OneDriveServer, token = server.signIn().access_token): Client {
  const { url, storageUrl } = server;
  const last: Middleware = {
    async execute(context: Context) {
      const options = { ...context.options, duplex: "half" } as RequestInit;
      const address = String(context.request).replace(graph, url).replace(storage, storageUrl);
      const response = await fetch(address, options);
      context.response = response;
      if (!response.headers.get("content-type")?.startsWith("application/json")) return;
      const body = (await response.text()).replaceAll(url, graph).replaceAll(storageUrl, storage);
      context.response = new Response(body, { status: response.status, headers: response.headers });
    },
  };
  const chain: Middleware[] = [
    new AuthenticationHandler({ getAccessToken: async () => token }),
    new RetryHandler(new RetryHandlerOptions(1, 2)),
    new RedirectHandler(new RedirectHandlerOptions()),
    last,
  ];
  for (const [index, each] of chain.entries()) each.setNext?.(chain[index + 1]!);
  return Client.initWithMiddleware({ middleware: chain[0]!, defaultVersion: "v1.0" });
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into whatever came
  readonly body: any;
}

/** Calls as they go over the wire. A path goes to Graph with a token, an address as it is without one. */
export function callsTo(server: OneDriveServer) {
  const { access_token } = server.signIn();
  return async (
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answer> => {
    const raw = body === undefined || typeof body === "string" || body instanceof Uint8Array;
    const own = path.startsWith("/") || path.startsWith(`${server.url}/`);
    const response = await fetch(path.startsWith("/") ? `${server.url}/v1.0${path}` : path, {
      method,
      redirect: "manual",
      headers: {
        ...(own && { authorization: `Bearer ${access_token}` }),
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
