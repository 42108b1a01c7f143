import {
  type OneDriveServer,
  type OneDriveOptions as StandInOptions,
  startOneDrive,
} from "@overcoat/simulators";
import { type Clock, type FinishedCall, systemClock } from "../remote/http/index.ts";
import { stageOf, tokensOf, type VendorStage } from "../remote/vendor-testing.ts";
import type { OneDriveOptions } from "./options.ts";
import { OneDriveVendor } from "./vendor.ts";

export { bodyOf } from "../remote/body.ts";
export { textOf } from "../remote/vendor-testing.ts";

export interface Stage extends VendorStage<OneDriveServer, OneDriveVendor, Partial<OneDriveOptions>> {
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
  const made = await stageOf(
    server,
    (more: Partial<OneDriveOptions> = {}) =>
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
      }),
  );
  return { ...made, finished };
}
