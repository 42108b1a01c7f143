import { createHmac } from "node:crypto";
import { S3Error } from "../errors.ts";
import { parseCredential } from "./authorization.ts";
import { type Credential, sameSignature } from "./credentials.ts";
import { requireV2 } from "./sigv2.ts";
import { parseAmzDate, signingKey } from "./sigv4.ts";

export interface PostPolicyOptions {
  lookup(id: string): Credential | undefined;
  /** Milliseconds since 1970; the clock when absent. */
  readonly now?: number;
  readonly v2Allowed: boolean;
  /** The bucket that the form was posted to. */
  readonly bucket: string;
}

/** Who signed a form, and how long its file may be. */
export interface PostPolicyResult {
  /** Undefined for a form without a policy. */
  readonly credential: Credential | undefined;
  readonly minLength?: number;
  readonly maxLength?: number;
}

/** Fields that no condition has to cover. */
const uncovered = new Set(["policy", "x-amz-signature", "signature", "awsaccesskeyid", "file"]);

function invalid(message: string): S3Error {
  return new S3Error("InvalidPolicyDocument", `Invalid Policy: ${message}`);
}

function denied(message: string): S3Error {
  return new S3Error("AccessDenied", `Invalid according to Policy: ${message}`);
}

function required(fields: ReadonlyMap<string, string>, name: string): string {
  const value = fields.get(name);
  if (value !== undefined && value !== "") return value;
  throw new S3Error("InvalidArgument", `Bucket POST must contain a field named '${name}'.`, {
    ArgumentName: name,
  });
}

function signer(fields: ReadonlyMap<string, string>, policy: string, options: PostPolicyOptions): Credential {
  const v4 = ["x-amz-algorithm", "x-amz-credential", "x-amz-signature"].some((name) => fields.has(name));
  let id: string;
  let given: string;
  let sign: (secret: string) => string;
  if (v4) {
    if (required(fields, "x-amz-algorithm") !== "AWS4-HMAC-SHA256") {
      throw new S3Error("InvalidArgument", 'X-Amz-Algorithm only supports "AWS4-HMAC-SHA256"', {
        ArgumentName: "x-amz-algorithm",
      });
    }
    const scope = parseCredential(required(fields, "x-amz-credential"), "AuthorizationQueryParametersError");
    const date = required(fields, "x-amz-date");
    if (Number.isNaN(parseAmzDate(date)) || !date.startsWith(scope.date)) {
      throw new S3Error("InvalidArgument", "X-Amz-Date is malformed or not of the day in X-Amz-Credential.", {
        ArgumentName: "x-amz-date",
      });
    }
    id = scope.accessKeyId;
    given = required(fields, "x-amz-signature");
    sign = (secret) =>
      createHmac("sha256", signingKey(secret, scope.date, scope.region))
        .update(policy)
        .digest("hex");
  } else {
    id = required(fields, "awsaccesskeyid");
    given = required(fields, "signature");
    requireV2(options.v2Allowed);
    sign = (secret) => createHmac("sha1", secret).update(policy).digest("base64");
  }
  const credential = options.lookup(id);
  if (credential === undefined) {
    throw new S3Error(
      "InvalidAccessKeyId",
      "The AWS Access Key Id you provided does not exist in our records.",
      { AWSAccessKeyId: id },
    );
  }
  if (!sameSignature(sign(credential.secretAccessKey), given)) {
    throw new S3Error(
      "SignatureDoesNotMatch",
      "The request signature we calculated does not match the signature you provided. Check your key and signing method.",
      { AWSAccessKeyId: id, StringToSign: policy, SignatureProvided: given },
    );
  }
  return credential;
}

function parsePolicy(policy: string): { expiration: number; conditions: unknown[] } {
  let document: unknown;
  try {
    document = JSON.parse(Buffer.from(policy, "base64").toString("utf8"));
  } catch {
    throw invalid("Invalid JSON.");
  }
  if (typeof document !== "object" || document === null || Array.isArray(document)) {
    throw invalid("Invalid JSON.");
  }
  const { expiration, conditions } = document as { expiration?: unknown; conditions?: unknown };
  if (typeof expiration !== "string") throw invalid("Policy missing 'expiration'.");
  if (!Array.isArray(conditions)) throw invalid("Policy missing 'conditions'.");
  const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/.test(expiration)
    ? Date.parse(expiration)
    : Number.NaN;
  if (Number.isNaN(time)) throw invalid(`Invalid 'expiration' value: '${expiration}'`);
  return { expiration: time, conditions };
}

function wholeNumber(value: unknown): number {
  const number = typeof value === "string" && /^\d{1,15}$/.test(value) ? Number(value) : value;
  if (typeof number === "number" && Number.isSafeInteger(number) && number >= 0) return number;
  throw invalid("Invalid content-length-range: it must have two whole numbers.");
}

function startsWith(name: string, value: string, prefix: string): boolean {
  // A Content-Type may be a list: then each one of it has to begin so.
  if (name === "content-type" && value.includes(",")) {
    return value.split(",").every((one) => one.trim().startsWith(prefix));
  }
  return value.startsWith(prefix);
}

function text(condition: readonly unknown[]): string {
  return `[${condition.map((part) => JSON.stringify(part)).join(", ")}]`;
}

/**
 * Checks the signature, the expiration and the conditions of a form upload. `fields` has lower-case names and
 * a key in which `${filename}` has been replaced; without a policy the upload is anonymous.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-HTTPPOSTConstructPolicy.html
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-authentication-HTTPPOST.html
 */
export function verifyPostPolicy(
  fields: ReadonlyMap<string, string>,
  options: PostPolicyOptions,
): PostPolicyResult {
  const policy = fields.get("policy");
  if (policy === undefined) {
    for (const name of ["x-amz-signature", "x-amz-credential", "signature", "awsaccesskeyid"]) {
      if (fields.has(name)) required(fields, "policy");
    }
    return { credential: undefined };
  }
  const credential = signer(fields, policy, options);
  const { expiration, conditions } = parsePolicy(policy);
  if ((options.now ?? Date.now()) >= expiration) throw denied("Policy expired.");

  const values = new Map(fields);
  if (values.has("bucket") && values.get("bucket") !== options.bucket) {
    throw denied("The bucket in the form is not the one it was posted to.");
  }
  values.set("bucket", options.bucket);
  const covered = new Set<string>();
  let minLength: number | undefined;
  let maxLength: number | undefined;
  const match = (operator: string, field: string, wanted: unknown, condition: readonly unknown[]): void => {
    if (typeof wanted !== "string") throw invalid(`Invalid condition: ${text(condition)}`);
    const name = field.toLowerCase();
    const value = values.get(name) ?? "";
    const passes = operator === "eq" ? value === wanted : startsWith(name, value, wanted);
    if (!passes) throw denied(`Policy Condition failed: ${text(condition)}`);
    covered.add(name);
  };
  for (const condition of conditions) {
    if (Array.isArray(condition)) {
      const [first, second, third] = condition as unknown[];
      const operator = typeof first === "string" ? first.toLowerCase() : "";
      if (condition.length !== 3) throw invalid(`Invalid condition: ${text(condition)}`);
      if (operator === "content-length-range") {
        const low = wholeNumber(second);
        const high = wholeNumber(third);
        if (low > high) throw invalid("Invalid content-length-range: the least is above the most.");
        minLength = Math.max(minLength ?? 0, low);
        maxLength = Math.min(maxLength ?? high, high);
      } else if (
        (operator === "eq" || operator === "starts-with") &&
        typeof second === "string" &&
        second.startsWith("$")
      ) {
        match(operator, second.slice(1), third, condition);
      } else {
        throw invalid(`Invalid condition: ${text(condition)}`);
      }
    } else if (typeof condition === "object" && condition !== null) {
      const entries = Object.entries(condition as Record<string, unknown>);
      if (entries.length === 0) throw invalid("Invalid condition: {}");
      for (const [name, value] of entries) match("eq", name, value, ["eq", `$${name}`, value]);
    } else {
      throw invalid("A condition must be a list or an object.");
    }
  }
  const extra = [...values.keys()].filter(
    (name) =>
      !covered.has(name) &&
      !uncovered.has(name) &&
      !name.startsWith("x-ignore-") &&
      !name.startsWith("x-amz-checksum-"),
  );
  if (extra.length > 0) throw denied(`Extra input fields: ${extra.join(", ")}`);
  return { credential, minLength, maxLength };
}
