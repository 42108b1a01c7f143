import type { StandInOptions } from "../drives/stand-in.ts";
import type { TokenOptions } from "./tokens.ts";

export type DriveType = "personal" | "business" | "documentLibrary";

/** Resource units that calls may cost in a window, as SharePoint counts them. */
export interface Budget {
  readonly units: number;
  readonly windowSeconds: number;
}

export interface OneDriveOptions extends StandInOptions, TokenOptions {
  /** The port of pre-authenticated addresses (downloads, upload sessions, monitors); a free one where not given. */
  readonly storagePort?: number;
  /** What pre-authenticated addresses begin with, for a stand-in behind a proxy; where they are answered where not given. */
  readonly storageOrigin?: string;
  /** `personal` where not given. */
  readonly driveType?: DriveType;
  /** Bytes of the drive; 1 TiB where not given. */
  readonly quota?: number;
  readonly throttle?: Budget;
  /** The size in bytes from which a simple upload is refused; 250 MiB where not given. */
  readonly simpleUploadLimit?: number;
  /** Seconds that a download address is good for; an hour where not given. */
  readonly downloadSeconds?: number;
  /** Seconds that an upload session lives after its last fragment; 7 days where not given. */
  readonly sessionSeconds?: number;
  /** What pre-authenticated addresses do with a call that bears a token: refuse it (the default), as they may. */
  readonly storageTokens?: "refuse" | "ignore";
  /** What an upload session does with a name that is taken when it does not say; `replace` where not given. */
  readonly sessionConflict?: "fail" | "replace" | "rename";
  /** Refuses a fragment whose size is no multiple of 320 KiB at once (the default), or only the commit. */
  readonly fragmentRule?: "fragment" | "commit";
  /** Milliseconds that a copy takes; 0 where not given. */
  readonly copyTime?: number;
  /** The status with which a monitor tells of the end; 200 where not given. */
  readonly copyDone?: 200 | 202 | 303;
  /** Old versions that a file keeps; 100 where not given. */
  readonly mostVersions?: number;
  /** Hashes of files beside quickXorHash, as drives had them formerly. */
  readonly hashes?: readonly ("sha1Hash" | "sha256Hash")[];
  /** Milliseconds after which listings of children and the change feed show what is new; 0 where not given. */
  readonly lag?: { readonly children?: number; readonly delta?: number };
  readonly delta?: {
    /** Pages repeat the last item of the page before. */
    readonly duplicates?: boolean;
    /** Children come before their parents. */
    readonly outOfOrder?: boolean;
    /** Says of a removed folder what was below it, too (the default). */
    readonly removedDescendants?: boolean;
  };
  /** Spells a personal drive's id in ever other ways, as the service does since 2025. */
  readonly oddDriveIds?: boolean;
  /** Adds properties to Office and HTML files once they are uploaded; so it is in a document library. */
  readonly rewriteOffice?: boolean;
}
