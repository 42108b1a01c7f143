export {
  type DriveObserver,
  type RemoteDrive,
  type RemoteDriveOptions,
  remoteDrive,
  type SyncProgress,
} from "./remote-drive.ts";
