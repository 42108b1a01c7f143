export { type LocalDriveOptions, localDrive } from "./drive.ts";
