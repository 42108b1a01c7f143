import type { HttpOptions } from "../remote/http/index.ts";
import { type Encoding, parseEncoding } from "../remote/rclone-names.ts";
import { booleanOf, sizeOf } from "../remote/section.ts";
import type { AccessTokens } from "../remote/tokens.ts";

export type DriveType = "personal" | "business" | "documentLibrary";

/** Which drive of Microsoft Graph is served, and how. */
export interface OneDriveOptions {
  readonly tokens: AccessTokens;
  readonly driveId: string;
  readonly driveType: DriveType;
  /** Graph with its version, without a slash at the end; the worldwide one where not given. */
  readonly url?: string;
  /** The folder that is served; the whole drive where not given. */
  readonly rootFolderId?: string;
  /** A folder below that, as segments of keys joined by slashes. */
  readonly folder?: string;
  /** Most bytes of a file that goes up in one call; 4 MiB where not given. */
  readonly uploadLimit?: number;
  /** Bytes of a fragment of larger ones, a multiple of 320 KiB up to 60 MiB; 10 MiB where not given. */
  readonly fragmentSize?: number;
  /** Children in a page; 1000 where not given. */
  readonly listPage?: number;
  /** Removes for good and not into the recycle bin; not on personal drives. */
  readonly hardDelete?: boolean;
  readonly encoding?: Encoding;
  /** How calls are made: for tests and for metrics. */
  readonly http?: Partial<Omit<HttpOptions, "tokens" | "judge" | "name">>;
}

/** Bytes of which every fragment but the last is a multiple. */
export const fragmentUnit = 320 * 1024;
const largestFragment = 60 * 1024 * 1024;
const largestUpload = 250 * 1000 * 1000;

const clouds: Readonly<Record<string, string>> = {
  global: "https://graph.microsoft.com",
  us: "https://graph.microsoft.us",
  cn: "https://microsoftgraph.chinacloudapi.cn",
};

/** Graph with its version, as a section of rclone.conf has it. @throws Error that says which key is wrong */
export function graphUrl({
  region = "global",
  tenant_url,
  tenant_api_version,
}: Readonly<Record<string, string>>): string {
  const host = tenant_url || clouds[region];
  if (!host) throw new Error(`region = ${region} is none of ${Object.keys(clouds).join(", ")}`);
  return `${host.replace(/\/+$/, "")}/${tenant_api_version || "v1.0"}`;
}

/**
 * Options from a section of rclone.conf.
 * @throws Error that says which key is wrong and what it may be
 */
export function readOptions(section: Readonly<Record<string, string>>): Omit<OneDriveOptions, "tokens"> {
  const { drive_id: driveId, drive_type: driveType } = section;
  if (!driveId) throw new Error("drive_id is missing: which drive is to be served?");
  if (driveType !== "personal" && driveType !== "business" && driveType !== "documentLibrary")
    throw new Error("drive_type must be personal, business or documentLibrary");
  const fragmentSize = sizeOf(section, "chunk_size");
  if (
    fragmentSize !== undefined &&
    (fragmentSize === 0 || fragmentSize % fragmentUnit !== 0 || fragmentSize > largestFragment)
  )
    throw new Error("chunk_size must be a multiple of 320Ki and at most 60Mi");
  const uploadLimit = sizeOf(section, "upload_cutoff");
  const listPage = section.list_chunk ? Number(section.list_chunk) : undefined;
  if (listPage !== undefined && !(Number.isInteger(listPage) && listPage > 0))
    throw new Error("list_chunk must be a number of items");
  return {
    driveId,
    driveType,
    url: graphUrl(section),
    rootFolderId: section.root_folder_id || undefined,
    uploadLimit: uploadLimit === undefined ? undefined : Math.min(uploadLimit, largestUpload),
    fragmentSize,
    listPage,
    hardDelete: booleanOf(section, "hard_delete"),
    encoding: section.encoding ? parseEncoding(section.encoding) : undefined,
  };
}
