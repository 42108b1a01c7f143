import { join } from "node:path";
import { openScratch, openScratchPool } from "@overcoat/postgres";
import { openSqlServer } from "@overcoat/sql";
import type { Address } from "../flags/values.ts";
import { listenError } from "../gateway.ts";
import type { Logger } from "../log.ts";
import { readTls } from "../tls.ts";
import type { SqlSettings } from "./settings.ts";
import { sources } from "./sources.ts";

export interface SqlService extends AsyncDisposable {
  /** Where it listens. */
  readonly addresses: readonly { readonly host: string; readonly port: number }[];
}

/** Opens the SQL server with the PostgreSQL that evaluates for it, whose files lie in `folder`. */
export async function openSqlService(
  settings: Pick<SqlSettings, "addresses" | "tls" | "logins" | "secrets" | "allow" | "maxTransactionBytes">,
  { folder, log, flag }: { folder: string; log: Logger; flag: string },
): Promise<SqlService> {
  const { addresses, logins, secrets, allow, maxTransactionBytes } = settings;
  const tls = settings.tls && (await readTls(settings.tls));
  await using opened = new AsyncDisposableStack();
  const scratch = opened.use(
    await openScratch({
      folder: join(folder, "scratch"),
      onFailure: (error) =>
        log.error(`PostgreSQL for intermediate results is started anew: ${error.message}`),
    }),
  );
  const pool = opened.use(openScratchPool(scratch));
  const server = await openSqlServer({
    listen: addresses.map(bindable),
    ...(tls && { tls: { cert: tls.cert, key: tls.key } }),
    logins,
    sources,
    secrets,
    ...(allow && { allow }),
    ...(maxTransactionBytes !== undefined && { maxTransactionBytes }),
    scratch: pool,
    log: (entry) => log.entry(entry),
  }).catch((error) => {
    if (!/^E[A-Z]+$/.test(error.code ?? "")) throw error;
    const { address, port } = error;
    throw listenError(error, addresses.find((one) => one.port === port) ?? { host: address, port }, flag);
  });
  opened.defer(() => server.close());
  const parts = opened.move();
  return { addresses: server.addresses, [Symbol.asyncDispose]: () => parts.disposeAsync() };
}

/** As in Go: all interfaces where no host is named, one address for the name, and IPv4 first. */
function bindable({ host, port }: Address): { host: string; port: number } {
  if (host === undefined) return { host: "::", port };
  return { host: host.toLowerCase() === "localhost" ? "127.0.0.1" : host, port };
}
