import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { verifySigV4 } from "../auth/index.ts";
import { type PayloadOptions, readBody } from "./payload.ts";

const id = "AKIAIOSFODNN7EXAMPLE";
const credential = { accessKeyId: id, secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY" };

// https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html
const headers = {
  host: "s3.amazonaws.com",
  "x-amz-date": "20130524T000000Z",
  "x-amz-storage-class": "REDUCED_REDUNDANCY",
  authorization: `AWS4-HMAC-SHA256 Credential=${id}/20130524/us-east-1/s3/aws4_request,SignedHeaders=content-encoding;content-length;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;x-amz-storage-class,Signature=4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9`,
  "x-amz-content-sha256": "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
  "content-encoding": "aws-chunked",
  "x-amz-decoded-content-length": "66560",
  "content-length": "66824",
};
const example = Buffer.from(
  `10000;chunk-signature=ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648\r\n${"a".repeat(65536)}\r\n` +
    `400;chunk-signature=0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497\r\n${"a".repeat(1024)}\r\n` +
    "0;chunk-signature=b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9\r\n\r\n",
);
async function* pieces(data: Buffer, size: number) {
  for (let at = 0; at < data.length; at += size) yield data.subarray(at, at + size);
}
async function run(
  data: Buffer,
  given: Record<string, string>,
  verified: Parameters<typeof readBody>[2] = "anonymous",
  size = 1000,
  options: PayloadOptions = {},
) {
  try {
    const payload = readBody(pieces(data, size), given, verified, options);
    const got: Buffer[] = [];
    for await (const chunk of payload.chunks) got.push(chunk);
    return { body: Buffer.concat(got).toString(), ...payload.result() };
  } catch (error) {
    return (error as { code?: string }).code ?? error;
  }
}

describe("signed chunks", () => {
  const verified = verifySigV4(
    { method: "PUT", rawPath: "/examplebucket/chunkObject.txt", rawQuery: "", headers },
    { lookup: () => credential, now: Date.UTC(2013, 4, 24) },
  );
  it.each([1, 7, 1000, 65536, 1e6])("decodes the example in pieces of %i", async (size) => {
    expect(await run(example, headers, verified, size)).toMatchObject({ body: "a".repeat(66560) });
  });
  it("refuses what was changed or cut", async () => {
    const changed = Buffer.from(example);
    changed[200] = 98;
    expect(await run(changed, headers, verified)).toBe("SignatureDoesNotMatch");
    const { "content-length": _, ...rest } = headers;
    expect(await run(example.subarray(0, -90), rest, verified)).toBe("IncompleteBody");
    expect(await run(example.subarray(0, 70), rest, verified)).toBe("IncompleteBody");
    expect(await run(example, { ...rest, "x-amz-decoded-content-length": "5" }, verified)).toBe(
      "IncompleteBody",
    );
    const { "x-amz-decoded-content-length": __, ...none } = rest;
    expect(await run(example, none, verified)).toBe("MissingContentLength");
    expect(await run(example, headers)).toBe("InvalidRequest");
  });
});

describe("readBody", () => {
  const trailing = {
    "x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
    "x-amz-trailer": "x-amz-checksum-crc32",
  };
  const nine = Buffer.from("123456789");
  it("checks a trailer", async () => {
    const body = (sum: string) => Buffer.from(`9\r\n123456789\r\n0\r\n${sum}\r\n`);
    expect(await run(body("x-amz-checksum-crc32:y/Q5Jg==\r\n"), trailing)).toMatchObject({
      body: "123456789",
      checksum: { algorithm: "CRC32", value: "y/Q5Jg==" },
    });
    expect(await run(body("x-amz-checksum-crc32:AAAAAA==\r\n"), trailing)).toBe("BadDigest");
    expect(await run(body(""), trailing)).toBe("InvalidRequest");
    expect(await run(Buffer.from("zz\r\n"), trailing)).toBe("InvalidChunkSizeError");
    expect(await run(Buffer.alloc(9000, "a"), trailing)).toBe("InvalidChunkSizeError");
  });
  it.each([
    ["IncompleteBody", { "content-length": "10" }],
    ["InvalidDigest", { "content-md5": "x" }],
    ["BadDigest", { "content-md5": Buffer.alloc(16).toString("base64") }],
    ["XAmzContentSHA256Mismatch", { "x-amz-content-sha256": "0".repeat(64) }],
    ["BadDigest", { "x-amz-checksum-crc32c": "AAAAAA==" }],
    ["InvalidRequest", { "x-amz-checksum-crc32c": "AAAA" }],
    ["InvalidRequest", { "x-amz-checksum-crc32c": "AAAAAA==", "x-amz-checksum-crc32": "AAAAAA==" }],
  ])("refuses with %s (%#)", async (want, given) => {
    expect(await run(nine, given)).toBe(want);
  });
  it("takes what is right", async () => {
    const md5 = createHash("md5").update(nine).digest("hex");
    const sha = createHash("sha256").update(nine).digest("hex");
    expect(
      await run(nine, {
        "content-md5": Buffer.from(md5, "hex").toString("base64"),
        "x-amz-content-sha256": sha,
        "x-amz-sdk-checksum-algorithm": "CRC64NVME",
      }),
    ).toEqual({ body: "123456789", md5, checksum: { algorithm: "CRC64NVME", value: "rosUhgp5mIg=" } });
    expect(await run(nine, {})).toEqual({ body: "123456789", md5 });
  });
});
