import { expect, test } from "vitest";
import { uploadRequest } from "./upload.ts";

const object = { bucket: "b", key: "k", replace: false };
const isSigned = (request: object) => uploadRequest.safeParse({ ...object, ...request }).success;

test.each([
  ["PutObject", { method: "PUT" }],
  ["CreateMultipartUpload", { method: "POST" }],
  ["UploadPart", { method: "PUT", uploadId: "u", partNumber: 1 }],
  ["ListParts", { method: "GET", uploadId: "u" }],
  ["CompleteMultipartUpload", { method: "POST", uploadId: "u" }],
  ["AbortMultipartUpload", { method: "DELETE", uploadId: "u" }],
])("%s is signed", (_, request) => {
  expect(isSigned(request)).toBe(true);
});

test.each([
  ["GetObject", { method: "GET" }],
  ["DeleteObject", { method: "DELETE" }],
  ["HeadObject", { method: "HEAD" }],
  ["a part without an upload", { method: "PUT", partNumber: 1 }],
  ["an upload without a part", { method: "PUT", uploadId: "u" }],
  ["part 10,001", { method: "PUT", uploadId: "u", partNumber: 10_001 }],
  ["an empty key, which is the bucket", { method: "PUT", key: "" }],
  ["an empty bucket", { method: "PUT", bucket: "" }],
  ["a parameter that uploads do not have", { method: "PUT", versionId: "1" }],
])("%s is not", (_, request) => {
  expect(isSigned(request)).toBe(false);
});
