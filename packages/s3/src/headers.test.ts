import { describe, expect, it } from "vitest";
import type { Context } from "./context.ts";
import { conditionsOf, tagsOf, writeConditions } from "./headers.ts";

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

describe("conditions", () => {
  const context = (headers: Record<string, string>) => ({ request: { headers } }) as unknown as Context;
  it("are none where no header has one", () => {
    expect(conditionsOf(context({ "if-modified-since": "some day" }))).toBeUndefined();
    expect(
      writeConditions(context({ "if-unmodified-since": "Thu, 01 Jan 1970 00:00:00 GMT" })),
    ).toBeUndefined();
  });
  it("count when they are empty or of 1970, too", () => {
    const since = { "if-unmodified-since": "Thu, 01 Jan 1970 00:00:00 GMT" };
    expect(conditionsOf(context(since))).toMatchObject({ ifUnmodifiedSince: 0 });
    const both = { "if-match": "", "if-none-match": "*" };
    expect(conditionsOf(context(both))).toMatchObject({ ifMatch: "", ifNoneMatch: "*" });
    expect(writeConditions(context(both))).toEqual({ ifMatch: "", ifNoneMatch: "*" });
  });
});
