import { expect, test } from "vitest";
import { decodeSegment, encodeSegment, reachableSegment } from "./naming.ts";

test.each([
  ["a", "a"],
  [".", "．"],
  ["..", "．．"],
  ["...", "..."],
  ["．", "‛．"],
  ["．．", "‛．‛．"],
  ["a．", "a．"],
  ["a\0b", "a␀b"],
  ["␀", "‛␀"],
  ["‛", "‛‛"],
  ["‛．", "‛‛．"],
  ["／", "‛／"],
  [".overcoat", ".overcoat"],
])("writes %j as %j", (segment, name) => {
  expect(encodeSegment(segment)).toBe(name);
  expect(decodeSegment(name)).toBe(segment);
});

test("any segment comes back", () => {
  const alphabet = [".", "．", "\0", "␀", "‛", "／", "a", "😀"];
  const seen = new Map<string, string>();
  for (let round = 0; round < 20000; round++) {
    const length = 1 + Math.floor(Math.random() * 6);
    const segment = Array.from({ length }, () => alphabet[Math.floor(Math.random() * alphabet.length)]).join(
      "",
    );
    const name = encodeSegment(segment);
    expect(name).not.toMatch(/[\0/]|^\.\.?$/);
    expect(decodeSegment(name)).toBe(segment);
    expect(seen.get(name) ?? segment).toBe(segment);
    seen.set(name, segment);
  }
});

test("names that no path leads to are left out", () => {
  expect(reachableSegment("‛a")).toBeUndefined();
  expect(reachableSegment("a／b")).toBeUndefined();
  expect(reachableSegment("‛‛a")).toBe("‛a");
});
