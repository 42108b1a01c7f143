import type { DriveStandIn, StandInOptions } from "@overcoat/simulators";

export type DriveType = "personal" | "business" | "documentLibrary";

interface DriveService {
  /** For people. */
  readonly title: string;
  start(options: StandInOptions & { driveType?: DriveType }): Promise<DriveStandIn>;
}

/** Stand-ins of drives, by the names that their remotes get in an rclone.conf. */
export const driveStandIns: Readonly<Record<string, DriveService>> = {
  onedrive: {
    title: "OneDrive",
    start: async (options) => (await import("@overcoat/simulators")).startOneDrive(options),
  },
  "google-drive": {
    title: "Google Drive",
    start: async (options) => (await import("@overcoat/simulators")).startGoogleDrive(options),
  },
  dropbox: {
    title: "Dropbox",
    start: async (options) => (await import("@overcoat/simulators")).startDropbox(options),
  },
};

/** Puts a remote that leads to a stand-in into an rclone.conf. */
export async function writeRemote(file: string, name: string, standIn: DriveStandIn): Promise<void> {
  const { ConfigFile, parseConfig } = await import("@overcoat/drives");
  await new ConfigFile(file).setSection(name, parseConfig(standIn.rcloneSection(name), file).get(name)!);
}
