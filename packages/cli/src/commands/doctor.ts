import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { providerOf } from "@overcoat/drives";
import { loadConfig } from "../config.ts";
import { generateKey } from "../credentials.ts";
import { checklist, type Outcome, walk } from "../doctor/checklist.ts";
import { Examination, type Keys } from "../doctor/examination.ts";
import { RunError, UsageError } from "../errors.ts";
import { type Environment, resolveSettings } from "../flags/resolve.ts";
import { parseUrl } from "../flags/values.ts";
import { openGateway } from "../gateway.ts";
import { createLog } from "../log.ts";
import { openLook } from "../remotes/look.ts";
import { describePlace, type Place, resolvePlace } from "../remotes/place.ts";
import { loadRemotes } from "../remotes/rclone-remotes.ts";

/** What commander hands over. */
export interface DoctorFlags {
  readonly endpoint?: string;
  readonly config?: string;
  readonly json?: boolean;
}

/** `overcoat doctor REMOTE`. @throws RunError when something is left to do */
export async function doctor(given: string | undefined, flags: DoctorFlags): Promise<void> {
  const { env } = process;
  const config = await loadConfig(flags.config);
  const name = given || env.RC_S3_REMOTE || config.remote;
  if (!name) throw new UsageError("no REMOTE given: name one, such as onedrive:");
  const rclone = await loadRemotes(flags.config, env);
  const endpoint = flags.endpoint === undefined ? undefined : parseUrl(flags.endpoint, "--endpoint");
  const region = env.RC_S3_REGION || env.AWS_REGION || env.AWS_DEFAULT_REGION || config.region || "us-east-1";
  let place: Place | undefined;
  await using parts = new AsyncDisposableStack();
  const data = await mkdtemp(join(tmpdir(), "overcoat-doctor-"));
  parts.defer(() => rm(data, { recursive: true, force: true }));
  const examination = parts.use(
    new Examination({
      name,
      endpoint,
      region,
      keys: keysOf(env),
      async find() {
        place = resolvePlace(name, config, rclone);
        if (place.kind === "folder") return `it is the folder ${place.root}`;
        providerOf(place.remote);
        return `${place.file ?? "overcoat.config.ts"} has it, of the type ${place.remote.type}`;
      },
      async look() {
        if (!place) throw new Error("first let there be the remote");
        return openLook(place);
      },
      async start() {
        const keys = keysOf(env) ?? generateKey();
        const authKey = [`${keys.accessKeyId},${keys.secretAccessKey}`];
        const given = { addr: ["http://127.0.0.1:0"], authKey, data, region, quiet: true };
        const settings = resolveSettings(name, given, {}, { remotes: config.remotes }, rclone);
        const gateway = await openGateway(settings, createLog(settings));
        const { host, port } = gateway.listening[0]!;
        return { gateway, keys, url: `http://${host}:${port}` };
      },
    }),
  );
  const title = titleOf(name, () => resolvePlace(name, config, rclone));
  if (!flags.json) process.stdout.write(`${title} Wrapper Implementation Checklist for ${name}\n`);
  const outcomes = await walk(checklist(name, title, examination), flags.json ? () => {} : printer());
  const open = outcomes.filter(({ done }) => !done).length;
  if (flags.json) {
    const shown = place && describePlace(place);
    const report = { remote: shown ?? name, endpoint: examination.shown, ok: open === 0, tasks: outcomes };
    process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
  }
  if (open > 0) throw new RunError(open === 1 ? "one task is left to do" : `${open} tasks are left to do`);
}

/** What people call the drive. */
function titleOf(name: string, resolve: () => Place): string {
  try {
    const place = resolve();
    return place.kind === "drive" ? providerOf(place.remote).title : "Folder";
  } catch {
    return /^google|^g?drive/i.test(name) ? "Google Drive" : /^dropbox/i.test(name) ? "Dropbox" : "OneDrive";
  }
}

/** Prints the tasks as they are settled, below the titles of their groups. */
function printer(): (outcome: Outcome) => void {
  let groups = 0;
  let last = "";
  return ({ group, task, done, detail }) => {
    if (group !== last) process.stdout.write(`\n${++groups}. ${group}\n`);
    last = group;
    process.stdout.write(`   - [${done ? "x" : " "}] ${task}\n         ${detail}\n`);
  };
}

function keysOf(env: Environment): Keys | undefined {
  for (const prefix of ["AWS_", "RC_S3_"]) {
    const accessKeyId = env[`${prefix}ACCESS_KEY_ID`];
    const secretAccessKey = env[`${prefix}SECRET_ACCESS_KEY`];
    if (accessKeyId && secretAccessKey) return { accessKeyId, secretAccessKey };
  }
  return undefined;
}
