import type { CallLog } from "./calls.ts";
import type { Clock } from "./clock.ts";
import type { Fault } from "./faults.ts";
import type { Latency } from "./server.ts";

type Seed = string | Uint8Array | null;

/** What every stand-in of a drive can be started with. */
export interface StandInOptions {
  /** A free one where not given. */
  readonly port?: number;
  readonly latency?: Latency;
  /** What the drive holds at first: contents by path; `null` makes a folder. */
  readonly files?: Readonly<Record<string, Seed>> | Iterable<readonly [string, Seed]>;
  /** Milliseconds that the service's clock is ahead of the machine's. */
  readonly clockSkew?: number;
  /** Bytes of the drive. */
  readonly quota?: number;
}

/** What every running stand-in of a drive offers to those who run it. */
export interface DriveStandIn extends AsyncDisposable {
  /** `http://127.0.0.1:port` */
  readonly url: string;
  readonly clock: Clock;
  /** The last 10,000 calls, oldest first, and how often each end point was called. */
  readonly calls: CallLog;
  /** Lets calls to come go wrong, in the order of these. */
  fault(fault: Fault): void;
  clearFaults(): void;
  /** Faults that have not met all their calls yet. */
  readonly faults: readonly Fault[];
  /** Ends all access tokens, as time does. */
  expireTokens(): void;
  /** Ends access and refresh tokens, as a user does who withdraws consent. */
  revokeTokens(): void;
  /** Upload sessions that are open. */
  readonly openSessions: number;
  /** Ends all upload sessions. */
  dropSessions(): Promise<void>;
  /** Changes a file as another user of the drive does. Paths have no leading slash. */
  put(path: string, bytes: string | Uint8Array): Promise<void>;
  /** @returns whether it was there */
  remove(path: string): boolean;
  /** A section of rclone.conf that leads to the stand-in, signed in. */
  rcloneSection(name: string): string;
  close(): Promise<void>;
}
