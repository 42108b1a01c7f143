import { DriveError, type DriveErrorCode } from "../drive.ts";

const absent = new Set(["ENOENT", "ENOTDIR", "ELOOP", "ENAMETOOLONG"]);
const refusals: Record<string, DriveErrorCode> = {
  EACCES: "AccessDenied",
  EPERM: "AccessDenied",
  ENOSPC: "NoSpace",
  EDQUOT: "NoSpace",
  EROFS: "ReadOnly",
  ENAMETOOLONG: "NameRefused",
  EILSEQ: "NameRefused",
  EISDIR: "IsAFolder",
  ENOTDIR: "NotAFolder",
  ENOENT: "NotFound",
};
const numbers: Record<string, string> =
  process.platform === "linux"
    ? {
        1: "EPERM",
        2: "ENOENT",
        7: "E2BIG",
        13: "EACCES",
        20: "ENOTDIR",
        28: "ENOSPC",
        30: "EROFS",
        34: "ERANGE",
        40: "ELOOP",
        61: "ENODATA",
        95: "ENOTSUP",
        122: "EDQUOT",
      }
    : {
        1: "EPERM",
        2: "ENOENT",
        7: "E2BIG",
        13: "EACCES",
        20: "ENOTDIR",
        28: "ENOSPC",
        30: "EROFS",
        34: "ERANGE",
        45: "ENOTSUP",
        69: "EDQUOT",
        93: "ENODATA",
      };

/** The errno name of a failure of `node:fs` or of the xattr module, which tells it only in its message. */
export function codeOf(error: unknown): string {
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  if (code !== undefined && code !== "GenericFailure") return code;
  const number = /os error (\d+)/.exec((error as Error | undefined)?.message ?? "")?.[1];
  return (number !== undefined && numbers[number]) || "";
}

/** Whether the failure says that nothing is at the path. */
export function meansAbsent(error: unknown): boolean {
  return absent.has(codeOf(error));
}

/** The failure in the terms of `Drive`, or as it is where those have no word for it. */
export function driveError(error: unknown): unknown {
  if (error instanceof DriveError) return error;
  const code = refusals[codeOf(error)];
  return code === undefined ? error : new DriveError(code, (error as Error).message, { cause: error });
}
