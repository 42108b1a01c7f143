import { createHmac } from "node:crypto";
import { S3Error } from "../errors.ts";
import {
  type Credential,
  collapse,
  headerValue,
  maxSkew,
  parseQuery,
  type QueryPair,
  type SignedRequest,
  sameSignature,
  type Verified,
} from "./credentials.ts";
import { parseAmzDate, tooSkewed } from "./sigv4.ts";

export interface SigV2Options {
  lookup(id: string): Credential | undefined;
  /** Milliseconds since 1970; the clock when absent. */
  readonly now?: number;
  /** The bucket, where the Host header names it and the path does not. */
  readonly bucketFromHost?: string;
  /** Path of the endpoint, such as `/s3`. */
  readonly basePath?: string;
  readonly allowed: boolean;
}

/** The query parameters that belong to the resource that is signed. */
const subresources = new Set([
  "accelerate",
  "acl",
  "analytics",
  "attributes",
  "cors",
  "defaultObjectAcl",
  "delete",
  "encryption",
  "intelligent-tiering",
  "inventory",
  "legal-hold",
  "lifecycle",
  "location",
  "logging",
  "metrics",
  "notification",
  "object-lock",
  "ownershipControls",
  "partNumber",
  "policy",
  "policyStatus",
  "publicAccessBlock",
  "replication",
  "requestPayment",
  "response-cache-control",
  "response-content-disposition",
  "response-content-encoding",
  "response-content-language",
  "response-content-type",
  "response-expires",
  "restore",
  "retention",
  "select",
  "select-type",
  "storageClass",
  "tagging",
  "torrent",
  "uploadId",
  "uploads",
  "versionId",
  "versioning",
  "versions",
  "website",
]);

/** Refuses Signature Version 2 where the operator has not asked for it. */
export function requireV2(allowed: boolean): void {
  if (!allowed) {
    throw new S3Error(
      "InvalidRequest",
      "Signature Version 2 is not allowed here. Start the server with --v2-auth to allow it, or sign with AWS Signature Version 4.",
    );
  }
}

/**
 * The resource as it may have been signed: boto3 and others write a slash behind a bucket, others none, and
 * they leave out the path of the endpoint, which others sign.
 */
function canonicalResources(
  { rawPath }: SignedRequest,
  query: readonly QueryPair[],
  { bucketFromHost: bucket, basePath }: SigV2Options,
): string[] {
  const listed = query.filter((pair) => subresources.has(pair.name));
  listed.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  const tail = listed.map((pair) =>
    pair.hasValue && pair.value !== "" ? `${pair.name}=${pair.value}` : pair.name,
  );
  const given = [rawPath];
  if (basePath && `${rawPath}/`.startsWith(`${basePath}/`)) given.push(rawPath.slice(basePath.length));
  const paths = given.flatMap((one) => {
    const path = `${bucket === undefined ? "" : `/${bucket}`}${one || "/"}`;
    return /^\/[^/]+$/.test(path) ? [path, `${path}/`] : [path];
  });
  return paths.map((one) => (tail.length === 0 ? one : `${one}?${tail.join("&")}`));
}

function canonicalAmzHeaders(request: SignedRequest): string {
  const names = Object.keys(request.headers).filter((name) => name.startsWith("x-amz-"));
  return names
    .sort()
    .map((name) => `${name}:${collapse(headerValue(request.headers, name))}\n`)
    .join("");
}

/**
 * Checks an AWS Signature Version 2, in the Authorization header or in the query.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/RESTAuthentication.html
 */
export function verifySigV2(request: SignedRequest, options: SigV2Options): Verified {
  requireV2(options.allowed);
  const now = options.now ?? Date.now();
  const query = parseQuery(request.rawQuery);
  const header = request.headers.authorization;
  let id: string;
  let signature: string;
  let dateLine: string;
  if (header !== undefined) {
    const colon = header.lastIndexOf(":");
    if (!header.startsWith("AWS ") || colon < 0) {
      throw new S3Error(
        "InvalidArgument",
        "AWS authorization header is invalid. Expected AwsAccessKeyId:signature",
        {
          ArgumentName: "Authorization",
        },
      );
    }
    id = header.slice(4, colon).trim();
    signature = header.slice(colon + 1).trim();
    const hasAmzDate = Object.hasOwn(request.headers, "x-amz-date");
    const date = headerValue(request.headers, hasAmzDate ? "x-amz-date" : "date");
    const basic = parseAmzDate(date);
    const time = Number.isNaN(basic) ? Date.parse(date) : basic;
    if (Number.isNaN(time) || time < 0) {
      throw new S3Error("AccessDenied", "AWS authentication requires a valid Date or x-amz-date header");
    }
    if (Math.abs(now - time) > maxSkew) throw tooSkewed(date, now);
    dateLine = hasAmzDate ? "" : date;
  } else {
    const one = (name: string): string => {
      const found = query.filter((pair) => pair.name === name);
      if (found.length === 1 && found[0]!.value !== "") return found[0]!.value;
      throw new S3Error(
        "AccessDenied",
        "Query-string authentication requires the Signature, Expires and AWSAccessKeyId parameters",
      );
    };
    id = one("AWSAccessKeyId");
    signature = one("Signature");
    dateLine = one("Expires");
    if (!/^\d{1,15}$/.test(dateLine)) {
      throw new S3Error("AccessDenied", `Invalid date (should be seconds since epoch): ${dateLine}`);
    }
    const expires = Number(dateLine) * 1000;
    if (now > expires) {
      throw new S3Error("AccessDenied", "Request has expired", {
        Expires: dateLine,
        ServerTime: new Date(now).toISOString(),
      });
    }
  }
  const credential = options.lookup(id);
  if (credential === undefined) {
    throw new S3Error(
      "InvalidAccessKeyId",
      "The AWS Access Key Id you provided does not exist in our records.",
      { AWSAccessKeyId: id },
    );
  }
  const beforeResource = `${request.method}\n${headerValue(request.headers, "content-md5")}\n${headerValue(
    request.headers,
    "content-type",
  )}\n${dateLine}\n${canonicalAmzHeaders(request)}`;
  const signs = (resource: string) =>
    sameSignature(
      createHmac("sha1", credential.secretAccessKey)
        .update(beforeResource + resource, "latin1")
        .digest("base64"),
      signature,
    );
  const resources = canonicalResources(request, query, options);
  if (!resources.some(signs)) {
    throw new S3Error(
      "SignatureDoesNotMatch",
      "The request signature we calculated does not match the signature you provided. Check your key and signing method.",
      { AWSAccessKeyId: id, StringToSign: beforeResource + resources[0], SignatureProvided: signature },
    );
  }
  return {
    credential,
    payloadHash: headerValue(request.headers, "x-amz-content-sha256") || "UNSIGNED-PAYLOAD",
  };
}
