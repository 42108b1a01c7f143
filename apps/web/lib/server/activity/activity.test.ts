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
