import { expect, test } from "vitest";
import { mergeMetrics, ofOneProcess } from "./metrics.ts";

const text = (requests: number, memory: number, start: number) => `# HELP requests_total Requests.
# TYPE requests_total counter
requests_total{operation="GetObject"} ${requests}
# HELP process_resident_memory_bytes Memory.
# TYPE process_resident_memory_bytes gauge
process_resident_memory_bytes ${memory}
# HELP process_start_time_seconds Start.
# TYPE process_start_time_seconds gauge
process_start_time_seconds ${start}
`;

test("processes are added up, but for when the last one started", () => {
  expect(mergeMetrics([text(1, 100, 5000), text(2, 300, 6000)])).toBe(text(3, 400, 6000));
});

test("a process that listens on several addresses is one", () => {
  expect(mergeMetrics([text(1, 100, 5000), text(2, 101, 5000)], ofOneProcess)).toBe(text(3, 101, 5000));
});
