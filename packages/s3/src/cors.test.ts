import { describe, expect, it } from "vitest";
import { type CorsRule, matchCors } from "./cors.ts";
import { corsXml, parseCors } from "./operations/bucket-cors.ts";

const rules: CorsRule[] = [
  { origins: ["*suffix"], methods: ["GET"] },
  { origins: ["start*end"], methods: ["GET"] },
  { origins: ["prefix*"], methods: ["GET"], headers: ["X-Amz-*"], exposeHeaders: ["ETag"], maxAge: 5 },
  { origins: ["*.put"], methods: ["PUT", "HEAD"] },
];
const rule = (inner: string) => Buffer.from(`<CORSConfiguration>${inner}</CORSConfiguration>`);
const good = "<AllowedOrigin>*</AllowedOrigin><AllowedMethod>GET</AllowedMethod>";

describe("matchCors", () => {
  it.each(["foo.suffix", "startend", "start12end", "prefix", "prefix.suffix"])("allows %s", (origin) => {
    const headers = matchCors(rules, { origin, method: "GET" });
    expect(headers?.["access-control-allow-origin"]).toBe(origin);
    expect(headers?.["access-control-allow-methods"]).toBe("GET");
    expect(headers?.["access-control-allow-credentials"]).toBe("true");
    expect(headers?.vary).toMatch(/^Origin, /);
  });
  it.each(["foo.bar", "foo.suffix.get", "0start12end", "bla.prefix", "foo.put", "starend"])(
    "refuses %s",
    (origin) => expect(matchCors(rules, { origin, method: "GET" })).toBeUndefined(),
  );
  it("echoes allowed headers in any case, and only all of them", () => {
    const asked = { origin: "prefix", method: "GET" };
    expect(matchCors(rules, { ...asked, requestHeaders: "X-Amz-Date, x-amz-acl" })).toEqual({
      "access-control-allow-origin": "prefix",
      "access-control-allow-methods": "GET",
      "access-control-allow-headers": "x-amz-date, x-amz-acl",
      "access-control-expose-headers": "ETag",
      "access-control-max-age": "5",
      "access-control-allow-credentials": "true",
      vary: "Origin, Access-Control-Request-Headers, Access-Control-Request-Method",
    });
    expect(matchCors(rules, { ...asked, requestHeaders: "x-amz-date,other" })).toBeUndefined();
  });
  it("answers * for a rule of *", () => {
    const headers = matchCors([{ origins: ["*"], methods: ["GET"] }], { origin: "a", method: "GET" });
    expect(headers?.["access-control-allow-origin"]).toBe("*");
    expect(headers).not.toHaveProperty("access-control-allow-credentials");
  });
});

describe("CORSConfiguration", () => {
  it("survives the way there and back", () => expect(parseCors(Buffer.from(corsXml(rules)))).toEqual(rules));
  it.each([
    ["", "MalformedXML"],
    ["<CORSRule><AllowedMethod>GET</AllowedMethod></CORSRule>", "MalformedXML"],
    [`<CORSRule>${good}<MaxAgeSeconds>-1</MaxAgeSeconds></CORSRule>`, "MalformedXML"],
    [`<CORSRule>${good}<AllowedMethod>PATCH</AllowedMethod></CORSRule>`, "InvalidRequest"],
    [`<CORSRule>${good}<AllowedOrigin>*a*</AllowedOrigin></CORSRule>`, "InvalidRequest"],
    [`<CORSRule>${good}<ExposeHeader>a&#10;b</ExposeHeader></CORSRule>`, "InvalidRequest"],
    [`<CORSRule>${good}</CORSRule>`.repeat(101), "InvalidRequest"],
  ])("refuses %.60s", (inner, code) =>
    expect(() => parseCors(rule(inner))).toThrow(expect.objectContaining({ code })),
  );
});
