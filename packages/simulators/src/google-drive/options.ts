import type { StandInOptions } from "../drives/stand-in.ts";
import type { TokenOptions } from "./tokens.ts";

/** Quota units that calls may cost in a window, as Google counts them. */
export interface Budget {
  readonly units: number;
  readonly windowSeconds: number;
  /** How a call beyond it is refused; 403 where not given. */
  readonly status?: 403 | 429;
}

export interface GoogleDriveOptions extends StandInOptions, TokenOptions {
  /** Names of shared drives that the user can write to; none where not given. */
  readonly sharedDrives?: readonly string[];
  readonly throttle?: Budget;
  /** Milliseconds after which searches by name, listings of a folder and the changes show what is new. */
  readonly lag?: { readonly names?: number; readonly children?: number; readonly changes?: number };
  /** What a search for the children of several folders finds: them (the default), or by a known bug nothing. */
  readonly groupedParents?: "found" | "nothing";
  /** What a search in a folder that is not there answers: 404 (the default), or an empty list as formerly. */
  readonly unknownParent?: "refused" | "empty";
  /** Whether the changes tell of all that lies below when a folder is trashed; not where not given. */
  readonly trashedDescendants?: boolean;
  /** Whether the changes tell of all that lay below when a folder is deleted (the default). */
  readonly removedDescendants?: boolean;
  /** Bytes of one request that an upload session keeps at most; all where not given. */
  readonly keptOfChunk?: number;
  /** Seconds that an upload session lives; a week where not given. */
  readonly sessionSeconds?: number;
  /** The largest body in bytes of an upload with metadata in one request; 64 MiB where not given. */
  readonly multipartLimit?: number;
  /** Revisions that a file keeps beside those that are kept for ever; 100 where not given. */
  readonly mostRevisions?: number;
  /** Whether old revisions can only be read when they are kept for ever; not where not given. */
  readonly keptRevisionsOnly?: boolean;
  /** Refuses all reading of revisions, as to who may only read a file; not where not given. */
  readonly revisionsRefused?: boolean;
  /** Items that a folder may hold; 500,000 where not given. */
  readonly mostChildren?: number;
  /** Whether a copy takes properties along (the default). */
  readonly copiedProperties?: boolean;
}
