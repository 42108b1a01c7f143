import { Dropbox } from "dropbox";
import type { DropboxServer } from "./server.ts";

/** The stand-in's addresses by those of the service. */
const addresses = (server: DropboxServer): readonly (readonly [string, string])[] => [
  ["https://api.dropboxapi.com", server.url],
  ["https://content.dropboxapi.com", server.contentUrl],
  ["https://notify.dropboxapi.com", server.notifyUrl],
];

/** Dropbox's own client, signed in. It knows https only, so what it sends there is brought to the stand-in. */
export function officialClient(
  server: DropboxServer,
  options: ConstructorParameters<typeof Dropbox>[0] = { accessToken: server.signIn().access_token },
): Dropbox {
  const known = addresses(server);
  const redirected = (input: string | URL | Request, init?: RequestInit) => {
    const [from, to] = known.find(([address]) => String(input).startsWith(address)) ?? ["", ""];
    return fetch(to + String(input).slice(from.length), init);
  };
  return new Dropbox({ ...options, fetch: redirected as typeof fetch });
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into whatever came
  readonly body: any;
}

/** Calls as they go over the wire: JSON to the API, bytes with their argument in a header to where contents go. */
export function callsTo(server: DropboxServer, common: Record<string, string> = {}) {
  const { access_token } = server.signIn();
  const send = async (url: string, headers: Record<string, string>, body: RequestInit["body"]) => {
    const response = await fetch(url, {
      method: "POST",
      headers: { authorization: `Bearer ${access_token}`, ...common, ...headers },
      body,
      duplex: "half",
    } as RequestInit);
    const text = await response.text();
    const json = response.headers.get("content-type")?.startsWith("application/json");
    return { status: response.status, headers: response.headers, body: json ? JSON.parse(text) : text };
  };
  return {
    rpc: (name: string, arg: unknown, headers: Record<string, string> = {}): Promise<Answer> =>
      send(
        `${server.url}/2/${name}`,
        { "content-type": "application/json", ...headers },
        JSON.stringify(arg),
      ),
    content: (
      name: string,
      arg: unknown,
      body: RequestInit["body"] = "",
      headers: Record<string, string> = {},
    ): Promise<Answer> =>
      send(
        `${server.contentUrl}/2/${name}`,
        {
          "content-type": "application/octet-stream",
          "dropbox-api-arg": JSON.stringify(arg),
          ...headers,
        },
        body,
      ),
  };
}
