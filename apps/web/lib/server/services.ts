import { connect } from "node:net";
import { messageOf } from "./checks.ts";
import { connections } from "./connections.ts";
import { ownerDatabase } from "./database.ts";

export interface Service {
  readonly name: string;
  readonly address: string;
  /** Milliseconds that it took to answer; undefined when it did not. */
  readonly milliseconds?: number;
  readonly error?: string;
}

/** The parts of a running Overcoat, each asked something small. */
export async function services(): Promise<Service[]> {
  const { s3, postgres } = await connections();
  return Promise.all([
    timed("S3 gateway", s3.endpoint, async () => {
      await fetch(s3.endpoint, { signal: AbortSignal.timeout(3000), cache: "no-store" });
    }),
    timed("PostgreSQL", new URL(postgres.url).host, async () => {
      const sql = await ownerDatabase();
      await sql`SELECT 1`;
    }),
    sqlServer(),
  ]);
}

async function sqlServer(): Promise<Service> {
  const name = "SQL server";
  try {
    const sql = await ownerDatabase();
    const rows = await sql<{ name: string; value: string }[]>`
      SELECT name, value FROM overcoat.settings WHERE name IN ('host', 'port')`;
    const { host = "", port = "" } = Object.fromEntries(rows.map(({ name, value }) => [name, value]));
    return await timed(name, `${host}:${port}`, () => connectTo(host, Number(port)));
  } catch (error) {
    return { name, address: "", error: messageOf(error) };
  }
}

async function timed(name: string, address: string, ask: () => Promise<void>): Promise<Service> {
  const start = performance.now();
  try {
    await ask();
    return { name, address, milliseconds: Math.max(1, Math.round(performance.now() - start)) };
  } catch (error) {
    return { name, address, error: messageOf(error) };
  }
}

function connectTo(host: string, port: number): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const socket = connect({ host, port, timeout: 3000 });
  socket.once("connect", resolve).once("error", reject);
  socket.once("timeout", () => reject(new Error("no answer within 3 seconds")));
  return promise.finally(() => socket.destroy());
}
