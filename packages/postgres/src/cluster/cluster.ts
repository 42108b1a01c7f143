import { mkdir, readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { embeddedBinaries } from "./binaries.ts";
import { ensureDataDirectory, pathForServer } from "./data-directory.ts";
import { ClusterError } from "./errors.ts";
import { endLeftovers, ownerSetting } from "./leftovers.ts";
import { openLog } from "./log.ts";
import { freePorts, loopback } from "./ports.ts";
import { PortTaken, type Server, startServer } from "./server.ts";
import { serverUser } from "./user.ts";

export interface ClusterOptions {
  /** Holds the data directory (`data`) and the log (`log`); made if missing. */
  readonly folder: string;
  /** Port on 127.0.0.1: this one only, or any free one for 0. By default 54320 or the next that is free. */
  readonly port?: number;
  /** Name and password that the superuser gets with the data directory; later starts do not change them. */
  readonly superuser: string;
  readonly password: string;
  /** Settings of postgresql.conf that hold for this run, above those of the file and of ALTER SYSTEM. */
  readonly settings?: Readonly<Record<string, string>>;
  /** `bin` folder of a PostgreSQL from 14; by default the one that npm brought. */
  readonly binaries?: string;
}

/** A running PostgreSQL server of our own. */
export interface Cluster extends AsyncDisposable {
  readonly port: number;
  /** Of the database `postgres`, with the superuser's name and password. */
  readonly url: string;
  /** Major version. */
  readonly version: number;
  /**
   * Folder in which CREATE EXTENSION finds control files and scripts beside its own, from PostgreSQL 18; they
   * must be readable for the server's user.
   */
  readonly extensions: string;
  /** Settles when the server has ended by itself. */
  readonly failed: Promise<ClusterError>;
  /** Ends all sessions and stops in order. */
  stop(): Promise<void>;
}

/**
 * Starts PostgreSQL on the data directory in a folder, which is made first if it is missing. It listens on
 * loopback only, asks everyone for a password, and stops when this process ends, however that comes. As root it
 * runs as the directory's owner, at first `postgres` or `nobody`.
 * @throws ClusterError when it cannot be started
 */
export async function startCluster(options: ClusterOptions): Promise<Cluster> {
  const { superuser, password } = options;
  const folder = resolve(options.folder);
  const data = join(folder, "data");
  await mkdir(folder, { recursive: true });
  const user = await serverUser(data);
  const bin = options.binaries ?? (await embeddedBinaries(user));
  const sync = options.settings?.fsync !== "off";
  await ensureDataDirectory(folder, { bin, user, superuser, password, sync });
  await endLeftovers(data);
  const version = Number(await readFile(join(data, "PG_VERSION"), "utf8"));
  const extensions = join(data, "extensions/extension");
  await mkdir(extensions, { recursive: true });
  const settings = {
    listen_addresses: loopback,
    unix_socket_directories: "",
    // A statement may hold a password.
    log_min_error_statement: "panic",
    log_error_verbosity: "terse",
    [ownerSetting]: String(process.pid),
    ...(version >= 18 && {
      extension_control_path: `${await pathForServer(data, user, bin)}/extensions:$system`,
    }),
    ...options.settings,
  };
  const log = openLog(folder);
  let server: Server | undefined;
  try {
    for await (const port of freePorts(options.port)) {
      try {
        server = await startServer({
          bin,
          data,
          user,
          settings: { ...settings, port: String(port) },
          log,
        });
      } catch (error) {
        if (error instanceof PortTaken) continue;
        throw error;
      }
      return running(server, port);
    }
    throw new ClusterError(
      options.port
        ? `Port ${options.port} is taken: choose another, or 0 for any that is free`
        : "No free port was found for PostgreSQL",
    );
  } finally {
    if (!server) log.close();
  }

  function running({ failed, stop }: Server, port: number): Cluster {
    let stopped: Promise<void> | undefined;
    const stopOnce = () => {
      stopped ??= stop().then(() => log.close());
      return stopped;
    };
    const credentials = `${encodeURIComponent(superuser)}:${encodeURIComponent(password)}`;
    return {
      port,
      url: `postgres://${credentials}@${loopback}:${port}/postgres`,
      version,
      extensions,
      failed,
      stop: stopOnce,
      [Symbol.asyncDispose]: stopOnce,
    };
  }
}
