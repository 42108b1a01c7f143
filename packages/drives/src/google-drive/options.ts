import type { HttpOptions } from "../remote/http/index.ts";
import { type Encoding, parseEncoding } from "../remote/rclone-names.ts";
import { booleanOf, sizeOf } from "../remote/section.ts";
import type { AccessTokens } from "../remote/tokens.ts";

/** Which drive of Google's is served, and how. */
export interface GoogleDriveOptions {
  readonly tokens: AccessTokens;
  /** Where the API is, without a slash at the end; https://www.googleapis.com where not given. */
  readonly url?: string;
  /** The shared drive that is served; My Drive where not given. */
  readonly sharedDrive?: string;
  /** The folder that is served, by its id; the whole drive where not given. */
  readonly rootFolderId?: string;
  /** A folder below that, as segments of keys joined by slashes. */
  readonly folder?: string;
  /** Most bytes of a file that goes up in one call; 8 MiB where not given. */
  readonly uploadLimit?: number;
  /** Bytes of a fragment of larger ones, a multiple of 256 KiB; 8 MiB where not given. */
  readonly fragmentSize?: number;
  /** Children in a page; 1000 where not given. */
  readonly listPage?: number;
  /** Removes for good and not into the trash. */
  readonly hardDelete?: boolean;
  /** Leaves Google's own documents out, and shortcuts. */
  readonly skipDocuments?: boolean;
  readonly skipShortcuts?: boolean;
  /** Reads files also that Google takes for harmful. */
  readonly acknowledgeAbuse?: boolean;
  /** Keeps each replaced content for good, of which a file can have 200. */
  readonly keepRevisions?: boolean;
  readonly encoding?: Encoding;
  /** How calls are made: for tests and for metrics. */
  readonly http?: Partial<Omit<HttpOptions, "tokens" | "judge" | "name">>;
}

/** Bytes of which every fragment but the last is a multiple. */
export const fragmentUnit = 256 * 1024;

/**
 * Options from a section of rclone.conf, and `root_url`, the address of the API, which rclone has no key for.
 * @throws Error that says which key is wrong and what it may be
 */
export function readOptions(section: Readonly<Record<string, string>>): Omit<GoogleDriveOptions, "tokens"> {
  for (const key of ["shared_with_me", "starred_only", "trashed_only"])
    if (booleanOf(section, key))
      throw new Error(`${key} is not supported: serve My Drive, a folder or a shared drive`);
  const fragmentSize = sizeOf(section, "chunk_size");
  if (fragmentSize !== undefined && (fragmentSize === 0 || fragmentSize % fragmentUnit !== 0))
    throw new Error("chunk_size must be a multiple of 256Ki");
  const listPage = section.list_chunk ? Number(section.list_chunk) : undefined;
  if (listPage !== undefined && !(Number.isInteger(listPage) && listPage > 0))
    throw new Error("list_chunk must be a number of items");
  const useTrash = booleanOf(section, "use_trash");
  return {
    url: section.root_url?.replace(/\/+$/, "") || undefined,
    sharedDrive: section.team_drive || undefined,
    rootFolderId: section.root_folder_id || undefined,
    uploadLimit: sizeOf(section, "upload_cutoff"),
    fragmentSize,
    listPage: listPage === undefined ? undefined : Math.min(listPage, 1000),
    hardDelete: useTrash === undefined ? undefined : !useTrash,
    skipDocuments: booleanOf(section, "skip_gdocs"),
    skipShortcuts: booleanOf(section, "skip_shortcuts"),
    acknowledgeAbuse: booleanOf(section, "acknowledge_abuse"),
    keepRevisions: booleanOf(section, "keep_revision_forever"),
    encoding: section.encoding ? parseEncoding(section.encoding) : undefined,
  };
}
