import type { drive_v3 } from "@googleapis/drive";
import type { Access, Account, Drive } from "./account.ts";
import { type Item, sees } from "./account.ts";
import { fileNotFound, invalid } from "./errors.ts";
import { fileJson, timestamp } from "./file-json.ts";
import { pageSizeOf } from "./listing.ts";
import type { GoogleDriveOptions } from "./options.ts";
import type { Viewer } from "./tokens.ts";

/** The changes of My Drive, or of one shared drive. Tokens are numbers and never go out of date. */
export class Feed {
  readonly #account: Account;
  readonly #options: GoogleDriveOptions;

  constructor(account: Account, options: GoogleDriveOptions) {
    this.#account = account;
    this.#options = options;
  }

  startPageToken(query: URLSearchParams): drive_v3.Schema$StartPageToken {
    const { tree } = this.#drive(query);
    return { kind: "drive#startPageToken", startPageToken: String(tree.lastChange + 1) };
  }

  /** @throws DriveApiError 400, 404 */
  page(query: URLSearchParams, viewer: Viewer): drive_v3.Schema$ChangeList {
    const { tree } = this.#drive(query);
    const size = pageSizeOf(query, 1000);
    const token = query.get("pageToken") ?? "";
    if (!/^[1-9]\d*$/.test(token) || Number(token) > tree.lastChange + 1)
      throw invalid("Invalid Value", "pageToken");
    const { lag, removedDescendants } = this.#options;
    const last =
      lag?.changes === undefined ? tree.lastChange : tree.changeBy(this.#account.clock.now() - lag.changes);
    const changed = tree.changed(Number(token) - 1, size).filter(({ change }) => change <= last);
    const changes = changed
      .filter((item) => item !== tree.root && sees(viewer, item))
      .filter(({ removed, parent }) => !removed || !parent?.removed || removedDescendants !== false)
      .filter(({ removed }) => !removed || query.get("includeRemoved") !== "false")
      .map((item) => this.#change(item, viewer));
    const end = changed.length === size ? changed.at(-1)!.change : Math.max(last, Number(token) - 1);
    const next = end < last ? { nextPageToken: String(end + 1) } : { newStartPageToken: String(end + 1) };
    return { kind: "drive#changeList", ...next, changes };
  }

  #change(item: Item, viewer: Viewer): drive_v3.Schema$Change {
    const { id: fileId, removed, data } = item;
    return {
      kind: "drive#change",
      type: "file",
      changeType: "file",
      time: timestamp(data.changed),
      removed,
      fileId,
      ...(!removed && { file: fileJson(this.#account, item, viewer) }),
    };
  }

  #drive(query: URLSearchParams): Drive {
    const id = query.get("driveId");
    if (id === null) return this.#account.myDrive;
    const access: Pick<Access, "allDrives"> = { allDrives: query.get("supportsAllDrives") === "true" };
    const drive = this.#account.sharedDrives.find((each) => each.id === id);
    if (!drive || !access.allDrives) throw fileNotFound(id);
    return drive;
  }
}
