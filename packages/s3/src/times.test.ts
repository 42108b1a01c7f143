import { expect, test } from "vitest";
import { isoTime } from "./times.ts";

test("times are written as Date writes them", () => {
  const times = [0, 1, -1, 951_782_400_000, 951_868_799_999, 1_709_164_800_000.75, 4_102_444_799_999];
  for (let i = 0; i < 5000; i++) times.push(Math.floor(Math.sin(i) * 8e12));
  for (const time of times) expect(isoTime(time)).toBe(new Date(Math.floor(time)).toISOString());
});
