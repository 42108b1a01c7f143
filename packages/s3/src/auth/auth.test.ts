import { createHmac } from "node:crypto";
import { describe, expect, it } from "vitest";
import { authenticate, verifyPostPolicy, verifySigV2, verifySigV4 } from "./index.ts";

const id = "AKIAIOSFODNN7EXAMPLE";
const secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
const lookup = (name: string) => (name === id ? { accessKeyId: id, secretAccessKey: secret } : undefined);
const now = Date.UTC(2013, 4, 24);
const empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
const code = (call: () => unknown) => {
  try {
    call();
  } catch (error) {
    return (error as { code: string }).code;
  }
  return "none";
};

// https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
const get = {
  method: "GET",
  rawPath: "/test.txt",
  rawQuery: "",
  headers: {
    host: "examplebucket.s3.amazonaws.com",
    range: "bytes=0-9",
    "x-amz-content-sha256": empty,
    "x-amz-date": "20130524T000000Z",
    authorization: `AWS4-HMAC-SHA256 Credential=${id}/20130524/us-east-1/s3/aws4_request,SignedHeaders=host;range;x-amz-content-sha256;x-amz-date,Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41`,
  },
};
// https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
const presigned = {
  method: "GET",
  rawPath: "/test.txt",
  rawQuery: `X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=${id}%2F20130524%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404`,
  headers: { host: "examplebucket.s3.amazonaws.com" },
};

describe("Signature Version 4", () => {
  it("takes the examples of the documentation", () => {
    expect(verifySigV4(get, { lookup, now }).payloadHash).toBe(empty);
    expect(verifySigV4(presigned, { lookup, now }).payloadHash).toBe("UNSIGNED-PAYLOAD");
    const list = {
      ...get,
      rawPath: "/",
      rawQuery: "prefix=J&max-keys=2",
      headers: {
        ...get.headers,
        range: undefined,
        authorization: `AWS4-HMAC-SHA256 Credential=${id}/20130524/us-east-1/s3/aws4_request, SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature=34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7`,
      },
    };
    expect(verifySigV4(list, { lookup, now }).credential.accessKeyId).toBe(id);
  });

  it.each([
    ["SignatureDoesNotMatch", { ...get, method: "PUT" }, now, undefined],
    ["SignatureDoesNotMatch", { ...get, rawPath: "/test2.txt" }, now, undefined],
    ["SignatureDoesNotMatch", { ...get, rawQuery: "acl" }, now, undefined],
    ["SignatureDoesNotMatch", { ...get, headers: { ...get.headers, range: "bytes=0-8" } }, now, undefined],
    ["AccessDenied", { ...get, headers: { ...get.headers, "x-amz-acl": "public-read" } }, now, undefined],
    ["RequestTimeTooSkewed", get, now + 901e3, undefined],
    ["AuthorizationHeaderMalformed", get, now, "eu-west-1"],
    ["AccessDenied", presigned, now + 86401e3, undefined],
    ["AccessDenied", presigned, now - 901e3, undefined],
    ["SignatureDoesNotMatch", { ...presigned, rawPath: "/x" }, now, undefined],
    [
      "AuthorizationQueryParametersError",
      { ...presigned, rawQuery: presigned.rawQuery.replace("86400", "604801") },
      now,
      undefined,
    ],
    [
      "InvalidAccessKeyId",
      { ...presigned, rawQuery: presigned.rawQuery.replace(id, "other") },
      now,
      undefined,
    ],
    ["InvalidArgument", { ...presigned, headers: get.headers }, now, undefined],
    ["InvalidArgument", { ...get, headers: { authorization: "Bearer x" } }, now, undefined],
  ])("refuses with %s (%#)", (want, request, at, region) => {
    expect(code(() => authenticate(request, { lookup, now: at, region }))).toBe(want);
  });

  it("knows an unsigned request", () => {
    expect(authenticate({ ...get, headers: {} }, { lookup })).toBe("anonymous");
  });
});

// https://docs.aws.amazon.com/AmazonS3/latest/API/RESTAuthentication.html
describe("Signature Version 2", () => {
  const at = Date.parse("Tue, 27 Mar 2007 19:36:42 +0000");
  const request = {
    method: "GET",
    rawPath: "/photos/puppy.jpg",
    rawQuery: "",
    headers: {
      host: "awsexamplebucket1.us-west-1.s3.amazonaws.com",
      date: "Tue, 27 Mar 2007 19:36:42 +0000",
      authorization: `AWS ${id}:qgk2+6Sv9/oM7G3qLEjTH1a1l1g=`,
    },
  };
  const options = { lookup, now: at, bucketFromHost: "awsexamplebucket1", allowed: true };
  it("takes the example of the documentation", () => {
    expect(verifySigV2(request, options).credential.accessKeyId).toBe(id);
  });
  it.each(["/bucket", "/bucket/"])("takes a bucket that was signed as %s", (resource) => {
    const date = "Tue, 27 Mar 2007 19:36:42 +0000";
    const signature = createHmac("sha1", secret).update(`GET\n\n\n${date}\n${resource}`).digest("base64");
    const headers = { host: "localhost", date, authorization: `AWS ${id}:${signature}` };
    const bucket = { method: "GET", rawPath: "/bucket", rawQuery: "prefix=x", headers };
    expect(verifySigV2(bucket, { lookup, now: at, allowed: true }).credential.accessKeyId).toBe(id);
    const other = { ...bucket, rawPath: "/bucket/key" };
    expect(code(() => verifySigV2(other, { lookup, now: at, allowed: true }))).toBe("SignatureDoesNotMatch");
  });
  it.each(["", "Bad Date", "Tue, 07 Jul 1950 21:53:04 GMT"])("refuses the date %j", (date) => {
    const dated = { ...request, headers: { ...request.headers, "x-amz-date": date } };
    expect(code(() => verifySigV2(dated, options))).toBe("AccessDenied");
  });
  it("takes a path that was signed without the endpoint's own", () => {
    const below = { ...request, rawPath: "/s3/photos/puppy.jpg" };
    expect(verifySigV2(below, { ...options, basePath: "/s3" }).credential.accessKeyId).toBe(id);
    for (const basePath of [undefined, "/s", "/s3/photos"])
      expect(code(() => verifySigV2(below, { ...options, basePath }))).toBe("SignatureDoesNotMatch");
  });
  it("refuses what was changed, and what is not allowed", () => {
    expect(code(() => verifySigV2({ ...request, rawQuery: "acl" }, options))).toBe("SignatureDoesNotMatch");
    expect(code(() => verifySigV2(request, { ...options, allowed: false }))).toBe("InvalidRequest");
    expect(code(() => verifySigV2(request, { ...options, now: at + 901e3 }))).toBe("RequestTimeTooSkewed");
  });
});

describe("verifyPostPolicy", () => {
  const form = (conditions: unknown[], extra: Record<string, string> = {}) => {
    const policy = Buffer.from(
      JSON.stringify({ expiration: "2013-05-25T00:00:00.000Z", conditions }),
    ).toString("base64");
    const signature = createHmac("sha1", secret).update(policy).digest("base64");
    return new Map(Object.entries({ policy, signature, awsaccesskeyid: id, key: "user/a", ...extra }));
  };
  const options = { lookup, now, v2Allowed: true, bucket: "b" };
  const good = [{ bucket: "b" }, ["starts-with", "$key", "user/"], ["content-length-range", 1, 10]];
  it("takes a good form", () => {
    expect(verifyPostPolicy(form(good), options)).toMatchObject({ minLength: 1, maxLength: 10 });
    expect(verifyPostPolicy(new Map(), options).credential).toBeUndefined();
  });
  it.each([
    ["AccessDenied", form(good, { acl: "private" }), options],
    ["AccessDenied", form(good, { key: "other" }), options],
    ["AccessDenied", form(good), { ...options, bucket: "c" }],
    ["AccessDenied", form(good), { ...options, now: now + 2 * 86400e3 }],
    ["InvalidPolicyDocument", form([{}]), options],
    ["SignatureDoesNotMatch", form(good, { signature: "x" }), options],
    ["InvalidRequest", form(good), { ...options, v2Allowed: false }],
  ])("refuses with %s (%#)", (want, fields, opts) => {
    expect(code(() => verifyPostPolicy(fields, opts))).toBe(want);
  });
});
