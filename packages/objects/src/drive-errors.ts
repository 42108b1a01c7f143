import { DriveError } from "@overcoat/drives";
import { ObjectsError } from "./errors.ts";

/** Turns a drive's refusal into S3's; waits only for work that does. */
export function translate<T>(work: () => Promise<T> | T): Promise<T> | T {
  try {
    const result = work();
    return result instanceof Promise ? result.catch(refuse) : result;
  } catch (error) {
    return refuse(error);
  }
}

function refuse(error: unknown): never {
  throw asObjectsError(error);
}

const seconds = (milliseconds: number) => String(Math.max(1, Math.ceil(milliseconds / 1000)));

/** Whether an object turned out to be another one, or gone, as it was read: asking again gives what is there now. */
export const isOutdated = (error: unknown): boolean =>
  error instanceof DriveError && (error.code === "Changed" || error.code === "NotFound");

/** The refusal of S3 that an error of a drive comes to; other errors as they are. */
export function asObjectsError(error: unknown): unknown {
  if (!(error instanceof DriveError)) {
    const code = (error as NodeJS.ErrnoException | undefined)?.code;
    return code === "ENOSPC" || code === "EDQUOT" ? full() : error;
  }
  const { code, message, retryAfter } = error;
  const wait: Record<string, string> =
    retryAfter === undefined ? {} : { RetryAfterSeconds: seconds(retryAfter) };
  switch (code) {
    case "Exists":
      return failedCondition("If-None-Match");
    case "Changed":
      return failedCondition("If-Match");
    case "NotAFolder":
    case "IsAFolder":
      return new ObjectsError(
        "ConditionalRequestConflict",
        "Another write took this name for a folder or a file meanwhile; try again.",
      );
    case "NoSpace":
      return full();
    case "NotFound":
      return new ObjectsError("NoSuchBucket", "The specified bucket does not exist");
    case "NameRefused":
      return new ObjectsError("InvalidArgument", `The drive cannot hold an object of this name: ${message}`);
    case "TooLarge":
      return new ObjectsError("EntityTooLarge", message);
    case "ReadOnly":
      return new ObjectsError("AccessDenied", "The drive is read-only.");
    case "Throttled":
      return new ObjectsError("SlowDown", "The drive asks for fewer requests; try again later.", wait);
    case "Unavailable":
    case "Gone":
      return new ObjectsError(
        "ServiceUnavailable",
        `The drive does not answer as it should: ${message}`,
        wait,
      );
    case "Unauthenticated":
      return new ObjectsError(
        "AccessDenied",
        `The server is not signed in to the drive any more: ${message}`,
      );
    case "AccessDenied":
      return new ObjectsError(
        "AccessDenied",
        "The drive does not let the server do this, by the permissions of the file or folder or by its configuration.",
      );
  }
}

const failedCondition = (Condition: string) =>
  new ObjectsError("PreconditionFailed", "At least one of the pre-conditions you specified did not hold", {
    Condition,
  });

/** The refusal of a write for which a disk has no room. */
export const full = () =>
  new ObjectsError("XMinioStorageFull", "The drive has no room left for this; free some and try again.");
