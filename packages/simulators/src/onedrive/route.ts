import type { Call, Reply } from "../drives/call.ts";
import type { ContentStore } from "../drives/content.ts";
import type { ItemAddress } from "./address.ts";
import type { Copies } from "./copies.ts";
import type { Delta } from "./delta.ts";
import type { Downloads } from "./downloads.ts";
import type { Drive } from "./drive.ts";
import type { ItemJson } from "./item-json.ts";
import type { OneDriveOptions } from "./options.ts";
import type { Sessions } from "./sessions.ts";

/** All that the parts of one stand-in share. */
export interface Parts {
  readonly options: OneDriveOptions;
  readonly drive: Drive;
  readonly store: ContentStore;
  readonly json: ItemJson;
  readonly downloads: Downloads;
  readonly sessions: Sessions;
  readonly copies: Copies;
  readonly delta: Delta;
}

/** A call for an item, or for what belongs to one. */
export interface ItemCall extends Parts {
  readonly call: Call;
  readonly address: ItemAddress;
  /** The path of the call below `/v1.0`, as it was sent. */
  readonly path: string;
  /** What the route's pattern took out of the resource. */
  readonly groups: Readonly<Record<string, string | undefined>>;
}

export interface Route {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** Matches the resource behind the item as a whole. */
  readonly resource: RegExp;
  /** As the call log names it, without its method. */
  readonly name: string;
  /** Resource units that it costs, as SharePoint counts them. */
  readonly units: number;
  run(call: ItemCall): Promise<Reply> | Reply;
}
