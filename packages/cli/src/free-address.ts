import { once } from "node:events";
import { createServer } from "node:net";
import { RunError } from "./errors.ts";
import type { Address } from "./flags/values.ts";

const portsTried = 100;

/**
 * The first port from `from` on that nobody listens on, of 127.0.0.1.
 * @param flag that names another address, for the error
 * @throws RunError when 100 are taken
 */
export async function freeAddress(from: number, flag: string): Promise<Address> {
  const host = "127.0.0.1";
  for (let port = from; port < from + portsTried; port++)
    if (await isFree({ host, port })) return { host, port };
  throw new RunError(`no port from ${from} on is free; give one with ${flag}`);
}

/** Whether an address can be listened on now. */
export async function isFree({ host, port }: Address): Promise<boolean> {
  const server = createServer();
  try {
    server.listen({ port, host, exclusive: true });
    await once(server, "listening");
    return true;
  } catch {
    return false;
  } finally {
    server.close();
  }
}
