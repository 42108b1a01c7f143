import { type ChildProcess, spawn } from "node:child_process";
import fs from "node:fs";
import net from "node:net";
import os from "node:os";
import { join } from "node:path";
import { createClient } from "@redis/client";

/** A real redis-server on a free port of 127.0.0.1, with nothing saved. */
export interface RedisServer extends AsyncDisposable {
  readonly port: number;
  readonly url: string;
  /** Its folder, which goes with it. */
  readonly folder: string;
  readonly process: ChildProcess;
  /** A client of its own kind, to put things there and to look at them. */
  client(options?: Parameters<typeof createClient>[0]): Promise<RedisClient>;
}

export type RedisClient = Awaited<ReturnType<ReturnType<typeof createClient>["connect"]>>;

/**
 * Starts redis-server, or with `sentinel` a Sentinel.
 * @throws Error when it is not installed or does not answer within 20 s
 */
export async function startRedis(
  configuration: Readonly<Record<string, string>> = {},
  { port = 0, sentinel }: { port?: number; sentinel?: string } = {},
): Promise<RedisServer> {
  const folder = fs.mkdtempSync(join(os.tmpdir(), "overcoat-redis-"));
  port ||= await freePort();
  const file = join(folder, "redis.conf");
  const settings = sentinel === undefined ? { save: '""', appendonly: "no" } : {};
  const lines = Object.entries({
    port: String(port),
    bind: "127.0.0.1",
    dir: folder,
    ...settings,
    ...configuration,
  });
  fs.writeFileSync(
    file,
    `${lines.map(([name, value]) => `${name} ${value}`).join("\n")}\n${sentinel ?? ""}\n`,
  );
  const child = spawn("redis-server", [file, ...(sentinel === undefined ? [] : ["--sentinel"])], {
    stdio: "ignore",
  });
  const failed = new Promise<never>((_, reject) => {
    child.on("error", (error) =>
      reject(new Error("redis-server is missing: apt-get install redis-server", { cause: error })),
    );
    child.on("exit", (code) => reject(new Error(`redis-server ended with ${code}: see ${file}`)));
  });
  failed.catch(() => undefined);
  const clients: RedisClient[] = [];
  const url = `redis://127.0.0.1:${port}`;
  await Promise.race([failed, listening(port)]);
  return {
    port,
    url,
    folder,
    process: child,
    async client(options) {
      const client = createClient({ url, RESP: 2, ...options } as { url: string });
      client.on("error", () => undefined);
      await client.connect();
      clients.push(client as never);
      return client as never;
    },
    async [Symbol.asyncDispose]() {
      for (const client of clients) if (client.isOpen) client.destroy();
      if (child.exitCode === null && child.signalCode === null) {
        const ended = new Promise((resolve) => child.once("exit", resolve));
        child.kill("SIGCONT");
        child.kill("SIGKILL");
        await ended;
      }
      fs.rmSync(folder, { recursive: true, force: true });
    },
  };
}

export async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as net.AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function listening(port: number): Promise<void> {
  for (const end = Date.now() + 20_000; Date.now() < end; ) {
    const open = await new Promise<boolean>((resolve) => {
      const socket = net.connect(port, "127.0.0.1");
      socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
      socket.once("connect", () => socket.destroy());
    });
    if (open) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`redis-server does not listen on ${port}`);
}
