import { randomBytes, scryptSync } from "node:crypto";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { ConsoleLogin } from "../credentials.ts";
import type { Address } from "../flags/values.ts";
import type { Logger } from "../log.ts";
import { ensureBuilt, type Sources } from "./build.ts";
import { startServer } from "./server.ts";

const firstBackoffMs = 1000;
const longestBackoffMs = 60_000;

export interface ConsoleOptions {
  readonly address: Address;
  readonly login: ConsoleLogin;
  /** `connection.json`, which tells the console where all else is. */
  readonly connectionFile: string;
  /** Where `/-/status` and `/-/metrics` are. */
  readonly adminUrl: string;
  /** What its requests there bear. */
  readonly adminToken: string;
  readonly log: Logger;
  /** It is being built, which takes a while. */
  onBuild(): void;
  /** It answers at this address; again after each start anew. */
  onReady(url: string): Promise<void>;
}

/**
 * Builds the console where needed and keeps it running, all in the background: what else Overcoat serves does not
 * wait for it. Disposing of it stops it.
 */
export function openConsole(options: ConsoleOptions): AsyncDisposable {
  const stopping = new AbortController();
  const done = run(options, stopping.signal).catch((error: Error) => {
    if (!stopping.signal.aborted) options.log.error(`the console does not run: ${error.message}`);
  });
  return {
    async [Symbol.asyncDispose]() {
      stopping.abort();
      await done;
    },
  };
}

async function run(options: ConsoleOptions, signal: AbortSignal): Promise<void> {
  const { address, login, connectionFile, adminUrl, adminToken, log, onBuild, onReady } = options;
  const sources = findSources();
  if (!sources) return log.notice("there is no console: this installation has no apps/web");
  await ensureBuilt(sources, signal, onBuild);
  const { host = "0.0.0.0", port } = address;
  const url = consoleUrl(address);
  const variables = {
    OVERCOAT_CONNECTION_FILE: connectionFile,
    OVERCOAT_ADMIN_URL: adminUrl,
    OVERCOAT_ADMIN_TOKEN: adminToken,
    OVERCOAT_CONSOLE_URL: url,
    OVERCOAT_CONSOLE_SECRET: login.secret,
    OVERCOAT_CONSOLE_PASSWORD_HASH: hashOf(login.password),
  };
  for (let backoff = firstBackoffMs; !signal.aborted; backoff = Math.min(backoff * 2, longestBackoffMs)) {
    await using server = await startServer({
      ...sources,
      host,
      port,
      variables,
      onError: (text) => log.error(`console: ${text}`),
    });
    if (signal.aborted) return;
    await onReady(url);
    const stopped = Promise.withResolvers<undefined>();
    signal.addEventListener("abort", () => stopped.resolve(undefined), { once: true });
    const reason = await Promise.race([server.ended, stopped.promise]);
    if (reason === undefined || signal.aborted) return;
    log.error(`${reason}; starting it anew in ${backoff} ms`);
    await sleep(backoff, undefined, { signal });
  }
}

/** Where browsers reach the console: OVERCOAT_CONSOLE_URL where it lies behind a proxy. */
export function consoleUrl({ host = "0.0.0.0", port }: Address): string {
  const shown = host === "0.0.0.0" || host === "::" ? "127.0.0.1" : host;
  return process.env.OVERCOAT_CONSOLE_URL || `http://${shown.includes(":") ? `[${shown}]` : shown}:${port}`;
}

/** The origins of the console's pages: at an address of this machine under its name, too. */
export function consoleOrigins(address: Address): string[] {
  const { origin, protocol, hostname, port } = new URL(consoleUrl(address));
  if (protocol !== "http:" || !["127.0.0.1", "localhost"].includes(hostname)) return [origin];
  return ["127.0.0.1", "localhost"].map((name) => new URL(`http://${name}:${port || 80}`).origin);
}

/** The console of this repository; undefined where the command is installed without it. */
function findSources(): Sources | undefined {
  const root = fileURLToPath(new URL("../../../../", import.meta.url));
  const manifest = join(root, "apps/web/package.json");
  if (!existsSync(manifest)) return undefined;
  return {
    folder: dirname(manifest),
    lockFile: join(root, "package-lock.json"),
    next: createRequire(manifest).resolve("next/dist/bin/next"),
  };
}

/** `salt:hash`, as the console takes it. */
function hashOf(password: string): string {
  const salt = randomBytes(16);
  return `${salt.toString("base64url")}:${scryptSync(password, salt, 32).toString("base64url")}`;
}
