import { type ChildProcess, execFile, spawn } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { get as httpGet } from "node:http";
import { Agent, get as httpsGet } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { startDropbox, startGoogleDrive, startOneDrive } from "@overcoat/simulators";
import { freePort } from "../packages/sources/src/redis/server.testing.ts";
import { command, plainEnvironment } from "./process.ts";

const run = promisify(execFile);
const running = new Set<ChildProcess>();
process.on("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

/** Stand-ins of drives that a gateway can be started on. */
const standIns = { OneDrive: startOneDrive, "Google Drive": startGoogleDrive, Dropbox: startDropbox };
export type StandInName = keyof typeof standIns;

/** What the tests of clients are run against: a folder, with and without TLS, and each drive. */
export const served: readonly {
  readonly where: string;
  readonly tls?: boolean;
  readonly drive?: StandInName;
}[] = [
  { where: "HTTP" },
  { where: "HTTPS", tls: true },
  ...(Object.keys(standIns) as StandInName[]).map((drive) => ({ where: `HTTP, on ${drive}`, drive })),
];

export interface GatewayOptions {
  /** Serve a stand-in of this drive, and no folder. */
  drive?: StandInName;
  /** Serve HTTPS with a certificate of its own making. */
  tls?: boolean;
  /** More flags for `overcoat serve s3`. */
  flags?: readonly string[];
  /** Default 2. */
  workers?: number;
  /** Sync what is written to disk, as the command does unless told otherwise; default false, which is quicker. */
  fsync?: boolean;
  /** An existing folder to serve, which stays; default one of its own. */
  folder?: string;
  /** An existing folder for `--data`, which stays; default one of its own. */
  data?: string;
  /** Variables beside the test's own. */
  environment?: NodeJS.ProcessEnv;
  /** A program and its arguments that the command is run by, such as `prlimit`. */
  runner?: readonly string[];
}

export interface Gateway {
  readonly endpoint: string;
  readonly port: number;
  /** The main process; its workers are its children. */
  readonly pid: number;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** The folder that is served: its folders are the buckets. */
  readonly folder: string;
  /** What `--data` names. */
  readonly data: string;
  /** For the client's own files; goes away with the gateway. */
  readonly scratch: string;
  /** The certificate's path, when serving HTTPS. */
  readonly certificate: string | undefined;
  /** For Node.js clients, when serving HTTPS. */
  readonly agent: Agent | undefined;
  /** For programs that use the gateway: credentials, no settings of the user's own, no proxy. */
  readonly environment: NodeJS.ProcessEnv;
  /** The end of what the gateway has logged. */
  log(): string;
  /** Ends the main process by SIGKILL, so that nothing is tidied up, and waits until its workers are gone too. */
  kill(): Promise<void>;
  /** Starts the gateway again as it was, after `kill`. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Starts the `overcoat` command on a folder and a port of its own and waits until it answers.
 * `OVERCOAT_TEST_COMMAND`, a shell line that uses `$FOLDER $DATA $ADDR $PORT $ID $SECRET $CERT $KEY`, puts
 * another server in its place, to see whether a test or the gateway is wrong.
 */
export async function startGateway(options: GatewayOptions = {}): Promise<Gateway> {
  const work = await mkdtemp(join(tmpdir(), "overcoat-test-"));
  const folder = options.folder ?? join(work, "drive");
  const data = options.data ?? join(work, "data");
  const scratch = join(work, "scratch");
  for (const path of [folder, data, scratch]) await mkdir(path, { recursive: true });
  const accessKeyId = "test-access";
  const secretAccessKey = "test-secret";
  const tls = options.tls ? await makeCertificate(work) : undefined;
  const port = await freePort();
  const address = `127.0.0.1:${port}`;
  const standIn = options.drive && (await standIns[options.drive]());
  if (standIn) await writeFile(join(work, "rclone.conf"), standIn.rcloneSection("drive"));
  let log = "";
  let child: ChildProcess;
  let exited: Promise<void>;

  async function start() {
    child = launch();
    const started = child;
    running.add(started);
    for (const stream of [started.stdout, started.stderr]) {
      stream?.on("data", (chunk) => {
        log = (log + chunk).slice(-20_000);
      });
    }
    // Closed, and not just exited: the workers have the same output.
    exited = new Promise<void>((resolve) => {
      started.once("error", (error) => {
        log += String(error);
        resolve();
      });
      started.once("close", () => resolve());
    }).then(() => {
      running.delete(started);
    });
    const deadline = Date.now() + 90_000;
    while (!(await answers(endpoint, agent))) {
      if (!running.has(started) || Date.now() > deadline) {
        await stop();
        throw new Error(`The gateway did not start on ${endpoint}:\n${log}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  function launch(): ChildProcess {
    const other = process.env.OVERCOAT_TEST_COMMAND;
    if (other) {
      const variables = { FOLDER: folder, DATA: data, ADDR: address, PORT: String(port) };
      const keys = { ID: accessKeyId, SECRET: secretAccessKey, CERT: tls?.cert ?? "", KEY: tls?.key ?? "" };
      return spawn("sh", ["-c", `exec ${other}`], { env: { ...process.env, ...variables, ...keys } });
    }
    const flags = ["--addr", address, "--auth-key", `${accessKeyId},${secretAccessKey}`, "--v2-auth"];
    flags.push("--workers", String(options.workers ?? 2), "--data", data);
    if (!options.fsync) flags.push("--no-fsync");
    if (tls) flags.push("--cert", tls.cert, "--key", tls.key);
    const args = [command, "serve", "s3", standIn ? "drive:" : folder, ...flags, ...(options.flags ?? [])];
    // In a folder of its own: no overcoat.config.ts of the user's, and none of his settings.
    const remotes = standIn && { RCLONE_CONFIG: join(work, "rclone.conf") };
    const env = { ...plainEnvironment, ...remotes, ...options.environment };
    const [program, ...rest] = [...(options.runner ?? []), process.execPath, ...args];
    return spawn(program!, rest, { cwd: work, env, stdio: ["ignore", "pipe", "pipe"] });
  }

  async function kill() {
    child.kill("SIGKILL");
    await exited;
  }

  async function stop() {
    if (running.has(child)) {
      child.kill("SIGTERM");
      const late = setTimeout(() => child.kill("SIGKILL"), 10_000);
      await exited;
      clearTimeout(late);
    }
    agent?.destroy();
    await standIn?.close();
    await rm(work, { recursive: true, force: true, maxRetries: 3 });
  }

  const certificate = tls?.cert;
  const agent = tls ? new Agent({ ca: await readFile(tls.cert), keepAlive: true }) : undefined;
  const endpoint = `${tls ? "https" : "http"}://${address}`;
  await start();

  const environment: NodeJS.ProcessEnv = {};
  for (const [name, value] of Object.entries(process.env)) {
    if (!/^(AWS_|RCLONE_|BOTO)|_proxy$/i.test(name)) environment[name] = value;
  }
  Object.assign(environment, {
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    AWS_DEFAULT_REGION: "us-east-1",
    AWS_CONFIG_FILE: "/dev/null",
    AWS_SHARED_CREDENTIALS_FILE: "/dev/null",
    AWS_EC2_METADATA_DISABLED: "true",
    RCLONE_CONFIG: join(scratch, "rclone.conf"),
    ...(certificate ? { AWS_CA_BUNDLE: certificate } : {}),
  });
  await writeFile(join(scratch, "rclone.conf"), "");
  return {
    endpoint,
    port,
    get pid() {
      return child.pid!;
    },
    accessKeyId,
    secretAccessKey,
    folder,
    data,
    scratch,
    certificate,
    agent,
    environment,
    log: () => log,
    kill,
    restart: start,
    stop,
  };
}

/** Runs a program to its end. @throws Error with what it printed when it fails. */
export async function runProgram(
  command: string,
  args: readonly string[],
  options: { env?: NodeJS.ProcessEnv; cwd?: string } = {},
): Promise<string> {
  try {
    const { stdout } = await run(command, args, { ...options, maxBuffer: 64 << 20, timeout: 110_000 });
    return stdout;
  } catch (error) {
    const { stdout = "", stderr = "", message } = error as Error & { stdout?: string; stderr?: string };
    throw new Error(`${message}\n${stdout}\n${stderr}`);
  }
}

function answers(endpoint: string, agent: Agent | undefined): Promise<boolean> {
  return new Promise((resolve) => {
    const get = agent ? httpsGet : httpGet;
    const request = get(endpoint, { agent, timeout: 2000 }, (response) => {
      response.resume();
      response.once("end", () => resolve(true));
      response.once("error", () => resolve(false));
    });
    request.once("timeout", () => request.destroy(new Error("timeout")));
    request.once("error", () => resolve(false));
  });
}

/** A certificate of `localhost` and 127.0.0.1 that is its own authority, and its key. */
export async function makeCertificate(work: string): Promise<{ cert: string; key: string }> {
  const folder = join(work, "tls");
  await mkdir(folder);
  const config = join(folder, "openssl.cnf");
  // The names that most servers look for in a folder of certificates.
  const cert = join(folder, "public.crt");
  const key = join(folder, "private.key");
  await writeFile(
    config,
    `[req]
distinguished_name = name
x509_extensions = extensions
prompt = no
[name]
CN = localhost
[extensions]
subjectAltName = DNS:localhost, IP:127.0.0.1
basicConstraints = critical, CA:TRUE
keyUsage = critical, digitalSignature, keyCertSign
extendedKeyUsage = serverAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
`,
  );
  const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"];
  const files = ["-keyout", key, "-out", cert, "-config", config];
  await runProgram("openssl", ["req", "-x509", "-nodes", "-days", "2", ...curve, ...files]);
  return { cert, key };
}
