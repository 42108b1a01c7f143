import { expect, test } from "vitest";
import { parseLike } from "./like.ts";

test("a pattern of many wildcards on a long text ends", () => {
  expect(parseLike(`%${"a%".repeat(200)}b`)!.test("a".repeat(1024))).toBe(false);
});

test.each([
  ["_", "😀", true],
  ["__", "😀", false],
  ["a%a", "a", false],
  ["a%a", "aa", true],
  ["%ab%ab", "ab", false],
  ["%ab%ab", "abab", true],
  ["_%", "", false],
  ["%_", "x", true],
  ["a\\%%", "a%b", true],
  ["a\\%%", "ab", false],
  ["a%\n", "a\n\n", true],
  ["100\\%", "100%", true],
  ["%-.[x]%", "y-.[x]z", true],
])("%j on %j", (pattern, text, matches) => {
  expect(parseLike(pattern)!.test(text)).toBe(matches);
});
