import type { Sample } from "./samples.ts";

/** What was counted of all drives behind vendors' APIs together, at one moment. */
export interface DrivesReading {
  /** Calls of the vendors' APIs by end point: `onedrive GET children`. */
  readonly calls: ReadonlyMap<string, number>;
  readonly totals: DriveTotals;
  /** Whether any has a block cache. */
  readonly cached: boolean;
}

/** Of each so much in all, or a second. */
export interface DriveTotals {
  readonly calls: number;
  /** Calls that the vendor refused (4xx, some on purpose: whether a file is there) or that failed (5xx, no answer). */
  readonly refused: number;
  readonly failed: number;
  /** Answers that asked for fewer calls, and calls that were made again. */
  readonly throttled: number;
  readonly repeated: number;
  /** Seconds for which calls were held back, and for which all were to be. */
  readonly waited: number;
  readonly paused: number;
  /** Bytes that the block cache had, and that it had to ask for. */
  readonly hit: number;
  readonly missed: number;
}

const noTotals: DriveTotals = {
  calls: 0,
  refused: 0,
  failed: 0,
  throttled: 0,
  repeated: 0,
  waited: 0,
  paused: 0,
  hit: 0,
  missed: 0,
};

/** Which total each counter adds to. */
const totalOf: Readonly<Record<string, keyof DriveTotals>> = {
  overcoat_drive_repeats_total: "repeated",
  overcoat_drive_throttled_total: "throttled",
  overcoat_drive_wait_seconds_total: "waited",
  overcoat_drive_paused_seconds_total: "paused",
};

/** Undefined where there is no such drive. */
export function readDrives(samples: readonly Sample[]): DrivesReading | undefined {
  const ofDrives = samples.filter(({ name }) => name.startsWith("overcoat_drive_"));
  if (ofDrives.length === 0) return undefined;
  const calls = new Map<string, number>();
  const totals: Record<keyof DriveTotals, number> = { ...noTotals };
  let cached = false;
  for (const { name, value, label } of ofDrives) {
    const total = totalOf[name];
    if (total) totals[total] += value;
    else if (name === "overcoat_drive_calls_total") {
      const endpoint = `${label("vendor")} ${label("endpoint")}`;
      calls.set(endpoint, (calls.get(endpoint) ?? 0) + value);
      totals.calls += value;
      if (label("status") === "4xx") totals.refused += value;
      else if (/^(5xx|none)$/.test(label("status"))) totals.failed += value;
    } else if (name === "overcoat_drive_cache_bytes_total") {
      cached = true;
      totals[label("result") === "hit" ? "hit" : "missed"] += value;
    }
  }
  return { calls, totals, cached };
}

/** What came to the totals. @param rate a second, of a counter that went from one value to another */
export function drivesBetween(
  before: DrivesReading | undefined,
  after: DrivesReading,
  rate: (from: number, to: number) => number,
): DriveTotals {
  const earlier = before?.totals ?? noTotals;
  const keys = Object.keys(noTotals) as (keyof DriveTotals)[];
  return Object.fromEntries(
    keys.map((key) => [key, rate(earlier[key], after.totals[key])]),
  ) as unknown as DriveTotals;
}
