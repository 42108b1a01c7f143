import {
  type DropboxServer,
  type DropboxOptions as StandInOptions,
  startDropbox,
} from "@overcoat/simulators";
import type { Item, Target } from "../remote/vendor.ts";
import { tokensOf } from "../remote/vendor-testing.ts";
import type { DropboxOptions } from "./options.ts";
import { DropboxVendor } from "./vendor.ts";

export { bodyOf, textOf } from "../remote/vendor-testing.ts";

export interface Stage extends AsyncDisposable {
  readonly server: DropboxServer;
  readonly vendor: DropboxVendor;
  readonly root: Item;
  /** The calls that `act` makes, by end point. */
  calls(act: () => Promise<unknown>): Promise<Record<string, number>>;
  find(path: string): Promise<Item>;
  target(name: string, replaces?: Item): Target;
  /** A vendor of its own, with nothing kept. */
  another(options?: Partial<DropboxOptions>): DropboxVendor;
}

/** A stand-in of Dropbox and the vendor that calls it. */
export async function stage(
  standIn: StandInOptions = {},
  options: Partial<DropboxOptions> = {},
): Promise<Stage> {
  const server = await startDropbox(standIn);
  const another = (more: Partial<DropboxOptions> = {}) =>
    new DropboxVendor({
      tokens: tokensOf(server),
      url: server.url,
      contentUrl: server.contentUrl,
      notifyUrl: server.notifyUrl,
      // Waiting is what the shared client is tested for.
      http: { random: () => 0.01 },
      ...options,
      ...more,
    });
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
      return { ...server.calls.counts.calls };
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
