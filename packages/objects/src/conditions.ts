import { ObjectsError } from "./errors.ts";
import type { Conditions } from "./metadata.ts";

interface Current {
  readonly etag: string;
  readonly modified: number;
}

const listed = (list: string, etag: string) =>
  list.split(",").some((one) => {
    const tag = one
      .trim()
      .replace(/^W\//, "")
      .replace(/^"(.*)"$/, "$1");
    return tag === "*" || tag === etag;
  });

/** What a 304 must carry (RFC 9110 section 15.4.5). */
const notModified = ({ etag, modified }: Current) =>
  new ObjectsError("NotModified", "Not Modified", {
    ETag: etag,
    LastModified: new Date(modified).toUTCString(),
  });

const seconds = (milliseconds: number) => Math.floor(milliseconds / 1000);

function refuse(condition: string): never {
  throw new ObjectsError(
    "PreconditionFailed",
    "At least one of the pre-conditions you specified did not hold",
    {
      Condition: condition,
    },
  );
}

/** Conditions of GET and HEAD, in the order of RFC 9110 section 13.2.2. @throws NotModified, PreconditionFailed */
export function checkRead(conditions: Conditions, current: Current): void {
  const { ifMatch, ifNoneMatch, ifModifiedSince, ifUnmodifiedSince } = conditions;
  if (ifMatch !== undefined) {
    if (!listed(ifMatch, current.etag)) refuse("If-Match");
  } else if (ifUnmodifiedSince !== undefined && seconds(current.modified) > seconds(ifUnmodifiedSince))
    refuse("If-Unmodified-Since");
  if (ifNoneMatch !== undefined) {
    if (listed(ifNoneMatch, current.etag)) throw notModified(current);
  } else if (ifModifiedSince !== undefined && seconds(current.modified) <= seconds(ifModifiedSince))
    throw notModified(current);
}

/**
 * Conditions of a write (S3 user guide, "Conditional requests").
 * @throws NoSuchKey for If-Match on a missing object, PreconditionFailed
 */
export function checkWrite(conditions: Conditions | undefined, current: Current | undefined): void {
  if (!conditions) return;
  const { ifMatch, ifNoneMatch, ifUnmodifiedSince } = conditions;
  if (ifMatch !== undefined) {
    if (!current) throw new ObjectsError("NoSuchKey", "The specified key does not exist.");
    if (!listed(ifMatch, current.etag)) refuse("If-Match");
  }
  if (ifNoneMatch !== undefined && current && listed(ifNoneMatch, current.etag)) refuse("If-None-Match");
  if (ifUnmodifiedSince !== undefined && current && seconds(current.modified) !== seconds(ifUnmodifiedSince))
    refuse("If-Unmodified-Since");
}

/**
 * Conditions on the source of a copy, and on both ends of a rename: every failure is 412 (CopyObject and
 * RenameObject, API reference). `prefix` is that of their headers.
 */
export function checkCopySource(
  conditions: Conditions | undefined,
  current: Current,
  prefix = "x-amz-copy-source-",
): void {
  if (!conditions) return;
  try {
    checkRead(conditions, current);
  } catch (error) {
    if (error instanceof ObjectsError && error.code === "NotModified") refuse(`${prefix}If-None-Match`);
    throw error;
  }
}
