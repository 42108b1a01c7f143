import { type DriveTotals, drivesBetween } from "./drives.ts";
import type { Reading } from "./reading.ts";

/** What happened between two readings, a second each where it is a rate. */
export interface Point {
  readonly time: number;
  readonly requests: number;
  readonly refused: number;
  readonly failed: number;
  readonly received: number;
  readonly sent: number;
  /** Milliseconds within which half and 95 of 100 requests were answered; undefined where there were none. */
  readonly median?: number;
  readonly slow?: number;
  /** Undefined where no drive behind a vendor's API is served. */
  readonly drives?: DriveTotals;
}

export function pointBetween(before: Reading, after: Reading): Point {
  const seconds = (after.time - before.time) / 1000;
  const counted = (reading: Reading) => [...reading.operations.values()].reduce((sum, one) => sum + one, 0);
  const rate = (from: number, to: number) => grown(from, to) / seconds;
  return {
    time: after.time,
    requests: rate(counted(before), counted(after)),
    refused: rate(before.refused, after.refused),
    failed: rate(before.failed, after.failed),
    received: rate(before.received, after.received),
    sent: rate(before.sent, after.sent),
    median: quantile(0.5, before.within, after.within),
    slow: quantile(0.95, before.within, after.within),
    drives: after.drives && drivesBetween(before.drives, after.drives, rate),
  };
}

/** A counter begins anew with its process. */
const grown = (from: number, to: number) => (to >= from ? to - from : to);

/** As Prometheus estimates quantiles: evenly within the bucket that they fall in. */
function quantile(share: number, before: Reading["within"], after: Reading["within"]): number | undefined {
  const earlier = new Map(before);
  const counts = after.map(([bound, count]) => [bound, grown(earlier.get(bound) ?? 0, count)] as const);
  const wanted = share * (counts.at(-1)?.[1] ?? 0);
  if (wanted === 0) return undefined;
  let [from, below] = [0, 0];
  for (const [bound, count] of counts) {
    if (count >= wanted) {
      if (bound === Number.POSITIVE_INFINITY) return from * 1000;
      return (from + ((bound - from) * (wanted - below)) / (count - below)) * 1000;
    }
    [from, below] = [bound, count];
  }
}
