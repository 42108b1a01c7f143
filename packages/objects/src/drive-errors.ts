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
  if (!(error instanceof DriveError)) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === "ENOSPC" || code === "EDQUOT") throw full();
    throw error;
  }
  switch (error.code) {
    case "Exists":
      throw new ObjectsError(
        "PreconditionFailed",
        "At least one of the pre-conditions you specified did not hold",
        {
          Condition: "If-None-Match",
        },
      );
    case "NotAFolder":
    case "IsAFolder":
      throw new ObjectsError(
        "ConditionalRequestConflict",
        "Another write took this name for a folder or a file meanwhile; try again.",
      );
    case "NoSpace":
      throw full();
    case "NotFound":
      throw new ObjectsError("NoSuchBucket", "The specified bucket does not exist");
    case "NameRefused":
      throw new ObjectsError("InvalidArgument", "The drive cannot hold an object of this name.");
    case "ReadOnly":
      throw new ObjectsError("AccessDenied", "The drive is read-only.");
    default:
      throw new ObjectsError(
        "AccessDenied",
        "The drive does not let the server do this, by the permissions of the file or folder or by its configuration.",
      );
  }
}

/** The refusal of a write for which a disk has no room. */
export const full = () =>
  new ObjectsError("XMinioStorageFull", "The drive has no room left for this; free some and try again.");
