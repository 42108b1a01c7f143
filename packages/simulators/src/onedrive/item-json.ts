import type {
  DriveItem,
  Drive as GraphDrive,
  Hashes,
  ItemReference,
  SharePointIdentitySet,
} from "@microsoft/microsoft-graph-types";
import type { Drive, Item } from "./drive.ts";
import { invalidRequest } from "./errors.ts";
import { mimeType } from "./names.ts";

/** An object of the API, as JSON. */
export type Json = Record<string, unknown>;

export const downloadUrlName = "@microsoft.graph.downloadUrl";

/** An item as the published types of the API have it, which leave out the annotation. */
export interface ItemBody extends DriveItem {
  [downloadUrlName]?: string;
}

/** Makes the pre-authenticated address of a file. */
export type DownloadUrl = (item: Item) => string;

const selectable = new Set([
  ...["id", "name", "size", "eTag", "cTag", "webUrl", "createdDateTime", "lastModifiedDateTime"],
  ...[
    "createdBy",
    "lastModifiedBy",
    "parentReference",
    "fileSystemInfo",
    "file",
    "folder",
    "package",
    "root",
  ],
  ...["deleted", "malware", "remoteItem", "shared", "specialFolder", "description", "content", "children"],
  ...["audio", "image", "photo", "video", "location", "searchResult", "sharepointIds", "webDavUrl"],
  ...["publication", "bundle", "pendingOperations", "thumbnails", "versions", "permissions"],
  ...[downloadUrlName, "@content.downloadUrl"],
]);

/** Chooses properties of an item; the entity's type may stand before their names. */
export class Select {
  readonly #names: ReadonlySet<string> | undefined;

  /** @param text the value of `$select`; null chooses all @throws GraphError 400 */
  constructor(text: string | null) {
    if (text === null || text.trim() === "") return;
    const names = text.split(",").map((name) => name.trim());
    for (const name of names)
      if (!selectable.has(name))
        throw invalidRequest(
          `Could not find a property named '${name}' on type 'microsoft.graph.driveItem'.`,
        );
    if (names.includes("@content.downloadUrl")) names.push(downloadUrlName);
    this.#names = new Set(names);
  }

  from(item: object): object {
    const names = this.#names;
    if (!names) return item;
    return Object.fromEntries(
      Object.entries(item).filter(([name]) => names.has(name) || name.startsWith("@odata.")),
    );
  }
}

/** Times as the drive's type writes them. */
export function timestamp(drive: Drive, time: number): string {
  const text = new Date(time).toISOString();
  return drive.personal ? text : text.replace(/\.\d+Z$/, "Z");
}

/** Writes items as the drive's type does. */
export class ItemJson {
  readonly #drive: Drive;
  readonly #downloadUrl: DownloadUrl;
  readonly #oddDriveIds: boolean;
  #written = 0;

  constructor(drive: Drive, downloadUrl: DownloadUrl, oddDriveIds = false) {
    this.#drive = drive;
    this.#downloadUrl = downloadUrl;
    this.#oddDriveIds = oddDriveIds;
  }

  drive(): GraphDrive {
    const { id, type, quota, used } = this.#drive;
    const user = { displayName: "Stand-in User", id: "00000000-0000-4000-8000-000000000001" };
    const remaining = Math.max(0, quota - used);
    const owner: SharePointIdentitySet = type === "documentLibrary" ? { group: user } : { user };
    const state = remaining === 0 ? "exceeded" : "normal";
    return {
      id,
      driveType: type,
      name: type === "documentLibrary" ? "Documents" : "OneDrive",
      owner,
      quota: { deleted: 0, remaining, state, total: quota, used },
      webUrl: this.#webUrl([]),
    };
  }

  /** An item in full. @param withPath false in the change feed, which leaves out the path and on Business the cTag */
  item(item: Item, { withPath = true, withUrl = true } = {}): ItemBody {
    const drive = this.#drive;
    const { data, children } = item;
    const user = { user: { displayName: "Stand-in User", id: "00000000-0000-4000-8000-000000000001" } };
    const json: ItemBody = {
      createdDateTime: timestamp(drive, data.created),
      eTag: drive.eTag(item),
      id: item.id,
      lastModifiedDateTime: timestamp(drive, data.modified),
      name: item.name,
      webUrl: this.#webUrl(drive.pathOf(item)),
      size: data.size,
      createdBy: user,
      lastModifiedBy: user,
      parentReference: this.#parent(item, withPath),
      fileSystemInfo: {
        createdDateTime: timestamp(drive, data.times.created),
        lastModifiedDateTime: timestamp(drive, data.times.modified),
      },
    };
    const cTag = drive.cTag(item);
    if (cTag !== undefined && (withPath || drive.personal)) json.cTag = cTag;
    if (data.description !== undefined) json.description = data.description;
    if (item === drive.root) json.root = {};
    if (data.special) json.specialFolder = { name: data.special };
    if (data.notebook) json.package = { type: "oneNote" };
    else if (children) json.folder = { childCount: children.size };
    else json.file = { mimeType: mimeType(item.name), ...this.#hashes(item) };
    if (data.infected) json.malware = { description: "The file is infected." };
    if (data.content && withUrl && !data.infected) json[downloadUrlName] = this.#downloadUrl(item);
    return json;
  }

  /** What the change feed tells of an item that is gone. */
  removed(item: Item): ItemBody {
    const { personal } = this.#drive;
    const { name, data, id } = item;
    return {
      id,
      ...(personal && { name, eTag: this.#drive.eTag(item) }),
      ...(!personal && { size: data.size }),
      parentReference: this.#parent(item, false),
      ...(item.children ? { folder: { childCount: 0 } } : { file: {} }),
      deleted: { state: "deleted" },
    };
  }

  #parent(item: Item, withPath: boolean): ItemReference {
    const drive = this.#drive;
    const reference: ItemReference = { driveType: drive.type, driveId: this.#driveId() };
    const { parent } = item;
    if (!parent) return reference;
    reference.id = parent.id;
    if (withPath) {
      reference.name = parent.name;
      const names = drive.pathOf(parent);
      const path = names.map((name) => `/${drive.personal ? encodeURIComponent(name) : name}`).join("");
      reference.path = `${drive.personal ? "/drive" : `/drives/${drive.id}`}/root:${path}`;
    }
    return reference;
  }

  /** Odd spellings come in turn: as it is, in capitals, without its leading zero. */
  #driveId(): string {
    const { id, personal } = this.#drive;
    if (!this.#oddDriveIds || !personal) return id;
    this.#written += 1;
    return [id, id.toUpperCase(), id.replace(/^0/, "")][this.#written % 3]!;
  }

  #hashes({ data }: Item): { hashes?: Hashes } {
    // Empty files of personal drives have none.
    if (data.size === 0 && this.#drive.personal) return {};
    const { quickXorHash, ...others } = data.content!.hashes;
    const capital = Object.entries(others).map(([name, hash]) => [name, hash.toUpperCase()]);
    return { hashes: { quickXorHash, ...Object.fromEntries(capital) } };
  }

  #webUrl(path: readonly string[]): string {
    const host = this.#drive.personal
      ? "https://onedrive.live.com"
      : "https://stand-in.sharepoint.com/Documents";
    return [host, ...path.map(encodeURIComponent)].join("/");
  }
}
