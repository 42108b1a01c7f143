import { resolve } from "node:path";
import { type Command, Option } from "commander";
import { RunError, UsageError } from "../errors.ts";
import { collect } from "../flags/collect.ts";
import { parseAddress, parseCount, parseDuration } from "../flags/values.ts";
import { type DriveType, driveStandIns, writeRemote } from "../stand-ins.ts";
import { stopSignal } from "../workers.ts";

interface SimulateFlags {
  readonly addr: string;
  readonly config?: string;
  readonly name?: string;
  readonly latency?: string;
  readonly files?: string;
  readonly fault?: readonly string[];
  readonly driveType?: DriveType;
}

/** All stand-ins listen here. */
const host = "127.0.0.1";
const services = [...Object.keys(driveStandIns), "auth0"];
const driveTypes = ["personal", "business", "documentLibrary"];

/** Adds `overcoat simulate SERVICE`: a stand-in of a service, to try things out without an account. */
export function addSimulateCommand(program: Command): void {
  program
    .command("simulate")
    .description(`a stand-in of a service on this machine, to try things out: ${services.join(", ")}`)
    .argument("<SERVICE>", services.join(" or "))
    .exitOverride()
    .helpOption("-h, --help", "print this help")
    .option("--addr <HOST:PORT>", "listen here, on 127.0.0.1 only", `${host}:0`)
    .option("--config <FILE>", "write a remote that leads to it into this rclone.conf")
    .option("--name <NAME>", "what that remote is called (default SERVICE)")
    .option("--latency <DURATION>", "wait before each answer, such as 100ms")
    .option("--files <N>", "begin with so many small files")
    .option("--fault <SPEC>", 'let calls go wrong, repeatable: "PUT upload: status=503, times=2"', collect)
    .addOption(
      new Option("--drive-type <TYPE>", "the type of the OneDrive (default personal)").choices(driveTypes),
    )
    .action((service: string, flags: SimulateFlags) => simulate(service, flags))
    .addHelpText("after", simulateHelp);
}

const simulateHelp = `
The stand-in of a drive has end points of its own:
  GET or DELETE /-/calls          how often each end point was called, as JSON; or count anew
  PUT or DELETE /-/files/PATH     change a file as another user of the drive would

Example:
  overcoat simulate onedrive --addr 127.0.0.1:4000 --config ./demo.conf --files 1000 --latency 100ms`;

/** Serves until a signal. */
async function simulate(service: string, flags: SimulateFlags): Promise<void> {
  const address = parseAddress(flags.addr, "--addr");
  if (address.host !== host && address.host !== "localhost")
    throw new UsageError(
      `--addr: a stand-in asks nobody who they are and so listens on loopback only, at ${host}`,
    );
  const stopped = stopSignal().signal;
  if (Object.hasOwn(driveStandIns, service)) await simulateDrive(service, address.port, flags, stopped);
  else if (service === "auth0") await simulateAuth0(address.port, flags, stopped);
  else throw new UsageError(`there is no stand-in of "${service}"; there are: ${services.join(", ")}`);
}

async function simulateDrive(
  service: string,
  port: number,
  flags: SimulateFlags,
  stopped: Promise<unknown>,
): Promise<void> {
  if (flags.driveType !== undefined && service !== "onedrive")
    throw new UsageError("--drive-type is for onedrive only");
  const { title, start } = driveStandIns[service]!;
  const { name = service } = flags;
  const { parseFaultSpec, sampleFiles } = await import("@overcoat/simulators");
  const faults = (flags.fault ?? []).map((spec) => {
    try {
      return parseFaultSpec(spec);
    } catch (error) {
      throw new UsageError(`--fault: ${(error as Error).message}`);
    }
  });
  const count = flags.files === undefined ? 0 : parseCount(flags.files, "--files");
  await using server = await start({
    port,
    driveType: flags.driveType,
    latency: flags.latency === undefined ? 0 : parseDuration(flags.latency, "--latency"),
    files: sampleFiles(count),
  }).catch(asRunError);
  for (const fault of faults) server.fault(fault);
  if (flags.config !== undefined) await writeRemote(resolve(flags.config), name, server).catch(asRunError);
  process.stdout.write(`Simulating ${title} on ${server.url}\n`);
  if (flags.config !== undefined) process.stdout.write(`${flags.config} has it as ${name}:\n`);
  await stopped;
}

async function simulateAuth0(port: number, flags: SimulateFlags, stopped: Promise<unknown>): Promise<void> {
  for (const name of ["config", "name", "fault", "latency", "driveType"] as const)
    if (flags[name] !== undefined)
      throw new UsageError("the stand-in of Auth0 takes --addr and --files only");
  const { startAuth0 } = await import("@overcoat/simulators");
  const count = flags.files === undefined ? 0 : parseCount(flags.files, "--files");
  const users = Array.from({ length: count }, (_, index) => ({ email: `user${index}@example.com` }));
  await using server = await startAuth0({
    port,
    clientId: "stand-in",
    clientSecret: "stand-in",
    users,
  }).catch(asRunError);
  process.stdout.write(`Simulating Auth0 on ${server.url} (client_id stand-in, client_secret stand-in)\n`);
  await stopped;
}

function asRunError(error: Error): never {
  throw new RunError(`the stand-in cannot start: ${error.message}`, { cause: error });
}
