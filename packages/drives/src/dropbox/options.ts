import type { HttpOptions } from "../remote/http/index.ts";
import { type Encoding, parseEncoding } from "../remote/rclone-names.ts";
import { booleanOf, sizeOf } from "../remote/section.ts";
import type { AccessTokens } from "../remote/tokens.ts";

const MiB = 1024 * 1024;

/** Which Dropbox is served, and how. */
export interface DropboxOptions {
  readonly tokens: AccessTokens;
  /**
   * The folder that is served, as segments of keys joined by slashes; the whole Dropbox where not given. A slash in
   * front begins at the root of a team's space and not at the member's own folder.
   */
  readonly folder?: string;
  /** The namespace where paths begin; where not given that of the user. */
  readonly rootNamespace?: string;
  /** Addresses of the service, without a slash at the end. */
  readonly url?: string;
  readonly contentUrl?: string;
  readonly notifyUrl?: string;
  /** Most bytes of a file that goes up in one call, up to 150 MiB; 32 MiB where not given. */
  readonly uploadLimit?: number;
  /** Bytes of a fragment of larger ones, up to 150 MiB; 32 MiB where not given. */
  readonly fragmentSize?: number;
  /** Whether fragments go up at once; where not given they do if they are a multiple of 4 MiB, as they must be. */
  readonly concurrent?: boolean;
  /** Seconds that a call may wait for changes, from 30 to 480; 60 where not given. */
  readonly longpollSeconds?: number;
  readonly encoding?: Encoding;
  /** How calls are made: for tests and for metrics. */
  readonly http?: Partial<Omit<HttpOptions, "tokens" | "judge" | "name">>;
}

/** Bytes of which every fragment but the last is a multiple where they go up at once. */
export const fragmentUnit = 4 * MiB;
/** Bytes that a request may have. */
const largestRequest = 150 * MiB;

/** What rclone can and this drive cannot. */
const unknown = [
  ...["impersonate", "impersonate_admin", "shared_files", "shared_folders"],
  ...["skip_shared_folders", "skip_unowned_folders"],
];

/**
 * Options from a section of rclone.conf.
 * @throws Error that says which key is wrong and what it may be
 */
export function readOptions(section: Readonly<Record<string, string>>): Omit<DropboxOptions, "tokens"> {
  const strange = unknown.find((key) => section[key] && section[key] !== "false");
  if (strange !== undefined)
    throw new Error(`${strange} is not supported: leave it out, or name the folder to be served`);
  booleanOf(section, "skip_exports");
  const chunk = sizeOf(section, "chunk_size");
  if (chunk !== undefined && chunk > largestRequest) throw new Error("chunk_size must be at most 150Mi");
  // rclone sends one after the other, of any size.
  const fragmentSize = chunk && (chunk < fragmentUnit ? chunk : chunk - (chunk % fragmentUnit));
  const address = (key: string) => section[key]?.replace(/\/+$/, "") || undefined;
  return {
    rootNamespace: section.root_namespace || undefined,
    url: address("api_url"),
    contentUrl: address("content_url"),
    notifyUrl: address("notify_url"),
    // As with rclone, what is not larger goes up in one call.
    uploadLimit: fragmentSize || undefined,
    fragmentSize: fragmentSize || undefined,
    encoding: section.encoding ? parseEncoding(section.encoding) : undefined,
  };
}
