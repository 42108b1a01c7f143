import { SqlError } from "../error.ts";
import type { Settings } from "./options.ts";

/** What was asked for, for messages. */
export interface Asked {
  readonly bucket?: string;
  readonly key?: string;
}

/** What the AWS SDK and Node.js put on the errors that they throw. */
interface ServiceError extends Error {
  readonly Code?: string;
  readonly code?: string;
  readonly $metadata?: { readonly httpStatusCode?: number };
  readonly $response?: { readonly headers?: Readonly<Record<string, string>> };
  readonly Region?: string;
}

/** The code of an S3 error (`NoSuchKey`), of Node.js (`ECONNREFUSED`) or of the SDK (`TimeoutError`). */
export function errorCode(error: unknown): string {
  const { name, Code, code } = error as ServiceError;
  if (name === "AggregateError" && code) return code;
  return Code ?? (name && name !== "Error" && name !== "TypeError" ? name : (code ?? ""));
}

export const statusOf = (error: unknown) => (error as ServiceError).$metadata?.httpStatusCode;

/** A missing object: HEAD's answer has no body and so no code. */
export const isMissing = (error: unknown) =>
  ["NoSuchKey", "NotFound", "404"].includes(errorCode(error)) ||
  (statusOf(error) === 404 && errorCode(error) !== "NoSuchBucket");

/** A condition on an ETag that did not hold, or another write to the same key at the same time. */
export const isConflict = (error: unknown) =>
  ["PreconditionFailed", "ConditionalRequestConflict"].includes(errorCode(error)) || statusOf(error) === 412;

const unreachable = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "EADDRNOTAVAIL",
  "ECONNRESET",
  "EPIPE",
  "EPROTO",
]);

/** The error as PostgreSQL tells it; never with keys or signed addresses in it. */
export function sqlError(error: unknown, settings: Settings, asked: Asked = {}): unknown {
  if (error instanceof SqlError) return error;
  const code = errorCode(error);
  const status = statusOf(error);
  const { message } = error as Error;
  const where = settings.endpoint.host;
  const object =
    asked.key === undefined
      ? `bucket "${asked.bucket}"`
      : `object "${asked.key}" in bucket "${asked.bucket}"`;
  const make = (sqlState: string, text: string, hint?: string) =>
    new SqlError(sqlState, text, {
      cause: error,
      hint,
      detail: message && message !== code ? `S3 answers ${code || status}: ${message}` : undefined,
    });

  if (code === "AbortError")
    return new SqlError("57014", "the request to S3 was cancelled", { cause: error });
  if (code === "TimeoutError" || code === "ETIMEDOUT" || code === "RequestTimeout")
    return make(
      "08006",
      `${where} did not answer within ${settings.timeout} ms`,
      "see whether the service is well, or set the server option request_timeout higher",
    );
  if (unreachable.has(code))
    return new SqlError("08001", `could not reach S3 at ${where}: ${code}`, {
      cause: error,
      hint: "see whether the service runs, and the server option endpoint",
    });
  if (/CERT|SELF_SIGNED|UNABLE_TO_VERIFY|ERR_TLS|ERR_SSL/.test(code))
    return new SqlError("08001", `no trusted TLS connection to ${where}: ${code}`, {
      cause: error,
      hint: "start the SQL server with NODE_EXTRA_CA_CERTS naming the certificate authority's file",
    });
  switch (code) {
    case "NoSuchBucket":
    case "InvalidBucketName":
      return make("42P01", `bucket "${asked.bucket}" does not exist`, "see the option bucket");
    case "NoSuchKey":
      return make("58P01", `${object} does not exist`);
    case "AccessDenied":
    case "AllAccessDisabled":
    case "AccountProblem":
      return make(
        "42501",
        `S3 denies access to ${object}`,
        settings.keys
          ? "the access key needs s3:ListBucket, s3:GetObject and for writes s3:PutObject, s3:DeleteObject"
          : "give access_key_id and secret_access_key: requests are anonymous without",
      );
    case "InvalidAccessKeyId":
    case "ExpiredToken":
    case "InvalidToken":
    case "TokenRefreshRequired":
      return make(
        "28000",
        `S3 at ${where} refuses the access key`,
        "see access_key_id, and session_token for temporary keys",
      );
    case "SignatureDoesNotMatch":
      return make("28P01", `S3 at ${where} refuses the signature`, "see secret_access_key");
    case "RequestTimeTooSkewed":
      return make("28000", `the clocks of the SQL server and of S3 at ${where} differ`, "set the clock");
    case "PermanentRedirect":
    case "AuthorizationHeaderMalformed":
    case "IllegalLocationConstraintException": {
      const region =
        (error as ServiceError).Region ?? (error as ServiceError).$response?.headers?.["x-amz-bucket-region"];
      return make(
        "08004",
        `bucket "${asked.bucket}" is in another region than ${settings.region}`,
        region ? `set the server option region to ${region}` : "see the server options region and endpoint",
      );
    }
    case "SlowDown":
    case "ThrottlingException":
    case "TooManyRequests":
    case "ServiceUnavailable":
      return make("53000", `S3 at ${where} asks for fewer requests`, "try again later");
    case "InvalidObjectState":
      return make("55000", `${object} is archived`, "restore it first");
    case "EntityTooLarge":
    case "MetadataTooLarge":
      return make("54000", `${object} or its metadata is larger than S3 takes`);
    case "NotImplemented":
    case "MethodNotAllowed":
      return make("0A000", `S3 at ${where} does not offer what ${object} would need`);
  }
  if (isConflict(error))
    return make("40001", `${object} was changed by another since it was read`, "run the transaction again");
  if (status === 403) return make("42501", `S3 denies access to ${object}`);
  if (status === 404) return make("58P01", `${object} does not exist`);
  return make("58000", `S3 at ${where} failed on ${object}: ${code || (status ?? message)}`);
}
