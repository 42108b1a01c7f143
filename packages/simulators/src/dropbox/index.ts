export type { DropboxOptions, PropertyKeeper } from "./options.ts";
export { type DropboxServer, startDropbox } from "./server.ts";
