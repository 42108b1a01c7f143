export {
  type Auth0Fault,
  type Auth0Options,
  type Auth0Request,
  type Auth0Server,
  startAuth0,
} from "./auth0/index.ts";
export type { CallCounts, CallLog, LoggedCall } from "./drives/calls.ts";
export { parseFaultSpec } from "./drives/fault-spec.ts";
export type { Fault } from "./drives/faults.ts";
export { sampleFiles } from "./drives/sample-files.ts";
export type { DriveStandIn, StandInOptions } from "./drives/stand-in.ts";
export { startTlsProxy, type TlsProxy } from "./drives/tls-proxy.ts";
export {
  type DropboxOptions,
  type DropboxServer,
  type PropertyKeeper,
  startDropbox,
} from "./dropbox/index.ts";
export {
  errorBody as googleErrorBody,
  type GoogleDriveOptions,
  type GoogleDriveServer,
  startGoogleDrive,
} from "./google-drive/index.ts";
export {
  type DriveType,
  type OneDriveOptions,
  type OneDriveServer,
  startOneDrive,
} from "./onedrive/index.ts";
export {
  startTelegram,
  type TelegramCall,
  type TelegramFault,
  type TelegramMessage,
  type TelegramOptions,
  type TelegramServer,
  type TelegramUser,
} from "./telegram/index.ts";
