import type { Source } from "../source.ts";
import { connect } from "./connection.ts";
import { columnOptions, readSettings, serverOptions, tableOptions, userOptions } from "./options.ts";

/** Redis, Valkey and what speaks like them, from version 6.2: one server, behind Sentinels, or a cluster. */
export const redis: Source = {
  name: "redis",
  options: { server: serverOptions, user: userOptions, table: tableOptions, column: columnOptions },
  secretOption: "auth_password",
  addresses: (options) =>
    readSettings(options).addresses.map(
      ({ host, port }) => `${host.includes(":") ? `[${host}]` : host}:${port}`,
    ),
  connect: (options) => connect(readSettings(options)),
};
