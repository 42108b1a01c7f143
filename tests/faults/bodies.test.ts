import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { type Gateway, startGateway } from "../gateway.ts";
import { type Headers, head, send, sendRaw, sign } from "./requests.ts";
import { eventually, filesBelow } from "./state.ts";

const old = Buffer.from("the old object");
const data = Buffer.alloc(300_000, "new bytes ");
const target = "/bucket/object";
const etag = `"${createHash("md5").update(old).digest("hex")}"`;
const sha256 = (bytes: Buffer) => createHash("sha256").update(bytes).digest("hex");
const crc = (bytes: Buffer) => {
  const value = Buffer.alloc(4);
  value.writeUInt32BE(crc32(bytes));
  return value.toString("base64");
};
const unsigned = "UNSIGNED-PAYLOAD";
const chunked = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD";
const chunkedTrailer = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER";
const unsignedTrailer = "STREAMING-UNSIGNED-PAYLOAD-TRAILER";

let gateway: Gateway;
let files: string[];
let part: string;

beforeAll(async () => {
  gateway = await startGateway();
  await send(gateway, "PUT", "/bucket");
  expect((await send(gateway, "PUT", target, { body: old })).status).toBe(200);
  const begun = await send(gateway, "POST", "/bucket/parts?uploads=");
  part = `/bucket/parts?partNumber=1&uploadId=${/<UploadId>(.*)<\/UploadId>/.exec(begun.body.toString())?.[1]}`;
  files = await stored();
});
afterAll(() => gateway?.stop());

/** All files, temporary ones too. */
const stored = async () => [
  ...(await filesBelow(gateway.folder)),
  ...(await filesBelow(`${gateway.data}/uploads`)),
];

afterEach(async () => {
  const read = await send(gateway, "GET", target);
  expect(read.body.equals(old)).toBe(true);
  expect(read.headers.etag).toBe(etag);
  // A connection that was cut is noticed a moment later.
  expect(await eventually(stored, (found) => found.join() === files.join())).toEqual(files);
});

const places = () => [target, part];

test.each([
  [
    "Content-MD5",
    { "content-md5": createHash("md5").update("other").digest("base64") },
    unsigned,
    "BadDigest",
  ],
  ["x-amz-content-sha256", {}, sha256(Buffer.from("other")), "XAmzContentSHA256Mismatch"],
  ["CRC32", { "x-amz-checksum-crc32": crc(old) }, unsigned, "BadDigest"],
  ["CRC32C", { "x-amz-checksum-crc32c": crc(old) }, unsigned, "BadDigest"],
  ["CRC64NVME", { "x-amz-checksum-crc64nvme": Buffer.alloc(8).toString("base64") }, unsigned, "BadDigest"],
  ["SHA1", { "x-amz-checksum-sha1": createHash("sha1").digest("base64") }, unsigned, "BadDigest"],
  ["SHA256", { "x-amz-checksum-sha256": createHash("sha256").digest("base64") }, unsigned, "BadDigest"],
] as [string, Headers, string, string][])("a wrong %s is refused", async (_, headers, payloadHash, code) => {
  for (const place of places()) {
    const answer = await send(gateway, "PUT", place, { headers, payloadHash, body: data });
    expect([answer.status, answer.code]).toEqual([400, code]);
  }
});

test.each([
  ["Content-MD5 that is none", { "content-md5": "nonsense" }, "InvalidDigest"],
  ["CRC32 that is none", { "x-amz-checksum-crc32": "nonsense" }, "InvalidRequest"],
  [
    "two checksums",
    { "x-amz-checksum-crc32": crc(data), "x-amz-checksum-sha1": crc(data) },
    "InvalidRequest",
  ],
] as [string, Headers, string][])("%s is refused", async (_, headers, code) => {
  for (const place of places()) {
    const answer = await send(gateway, "PUT", place, { headers, body: data });
    expect([answer.status, answer.code]).toEqual([400, code]);
  }
});

test("a wrong signature is refused", async () => {
  const wrong = { port: gateway.port, accessKeyId: gateway.accessKeyId, secretAccessKey: "another" };
  for (const place of places()) {
    const answer = await send(wrong, "PUT", place, { body: data });
    expect([answer.status, answer.code]).toEqual([403, "SignatureDoesNotMatch"]);
  }
});

test.each([0, 1, 1000, data.length - 1])(
  "a body that is cut off after %d bytes changes nothing",
  async (sent) => {
    for (const place of places()) {
      const { headers } = sign(
        gateway,
        "PUT",
        place,
        { "content-length": String(data.length) },
        sha256(data),
      );
      await sendRaw(gateway.port, [head("PUT", place, headers), data.subarray(0, sent)], { after: "cut" });
    }
  },
);

test("chunks that are cut off change nothing", async () => {
  const headers = { "transfer-encoding": "chunked", "x-amz-trailer": "x-amz-checksum-crc32" };
  for (const place of places()) {
    const signed = sign(gateway, "PUT", place, headers, unsignedTrailer);
    const pieces = [head("PUT", place, signed.headers), "7\r\n4\r\nabcd\r\n"];
    await sendRaw(gateway.port, pieces, { after: "cut" });
  }
});

/** A body in aws-chunked, with something wrong in it. */
async function sendChunked(
  payloadHash: string,
  place: string,
  wrong: {
    signature?: number;
    length?: number;
    trailer?: string;
    trailerSignature?: string;
    cut?: string;
  } = {},
) {
  const trailing = payloadHash.endsWith("TRAILER");
  const trailer = `x-amz-checksum-crc32:${wrong.trailer ?? crc(data)}`;
  const chunks = [data.subarray(0, 100_000), data.subarray(100_000), Buffer.alloc(0)];
  const given: Headers = {
    "content-encoding": "aws-chunked",
    "x-amz-decoded-content-length": String(wrong.length ?? data.length),
    ...(trailing && { "x-amz-trailer": "x-amz-checksum-crc32" }),
  };
  const signs = payloadHash !== unsignedTrailer;
  const body = (signed: ReturnType<typeof sign>): string => {
    const lines = chunks.map((chunk, i) => {
      const signature = signed.signChunk(chunk);
      const told =
        wrong.signature === i ? signature.replace(/^./, (c) => (c === "0" ? "1" : "0")) : signature;
      const extension = signs ? `;chunk-signature=${told}` : "";
      return `${chunk.length.toString(16)}${extension}\r\n${chunk.toString("latin1")}${chunk.length ? "\r\n" : ""}`;
    });
    if (trailing) lines.push(`${trailer}\r\n`);
    if (trailing && signs)
      lines.push(
        `x-amz-trailer-signature:${wrong.trailerSignature ?? signed.signTrailer(`${trailer}\n`)}\r\n`,
      );
    return wrong.cut ?? `${lines.join("")}\r\n`;
  };
  const length = body(sign(gateway, "PUT", place, given, payloadHash)).length;
  const signed = sign(gateway, "PUT", place, { ...given, "content-length": String(length) }, payloadHash);
  const bytes = Buffer.from(body(signed), "latin1");
  return sendRaw(gateway.port, [head("PUT", place, signed.headers), bytes]);
}

test.each([chunked, chunkedTrailer, unsignedTrailer])("%s in order is taken", async (payloadHash) => {
  const answer = await sendChunked(payloadHash, "/bucket/right");
  expect([answer.status, answer.code]).toEqual([200, undefined]);
  const read = await send(gateway, "GET", "/bucket/right");
  expect(read.body.equals(data)).toBe(true);
  expect(read.headers["content-encoding"]).toBeUndefined();
  expect((await send(gateway, "DELETE", "/bucket/right")).status).toBe(204);
});

const zeros = "0".repeat(64);
test.each([
  ["the first chunk's signature is wrong", chunked, { signature: 0 }, 403, "SignatureDoesNotMatch"],
  ["the second chunk's signature is wrong", chunked, { signature: 1 }, 403, "SignatureDoesNotMatch"],
  ["the last chunk's signature is wrong", chunked, { signature: 2 }, 403, "SignatureDoesNotMatch"],
  [
    "the trailer's signature is wrong",
    chunkedTrailer,
    { trailerSignature: zeros },
    403,
    "SignatureDoesNotMatch",
  ],
  ["the trailer's checksum is wrong", chunkedTrailer, { trailer: crc(old) }, 400, "BadDigest"],
  ["the unsigned trailer's checksum is wrong", unsignedTrailer, { trailer: crc(old) }, 400, "BadDigest"],
  ["the trailer's checksum is none", unsignedTrailer, { trailer: "nonsense" }, 400, "InvalidRequest"],
  ["there is less than said", chunked, { length: data.length + 1 }, 400, "IncompleteBody"],
  ["there is more than said", chunked, { length: data.length - 1 }, 400, "IncompleteBody"],
  ["there is less than said, unsigned", unsignedTrailer, { length: data.length + 1 }, 400, "IncompleteBody"],
  ["there is more than said, unsigned", unsignedTrailer, { length: 1 }, 400, "IncompleteBody"],
  ["the last chunk is missing", unsignedTrailer, { cut: "3\r\nabc\r\n", length: 3 }, 400, "IncompleteBody"],
  ["there is no body", unsignedTrailer, { cut: "" }, 400, "IncompleteBody"],
  ["a size is no number", unsignedTrailer, { cut: "xyz\r\nabc\r\n0\r\n\r\n" }, 403, "InvalidChunkSizeError"],
  ["a size is too small", unsignedTrailer, { cut: "2\r\nabc\r\n0\r\n\r\n" }, 403, "InvalidChunkSizeError"],
  ["a size is huge", unsignedTrailer, { cut: `${"f".repeat(9000)}\r\n` }, 403, "InvalidChunkSizeError"],
] as [string, string, object, number, string][])(
  "aws-chunked is refused when %s",
  async (_, payloadHash, wrong, status, code) => {
    for (const place of places()) {
      const answer = await sendChunked(payloadHash, place, wrong);
      expect([answer.status, answer.code]).toEqual([status, code]);
    }
  },
);

test("a wrong payload hash in a large body is told to the client, and not just cut off", async () => {
  const body = Buffer.alloc(8 << 20, "x");
  const answer = await send(gateway, "PUT", target, { body, payloadHash: sha256(old) });
  expect([answer.status, answer.code]).toEqual([400, "XAmzContentSHA256Mismatch"]);
});

test("a document that is too large is told to the client, and not just cut off", async () => {
  const answer = await send(gateway, "PUT", "/bucket?tagging=", { body: Buffer.alloc(2_500_000, "<") });
  expect([answer.status, answer.code]).toEqual([400, "MaxMessageLengthExceeded"]);
});

test("a client that waits to be asked for its body is not asked when its headers are refused", async () => {
  const length = { "content-length": "5000000000", expect: "100-continue", "if-none-match": "*" };
  const { headers } = sign(gateway, "PUT", target, length, unsigned);
  const answer = await sendRaw(gateway.port, [head("PUT", target, headers)], { after: "read" });
  expect(answer.text).toMatch(/^HTTP\/1\.1 412 Precondition Failed\r\n/);
  expect(answer.closed).toBe(true);
});

test("a client that waits to be asked for its body is asked when it is wanted", async () => {
  const place = "/bucket/asked";
  const wanted = { "content-length": "3", expect: "100-continue" };
  const { headers } = sign(gateway, "PUT", place, wanted, unsigned);
  const answer = await sendRaw(gateway.port, [head("PUT", place, headers), "abc"]);
  expect(answer.status).toBe(200);
  expect((await send(gateway, "GET", place)).body.toString()).toBe("abc");
  await send(gateway, "DELETE", place);
});
