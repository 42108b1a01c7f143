import {
  type OneDriveServer,
  type OneDriveOptions as StandInOptions,
  startOneDrive,
} from "@overcoat/simulators";
import { type Clock, type FinishedCall, systemClock } from "../remote/http/index.ts";
import type { Item, Target } from "../remote/vendor.ts";
import { tokensOf } from "../remote/vendor-testing.ts";
import type { OneDriveOptions } from "./options.ts";
import { OneDriveVendor } from "./vendor.ts";

export { bodyOf, textOf } from "../remote/vendor-testing.ts";

export interface Stage extends AsyncDisposable {
  readonly server: OneDriveServer;
  readonly vendor: OneDriveVendor;
  readonly root: Item;
  /** The calls that `act` makes, by end point. */
  calls(act: () => Promise<unknown>): Promise<Record<string, number>>;
  find(path: string): Promise<Item>;
  target(name: string, replaces?: Item): Target;
  /** A vendor of its own, with no address kept. */
  another(options?: Partial<OneDriveOptions>): OneDriveVendor;
  readonly finished: FinishedCall[];
}

/** Waits before repeats are short; those for what may never come are as long as they are. */
const hasty: Clock = {
  now: () => Date.now(),
  sleep: (milliseconds, signal) =>
    systemClock.sleep(milliseconds < 10_000 ? milliseconds / 20 : milliseconds, signal),
};

/** A stand-in of OneDrive and the vendor that calls it. */
export async function stage(
  standIn: StandInOptions = {},
  options: Partial<OneDriveOptions> = {},
): Promise<Stage> {
  const server = await startOneDrive(standIn);
  const finished: FinishedCall[] = [];
  const another = (more: Partial<OneDriveOptions> = {}) =>
    new OneDriveVendor({
      tokens: tokensOf(server),
      driveId: server.driveId,
      driveType: standIn.driveType ?? "personal",
      url: `${server.url}/v1.0`,
      http: {
        clock: hasty,
        observer: { called: (call) => finished.push(call), throttled: () => {} },
        ...options.http,
      },
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
    finished,
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
