import type { IncomingHttpHeaders } from "node:http";
import { type ChecksumAlgorithm, checksumAlgorithms } from "@overcoat/objects";
import { headerValue, type Verified } from "../auth/credentials.ts";
import { S3Error } from "../errors.ts";
import { decodeAwsChunked } from "./aws-chunked.ts";
import { checksumLength } from "./checksum.ts";
import { atOnce, type BodyDigests, createDigests, digestsOf } from "./digests.ts";

/** A request's body, decoded and checked as it is read. */
export interface Payload {
  /** Throws at its end when the body is not what the client said. */
  readonly chunks: AsyncIterable<Buffer>;
  /** Decoded length in bytes, when known. */
  readonly length: number | undefined;
  /** All of a small body that has arrived: then `chunks` has none. Throws as `chunks` does at its end. */
  whole(): Buffer | undefined;
  /** What was computed of the body, when all of it is read; the MD5 is in hex. */
  result(): { md5: string; checksum?: { algorithm: ChecksumAlgorithm; value: string } };
}

/** Where the bytes of a body come from. */
export interface BodySource extends AsyncIterable<Buffer> {
  /** All of it, which are so many bytes, where they have arrived: then nothing is left to iterate. */
  arrived?(length: number): Buffer | undefined;
}

export interface PayloadOptions {
  /** The checksum to compute when the client named none. */
  readonly defaultAlgorithm?: ChecksumAlgorithm;
  /**
   * Take no notice of x-amz-checksum-* headers: those of CompleteMultipartUpload are of the object and not of
   * the body.
   */
  readonly ignoreChecksums?: boolean;
}

interface WantedChecksum {
  readonly algorithm: ChecksumAlgorithm;
  /** What the client says it is; set later when it comes in a trailer. */
  value: string | undefined;
  readonly fromTrailer: boolean;
}

const checksumNames = checksumAlgorithms.map(
  (algorithm) => [algorithm, `x-amz-checksum-${algorithm.toLowerCase()}`] as const,
);

function algorithmOfHeader(name: string): ChecksumAlgorithm | undefined {
  return checksumNames.find(([, header]) => name === header)?.[0];
}

/** The bytes of strict base64 of just `length` bytes; undefined when it is not that. */
function strictBase64(value: string, length: number): Buffer | undefined {
  const bytes = Buffer.from(value, "base64");
  return bytes.length === length && bytes.toString("base64") === value ? bytes : undefined;
}

function checkForm(algorithm: ChecksumAlgorithm, value: string): void {
  if (strictBase64(value, checksumLength[algorithm]) === undefined) {
    throw new S3Error(
      "InvalidRequest",
      `Value for x-amz-checksum-${algorithm.toLowerCase()} header is invalid.`,
    );
  }
}

function wantedChecksum(
  headers: IncomingHttpHeaders,
  trailing: boolean,
  options: PayloadOptions,
): WantedChecksum | undefined {
  if (options.ignoreChecksums) return undefined;
  const wanted: WantedChecksum[] = [];
  for (const [algorithm, name] of checksumNames) {
    const value = headers[name];
    if (value !== undefined) wanted.push({ algorithm, value: String(value), fromTrailer: false });
  }
  if (trailing) {
    for (const name of headerValue(headers, "x-amz-trailer").split(",")) {
      const algorithm = algorithmOfHeader(name.trim().toLowerCase());
      if (algorithm !== undefined) wanted.push({ algorithm, value: undefined, fromTrailer: true });
    }
  }
  if (wanted.length > 1) {
    throw new S3Error(
      "InvalidRequest",
      "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.",
    );
  }
  const [one] = wanted;
  if (one !== undefined) {
    if (one.value !== undefined) checkForm(one.algorithm, one.value);
    return one;
  }
  const named = headerValue(headers, "x-amz-sdk-checksum-algorithm");
  if (named !== "") {
    const algorithm = checksumAlgorithms.find((known) => known === named.toUpperCase());
    if (algorithm === undefined) {
      throw new S3Error("InvalidRequest", "Value for x-amz-sdk-checksum-algorithm header is invalid.");
    }
    return { algorithm, value: undefined, fromTrailer: false };
  }
  if (options.defaultAlgorithm === undefined) return undefined;
  return { algorithm: options.defaultAlgorithm, value: undefined, fromTrailer: false };
}

function lengthHeader(headers: IncomingHttpHeaders, name: string): number | undefined {
  const value = headerValue(headers, name);
  if (value === "") return undefined;
  if (/^\d{1,15}$/.test(value)) return Number(value);
  throw new S3Error("InvalidArgument", `The ${name} header is not a length.`, { ArgumentName: name });
}

function incomplete(): S3Error {
  return new S3Error(
    "IncompleteBody",
    "You did not provide the number of bytes specified by the Content-Length HTTP header.",
  );
}

function badTrailer(): S3Error {
  return new S3Error(
    "InvalidRequest",
    "The request contained trailing data that was not well-formed or did not conform to our published schema.",
  );
}

/** The body as it comes off the wire, checked against Content-Length. */
async function* received(
  source: AsyncIterable<Buffer>,
  length: number | undefined,
): AsyncGenerator<Buffer, void, undefined> {
  let count = 0;
  try {
    for await (const chunk of source) {
      count += chunk.length;
      yield chunk;
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ECONNRESET" || code === "ERR_STREAM_PREMATURE_CLOSE") throw incomplete();
    throw error;
  }
  if (length !== undefined && count !== length) throw incomplete();
}

/**
 * Reads a request's body: takes it out of `aws-chunked` where it is in that and checks it against
 * x-amz-content-sha256, Content-MD5, x-amz-checksum-* and its lengths. What the headers alone show to be wrong
 * is thrown at once, what the body shows at the end of iterating `chunks`.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html
 */
export function readBody(
  source: BodySource,
  headers: IncomingHttpHeaders,
  verified: Verified | "anonymous",
  options: PayloadOptions = {},
): Payload {
  const payloadHash =
    verified === "anonymous" ? headerValue(headers, "x-amz-content-sha256") : verified.payloadHash;
  const streaming = payloadHash.startsWith("STREAMING-");
  const trailer = streaming && payloadHash.endsWith("-TRAILER");
  const signed =
    payloadHash === "STREAMING-AWS4-HMAC-SHA256-PAYLOAD" ||
    payloadHash === "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER";
  let sha256: string | undefined;
  if (streaming) {
    if (!signed && payloadHash !== "STREAMING-UNSIGNED-PAYLOAD-TRAILER") throw invalidPayloadHash();
  } else if (payloadHash !== "" && payloadHash !== "UNSIGNED-PAYLOAD") {
    if (!/^[0-9a-f]{64}$/i.test(payloadHash)) throw invalidPayloadHash();
    sha256 = payloadHash.toLowerCase();
  }
  const signature = verified === "anonymous" ? undefined : verified.chunks;
  if (signed && signature === undefined) {
    throw new S3Error(
      "InvalidRequest",
      "Signed chunks need a request that is signed with AWS Signature Version 4.",
    );
  }

  const contentLength = lengthHeader(headers, "content-length");
  const length = streaming ? lengthHeader(headers, "x-amz-decoded-content-length") : contentLength;
  if (signed && length === undefined) {
    throw new S3Error(
      "MissingContentLength",
      "You must provide the x-amz-decoded-content-length HTTP header.",
    );
  }

  const contentMd5 = headers["content-md5"];
  if (contentMd5 !== undefined && strictBase64(String(contentMd5).trim(), 16) === undefined) {
    throw new S3Error("InvalidDigest", "The Content-MD5 you specified was invalid.", {
      "Content-MD5": String(contentMd5),
    });
  }
  const wanted = wantedChecksum(headers, trailer, options);

  const digested = { sha256: sha256 !== undefined, checksum: wanted?.algorithm };
  let outcome: ReturnType<Payload["result"]> | undefined;

  function whole(): Buffer | undefined {
    if (streaming || length === undefined || length > atOnce) return undefined;
    const bytes = source.arrived?.(length);
    if (bytes === undefined) return undefined;
    outcome = verify(digestsOf(bytes, digested));
    return bytes;
  }

  async function* read(): AsyncGenerator<Buffer, void, undefined> {
    let count = 0;
    let body: AsyncIterable<Buffer> = received(source, contentLength);
    if (streaming) {
      body = decodeAwsChunked(body, {
        signature: signed ? signature : undefined,
        trailer,
        signedTrailer: signed && trailer,
        onTrailer(name, value) {
          const algorithm = algorithmOfHeader(name);
          if (algorithm === undefined || options.ignoreChecksums) return;
          if (!wanted?.fromTrailer || wanted.algorithm !== algorithm || wanted.value !== undefined) {
            throw badTrailer();
          }
          checkForm(algorithm, value);
          wanted.value = value;
        },
      });
    }
    const digests = createDigests(digested, length);
    try {
      for await (const chunk of body) {
        count += chunk.length;
        if (length !== undefined && count > length) throw incomplete();
        const hashing = digests.update(chunk);
        if (hashing) await hashing;
        yield chunk;
      }
      if (length !== undefined && count !== length) throw incomplete();
      outcome = verify(await digests.finish());
    } finally {
      digests.close();
    }
  }

  /** @throws S3Error when the body is not what the headers and trailers say */
  function verify({ md5, sha256: computed, checksum }: BodyDigests): ReturnType<Payload["result"]> {
    if (sha256 !== undefined && computed !== sha256) {
      throw new S3Error(
        "XAmzContentSHA256Mismatch",
        "The provided 'x-amz-content-sha256' header does not match what was computed.",
        { ClientComputedContentSHA256: sha256, S3ComputedContentSHA256: computed ?? "" },
      );
    }
    if (contentMd5 !== undefined) {
      const calculated = Buffer.from(md5, "hex").toString("base64");
      if (calculated !== String(contentMd5).trim())
        throw new S3Error("BadDigest", "The Content-MD5 you specified did not match what we received.", {
          ExpectedDigest: String(contentMd5),
          CalculatedDigest: calculated,
        });
    }
    if (wanted === undefined || checksum === undefined) return { md5 };
    if (wanted.fromTrailer && wanted.value === undefined) throw badTrailer();
    if (wanted.value !== undefined && wanted.value !== checksum) {
      throw new S3Error(
        "BadDigest",
        `The ${wanted.algorithm} you specified did not match the calculated checksum.`,
      );
    }
    return { md5, checksum: { algorithm: wanted.algorithm, value: checksum } };
  }

  return {
    chunks: read(),
    length,
    whole,
    result() {
      if (outcome === undefined) throw new Error("The body has not been read to its end.");
      return outcome;
    },
  };
}

function invalidPayloadHash(): S3Error {
  return new S3Error(
    "InvalidArgument",
    "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER or a valid sha256 value.",
    { ArgumentName: "x-amz-content-sha256" },
  );
}
