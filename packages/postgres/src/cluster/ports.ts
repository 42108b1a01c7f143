import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { codeOf } from "./errors.ts";

export const loopback = "127.0.0.1";
const firstPort = 54320;
const tries = 100;

/**
 * Ports to try in turn: the one that was asked for alone, any free ones for 0, else 54320 and those after it.
 * Each was free a moment before.
 */
export async function* freePorts(asked: number | undefined): AsyncGenerator<number> {
  for (let i = 0; i < tries; i++) {
    const port = await tryPort(asked ?? firstPort + i);
    if (port !== undefined) yield port;
    if (asked) return;
  }
}

async function tryPort(port: number): Promise<number | undefined> {
  const server = createServer();
  try {
    server.listen(port, loopback);
    await once(server, "listening");
    const found = (server.address() as AddressInfo).port;
    server.close();
    await once(server, "close");
    return found;
  } catch (error) {
    if (codeOf(error) === "EADDRINUSE" || codeOf(error) === "EACCES") return undefined;
    throw error;
  }
}
