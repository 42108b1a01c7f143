import type { Source } from "../source.ts";
import { addressText } from "./client/node.ts";
import { connect } from "./connection.ts";
import { columnOptions, readSettings, serverOptions, tableOptions, userOptions } from "./options.ts";

/** Redis, Valkey and what speaks like them, from version 6.2: one server, behind Sentinels, or a cluster. */
export const redis: Source = {
  name: "redis",
  options: { server: serverOptions, user: userOptions, table: tableOptions, column: columnOptions },
  secretOption: "auth_password",
  addresses: (options) => readSettings(options).addresses.map(addressText),
  connect(options, allow) {
    const { client, sentinelClient, ...settings } = readSettings(options);
    return connect({
      ...settings,
      client: { ...client, allow },
      sentinelClient: { ...sentinelClient, allow },
    });
  },
};
