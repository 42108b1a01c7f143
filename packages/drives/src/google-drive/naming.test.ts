import { expect, test } from "vitest";
import { parseEncoding } from "../remote/rclone-names.ts";
import { encodeName, encodingOf } from "./naming.ts";

const encoding = encodingOf();

test.each([
  ["plain.txt", "plain.txt"],
  ["a／b", "a/b"],
  ["a‛／b", "a／b"],
  ["a‛‛／b", "a‛‛/b"],
  ["..", ".."],
  [' a:b?*|<>"\\ ', ' a:b?*|<>"\\ '],
  ["tab\there", "tab\there"],
  ["␀", "‛␀"],
  ["q‛q", "q‛‛q"],
  ["‛", "‛‛"],
])("the segment %j is the name %j", (segment, name) => {
  expect(encoding.encode(segment)).toBe(name);
  expect(encoding.decode(name)).toBe(segment);
  expect(encodeName(segment, encoding)).toBe(name);
});

test("every name has a segment that no slash is in, and no two share one", () => {
  const pieces = ["/", "／", "‛", "a"];
  const names = pieces.flatMap((a) => pieces.flatMap((b) => pieces.flatMap((c) => [a, a + b, a + b + c])));
  const raw = encodingOf(parseEncoding("Raw"));
  const segments = new Set<string>();
  for (const name of new Set(names)) {
    const segment = raw.decode(name);
    expect(segment).not.toContain("/");
    expect(raw.encode(segment)).toBe(name);
    expect(segments).not.toContain(segment);
    segments.add(segment);
  }
});

test("a remote may have an encoding of its own", () => {
  const own = encodingOf(parseEncoding("Slash,Colon,InvalidUtf8,Dot"));
  expect(own.encode("a:b")).toBe("a：b");
  expect(own.decode("a：b")).toBe("a:b");
});
