import { createHash, createHmac, type Hash, hash } from "node:crypto";
import { sameSignature, type Verified } from "../auth/credentials.ts";
import { S3Error } from "../errors.ts";

export interface AwsChunkedOptions {
  /** What the chunks' signatures start from; absent when they have none. */
  readonly signature?: Verified["chunks"];
  /** Trailing headers may follow the last chunk. */
  readonly trailer: boolean;
  /** The trailing headers are signed. */
  readonly signedTrailer: boolean;
  onTrailer(name: string, value: string): void;
}

const maxLine = 8192;
const emptyHash = hash("sha256", "", "hex");
const nothing = Buffer.alloc(0);

function incomplete(): S3Error {
  return new S3Error("IncompleteBody", "The request body ended before its last chunk was complete.");
}

function mismatch(): S3Error {
  return new S3Error(
    "SignatureDoesNotMatch",
    "The signature of a chunk that we calculated does not match the signature you provided.",
  );
}

/**
 * Takes a body in `aws-chunked` apart and checks the signature of each chunk. Data is given on before its
 * chunk's signature is known to be right, so use it for good only once the iteration has ended.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html
 */
export async function* decodeAwsChunked(
  source: AsyncIterable<Buffer>,
  options: AwsChunkedOptions,
): AsyncGenerator<Buffer, void, undefined> {
  const { signature } = options;
  let previous = signature?.seedSignature ?? "";
  const parser: { state: "header" | "data" | "data-end" | "trailer" | "end" } = { state: "header" };
  let line: Buffer = nothing;
  let remaining = 0;
  let claimed = "";
  let digest: Hash | undefined;
  let trailers = "";
  let trailerSigned = false;

  const sign = (kind: string, rest: string): string =>
    createHmac("sha256", signature!.signingKey)
      .update(`${kind}\n${signature!.date}\n${signature!.scope}\n${previous}\n${rest}`)
      .digest("hex");

  const checkChunk = (): void => {
    if (signature === undefined) return;
    const sum = digest === undefined ? emptyHash : digest.digest("hex");
    digest = undefined;
    const expected = sign("AWS4-HMAC-SHA256-PAYLOAD", `${emptyHash}\n${sum}`);
    if (!sameSignature(expected, claimed)) throw mismatch();
    previous = expected;
  };

  const startChunk = (text: string): void => {
    const parts = text.split(";");
    const size = parts[0]!.trim();
    if (!/^[0-9a-fA-F]{1,12}$/.test(size)) {
      throw new S3Error("InvalidChunkSizeError", "A chunk of the request body has an invalid size.");
    }
    remaining = Number.parseInt(size, 16);
    claimed = "";
    for (const part of parts.slice(1)) {
      if (part.trim().startsWith("chunk-signature=")) claimed = part.trim().slice(16);
    }
    if (signature !== undefined && claimed === "") throw mismatch();
    if (remaining === 0) {
      checkChunk();
      parser.state = "trailer";
    } else {
      if (signature !== undefined) digest = createHash("sha256");
      parser.state = "data";
    }
  };

  const trailerLine = (text: string): void => {
    if (text === "") {
      // AWS's own example has an empty line between the trailers and their signature.
      if (options.signedTrailer && !trailerSigned && trailers !== "") return;
      if (options.signedTrailer && !trailerSigned) throw mismatch();
      parser.state = "end";
      return;
    }
    const colon = text.indexOf(":");
    if (!options.trailer || colon < 1 || trailerSigned) {
      throw new S3Error("InvalidRequest", "The request contained trailing data that was not well-formed.");
    }
    const name = text.slice(0, colon).trim().toLowerCase();
    const value = text.slice(colon + 1).trim();
    if (name === "x-amz-trailer-signature") {
      if (signature !== undefined && options.signedTrailer) {
        const expected = sign(
          "AWS4-HMAC-SHA256-TRAILER",
          hash("sha256", Buffer.from(trailers, "latin1"), "hex"),
        );
        if (!sameSignature(expected, value)) throw mismatch();
      }
      trailerSigned = true;
      return;
    }
    trailers += `${name}:${value}\n`;
    if (trailers.length > maxLine) {
      throw new S3Error("InvalidRequest", "The trailing headers of the request are too long.");
    }
    options.onTrailer(name, value);
  };

  for await (const piece of source) {
    let at = 0;
    while (at < piece.length) {
      if (parser.state === "data") {
        const end = Math.min(piece.length, at + remaining);
        const data = at === 0 && end === piece.length ? piece : piece.subarray(at, end);
        remaining -= data.length;
        at = end;
        digest?.update(data);
        if (remaining === 0) {
          checkChunk();
          parser.state = "data-end";
        }
        yield data;
        continue;
      }
      if (parser.state === "end") {
        throw new S3Error("InvalidRequest", "The request body has data after its last chunk.");
      }
      const newline = piece.indexOf(10, at);
      const end = newline < 0 ? piece.length : newline;
      if (line.length + end - at > maxLine) {
        throw new S3Error(
          "InvalidChunkSizeError",
          "A line between the chunks of the request body is too long.",
        );
      }
      const part = piece.subarray(at, end);
      line = line.length === 0 ? part : Buffer.concat([line, part]);
      at = end + 1;
      if (newline < 0) break;
      let text = line.toString("latin1");
      line = nothing;
      if (text.endsWith("\r")) text = text.slice(0, -1);
      if (parser.state === "header") startChunk(text);
      else if (parser.state === "trailer") trailerLine(text);
      else if (text === "") parser.state = "header";
      else throw new S3Error("InvalidChunkSizeError", "A chunk of the request body is longer than its size.");
    }
  }
  const ended = parser.state === "end" || (parser.state === "trailer" && trailerSigned && line.length === 0);
  if (!ended) throw incomplete();
}
