import { expect, test } from "vitest";
import { parseFaultSpec } from "./fault-spec.ts";

test("faults as one line", () => {
  expect(parseFaultSpec("PUT upload: status=429, retry-after=2.5, times=3")).toEqual({
    on: "PUT upload",
    status: 429,
    headers: { "retry-after": "2.5" },
    times: 3,
  });
  expect(parseFaultSpec("*:lose-answer,after=1")).toEqual({ loseAnswer: true, after: 1 });
  expect(parseFaultSpec("GET download:truncate=10")).toEqual({ on: "GET download", truncateAt: 10 });
  for (const bad of ["", "GET x", "GET x:", "GET x: status=many", "GET x: explode"])
    expect(() => parseFaultSpec(bad), bad).toThrow(/is no (part of a )?fault/);
});
