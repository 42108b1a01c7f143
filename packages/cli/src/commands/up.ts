import { dirname, join, resolve } from "node:path";
import { ConfigFile } from "@overcoat/drives";
import { prepareCluster, startCluster } from "@overcoat/postgres";
import { extensionFiles } from "@overcoat/sql";
import { listenAdmin } from "../admin.ts";
import { loadConfig, type ParsedConfig } from "../config.ts";
import { connectionFile, removeConnections, writeConnections } from "../connection-file.ts";
import { consoleOrigins, openConsole } from "../console/console.ts";
import { ConsoleRemotes } from "../console/remotes/remotes.ts";
import { remotesRoutes } from "../console/remotes/routes.ts";
import { generatePassword, keptConsoleLogin, keptSuperuser } from "../credentials.ts";
import { type Demo, demoWelcome, startDemo } from "../demo.ts";
import { RunError } from "../errors.ts";
import { type Flags, resolveSettings, type Settings } from "../flags/resolve.ts";
import { type Address, isLoopback, parseAddress, parseListener, parsePort } from "../flags/values.ts";
import { freeAddress, isFree } from "../free-address.ts";
import { createLog } from "../log.ts";
import { makeSample, prepareDrive } from "../own-drive.ts";
import { RecentErrors } from "../recent-errors.ts";
import { describePlace, type Place, resolvePlace } from "../remotes/place.ts";
import { loadRemotes } from "../remotes/rclone-remotes.ts";
import { ServedBuckets } from "../remotes/served-buckets.ts";
import { asRunError } from "../sql/errors.ts";
import { openSqlService } from "../sql/server.ts";
import { defaultSqlPort, resolveSqlSettings } from "../sql/settings.ts";
import { sources } from "../sql/sources.ts";
import { consoleBuild, consoleWelcome, s3Welcome, sqlWelcome } from "../welcome.ts";
import { openService, stopSignal } from "../workers.ts";
import { readyLine } from "./serve-s3.ts";

/** What commander hands over: the flags of the S3 gateway, and these. */
export interface UpFlags extends Flags {
  s3Addr?: string[];
  sqlAddr?: string[];
  postgresPort?: string;
  demo?: boolean;
  consoleAddr?: string;
  console?: boolean;
}

/** The login of the SQL server that PostgreSQL's foreign servers use; its password is new at each start. */
const linkUser = "overcoat";
const defaultConsolePort = 3000;

/** `overcoat up`: the S3 gateway, PostgreSQL and the SQL server behind it, with all that they keep in one folder. */
export async function up(flags: UpFlags): Promise<void> {
  const config = await loadConfig(flags.config);
  const folder = resolve(flags.data ?? "overcoat-data");
  const drive = join(folder, "drive");
  const postgresPort =
    flags.postgresPort === undefined ? undefined : parsePort(flags.postgresPort, "--postgres-port");
  const sql = resolveSqlSettings(
    { ...flags, addr: flags.sqlAddr, cert: undefined, key: undefined },
    process.env,
    config,
  );
  const { key, first } = await prepareDrive(folder, drive);
  const console = await consoleAddress(flags);
  for (const text of flags.s3Addr ?? []) parseListener(text, "--s3-addr");
  const data = join(folder, "data");
  await using demo = flags.demo ? await startDemo(join(data, "demo")) : undefined;
  const places = placesOf(config, demo);
  const rclone = () => loadRemotes(demo?.file ?? flags.config, process.env);
  const placeOf = async (text: string) => resolvePlace(text, places, await rclone());
  const given = resolveSettings(
    drive,
    {
      v2Auth: true,
      ...flags,
      data,
      addr: flags.s3Addr ?? flags.addr ?? ["127.0.0.1:9000"],
      authKey: [`${key.accessKeyId},${key.secretAccessKey}`],
    },
    {},
    places,
    await rclone(),
  );
  const settings: Settings = {
    ...given,
    // Pages of the console load and store files at the gateway.
    allowOrigins: [...given.allowOrigins, ...(console ? consoleOrigins(console) : [])],
    growing: true,
    addressFlag: "--s3-addr",
  };
  const errors = new RecentErrors();
  const log = createLog(settings, (message) => errors.add("Overcoat", message));
  const stop = stopSignal();
  try {
    await using parts = new AsyncDisposableStack();
    if (first) await makeSample(settings, drive);
    const gateway = await openService(settings, (message) => errors.add("S3 gateway", message));
    parts.defer(() => gateway.close());
    const buckets = new ServedBuckets({
      buckets: settings.buckets,
      file: join(demo ? dirname(demo.file) : folder, "buckets.json"),
      resolve: placeOf,
      map: gateway.map,
      onError: log.error,
    });
    if (settings.adminAddress) {
      const admin = await listenAdmin(settings.adminAddress, gateway);
      parts.defer(() => admin.close());
    }
    const superuser = await keptSuperuser(folder);
    const password = generatePassword();
    const addresses =
      flags.sqlAddr || config.sql?.addr ? sql.addresses : [await freeAddress(defaultSqlPort, "--sql-addr")];
    const logins = [{ user: linkUser, password }, ...sql.logins.filter(({ user }) => user !== linkUser)];
    const [service, cluster] = await startAll(
      parts,
      openSqlService(
        { ...sql, addresses, logins },
        {
          folder: join(folder, "sql"),
          log,
          flag: flags.sqlAddr ? "--sql-addr" : "sql.addr in the configuration",
        },
      ),
      startCluster({
        folder: join(folder, "postgres"),
        port: postgresPort,
        superuser: superuser.user,
        password: superuser.password,
      }),
    );
    await removeConnections(folder);
    const [sqlAddress] = service.addresses;
    const warnings = await prepareCluster(cluster, extensionFiles(sources), {
      host: isLoopback(sqlAddress!) ? sqlAddress!.host : "127.0.0.1",
      port: sqlAddress!.port,
      user: linkUser,
      password,
    });
    for (const warning of warnings) log.notice(warning);
    if (stop.asked) return;
    const endpoint = reachable(gateway.urls[0]!);
    const connections = { s3: { endpoint, ...key, region: settings.region }, postgres: { url: cluster.url } };
    parts.use(await writeConnections(folder, connections));
    log.announce(readyLine(settings, gateway.urls));
    process.stdout.write(
      `${s3Welcome(endpoint, key, settings.region)}${sqlWelcome(cluster.url, endpoint, key)}${demo ? demoWelcome(demo) : ""}\nPress Ctrl-C to stop.\n`,
    );
    void buckets.restore();
    if (console) {
      const adminToken = generatePassword();
      const { file } = await rclone();
      const remotes = file && new ConsoleRemotes({ file: new ConfigFile(file), buckets, resolve: placeOf });
      const health = {
        ...gateway,
        status: () => ({ remotes: shownRemotes(settings.place, buckets), errors: errors.list }),
        more: remotes ? remotesRoutes(remotes, adminToken) : undefined,
      };
      const admin = await listenAdmin({ host: "127.0.0.1", port: 0 }, health);
      parts.defer(() => admin.close());
      const login = await keptConsoleLogin(folder);
      parts.use(
        openConsole({
          address: console,
          login,
          log,
          connectionFile: connectionFile(folder),
          adminUrl: `http://127.0.0.1:${admin.port}`,
          adminToken,
          onBuild: () => process.stdout.write(consoleBuild),
          async onReady(url) {
            await writeConnections(folder, { ...connections, console: { url, password: login.password } });
            process.stdout.write(consoleWelcome(url, login.password));
          },
        }),
      );
    }
    const failure = await Promise.race([stop.signal, cluster.failed]);
    if (failure) throw new RunError(`${failure.message}; all else is stopped`, { cause: failure });
  } catch (error) {
    // A part that is told to stop while it starts fails to.
    if (!stop.asked) asRunError(error);
  }
  process.stdout.write("Stopped.\n");
}

/** Waits for parts that start side by side. What did is stopped with the stack, the last one first. */
async function startAll<A extends AsyncDisposable, B extends AsyncDisposable>(
  parts: AsyncDisposableStack,
  first: Promise<A>,
  second: Promise<B>,
): Promise<[A, B]> {
  const [one, two] = await Promise.allSettled([first, second]);
  if (one.status === "fulfilled") parts.use(one.value);
  if (two.status === "fulfilled") parts.use(two.value);
  if (one.status === "rejected") throw one.reason;
  if (two.status === "rejected") throw two.reason;
  return [one.value, two.value];
}

/** Remotes and buckets beside the folder that is served: of the configuration, and each drive of the demo as one. */
const placesOf = ({ remotes, buckets }: ParsedConfig, demo: Demo | undefined): ParsedConfig => ({
  remotes,
  buckets: { ...buckets, ...Object.fromEntries((demo?.drives ?? []).map((name) => [name, `${name}:`])) },
});

/** What is served, for the console. */
const shownRemotes = (place: Place, buckets: ServedBuckets) =>
  [["drive", place] as const, ...buckets.all].map(([name, place]) => ({
    name,
    kind: place.kind === "folder" ? "folder" : place.remote.type,
    path: describePlace(place),
  }));

/** Where the console listens; undefined where it is not wanted. @throws RunError when the address is taken */
async function consoleAddress(flags: UpFlags): Promise<Address | undefined> {
  const flag = "--console-addr";
  if (flags.console === false) return undefined;
  if (flags.consoleAddr === undefined) return freeAddress(defaultConsolePort, flag);
  const address = parseAddress(flags.consoleAddr, flag);
  if (await isFree(address)) return address;
  throw new RunError(
    `the address ${flags.consoleAddr} is already in use by another program; choose another with ${flag}`,
  );
}

/** All interfaces are no address to connect to. */
function reachable(url: string): string {
  return url
    .replace(/^(https?:\/\/)0\.0\.0\.0(?=[:/])/, "$1127.0.0.1")
    .replace(/^(https?:\/\/)\[::\]/, "$1127.0.0.1");
}
