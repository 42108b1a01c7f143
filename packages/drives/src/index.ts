export type {
  CommitOptions,
  CreateOptions,
  DescribedFile,
  Drive,
  DriveEntry,
  DriveErrorCode,
  FileVersion,
  ListedEntry,
  OpenFile,
  PendingFile,
  WriteConditions,
} from "./drive.ts";
export { DriveError } from "./drive.ts";
export { readChunks } from "./local/chunks.ts";
export { type LocalDriveOptions, localDrive } from "./local/index.ts";
export { Locks } from "./locks.ts";
export { SignInEnded } from "./oauth/client.ts";
export { type Provider, providers, type SignInMethod } from "./oauth/providers.ts";
export {
  type RedirectSignIn,
  type SignInRequest,
  startBrowserSignIn,
  startCodeSignIn,
  startDeviceSignIn,
  startRedirectSignIn,
} from "./oauth/sign-in.ts";
export { formatToken, parseToken, type Token } from "./oauth/token.ts";
export type { FoundDrive } from "./onedrive/index.ts";
export { isLeftOver, temporaryName } from "./processes.ts";
export { RangeLock } from "./range-lock.ts";
export {
  ConfigError,
  ConfigFile,
  defaultConfigFile,
  findOneDrives,
  findRemote,
  listRemotes,
  openVendor,
  parseConfig,
  providerOf,
  type Remote,
  type Section,
  servedTypes,
  signInRequest,
  splitRemote,
} from "./rclone/index.ts";
export type { CallObserver, FinishedCall } from "./remote/http/index.ts";
export {
  type DriveObserver,
  type RemoteDrive,
  type RemoteDriveOptions,
  remoteDrive,
  type SyncProgress,
} from "./remote/index.ts";
