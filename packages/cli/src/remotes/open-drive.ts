import { createHash } from "node:crypto";
import { join } from "node:path";
import {
  ConfigError,
  ConfigFile,
  type Drive,
  DriveError,
  localDrive,
  openVendor,
  providerOf,
  remoteDrive,
} from "@overcoat/drives";
import { RunError } from "../errors.ts";
import type { Settings } from "../flags/resolve.ts";
import type { Logger } from "../log.ts";
import type { DriveMetrics } from "./drive-metrics.ts";
import { mappedDrive } from "./mapped-drive.ts";
import { type DrivePlace, describePlace, type FolderPlace, identityOf, type Place } from "./place.ts";
import { watchDrive } from "./watch-drive.ts";

/**
 * The drive that the settings name, with the buckets mapped elsewhere.
 * @throws RunError where a remote is not configured rightly, not signed in or cannot be reached
 */
export async function openDrive(settings: Settings, log: Logger, metrics: DriveMetrics): Promise<Drive> {
  const opened: Drive[] = [];
  const open = async (place: Place, bucket: boolean) => {
    const drive =
      place.kind === "folder"
        ? openFolder(place, settings, bucket)
        : await openRemote(place, settings, log, metrics);
    opened.push(drive);
    return drive;
  };
  try {
    const base = await open(settings.place, false);
    const mapped = new Map<string, Drive>();
    for (const [bucket, place] of Object.entries(settings.buckets))
      mapped.set(bucket, await open(place, true));
    return mapped.size === 0 ? base : mappedDrive(base, mapped);
  } catch (error) {
    for (const drive of opened) await drive.close();
    throw error;
  }
}

/** @param bucket whether the folder is a bucket, and not one of buckets */
export function openFolder({ root }: FolderPlace, settings: Settings, bucket = false): Drive {
  const { fsync, filePermissions, folderPermissions, readOnly } = settings;
  return localDrive(root, { fsync, filePermissions, folderPermissions, readOnly, bucket });
}

async function openRemote(
  place: DrivePlace,
  settings: Settings,
  log: Logger,
  metrics: DriveMetrics,
): Promise<Drive> {
  const { remote, path, file } = place;
  const { pollInterval, readOnly, cache } = settings;
  const own = digest(identityOf(place));
  const data = join(settings.data, "drives", own);
  try {
    const observer = metrics.observer(providerOf(remote).command, remote.name, cache !== undefined);
    const source = file ? new ConfigFile(file) : undefined;
    const vendor = await openVendor(remote, path, { file: source, data, observer });
    const drive = await remoteDrive(vendor, {
      data,
      pollInterval,
      readOnly,
      cacheDir: cache && join(cache.folder, own),
      cacheSize: cache?.size,
      observer,
    });
    return watchDrive(drive, describePlace(place), log);
  } catch (error) {
    if (!(error instanceof ConfigError || error instanceof DriveError)) throw error;
    throw new RunError(`${describePlace(place)} cannot be served: ${error.message}`, { cause: error });
  }
}

const digest = (text: string) => createHash("sha256").update(text).digest("hex").slice(0, 16);
