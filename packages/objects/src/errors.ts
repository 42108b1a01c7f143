/** Refusals of S3's semantics, by S3's own error codes (Amazon S3 API reference, "Error responses"). */
export type ObjectsErrorCode =
  | "BadDigest"
  | "BucketAlreadyExists"
  | "BucketAlreadyOwnedByYou"
  | "BucketNotEmpty"
  | "EntityTooLarge"
  | "EntityTooSmall"
  | "InternalError"
  | "InvalidArgument"
  | "InvalidBucketName"
  | "InvalidPart"
  | "InvalidPartOrder"
  | "InvalidRange"
  | "InvalidRequest"
  | "InvalidTag"
  | "KeyTooLongError"
  | "MetadataTooLarge"
  | "NoSuchBucket"
  | "NoSuchKey"
  | "NoSuchUpload"
  | "NoSuchVersion"
  | "PreconditionFailed"
  | "NotModified"
  | "ConditionalRequestConflict"
  | "ServiceUnavailable"
  | "SlowDown"
  | "XMinioStorageFull"
  | "AccessDenied"
  | "IncompleteBody";

/** An operation that S3 would refuse; `code` is S3's. */
export class ObjectsError extends Error {
  readonly code: ObjectsErrorCode;
  readonly detail: Readonly<Record<string, string>>;
  constructor(code: ObjectsErrorCode, message: string, detail: Record<string, string> = {}) {
    super(message);
    this.name = "ObjectsError";
    this.code = code;
    this.detail = detail;
  }
}
