import { type DrivesReading, readDrives } from "./drives.ts";
import { readSamples } from "./samples.ts";

/** What the gateway's counters stood at, at one moment. */
export interface Reading {
  /** Milliseconds since 1970. */
  readonly time: number;
  /** Requests by operation. */
  readonly operations: ReadonlyMap<string, number>;
  /** Requests that were refused (4xx) and that failed (5xx). */
  readonly refused: number;
  readonly failed: number;
  readonly received: number;
  readonly sent: number;
  /** Requests that took at most so many seconds, ascending; the last bound is Infinity. */
  readonly within: readonly (readonly [seconds: number, count: number])[];
  /** Undefined where no drive behind a vendor's API is served. */
  readonly drives: DrivesReading | undefined;
}

/** Reads Prometheus' text. */
export function readMetrics(text: string, time: number): Reading {
  const operations = new Map<string, number>();
  const within = new Map<number, number>();
  const totals = { refused: 0, failed: 0, received: 0, sent: 0 };
  const samples = readSamples(text);
  for (const { name, value, label } of samples) {
    if (name === "overcoat_s3_requests_total") {
      const status = Number(label("status"));
      operations.set(label("operation"), (operations.get(label("operation")) ?? 0) + value);
      if (status >= 500) totals.failed += value;
      else if (status >= 400) totals.refused += value;
    } else if (name === "overcoat_s3_request_seconds_bucket") {
      const bound = label("le") === "+Inf" ? Number.POSITIVE_INFINITY : Number(label("le"));
      within.set(bound, (within.get(bound) ?? 0) + value);
    } else if (name === "overcoat_s3_received_bytes_total") totals.received += value;
    else if (name === "overcoat_s3_sent_bytes_total") totals.sent += value;
  }
  return {
    time,
    operations,
    ...totals,
    within: [...within].sort(([one], [other]) => one - other),
    drives: readDrives(samples),
  };
}
