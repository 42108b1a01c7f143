import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** A port of this machine to which a browser comes back. */
export interface RedirectListener {
  /** With the port that was taken. */
  readonly address: string;
  /** The address that the browser came back with. @throws the signal's reason */
  wait(signal?: AbortSignal): Promise<URL>;
  close(): void;
}

/** @param redirect such as `http://localhost:53682/`; port 0 takes a free one. @throws Error when the port is in use */
export async function listenForRedirect(redirect: string): Promise<RedirectListener> {
  const url = new URL(redirect);
  let arrived = (_: URL) => {};
  const arrival = new Promise<URL>((done) => {
    arrived = done;
  });
  const server = createServer((request, response) => {
    const answer = new URL(request.url ?? "/", url);
    const mine =
      answer.pathname === url.pathname && ["code", "error"].some((name) => answer.searchParams.has(name));
    response.writeHead(mine ? 200 : 404, {
      "content-type": "text/plain; charset=utf-8",
      connection: "close",
    });
    const failed = answer.searchParams.has("error");
    response.end(
      mine
        ? `${failed ? "The sign-in failed" : "You are signed in"}: this page can be closed.\n`
        : "Not here.\n",
    );
    if (mine) arrived(answer);
  });
  server.listen(Number(url.port || 80), "127.0.0.1");
  await once(server, "listening");
  url.port = String((server.address() as AddressInfo).port);
  return {
    address: url.href,
    async wait(signal) {
      if (!signal) return arrival;
      signal.throwIfAborted();
      const aborted = new Promise<never>((_, failed) => {
        signal.addEventListener("abort", () => failed(signal.reason), { once: true });
      });
      return Promise.race([arrival, aborted]);
    },
    close() {
      server.close();
      server.closeIdleConnections();
    },
  };
}
