import { resolve } from "node:path";
import { loadConfig } from "../config.ts";
import { UsageError } from "../errors.ts";
import { defaultData } from "../flags/resolve.ts";
import { formatAddress } from "../flags/values.ts";
import { createLog } from "../log.ts";
import { asRunError } from "../sql/errors.ts";
import { openSqlService } from "../sql/server.ts";
import { resolveSqlSettings, type SqlFlags } from "../sql/settings.ts";
import { stopSignal } from "../workers.ts";

/** `overcoat serve sql`: returns when it was stopped and open transactions have ended. */
export async function serveSql(flags: SqlFlags): Promise<void> {
  const settings = resolveSqlSettings(flags, process.env, await loadConfig(flags.config));
  if (settings.logins.length === 0)
    throw new UsageError(
      "no login is given, so nobody could connect: give --login USER,PASSWORD or set OVERCOAT_SQL_LOGIN",
    );
  const log = createLog(settings.log);
  const stop = stopSignal();
  const folder = flags.data === undefined ? defaultData("sql", process.env) : resolve(flags.data);
  try {
    await using service = await openSqlService(settings, { folder, log, flag: "--addr" });
    log.announce(
      `Serving SQL on ${service.addresses.map(formatAddress).join(", ")}${settings.tls ? " with TLS" : ""}`,
    );
    await stop.signal;
  } catch (error) {
    // PostgreSQL that is told to stop while it starts fails to.
    if (!stop.asked) asRunError(error);
  }
}
