import { expect, test } from "vitest";
import { parseEncoding, rcloneEncoding } from "./rclone-names.ts";

const strict = rcloneEncoding([
  ...(["Slash", "LtGt", "DoubleQuote", "Colon", "Question", "Asterisk", "Pipe", "BackSlash"] as const),
  ...(["Del", "Ctl", "LeftSpace", "LeftTilde", "RightSpace", "RightPeriod", "InvalidUtf8", "Dot"] as const),
]);
const loose = rcloneEncoding(["Slash", "BackSlash", "Del", "RightSpace", "InvalidUtf8", "Dot"]);
const none = rcloneEncoding(["InvalidUtf8"]);

test.each([
  ["plain.txt", "plain.txt", "plain.txt", "plain.txt"],
  ["a:b", "a：b", "a:b", "a:b"],
  ['x<y>|"?*', "x＜y＞｜＂？＊", 'x<y>|"?*', 'x<y>|"?*'],
  ["back\\slash", "back＼slash", "back＼slash", "back\\slash"],
  [" lead", "␠lead", " lead", " lead"],
  ["trail ", "trail␠", "trail␠", "trail "],
  ["end.", "end．", "end.", "end."],
  ["~tmp~", "～tmp~", "~tmp~", "~tmp~"],
  ["~$a.docx", "～$a.docx", "~$a.docx", "~$a.docx"],
  ["x. ", "x.␠", "x.␠", "x. "],
  ["tab\there", "tab␉here", "tab\there", "tab\there"],
  ["del\x7f", "del␡", "del␡", "del\x7f"],
  ["zero\0", "zero␀", "zero␀", "zero␀"],
  ["full：w", "full‛：w", "full：w", "full：w"],
  ["q‛q", "q‛‛q", "q‛‛q", "q‛‛q"],
  ["x／y", "x‛／y", "x‛／y", "x／y"],
  [".", "．", "．", "."],
  ["..", "．．", "．．", ".."],
  ["．．", "‛．‛．", "‛．‛．", "．．"],
  ["...", "..．", "...", "..."],
  [" ", "␠", "␠", " "],
  ["␠", "‛␠", "‛␠", "␠"],
  ["～", "‛～", "～", "～"],
])("%j is written %j, %j and %j", (segment, onStrict, onLoose, onNone) => {
  for (const [encoding, name] of [
    [strict, onStrict],
    [loose, onLoose],
    [none, onNone],
  ] as const) {
    expect(encoding.encode(segment)).toBe(name);
    expect(encoding.decode(name)).toBe(segment);
  }
});

test("names that others gave are read, too", () => {
  expect(strict.decode("a：b")).toBe("a:b");
  expect(loose.decode("x＼y")).toBe("x\\y");
  expect(loose.decode("a：b")).toBe("a：b");
  expect(strict.decode("a‛b")).toBe("a‛b");
});

test("the encoding of a remote may be its own", () => {
  const { encode, decode } = parseEncoding("Slash, Hash,LeftPeriod,Dot");
  expect(encode(".a#b:c")).toBe("．a＃b:c");
  expect(decode("．a＃b:c")).toBe(".a#b:c");
  expect(parseEncoding("None").encode("a\0:")).toBe("a␀:");
  expect(parseEncoding("Raw").encode("‛.")).toBe("‛.");
  expect(() => parseEncoding("Slash,Comma")).toThrow('encoding has "Comma", which is none of Slash');
});
