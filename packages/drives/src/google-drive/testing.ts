import {
  type GoogleDriveServer,
  type GoogleDriveOptions as StandInOptions,
  startGoogleDrive,
} from "@overcoat/simulators";
import type { Vendor } from "../remote/vendor.ts";
import { stageOf, tokensOf, type VendorStage } from "../remote/vendor-testing.ts";
import { googleDrive } from "./index.ts";
import type { GoogleDriveOptions } from "./options.ts";

export { bodyOf } from "../remote/body.ts";
export { textOf } from "../remote/vendor-testing.ts";

export type Stage = VendorStage<GoogleDriveServer, Vendor, Partial<GoogleDriveOptions>>;

/** A stand-in of Google Drive and the vendor that calls it. */
export async function stage(
  standIn: StandInOptions = {},
  options: Partial<GoogleDriveOptions> = {},
): Promise<Stage> {
  const server = await startGoogleDrive(standIn);
  const tokens = tokensOf(server);
  const made = await stageOf(server, (more: Partial<GoogleDriveOptions> = {}) =>
    // Waiting is what the shared client is tested for.
    googleDrive({ tokens, url: server.url, http: { random: () => 0.01 }, ...options, ...more }),
  );
  return {
    ...made,
    /** Without those for new ids. */
    async calls(act) {
      const { "GET generateIds": _, ...calls } = await made.calls(act);
      return calls;
    },
  };
}
