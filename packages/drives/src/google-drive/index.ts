export { type GoogleDriveOptions, readOptions } from "./options.ts";
export { googleDrive } from "./vendor.ts";
