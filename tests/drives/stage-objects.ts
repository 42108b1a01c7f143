import { join } from "node:path";
import { ConfigFile, findRemote, openVendor, type RemoteDrive, remoteDrive } from "@overcoat/drives";
import { type Objects, openObjects } from "@overcoat/objects";

export const bucket = "bucket";

/** Objects on the remote that is configured in a folder, which keep there what they know. */
export async function openStageObjects(
  folder: string,
  pollInterval = 100,
): Promise<{ objects: Objects; drive: RemoteDrive }> {
  const file = new ConfigFile(join(folder, "rclone.conf"));
  const remote = await findRemote(file, "remote", {});
  const data = join(folder, "data");
  const vendor = await openVendor(remote!, undefined, { file, data });
  const drive = await remoteDrive(vendor, { data: join(data, "drive"), pollInterval });
  return { objects: await openObjects({ drive, data }), drive };
}
