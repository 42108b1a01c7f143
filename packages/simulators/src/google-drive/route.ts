import type { Call, Reply } from "../drives/call.ts";
import type { Content, ContentStore } from "../drives/content.ts";
import type { Access, Account } from "./account.ts";
import type { Feed } from "./feed.ts";
import type { Listing } from "./listing.ts";
import type { GoogleDriveOptions } from "./options.ts";
import type { Sessions } from "./sessions.ts";
import type { Viewer } from "./tokens.ts";

/** All that the parts of one stand-in share. */
export interface Parts {
  readonly options: GoogleDriveOptions;
  readonly account: Account;
  readonly store: ContentStore;
  readonly listing: Listing;
  readonly feed: Feed;
  readonly sessions: Sessions;
  /** No bytes: what a file without content has. */
  readonly empty: Content;
}

export interface ApiCall extends Parts {
  readonly call: Call;
  readonly viewer: Viewer;
  readonly access: Access;
  /** What the route's pattern took out of the path, decoded. */
  readonly groups: Readonly<Record<string, string>>;
}

export interface Route {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** Matches the path as a whole. */
  readonly path: RegExp;
  /** As the call log names it, without its method. */
  readonly name: string | ((query: URLSearchParams) => string);
  /** Quota units that it costs. */
  readonly units: number | ((query: URLSearchParams) => number);
  /** Whether a scope that only reads is enough. */
  readonly reads?: boolean;
  run(call: ApiCall): Promise<Reply> | Reply;
}
