import { describe, expect, it } from "vitest";
import { tagsOf } from "./headers.ts";

const refuses = (code: string) => expect.objectContaining({ code });
const tags = (count: number) => Array.from({ length: count }, (_, i) => `k${i}=v`).join("&");

describe("tagsOf", () => {
  it("takes ten tags, empty values and any letter", () => {
    expect(Object.keys(tagsOf(tags(10)))).toHaveLength(10);
    expect(tagsOf("a%20b=%C3%BC%2B-%3D._:/@&none")).toEqual({ "a b": "ü+-=._:/@", none: "" });
    expect(tagsOf("")).toEqual({});
  });
  it.each([
    ["BadRequest", tags(11)],
    ["InvalidTag", "=v"],
    ["InvalidTag", "a=1&a=2"],
    ["InvalidTag", "a%3Cb=v"],
    ["InvalidTag", `a=${"v".repeat(257)}`],
  ])("refuses with %s (%#)", (code, query) => expect(() => tagsOf(query)).toThrow(refuses(code)));
});
