import { gatewayMetrics } from "../admin.ts";
import { type Point, pointBetween } from "./point.ts";
import { type Reading, readMetrics } from "./reading.ts";

export const intervalMs = 5000;
/** An hour. */
const mostPoints = 720;

interface History {
  readonly points: Point[];
  last?: Reading;
  error?: string;
}

const kept = globalThis as { overcoatHistory?: History };

export type Counts = readonly (readonly [name: string, count: number])[];

/** What the gateway did since the console started, up to an hour. */
export interface Activity {
  /** The oldest first, after the asked time. */
  readonly points: readonly Point[];
  /** Requests by operation since the gateway started, the most first. */
  readonly operations: Counts;
  /** Undefined where no drive behind a vendor's API is served. */
  readonly drives?: {
    /** Calls of the vendors' APIs by end point, in the same way. */
    readonly calls: Counts;
    /** Whether any has a block cache. */
    readonly cached: boolean;
  };
  /** Why the last reading failed, if it did. */
  readonly error?: string;
}

/** Begins to read the gateway's counters every 5 seconds. */
export function keepHistory(): void {
  if (kept.overcoatHistory) return;
  const history: History = { points: [] };
  kept.overcoatHistory = history;
  const read = async () => {
    try {
      const reading = readMetrics(await gatewayMetrics(), Date.now());
      if (history.last) history.points.push(pointBetween(history.last, reading));
      if (history.points.length > mostPoints) history.points.shift();
      history.last = reading;
      delete history.error;
    } catch (error) {
      history.error = (error as Error).message;
    }
    setTimeout(read, intervalMs).unref();
  };
  void read();
}

export function activity(after: number): Activity {
  const { points = [], last, error } = kept.overcoatHistory ?? {};
  return {
    points: points.filter(({ time }) => time > after),
    operations: mostFirst(last?.operations ?? []),
    ...(last?.drives && { drives: { calls: mostFirst(last.drives.calls), cached: last.drives.cached } }),
    ...(error !== undefined && { error }),
  };
}

const mostFirst = (counts: Iterable<readonly [string, number]>): Counts =>
  [...counts].sort(([, one], [, other]) => other - one);
