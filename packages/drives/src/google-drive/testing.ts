import {
  type GoogleDriveServer,
  type GoogleDriveOptions as StandInOptions,
  startGoogleDrive,
} from "@overcoat/simulators";
import type { Item, Target, Vendor } from "../remote/vendor.ts";
import { tokensOf } from "../remote/vendor-testing.ts";
import { googleDrive } from "./index.ts";
import type { GoogleDriveOptions } from "./options.ts";

export { bodyOf, textOf } from "../remote/vendor-testing.ts";

export interface Stage extends AsyncDisposable {
  readonly server: GoogleDriveServer;
  readonly vendor: Vendor;
  readonly root: Item;
  /** The calls that `act` makes, by end point, those for new ids left out. */
  calls(act: () => Promise<unknown>): Promise<Record<string, number>>;
  find(path: string): Promise<Item>;
  target(name: string, replaces?: Item): Target;
  /** Another vendor on the same drive. */
  another(options?: Partial<GoogleDriveOptions>): Vendor;
}

/** A stand-in of Google Drive and the vendor that calls it. */
export async function stage(
  standIn: StandInOptions = {},
  options: Partial<GoogleDriveOptions> = {},
): Promise<Stage> {
  const server = await startGoogleDrive(standIn);
  const tokens = tokensOf(server);
  const another = (more: Partial<GoogleDriveOptions> = {}) =>
    // Waiting is what the shared client is tested for.
    googleDrive({ tokens, url: server.url, http: { random: () => 0.01 }, ...options, ...more });
  const vendor = another();
  const root = await vendor.root();
  return {
    server,
    vendor,
    root,
    another,
    async calls(act) {
      server.calls.reset();
      await act();
      const { "GET generateIds": _, ...calls } = server.calls.counts.calls;
      return calls;
    },
    async find(path) {
      const item = await vendor.find(path.split("/"));
      if (!item) throw new Error(`${path} is not there`);
      return item;
    },
    target: (name, replaces) => ({ folder: root, name, replaces }),
    [Symbol.asyncDispose]: () => server.close(),
  };
}
