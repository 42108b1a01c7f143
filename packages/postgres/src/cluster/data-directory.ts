import { execFile } from "node:child_process";
import { access, chmod, chown, mkdir, mkdtemp, readdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { majorVersion } from "./binaries.ts";
import { ClusterError, codeOf } from "./errors.ts";
import { isReachable, type User } from "./user.ts";

const run = promisify(execFile);
const timeout = 120_000;
const temporaryPrefix = "new-data-";
const abandonedAfterMs = 10 * 60_000;

export interface NewDataDirectory {
  readonly bin: string;
  readonly user: User | undefined;
  readonly superuser: string;
  readonly password: string;
  /** Whether the files must outlive a crash of the system. */
  readonly sync: boolean;
}

/**
 * Makes `folder/data` unless it is there: UTF-8, sorted by code point, SCRAM-SHA-256 for every connection. It
 * appears whole or not at all, whenever this process ends.
 */
export async function ensureDataDirectory(folder: string, options: NewDataDirectory): Promise<void> {
  const data = join(folder, "data");
  const { user } = options;
  const owner = await stat(data).catch(() => undefined);
  if (owner) {
    // A copy that root made.
    if (user && owner.uid !== user.uid) await run("chown", ["-R", `${user.uid}:${user.gid}`, data]);
    await access(join(data, "PG_VERSION")).catch((error) => {
      throw new ClusterError(`${data} is no data directory of PostgreSQL; choose another folder`, {
        cause: error,
      });
    });
    return;
  }
  await sweep(folder);
  const temporary = await mkdtemp(join(folder, temporaryPrefix));
  try {
    await initialize(temporary, options);
    await rename(join(temporary, "data"), data);
  } catch (error) {
    // Another process may have been first.
    if (codeOf(error) !== "ENOTEMPTY" && codeOf(error) !== "EEXIST") throw error;
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

async function initialize(temporary: string, options: NewDataDirectory): Promise<void> {
  const { bin, user, superuser, password, sync } = options;
  const data = join(temporary, "data");
  const passwordFile = join(temporary, "password");
  await mkdir(data, { mode: 0o700 });
  await writeFile(passwordFile, `${password}\n`, { mode: 0o600 });
  if (user) for (const path of [temporary, data, passwordFile]) await chown(path, user.uid, user.gid);
  const args = [
    `--pgdata=${await pathForServer(data, user, bin)}`,
    `--username=${superuser}`,
    "--pwfile=../password",
    "--auth=scram-sha-256",
    "--encoding=UTF8",
    ...(await localeFlags(bin)),
    "--lc-messages=C",
    ...(sync ? [] : ["--no-sync"]),
  ];
  try {
    await run(join(bin, "initdb"), args, { ...user, cwd: data, env: serverEnvironment(), timeout });
  } catch (error) {
    const told = (error as { stderr?: string }).stderr?.trim() || (error as Error).message;
    throw new ClusterError(`The data directory could not be made: ${told}`, { cause: error });
  }
  await chmod(temporary, 0o700);
}

/** Of the collations that sort by code point: the builtin one where there is one (17), else the system's. */
async function localeFlags(bin: string): Promise<string[]> {
  const system = process.platform === "linux" ? "C.UTF-8" : "C";
  if ((await majorVersion(bin)) < 17) return [`--locale=${system}`];
  return [`--locale=${system}`, "--locale-provider=builtin", "--builtin-locale=C.UTF-8"];
}

/** Removes what runs that were killed left behind. */
async function sweep(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (!name.startsWith(temporaryPrefix)) continue;
    const path = join(folder, name);
    const made = await stat(path).catch(() => undefined);
    if (made && Date.now() - made.mtimeMs > abandonedAfterMs)
      await rm(path, { recursive: true, force: true });
  }
}

/**
 * The name of a data directory for a program that runs in it as `user`. Below a folder that is closed to that
 * user, like /root, it is found as the directory that the program was started in.
 */
export async function pathForServer(data: string, user: User | undefined, bin: string): Promise<string> {
  if (!user || (await isReachable(data, user))) return data;
  // The programs of earlier versions leave and enter their working directory as they start.
  if (process.platform === "linux" && (await majorVersion(bin)) >= 16) return "/proc/self/cwd";
  throw new ClusterError(
    `PostgreSQL does not run as root, and the user that it runs as cannot enter ${data}: choose another folder`,
  );
}

/** Not this process's own environment, which may hold secrets and settings for libpq. */
export const serverEnvironment = (): NodeJS.ProcessEnv => ({
  PATH: process.env.PATH,
  ...(process.env.TZ !== undefined && { TZ: process.env.TZ }),
});
