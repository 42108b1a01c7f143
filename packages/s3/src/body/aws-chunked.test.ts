import { createHmac, hash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { decodeAwsChunked } from "./aws-chunked.ts";

// https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html
describe("signed trailers", () => {
  const signingKey = Buffer.alloc(32, 1);
  const signature = {
    signingKey,
    scope: "20130524/us-east-1/s3/aws4_request",
    date: "20130524T000000Z",
    seedSignature: "seed",
  };
  const sign = (kind: string, previous: string, rest: string) =>
    createHmac("sha256", signingKey)
      .update([kind, signature.date, signature.scope, previous, rest].join("\n"))
      .digest("hex");
  const empty = hash("sha256", "", "hex");
  const first = sign("AWS4-HMAC-SHA256-PAYLOAD", "seed", `${empty}\n${hash("sha256", "hello", "hex")}`);
  const last = sign("AWS4-HMAC-SHA256-PAYLOAD", first, `${empty}\n${empty}`);
  const trailer = sign(
    "AWS4-HMAC-SHA256-TRAILER",
    last,
    hash("sha256", "x-amz-checksum-crc32c:sOO8/Q==\n", "hex"),
  );
  const body = (value: string, gap: string) =>
    `5;chunk-signature=${first}\r\nhello\r\n0;chunk-signature=${last}\r\nx-amz-checksum-crc32c:${value}${gap}\r\nx-amz-trailer-signature:${trailer}\r\n\r\n`;
  const run = async (text: string) => {
    const seen: string[] = [];
    const source = (async function* () {
      for (const byte of Buffer.from(text)) yield Buffer.from([byte]);
    })();
    const decoded = decodeAwsChunked(source, {
      signature,
      trailer: true,
      signedTrailer: true,
      onTrailer: (name, value) => seen.push(`${name}=${value}`),
    });
    const got: Buffer[] = [];
    try {
      for await (const chunk of decoded) got.push(chunk);
    } catch (error) {
      return (error as { code: string }).code;
    }
    return `${Buffer.concat(got)} ${seen}`;
  };
  it("are taken with and without the newline of the documentation", async () => {
    expect(await run(body("sOO8/Q==", ""))).toBe("hello x-amz-checksum-crc32c=sOO8/Q==");
    expect(await run(body("sOO8/Q==", "\n"))).toBe("hello x-amz-checksum-crc32c=sOO8/Q==");
  });
  it("are refused when they were changed, are not signed or are cut", async () => {
    expect(await run(body("AAAAAA==", ""))).toBe("SignatureDoesNotMatch");
    expect(await run(`${body("sOO8/Q==", "").split("x-amz-checksum")[0]}\r\n`)).toBe("SignatureDoesNotMatch");
    expect(await run(body("sOO8/Q==", "").slice(0, -40))).toBe("IncompleteBody");
  });
});
