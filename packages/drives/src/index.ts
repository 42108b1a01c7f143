export type {
  DescribedFile,
  Drive,
  DriveEntry,
  DriveErrorCode,
  ListedEntry,
  OpenFile,
  PendingFile,
} from "./drive.ts";
export { DriveError } from "./drive.ts";
export { readChunks } from "./local/chunks.ts";
export { type LocalDriveOptions, localDrive } from "./local/index.ts";
export { bootId, hasEnded, isLeftOver, processName, temporaryName } from "./processes.ts";
