import { expect, test } from "vitest";
import { pointBetween } from "./point.ts";
import { readMetrics } from "./reading.ts";

const metrics = (
  get: number,
  failed: number,
  fast: number,
  sent: number,
) => `# HELP overcoat_s3_requests_total x
overcoat_s3_requests_total{operation="GetObject",status="200"} ${get}
overcoat_s3_requests_total{operation="GetObject",status="404"} 2
overcoat_s3_requests_total{operation="PutObject",status="503"} ${failed}
overcoat_s3_request_seconds_bucket{le="0.001",operation="GetObject"} ${fast}
overcoat_s3_request_seconds_bucket{le="0.005",operation="GetObject"} ${get}
overcoat_s3_request_seconds_bucket{le="+Inf",operation="GetObject"} ${get}
overcoat_s3_received_bytes_total 100
overcoat_s3_sent_bytes_total ${sent}
process_cpu_user_seconds_total 3
`;

test("counters become rates and quantiles", () => {
  const before = readMetrics(metrics(10, 0, 10, 1000), 0);
  const after = readMetrics(metrics(20, 5, 15, 6000), 5000);
  expect(before.operations).toEqual(
    new Map([
      ["GetObject", 12],
      ["PutObject", 0],
    ]),
  );
  const point = pointBetween(before, after);
  expect(point).toMatchObject({ time: 5000, requests: 3, refused: 0, failed: 1, received: 0, sent: 1000 });
  expect(point.median).toBeCloseTo(1);
  expect(point.slow).toBeCloseTo(1 + 4 * (4.5 / 5));
});

test("a gateway that started anew counts from nothing, and without requests nothing is slow", () => {
  const point = pointBetween(
    readMetrics(metrics(100, 0, 100, 9000), 0),
    readMetrics(metrics(3, 0, 3, 50), 1000),
  );
  expect(point).toMatchObject({ requests: 5, sent: 50 });
  const idle = readMetrics(metrics(3, 0, 3, 50), 0);
  expect(pointBetween(idle, { ...idle, time: 1000 })).toMatchObject({ requests: 0, median: undefined });
});

test("without drives there is nothing of them, with them calls, waiting and cached bytes are rates", () => {
  const drive = 'vendor="onedrive",remote="mine"';
  const counted = (calls: number, seconds: number, hit: number) => `${metrics(1, 0, 1, 1)}
overcoat_drive_calls_total{${drive},endpoint="GET item",status="2xx"} ${calls}
overcoat_drive_calls_total{${drive},endpoint="GET item",status="4xx"} 2
overcoat_drive_calls_total{${drive},endpoint="GET delta",status="none"} ${calls / 10}
overcoat_drive_throttled_total{${drive}} 3
overcoat_drive_wait_seconds_total{${drive}} ${seconds}
overcoat_drive_cache_bytes_total{${drive},result="hit"} ${hit}
overcoat_drive_cache_bytes_total{${drive},result="miss"} 50
`;
  const none = readMetrics(metrics(1, 0, 1, 1), 0);
  expect(none.drives).toBeUndefined();
  expect(pointBetween(none, { ...none, time: 1000 }).drives).toBeUndefined();
  const before = readMetrics(counted(10, 1, 100), 0);
  const after = readMetrics(counted(20, 3, 600), 5000);
  expect(after.drives).toMatchObject({ cached: true, totals: { calls: 24, refused: 2, failed: 2 } });
  expect(after.drives?.calls.get("onedrive GET item")).toBe(22);
  const { drives } = pointBetween(before, after);
  expect(drives).toMatchObject({ refused: 0, throttled: 0, hit: 100, missed: 0 });
  expect(drives?.calls).toBeCloseTo(2.2);
  expect(drives?.failed).toBeCloseTo(0.2);
  expect(drives?.waited).toBeCloseTo(0.4);
  // A drive that was added meanwhile counts from nothing.
  expect(pointBetween({ ...none, time: 0 }, after).drives?.calls).toBeCloseTo(4.8);
});
