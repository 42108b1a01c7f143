import { createHmac, hash } from "node:crypto";
import { S3Error } from "../errors.ts";
import {
  algorithm,
  type Claimed,
  type CredentialScope,
  type MalformedCode,
  parseAuthorization,
  parseCredential,
} from "./authorization.ts";
import {
  awsEncode,
  type Credential,
  collapse,
  headerValue,
  maxSkew,
  parseQuery,
  percentDecode,
  type QueryPair,
  type SignedRequest,
  sameSignature,
  type Verified,
} from "./credentials.ts";
import { Hmac } from "./hmac.ts";

export type { SignedRequest, Verified } from "./credentials.ts";

const unsigned = "UNSIGNED-PAYLOAD";
const maxExpires = 604800;

export interface SigV4Options {
  lookup(id: string): Credential | undefined;
  /** Milliseconds since 1970; the clock when absent. */
  readonly now?: number;
  /** The only region to accept; any when absent. */
  readonly region?: string;
}

const cachedKeys = new Map<string, Buffer>();
const maxCachedKeys = 1000;
/** Nobody has verified what a client gives as its region yet. */
const longestCachedRegion = 64;

/**
 * The key that signs with `secret` on one day in one region; the last ones are kept.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
 */
export function signingKey(secret: string, date: string, region: string): Buffer {
  const name = `${secret}\n${date}\n${region}`;
  let key = cachedKeys.get(name);
  if (key === undefined) {
    const dateKey = createHmac("sha256", `AWS4${secret}`).update(date).digest();
    const regionKey = createHmac("sha256", dateKey).update(region).digest();
    const serviceKey = createHmac("sha256", regionKey).update("s3").digest();
    key = createHmac("sha256", serviceKey).update("aws4_request").digest();
    if (region.length > longestCachedRegion) return key;
    if (cachedKeys.size >= maxCachedKeys) cachedKeys.delete(cachedKeys.keys().next().value as string);
    cachedKeys.set(name, key);
  }
  return key;
}

interface Signer {
  readonly secret: string;
  readonly key: Buffer;
  readonly hmac: Hmac;
}

const signers = new WeakMap<CredentialScope, Signer>();

/** Signs in one scope; kept with it. */
function signerOf({ secretAccessKey: secret }: Credential, scope: CredentialScope): Signer {
  let signer = signers.get(scope);
  if (signer?.secret !== secret) {
    const key = signingKey(secret, scope.date, scope.region);
    signer = { secret, key, hmac: new Hmac(key) };
    signers.set(scope, signer);
  }
  return signer;
}

let latestDate = { text: "", time: Number.NaN };

/** Milliseconds of `YYYYMMDDTHHMMSSZ`; NaN when it is not such a time. */
export function parseAmzDate(value: string): number {
  // Requests come in runs of the same second.
  if (value !== latestDate.text) latestDate = { text: value, time: amzTime(value) };
  return latestDate.time;
}

function amzTime(value: string): number {
  if (value.length !== 16 || value[8] !== "T" || value[15] !== "Z") return Number.NaN;
  for (let i = 0; i < 15; i++) {
    const code = value.charCodeAt(i);
    if (i !== 8 && (code < 48 || code > 57)) return Number.NaN;
  }
  const month = +value.slice(4, 6);
  const day = +value.slice(6, 8);
  if (month < 1 || month > 12 || day < 1 || day > 31) return Number.NaN;
  return Date.UTC(
    +value.slice(0, 4),
    month - 1,
    day,
    +value.slice(9, 11),
    +value.slice(11, 13),
    +value.slice(13, 15),
  );
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function canonicalUri(rawPath: string): string {
  if (rawPath === "") return "/";
  if (/^[A-Za-z0-9\-._~/]*$/.test(rawPath)) return rawPath;
  return awsEncode(percentDecode(rawPath, false), true);
}

function canonicalQuery(pairs: readonly QueryPair[], without: string | undefined): string {
  if (pairs.length === 0) return "";
  const sorted: [string, string][] = [];
  for (const pair of pairs) {
    if (pair.name === without) continue;
    sorted.push([awsEncode(pair.name, false), awsEncode(pair.value, false)]);
  }
  if (sorted.length > 1) sorted.sort((a, b) => compare(a[0], b[0]) || compare(a[1], b[1]));
  let out = "";
  for (const [name, value] of sorted) out += `${out === "" ? "" : "&"}${name}=${value}`;
  return out;
}

/** Refuses a request whose host or x-amz-* headers are not among those signed. */
function requireSigned(request: SignedRequest, signed: readonly string[], presigned: boolean): void {
  const missing: string[] = [];
  if (!signed.includes("host")) missing.push("host");
  for (const name in request.headers) {
    if (!name.startsWith("x-amz-") || signed.includes(name)) continue;
    // The signature covers its value in any case: it is the last line of the canonical request.
    if (name === "x-amz-content-sha256" && !presigned) continue;
    missing.push(name);
  }
  if (missing.length > 0) {
    throw new S3Error("AccessDenied", "There were headers present in the request which were not signed", {
      HeadersNotSigned: missing.join(", "),
    });
  }
}

interface Claim extends Claimed {
  readonly signature: string;
  /** `YYYYMMDDTHHMMSSZ`. */
  readonly date: string;
  readonly payloadHash: string;
  readonly query: readonly QueryPair[];
  readonly presigned: boolean;
}

function checkRegion(scope: CredentialScope, options: SigV4Options, code: MalformedCode): void {
  if (options.region !== undefined && scope.region !== options.region) {
    throw new S3Error(
      code,
      `The authorization ${code === "AuthorizationHeaderMalformed" ? "header is malformed" : "query parameters are malformed"}; the region '${scope.region}' is wrong; expecting '${options.region}'`,
      { Region: options.region },
    );
  }
}

function verify(request: SignedRequest, options: SigV4Options, claim: Claim): Verified {
  const { signed } = claim;
  requireSigned(request, signed, claim.presigned);
  const id = claim.scope.accessKeyId;
  const credential = options.lookup(id);
  if (credential === undefined) {
    throw new S3Error(
      "InvalidAccessKeyId",
      "The AWS Access Key Id you provided does not exist in our records.",
      { AWSAccessKeyId: id },
    );
  }
  let headers = "";
  for (const name of signed) headers += `${name}:${collapse(headerValue(request.headers, name))}\n`;
  const canonical = `${request.method}\n${canonicalUri(request.rawPath)}\n${canonicalQuery(
    claim.query,
    claim.presigned ? "X-Amz-Signature" : undefined,
  )}\n${headers}\n${claim.signedHeaders}\n${claim.payloadHash}`;
  // Node gives headers one character per byte, so latin1 brings back the bytes that the client signed.
  const isAscii = Buffer.byteLength(canonical) === canonical.length;
  const bytes = isAscii ? canonical : Buffer.from(canonical, "latin1");
  const canonicalHash = hash("sha256", bytes, "hex");
  const stringToSign = `${algorithm}\n${claim.date}\n${claim.scope.scope}\n${canonicalHash}`;
  const { key, hmac } = signerOf(credential, claim.scope);
  const expected = hmac.sign(stringToSign);
  if (!sameSignature(expected, claim.signature)) {
    throw new S3Error(
      "SignatureDoesNotMatch",
      "The request signature we calculated does not match the signature you provided. Check your key and signing method.",
      {
        AWSAccessKeyId: id,
        StringToSign: stringToSign,
        SignatureProvided: claim.signature,
        CanonicalRequest: canonical,
      },
    );
  }
  if (!claim.payloadHash.startsWith("STREAMING-AWS4-HMAC-SHA256-PAYLOAD")) {
    return { credential, payloadHash: claim.payloadHash };
  }
  return {
    credential,
    payloadHash: claim.payloadHash,
    chunks: { signingKey: key, scope: claim.scope.scope, date: claim.date, seedSignature: expected },
  };
}

function verifyHeader(request: SignedRequest, options: SigV4Options, header: string): Verified {
  const code = "AuthorizationHeaderMalformed";
  const { claimed, signature } = parseAuthorization(header);
  const { scope, signedHeaders, signed } = claimed;
  checkRegion(scope, options, code);

  let date = headerValue(request.headers, "x-amz-date") || headerValue(request.headers, "date");
  let time = parseAmzDate(date);
  if (Number.isNaN(time) && headerValue(request.headers, "x-amz-date") === "") {
    time = Date.parse(date);
    if (Math.abs(time) < 8.64e15) {
      date = new Date(time).toISOString().replace(/[-:]|\.\d+/g, "");
    }
  }
  if (Number.isNaN(time)) {
    throw new S3Error("AccessDenied", "AWS authentication requires a valid Date or x-amz-date header");
  }
  const now = options.now ?? Date.now();
  if (Math.abs(now - time) > maxSkew) throw tooSkewed(date, now);
  if (!date.startsWith(scope.date)) {
    throw new S3Error(
      code,
      `The authorization header is malformed; Invalid credential date "${scope.date}". This date is not the same as X-Amz-Date: "${date.slice(0, 8)}".`,
    );
  }
  const payloadHash = headerValue(request.headers, "x-amz-content-sha256");
  if (payloadHash === "") {
    throw new S3Error("InvalidRequest", "Missing required header for this request: x-amz-content-sha256");
  }
  const query = parseQuery(request.rawQuery);
  return verify(request, options, {
    scope,
    signedHeaders,
    signed,
    signature,
    date,
    payloadHash,
    query,
    presigned: false,
  });
}

/** The error for a clock that is too far from ours. */
export function tooSkewed(requestTime: string, now: number): S3Error {
  return new S3Error(
    "RequestTimeTooSkewed",
    "The difference between the request time and the server's time is too large.",
    {
      RequestTime: requestTime,
      ServerTime: new Date(now).toISOString(),
      MaxAllowedSkewMilliseconds: String(maxSkew),
    },
  );
}

function verifyQuery(request: SignedRequest, options: SigV4Options, query: readonly QueryPair[]): Verified {
  const code = "AuthorizationQueryParametersError";
  const fields = new Map<string, string>();
  let payloadHash: string | undefined;
  for (const { name, value } of query) {
    if (!name.startsWith("X-Amz-") && !name.startsWith("x-amz-")) continue;
    if (fields.has(name)) throw new S3Error(code, `The query parameter ${name} was given more than once.`);
    fields.set(name, value);
    if (name.toLowerCase() === "x-amz-content-sha256") {
      if (payloadHash !== undefined) throw new S3Error(code, `The query parameter ${name} was given twice.`);
      payloadHash = value;
    }
  }
  const required = ["Algorithm", "Credential", "Signature", "Date", "SignedHeaders", "Expires"];
  const [given, credential, signature, date, signedHeaders, expires] = required.map((name) => {
    const value = fields.get(`X-Amz-${name}`);
    if (value !== undefined && value !== "") return value;
    throw new S3Error(
      code,
      "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.",
    );
  }) as [string, string, string, string, string, string];
  if (given !== algorithm) throw new S3Error(code, `X-Amz-Algorithm only supports "${algorithm}"`);
  const scope = parseCredential(credential, code);
  checkRegion(scope, options, code);
  const time = parseAmzDate(date);
  if (Number.isNaN(time)) {
    throw new S3Error(code, "X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\"");
  }
  if (!date.startsWith(scope.date)) {
    throw new S3Error(
      code,
      `Invalid credential date "${scope.date}". This date is not the same as X-Amz-Date: "${date.slice(0, 8)}".`,
    );
  }
  if (!/^-?\d+$/.test(expires)) throw new S3Error(code, "X-Amz-Expires should be a number");
  const seconds = Number(expires);
  if (seconds < 0) throw new S3Error(code, "X-Amz-Expires must be non-negative");
  if (seconds > maxExpires) {
    throw new S3Error(code, "X-Amz-Expires must be less than a week (in seconds) that is 604800");
  }
  const now = options.now ?? Date.now();
  if (time - now > maxSkew) throw new S3Error("AccessDenied", "Request is not yet valid");
  if (now > time + seconds * 1000) {
    throw new S3Error("AccessDenied", "Request has expired", {
      "X-Amz-Expires": expires,
      Expires: new Date(time + seconds * 1000).toISOString(),
      ServerTime: new Date(now).toISOString(),
    });
  }
  // A header that is not signed is refused further down.
  payloadHash ??= headerValue(request.headers, "x-amz-content-sha256") || unsigned;
  return verify(request, options, {
    scope,
    signedHeaders,
    signed: signedHeaders.split(";"),
    signature,
    date,
    payloadHash,
    query,
    presigned: true,
  });
}

/**
 * Checks an AWS Signature Version 4, in the Authorization header or in the query (presigned).
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
 */
export function verifySigV4(request: SignedRequest, options: SigV4Options): Verified {
  const header = request.headers.authorization;
  if (header !== undefined) {
    if (!header.startsWith(`${algorithm} `)) {
      throw new S3Error("InvalidArgument", "Unsupported Authorization Type", {
        ArgumentName: "Authorization",
      });
    }
    return verifyHeader(request, options, header);
  }
  return verifyQuery(request, options, parseQuery(request.rawQuery));
}
