import type { Vendor } from "../remote/vendor.ts";
import type { DropboxOptions } from "./options.ts";
import { DropboxVendor } from "./vendor.ts";

export { type DropboxOptions, readOptions } from "./options.ts";

/** A Dropbox, personal or a team's. */
export const dropbox = (options: DropboxOptions): Vendor => new DropboxVendor(options);
