import { S3Error } from "../errors.ts";
import { type Credential, parseQuery, type SignedRequest, type Verified } from "./credentials.ts";
import { verifySigV2 } from "./sigv2.ts";
import { verifySigV4 } from "./sigv4.ts";

export type { Credential, SignedRequest, Verified } from "./credentials.ts";
export { type PostPolicyOptions, verifyPostPolicy } from "./post-policy.ts";
export { verifySigV2 } from "./sigv2.ts";
export { verifySigV4 } from "./sigv4.ts";

export interface AuthOptions {
  lookup(id: string): Credential | undefined;
  /** Milliseconds since 1970; the clock when absent. */
  readonly now?: number;
  /** The only region to accept in a Signature Version 4; any when absent. */
  readonly region?: string;
  /** The bucket, where the Host header names it and the path does not (for Signature Version 2). */
  readonly bucketFromHost?: string;
  /** Path of the endpoint, such as `/s3` (for Signature Version 2). */
  readonly basePath?: string;
  /** Accept Signature Version 2. */
  readonly v2Allowed?: boolean;
}

/**
 * Finds who sent a request, by whichever kind of signature it has.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-authenticating-requests.html
 */
export function authenticate(request: SignedRequest, options: AuthOptions): Verified | "anonymous" {
  const header = request.headers.authorization;
  let v4 = false;
  let v2 = false;
  // The names are looked for decoded, as the verifiers see them.
  if (request.rawQuery !== "") {
    for (const { name } of parseQuery(request.rawQuery)) {
      if (name === "X-Amz-Algorithm" || name === "X-Amz-Signature" || name === "X-Amz-Credential") v4 = true;
      else if (name === "AWSAccessKeyId" || name === "Signature") v2 = true;
    }
  }
  if (Number(header !== undefined) + Number(v4) + Number(v2) > 1) {
    throw new S3Error(
      "InvalidArgument",
      "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string parameter or the Authorization header should be specified",
      { ArgumentName: "Authorization" },
    );
  }
  if (header !== undefined) {
    if (header.startsWith("AWS4-HMAC-SHA256 ")) return verifySigV4(request, options);
    if (header.startsWith("AWS "))
      return verifySigV2(request, { ...options, allowed: options.v2Allowed === true });
    throw new S3Error("InvalidArgument", "Unsupported Authorization Type", {
      ArgumentName: "Authorization",
      ArgumentValue: header.split(" ", 1)[0]!,
    });
  }
  if (v4) return verifySigV4(request, options);
  if (v2) return verifySigV2(request, { ...options, allowed: options.v2Allowed === true });
  return "anonymous";
}
