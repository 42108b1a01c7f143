import type { Vendor } from "../remote/vendor.ts";
import type { OneDriveOptions } from "./options.ts";
import { OneDriveVendor } from "./vendor.ts";

export { type FindDrivesOptions, type FoundDrive, findDrives } from "./find-drives.ts";
export { type DriveType, graphUrl, type OneDriveOptions, readOptions } from "./options.ts";

/** OneDrive personal, OneDrive for Business or a SharePoint document library. */
export const oneDrive = (options: OneDriveOptions): Vendor => new OneDriveVendor(options);
