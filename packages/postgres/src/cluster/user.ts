import { execFile } from "node:child_process";
import { stat } from "node:fs/promises";
import { dirname } from "node:path";
import { promisify } from "node:util";
import { ClusterError, codeOf } from "./errors.ts";

const run = promisify(execFile);

/** The system user that the server runs as. */
export interface User {
  readonly uid: number;
  readonly gid: number;
}

// initdb asks for the name of its user, so a number alone is not enough.
const unprivileged = ["postgres", "nobody"];

/**
 * The user to run the server of a data directory as, since PostgreSQL refuses root: the directory's owner, else
 * the first that is there of `postgres` and `nobody`. Undefined when this process is not root's.
 * @throws ClusterError when the directory belongs to another user, or the system has none of these
 */
export async function serverUser(data: string): Promise<User | undefined> {
  const own = process.getuid?.();
  const owner = await stat(data).catch((error) => {
    if (codeOf(error) === "ENOENT") return undefined;
    throw error;
  });
  if (own !== 0) {
    if (owner && owner.uid !== own)
      throw new ClusterError(
        `${data} belongs to the user with number ${owner.uid}: start as that user or as root, or choose another folder`,
      );
    return undefined;
  }
  if (owner && owner.uid !== 0) return { uid: owner.uid, gid: owner.gid };
  for (const name of unprivileged) {
    try {
      const [uid, gid] = await Promise.all(["-u", "-g"].map((flag) => run("id", [flag, name])));
      return { uid: Number(uid!.stdout), gid: Number(gid!.stdout) };
    } catch {
      // No such user.
    }
  }
  throw new ClusterError(
    "PostgreSQL does not run as root, and there is no user `postgres` or `nobody` to run it as: start as another user",
  );
}

/** Whether a user may use a file or folder and enter all folders above it, by their permissions. */
export async function isReachable(path: string, user: User): Promise<boolean> {
  const { mode, uid, gid } = await stat(path);
  const execute = uid === user.uid ? 0o100 : gid === user.gid ? 0o010 : 0o001;
  if (!(mode & execute)) return false;
  const above = dirname(path);
  return above === path || isReachable(above, user);
}
