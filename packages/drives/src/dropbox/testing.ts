import {
  type DropboxServer,
  type DropboxOptions as StandInOptions,
  startDropbox,
} from "@overcoat/simulators";
import { stageOf, tokensOf, type VendorStage } from "../remote/vendor-testing.ts";
import type { DropboxOptions } from "./options.ts";
import { DropboxVendor } from "./vendor.ts";

export { bodyOf } from "../remote/body.ts";
export { textOf } from "../remote/vendor-testing.ts";

export type Stage = VendorStage<DropboxServer, DropboxVendor, Partial<DropboxOptions>>;

/** A stand-in of Dropbox and the vendor that calls it. */
export async function stage(
  standIn: StandInOptions = {},
  options: Partial<DropboxOptions> = {},
): Promise<Stage> {
  const server = await startDropbox(standIn);
  return stageOf(
    server,
    (more = {}) =>
      new DropboxVendor({
        tokens: tokensOf(server),
        url: server.url,
        contentUrl: server.contentUrl,
        notifyUrl: server.notifyUrl,
        // Waiting is what the shared client is tested for.
        http: { random: () => 0.01 },
        ...options,
        ...more,
      }),
  );
}
