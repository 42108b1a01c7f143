import type { Source } from "../source.ts";
import { address, serverOptions, settings, tableOptions, userOptions } from "./options.ts";

/** Auth0: users and what belongs to them, through the Management API v2. */
export const auth0: Source = {
  name: "auth0",
  options: { server: serverOptions, user: userOptions, table: tableOptions, column: {} },
  secretOption: "client_secret",
  addresses(options) {
    const { host, port } = address(options);
    return [`${host}:${port}`];
  },
  // The SDK takes a while to load, so it is not before it is needed.
  async connect(options) {
    const { openConnection } = await import("./connection.ts");
    return openConnection(settings(options));
  },
};
