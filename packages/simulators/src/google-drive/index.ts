export { errorBody } from "./errors.ts";
export type { GoogleDriveOptions } from "./options.ts";
export { type GoogleDriveServer, startGoogleDrive } from "./server.ts";
