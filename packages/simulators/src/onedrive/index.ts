export type { DriveType, OneDriveOptions } from "./options.ts";
export { type OneDriveServer, startOneDrive } from "./server.ts";
