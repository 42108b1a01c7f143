import { expect, test } from "vitest";
import { formatBytes, formatTime } from "./format.ts";

test.each([
  [0, "0 bytes"],
  [1023, "1,023 bytes"],
  [1024, "1 KiB"],
  [1_500_000, "1.4 MiB"],
  [150 * 1024 ** 2, "150 MiB"],
  [5 * 1024 ** 6, "5,120 PiB"],
])("%d bytes are %s", (bytes, text) => {
  expect(formatBytes(bytes)).toBe(text);
});

test("moments are in UTC, and what is none stays as it is", () => {
  expect(formatTime("2026-11-24T23:30:00+01:00")).toBe("24 Nov 2026, 22:30 UTC");
  expect(formatTime("soon")).toBe("soon");
});
