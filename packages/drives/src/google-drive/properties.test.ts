import { expect, test } from "vitest";
import { fromAppProperties, propertiesLimit, toAppProperties } from "./properties.ts";

const longest = (unit: string) => unit.repeat(Math.floor(propertiesLimit / Buffer.byteLength(unit)));

test.each([
  "",
  "short",
  longest("x"),
  longest("é"),
  longest("€"),
  `x${longest("😀").slice(2)}`,
  longest("x€😀é"),
])("a text of so many bytes fits into what Google keeps of a file", (text) => {
  const entries = toAppProperties(text);
  expect(Object.keys(entries).length).toBeLessThanOrEqual(30);
  for (const [key, value] of Object.entries(entries))
    expect(Buffer.byteLength(key) + Buffer.byteLength(value)).toBeLessThanOrEqual(124);
  expect(fromAppProperties(entries)).toBe(text);
});

test("what a longer text left behind does not count, and what is not whole is none", () => {
  const entries = { ...toAppProperties("x".repeat(500)), ...toAppProperties("short") };
  expect(fromAppProperties(entries)).toBe("short");
  expect(fromAppProperties({ ...entries, ...toAppProperties(undefined) })).toBeUndefined();
  expect(fromAppProperties({ o0: "3abc", o1: "def" })).toBeUndefined();
  expect(fromAppProperties({ other: "x" })).toBeUndefined();
  expect(fromAppProperties(undefined)).toBeUndefined();
});
