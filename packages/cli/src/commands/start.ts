import { access, mkdir, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { openObjects } from "@overcoat/objects";
import { type GeneratedKey, keptKey } from "../credentials.ts";
import { RunError } from "../errors.ts";
import { type Flags, resolveSettings, type Settings } from "../flags/resolve.ts";
import { createLog } from "../log.ts";
import { openFolder } from "../remotes/open-drive.ts";
import { serve } from "../workers.ts";
import { readyLine } from "./serve-s3.ts";

const sample = "sample";

/** `overcoat start`: everything with defaults under ./overcoat-data, no questions asked. */
export async function start(flags: Flags, notes: readonly string[]): Promise<void> {
  const folder = resolve("overcoat-data");
  const drive = join(folder, "drive");
  const { key, first } = await prepareDrive(folder, drive);
  const settings = resolveSettings(
    drive,
    {
      v2Auth: true,
      data: join(folder, "data"),
      ...flags,
      addr: flags.addr ?? ["127.0.0.1:9000"],
      authKey: [`${key.accessKeyId},${key.secretAccessKey}`],
    },
    {},
    {},
  );
  const log = createLog(settings);
  for (const note of notes) log.announce(note);
  if (first) await makeSample(settings, drive);
  await serve(settings, (urls) => {
    log.announce(readyLine(settings, urls));
    process.stdout.write(welcome(reachable(urls[0]!), key, settings.region));
  });
  process.stdout.write("Stopped.\n");
}

/**
 * The folder that is served, and the key to it.
 * @throws RunError where the folder cannot be used
 */
export async function prepareDrive(
  folder: string,
  drive: string,
): Promise<{ key: GeneratedKey; first: boolean }> {
  try {
    const key = await keptKey(folder);
    const first = !(await exists(drive));
    await mkdir(drive, { recursive: true });
    return { key, first };
  } catch (error) {
    if (error instanceof RunError) throw error;
    throw new RunError(`cannot keep keys and files in ${folder}: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

/** A bucket to try things with, in the folder that is served. */
export async function makeSample(settings: Settings, root: string): Promise<void> {
  const objects = await openObjects({
    drive: openFolder({ kind: "folder", root }, settings),
    data: settings.data,
  });
  try {
    if (!(await objects.bucketExists(sample))) await objects.createBucket(sample);
  } finally {
    await objects.close();
  }
  await writeFile(join(root, sample, "hello.txt"), "Hello from Overcoat: this file is an S3 object.\n");
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/** All interfaces are no address to connect to. */
export function reachable(url: string): string {
  return url
    .replace(/^(https?:\/\/)0\.0\.0\.0(?=[:/])/, "$1127.0.0.1")
    .replace(/^(https?:\/\/)\[::\]/, "$1127.0.0.1");
}

function welcome(endpoint: string, key: GeneratedKey, region: string): string {
  return `${s3Welcome(endpoint, key, region)}
Press Ctrl-C to stop.
`;
}

export function s3Welcome(endpoint: string, key: GeneratedKey, region: string): string {
  return `
  Endpoint           ${endpoint}
  Region             ${region}
  Access key ID      ${key.accessKeyId}
  Secret access key  ${key.secretAccessKey}

Try it with the AWS command line:

AWS_ACCESS_KEY_ID=${key.accessKeyId} AWS_SECRET_ACCESS_KEY=${key.secretAccessKey} AWS_DEFAULT_REGION=${region} aws --endpoint-url ${endpoint} s3 ls s3://${sample}

or with boto3:

import boto3
s3 = boto3.client(
    "s3",
    endpoint_url="${endpoint}",
    aws_access_key_id="${key.accessKeyId}",
    aws_secret_access_key="${key.secretAccessKey}",
    region_name="${region}",
)
print(s3.get_object(Bucket="${sample}", Key="hello.txt")["Body"].read().decode())
`;
}
