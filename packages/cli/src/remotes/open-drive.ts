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

/** What is served, and how it grows. */
export interface ServedDrive {
  readonly drive: Drive;
  /**
   * Maps a bucket to another place; nothing changes where it is mapped there already. Only where `Settings.growing`.
   * @throws RunError where the place cannot be served, or the name is taken
   */
  map(bucket: string, place: Place): Promise<void>;
}

/**
 * The drive that the settings name, with the buckets mapped elsewhere.
 * @throws RunError where a remote is not configured rightly, not signed in or cannot be reached
 */
export async function openDrive(
  settings: Settings,
  log: Logger,
  metrics: DriveMetrics,
): Promise<ServedDrive> {
  const mapped = new Map<string, Drive>();
  const places = new Map<string, string>();
  let isClosed = false;
  const open = async (place: Place, bucket: boolean) =>
    place.kind === "folder"
      ? openFolder(place, settings, bucket)
      : await openRemote(place, settings, log, metrics);
  const add = async (bucket: string, place: Place) => {
    mapped.set(bucket, await open(place, true));
    places.set(bucket, identityOf(place));
    if (isClosed) await mapped.get(bucket)!.close();
  };
  const base = await open(settings.place, false);
  try {
    for (const [bucket, place] of Object.entries(settings.buckets)) await add(bucket, place);
  } catch (error) {
    for (const drive of [base, ...mapped.values()]) await drive.close();
    throw error;
  }
  const drive = settings.growing || mapped.size > 0 ? mappedDrive(base, mapped) : base;
  const close = drive.close.bind(drive);
  drive.close = () => {
    isClosed = true;
    return close();
  };
  const map = async (bucket: string, place: Place) => {
    if (places.get(bucket) === identityOf(place)) return;
    if (places.has(bucket) || (await base.stat(bucket)))
      throw new RunError(`there is a bucket ${bucket} already: give the remote another name`);
    await add(bucket, place);
  };
  let last = Promise.resolve();
  return {
    drive,
    // One after the other: a drive must not be opened twice.
    map: (bucket, place) => {
      last = last.catch(() => {}).then(() => map(bucket, place));
      return last;
    },
  };
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
