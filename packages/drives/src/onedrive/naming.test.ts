import { expect, test } from "vitest";
import { defaultEncoding, encodeName, isRewritten } from "./naming.ts";

const encode = (segment: string) => encodeName(segment, defaultEncoding);

test("segments are written as rclone writes them", () => {
  expect(encode("a:b.")).toBe("a：b．");
  expect(encode("~$a ")).toBe("～$a␠");
  expect(encode("..")).toBe("．．");
});

test.each(["CON", "con", "Lpt1", ".lock", "desktop.ini", "a_VTI_b", "x".repeat(256), "‛ "])(
  "%j cannot stand in OneDrive",
  (segment) => {
    expect(encode(segment)).toBeUndefined();
  },
);

test("names that only look like those can", () => {
  for (const segment of ["CON.txt", "lock", "a.lock", "console", "x".repeat(255)])
    expect(encode(segment)).toBe(segment);
});

test("Office and HTML files are known by their names", () => {
  expect(["a.docx", "B.XLSX", "c.html"].every(isRewritten)).toBe(true);
  expect(["a.txt", "docx", "a.docx.bin"].some(isRewritten)).toBe(false);
});
