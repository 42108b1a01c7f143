import type { DriveStandIn } from "@overcoat/simulators";
import type { AccessTokens } from "./tokens.ts";
import type { Item, Target, Vendor } from "./vendor.ts";

/** A stand-in of a service and the vendor that calls it. */
export interface VendorStage<Server, V, Options> extends AsyncDisposable {
  readonly server: Server;
  readonly vendor: V;
  readonly root: Item;
  /** The calls that `act` makes, by end point. */
  calls(act: () => Promise<unknown>): Promise<Record<string, number>>;
  find(path: string): Promise<Item>;
  target(name: string, replaces?: Item): Target;
  /** A vendor of its own, with nothing kept. */
  another(options?: Options): V;
}

/** @param open opens a vendor on the stand-in */
export async function stageOf<Server extends DriveStandIn, V extends Vendor, Options>(
  server: Server,
  open: (options?: Options) => V,
): Promise<VendorStage<Server, V, Options>> {
  const opened: V[] = [];
  const another = (options?: Options) => {
    const vendor = open(options);
    opened.push(vendor);
    return vendor;
  };
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
    async [Symbol.asyncDispose]() {
      for (const each of opened) await each.close();
      await server.close();
    },
  };
}

/** Tokens of a stand-in, which signs in anew when one is refused. */
export function tokensOf(server: { signIn(): { access_token: string } }): AccessTokens {
  let token = server.signIn().access_token;
  return {
    get: async () => token,
    refused: () => {
      token = server.signIn().access_token;
    },
  };
}

export async function textOf(chunks: AsyncIterable<Uint8Array> | Promise<AsyncIterable<Uint8Array>>) {
  return Buffer.concat(await Array.fromAsync(await chunks)).toString();
}
