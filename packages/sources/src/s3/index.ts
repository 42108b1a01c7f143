import type { Source } from "../source.ts";
import { endpointOf, serverOptions, userOptions } from "./options.ts";
import { tableOptions } from "./table-options.ts";

/** Amazon S3 and what speaks its protocol: listings of buckets, and the rows inside of files. */
export const s3: Source = {
  name: "s3",
  options: { server: serverOptions, user: userOptions, table: tableOptions, column: {} },
  secretOption: "secret_access_key",
  addresses(options) {
    const { protocol, hostname, port } = endpointOf(options);
    return [`${hostname}:${port || (protocol === "https:" ? 443 : 80)}`];
  },
  // The SDK takes a while to load, so it is not before it is needed.
  connect: async (options) => (await import("./connection.ts")).openConnection(options),
};
