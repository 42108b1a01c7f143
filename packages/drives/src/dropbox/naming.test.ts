import { expect, test } from "vitest";
import { defaultEncoding, encodeName } from "./naming.ts";

const encode = (segment: string) => encodeName(segment, defaultEncoding);

test("segments are written as rclone writes them", () => {
  expect(encode("a\\b:c.")).toBe("a＼b:c.");
  expect(encode("trail ")).toBe("trail␠");
  expect(encode(" lead")).toBe(" lead");
  expect(encode("..")).toBe("．．");
  expect(encode("tab\there")).toBe("tab\there");
});

test.each(["desktop.ini", "Thumbs.db", ".DS_Store", ".dropbox", "x".repeat(256), "‛ ", "\ud800"])(
  "%j cannot stand in Dropbox",
  (segment) => {
    expect(encode(segment)).toBeUndefined();
  },
);

test("names that only look like those can", () => {
  for (const segment of [".dropbox.cache", "a.desktop.ini", "\u{1F9E5}".repeat(255)])
    expect(encode(segment)).toBe(segment);
});
