import { createHash, createHmac } from "node:crypto";
import { crc32 } from "node:zlib";
import { SignatureV4 } from "@smithy/signature-v4";

/** The keys that every server of a run is started with: s3rver knows this one id, MinIO wants a longer secret. */
export const accessKeyId = "S3RVER";
export const secretAccessKey = "S3RVER-S3RVER";

/** A hash in the form that the AWS SDK's signer wants. */
class Sha256 {
  readonly #hash;
  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.#hash =
      secret === undefined ? createHash("sha256") : createHmac("sha256", Buffer.from(secret as string));
  }
  update(data: Uint8Array): void {
    this.#hash.update(data);
  }
  async digest(): Promise<Uint8Array> {
    return this.#hash.digest();
  }
  reset(): void {}
}

const signer = new SignatureV4({
  service: "s3",
  region: "us-east-1",
  credentials: { accessKeyId, secretAccessKey },
  sha256: Sha256,
  uriEscapePath: false,
});

export interface RequestShape {
  readonly method: string;
  readonly path: string;
  readonly query?: Record<string, string>;
  /** By lower-case names. */
  readonly headers?: Record<string, string>;
  readonly body?: Buffer;
}

const sums = new WeakMap<Buffer, Record<string, string>>();

/** Length and checksums as boto3 sends them over plain HTTP. */
function bodyHeaders(body: Buffer): Record<string, string> {
  let known = sums.get(body);
  if (!known) {
    const crc = Buffer.alloc(4);
    crc.writeUInt32BE(crc32(body));
    known = {
      "content-length": String(body.length),
      "x-amz-content-sha256": createHash("sha256").update(body).digest("hex"),
      "x-amz-checksum-crc32": crc.toString("base64"),
      "x-amz-sdk-checksum-algorithm": "CRC32",
    };
    sums.set(body, known);
  }
  return known;
}

const emptyHash = createHash("sha256").digest("hex");

/** The head of a signed HTTP/1.1 request, up to and with its empty line. */
export async function signedHead(port: number, shape: RequestShape): Promise<Buffer> {
  const signed = await signer.sign({
    method: shape.method,
    protocol: "http:",
    hostname: "127.0.0.1",
    port,
    path: shape.path,
    query: shape.query ?? {},
    headers: {
      host: `127.0.0.1:${port}`,
      ...shape.headers,
      ...(shape.body ? bodyHeaders(shape.body) : { "x-amz-content-sha256": emptyHash }),
    },
  });
  const query = new URLSearchParams(shape.query).toString().replaceAll("+", "%20");
  const headers = Object.entries(signed.headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.from(
    `${shape.method} ${shape.path}${query && `?${query}`} HTTP/1.1\r\n${headers.join("")}\r\n`,
  );
}

/** Sends one signed request. @returns the body of the answer. @throws Error that has it, when it is no success */
export async function ask(port: number, shape: RequestShape): Promise<string> {
  const lines = (await signedHead(port, shape)).toString().split("\r\n").filter(Boolean);
  const [, target = ""] = lines[0]!.split(" ");
  const headers = lines.slice(1).map((line): [string, string] => {
    const colon = line.indexOf(": ");
    return [line.slice(0, colon), line.slice(colon + 2)];
  });
  const allowed = headers.filter(([name]) => name !== "host" && name !== "content-length");
  const body = shape.body && new Uint8Array(shape.body);
  const answer = await fetch(`http://127.0.0.1:${port}${target}`, {
    method: shape.method,
    headers: allowed,
    body,
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${shape.method} ${shape.path}: ${answer.status}\n${text}`);
  return text;
}
