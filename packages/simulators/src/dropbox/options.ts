import type { StandInOptions } from "../drives/stand-in.ts";
import type { TokenOptions } from "./tokens.ts";

/** A write that keeps the property groups of a file, which is not documented. */
export type PropertyKeeper = "overwrite" | "copy" | "move";

export interface DropboxOptions extends StandInOptions, TokenOptions {
  /** Ports of the other hosts; free ones where not given. */
  readonly contentPort?: number;
  readonly notifyPort?: number;
  readonly linkPort?: number;
  /** What temporary links begin with, for a stand-in behind a proxy; where they are answered where not given. */
  readonly linkOrigin?: string;
  /** A member of a team whose space has a root above the member's own folder; where not given, a personal Dropbox. */
  readonly team?: boolean;
  /** Bytes of the Dropbox; 2 TiB where not given. */
  readonly quota?: number;
  /** Most bytes of a request; 150 MiB where not given. */
  readonly requestLimit?: number;
  /** Takes other than ASCII in the JSON of headers, against the documentation, as rclone relies on. */
  readonly takesUtf8Headers?: boolean;
  /** Bytes that pieces of concurrent sessions are multiples of; 4 MiB where not given. */
  readonly pieceUnit?: number;
  /** Milliseconds for which a commit holds its namespace; others that come meanwhile are refused. 0 where not given. */
  readonly commitTime?: number;
  /** How a commit is refused that comes too early: with 429 (the default), or 409 and the route's error. */
  readonly commitRefusal?: 409 | 429;
  /** Seconds that an upload session lives; 7 days where not given. */
  readonly sessionSeconds?: number;
  /** Seconds that a temporary link is good for; 4 hours where not given. */
  readonly linkSeconds?: number;
  /** Milliseconds that a job such as a batch of removals takes; 0 where not given. */
  readonly jobTime?: number;
  /** Revisions that a path keeps; 100 where not given. */
  readonly mostRevisions?: number;
  /** Writes that keep property groups; only moves where not given. */
  readonly keepsProperties?: readonly PropertyKeeper[];
  /** Leaves the property groups out of the answers to uploads. */
  readonly hidesUploadedProperties?: boolean;
  /** Seconds that a longpoll waits at most, whatever it asks for. */
  readonly longpollSeconds?: number;
  /** Seconds that longpolls are told to wait before they come again. */
  readonly longpollBackoff?: number;
  /** Milliseconds after which the change feed shows what is new; 0 where not given. */
  readonly feedLag?: number;
  /** Tells of what was below a removed folder, too; else only of the folder (the default). */
  readonly tellsDescendants?: boolean;
}
