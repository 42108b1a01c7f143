import { createServer, type IncomingMessage } from "node:http";
import type { Address } from "./flags/values.ts";
import { listenError } from "./gateway.ts";

export interface Health {
  ready(): boolean;
  metrics(): Promise<string>;
  /** For `/-/status`, as JSON. */
  status?(): object;
  /** Answers what is none of the paths below; undefined for what is none of its own either. */
  more?(request: IncomingMessage): Promise<Answer | undefined>;
}

export interface Answer {
  readonly status: number;
  readonly json: object;
}

/** Serves `/-/healthz`, `/-/readyz`, `/-/metrics` and `/-/status` on an address of its own. */
export async function listenAdmin(
  address: Address,
  health: Health,
): Promise<{ port: number; close(): void }> {
  const server = createServer(async (request, response) => {
    const answer = (status: number, text: string, type = "text/plain; charset=utf-8") => {
      response.writeHead(status, { "content-type": type, "cache-control": "no-store" });
      response.end(request.method === "HEAD" ? undefined : text);
    };
    const other = await health.more?.(request).catch(() => undefined);
    if (other) return answer(other.status, JSON.stringify(other.json), "application/json");
    if (request.method !== "GET" && request.method !== "HEAD") return answer(405, "only GET and HEAD\n");
    try {
      switch (request.url?.split("?")[0]) {
        case "/-/healthz":
          return answer(200, "ok\n");
        case "/-/readyz":
          return health.ready() ? answer(200, "ready\n") : answer(503, "not ready\n");
        case "/-/metrics":
          return answer(200, await health.metrics(), "text/plain; version=0.0.4; charset=utf-8");
        case "/-/status":
          if (health.status) return answer(200, JSON.stringify(health.status()), "application/json");
          return answer(404, "there is no status here\n");
        default:
          return answer(404, "only /-/healthz, /-/readyz and /-/metrics\n");
      }
    } catch (error) {
      answer(500, `${(error as Error).message}\n`);
    }
  });
  await new Promise<void>((done, failed) => {
    server.once("error", (error) => failed(listenError(error, address, "--admin-addr")));
    server.listen({ host: address.host, port: address.port, exclusive: true }, done);
  });
  const bound = server.address();
  return {
    port: typeof bound === "object" && bound ? bound.port : address.port,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}
