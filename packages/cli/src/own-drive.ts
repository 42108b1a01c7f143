import { access, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { openObjects } from "@overcoat/objects";
import { type GeneratedKey, keptKey } from "./credentials.ts";
import { RunError } from "./errors.ts";
import type { Settings } from "./flags/resolve.ts";
import { openFolder } from "./remotes/open-drive.ts";
import { sampleBucket } from "./welcome.ts";

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
    if (!(await objects.bucketExists(sampleBucket))) await objects.createBucket(sampleBucket);
  } finally {
    await objects.close();
  }
  await writeFile(join(root, sampleBucket, "hello.txt"), "Hello from Overcoat: this file is an S3 object.\n");
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
