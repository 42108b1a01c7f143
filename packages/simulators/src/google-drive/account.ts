import { randomBytes } from "node:crypto";
import type { Clock } from "../drives/clock.ts";
import type { Content } from "../drives/content.ts";
import { type Node, Tree } from "../drives/tree.ts";
import { badRequest, DriveApiError, fileNotFound, forbidden, invalid } from "./errors.ts";
import { changeProperties, type Metadata } from "./metadata.ts";
import type { GoogleDriveOptions } from "./options.ts";
import type { Viewer } from "./tokens.ts";

export const folderType = "application/vnd.google-apps.folder";
export const shortcutType = "application/vnd.google-apps.shortcut";
const googleTypes = "application/vnd.google-apps.";

export interface Revision {
  readonly id: string;
  readonly content: Content;
  /** Milliseconds since 1970. */
  readonly modified: number;
  readonly mimeType: string;
  keepForever: boolean;
}

/** What Google Drive keeps of a file or folder. Times in milliseconds since 1970. */
export interface Data {
  mimeType: string;
  readonly created: number;
  modified: number;
  /** When the item last changed in any way, and when it came to its place under its name. */
  changed: number;
  placed: number;
  /** Counts changes, and more than these. */
  version: number;
  /** Itself, not by a folder above. */
  trashed: boolean;
  starred: boolean;
  description: string | undefined;
  originalFilename: string | undefined;
  properties: ReadonlyMap<string, string>;
  /** By the client that keeps them. */
  readonly appProperties: Map<string, ReadonlyMap<string, string>>;
  /** The client that made it. */
  readonly client: string | undefined;
  /** Contents, the current one last; none for folders, shortcuts and Google's own documents. */
  revisions: Revision[];
  readonly target: string | undefined;
  /** Others reported it as abusive. */
  abusive: boolean;
}

export type Item = Node<Data>;

/** My Drive or a shared drive. */
export interface Drive {
  readonly id: string;
  readonly name: string;
  readonly shared: boolean;
  readonly tree: Tree<Data>;
}

/** Who asks, and whether the call says that it can do with shared drives. */
export interface Access {
  readonly viewer: Viewer | undefined;
  readonly allDrives: boolean;
}

/** The stand-in itself and the other user see all there is. */
export const everything: Access = { viewer: undefined, allDrives: true };

/** The drives of one account. Changes are made at once: none sees half of another. */
export class Account {
  readonly myDrive: Drive;
  readonly sharedDrives: readonly Drive[];
  readonly clock: Clock;
  /** Bytes. */
  quota: number;
  used = 0;
  readonly #options: GoogleDriveOptions;
  readonly #generated = new Set<string>();
  readonly #used = new Set<string>();

  constructor(options: GoogleDriveOptions, clock: Clock) {
    this.#options = options;
    this.clock = clock;
    this.quota = options.quota ?? 2 ** 40;
    this.myDrive = this.#newDrive("My Drive", false);
    this.sharedDrives = (options.sharedDrives ?? []).map((name) => this.#newDrive(name, true));
  }

  get drives(): readonly Drive[] {
    return [this.myDrive, ...this.sharedDrives];
  }

  /** The drive that an item is in. */
  driveOf(item: Item): Drive {
    let top = item;
    while (top.parent) top = top.parent;
    return this.drives.find(({ tree }) => tree.root === top)!;
  }

  /** @throws DriveApiError 404, also for what the caller may not see */
  find(id: string, { viewer, allDrives }: Access): Item {
    const drive = id === "root" ? this.myDrive : this.drives.find(({ tree }) => tree.get(id));
    const item = id === "root" ? this.myDrive.tree.root : drive?.tree.get(id);
    if (!item || (drive!.shared && !allDrives) || !sees(viewer, item)) throw fileNotFound(id);
    return item;
  }

  /** Whether it or a folder above it is in the trash. */
  trashed(item: Item): boolean {
    for (let at: Item | undefined = item; at; at = at.parent) if (at.data.trashed) return true;
    return false;
  }

  /** The first item of that name which is not in the trash. */
  child(folder: Item, name: string): Item | undefined {
    return [...(folder.children?.values() ?? [])].find((item) => item.name === name && !item.data.trashed);
  }

  /** The item at a path below a folder. */
  at(folder: Item, path: string): Item | undefined {
    let item: Item | undefined = folder;
    for (const name of path.split("/")) item = item && this.child(item, name);
    return item;
  }

  /** Folders at a path, made where they are missing. */
  folders(from: Item, names: readonly string[]): Item {
    let folder = from;
    for (const name of names) {
      const metadata = { name, mimeType: folderType, parents: [folder.id] };
      folder = this.child(folder, name) ?? this.create(metadata, undefined, everything);
    }
    return folder;
  }

  /** Ids that items can be made with. */
  generateIds(count: number): string[] {
    const ids = Array.from({ length: count }, newId);
    for (const id of ids) this.#generated.add(id);
    while (this.#generated.size > 100_000) this.#generated.delete(this.#generated.values().next().value!);
    return ids;
  }

  /** What can be told of a new item before its bytes have come. @throws DriveApiError 400, 403, 404, 409 */
  checkCreate(metadata: Metadata, access: Access, media: boolean): Item {
    const { id, mimeType = "" } = metadata;
    if (media && mimeType.startsWith(googleTypes))
      throw badRequest("The requested conversion is not supported.");
    if (id !== undefined) {
      if (this.#used.has(id))
        throw new DriveApiError(409, "fileIdInUse", "A file already exists with the provided ID.");
      if (mimeType === shortcutType || !this.#generated.has(id))
        throw invalid("The provided file ID is not usable.", "file.id");
      if (mimeType.startsWith(googleTypes) && mimeType !== folderType)
        throw forbidden(
          "insufficientFilePermissions",
          "Generated IDs are not supported for Docs Editors formats.",
        );
    }
    changeProperties(undefined, metadata.properties);
    changeProperties(undefined, metadata.appProperties);
    return this.#parent(metadata.parents?.[0] ?? "root", access);
  }

  /** Makes an item; one without content and of no type of Google's is an empty file. */
  create(metadata: Metadata, content: Content | undefined, access: Access, empty?: Content): Item {
    const { viewer } = access;
    const { mimeType = "application/octet-stream", name = "Untitled", shortcutTarget } = metadata;
    const parent = this.checkCreate(metadata, access, content !== undefined);
    if ((mimeType === shortcutType) !== (shortcutTarget !== undefined))
      throw badRequest("A shortcut, and only a shortcut, needs the id of its target.");
    const target = shortcutTarget === undefined ? undefined : this.find(shortcutTarget, access);
    const id = metadata.id ?? newId();
    const now = this.clock.now();
    const data: Data = {
      mimeType,
      created: metadata.created ?? now,
      modified: metadata.modified ?? now,
      changed: now,
      placed: now,
      version: 1,
      trashed: false,
      starred: metadata.starred ?? false,
      description: metadata.description,
      originalFilename: metadata.originalFilename ?? name,
      properties: changeProperties(undefined, metadata.properties),
      appProperties: new Map(),
      client: viewer?.clientId,
      revisions: [],
      target: target?.id,
      abusive: false,
    };
    if (metadata.appProperties)
      data.appProperties.set(viewer?.clientId ?? "", changeProperties(undefined, metadata.appProperties));
    const bytes = content ?? (mimeType.startsWith(googleTypes) ? undefined : empty);
    if (bytes) {
      this.#charge(bytes.size);
      data.revisions.push(this.#revision(bytes, data));
    }
    const { tree } = this.driveOf(parent);
    this.#used.add(id);
    this.#generated.delete(id);
    return tree.add(id, parent, name, mimeType === folderType, data);
  }

  /** Changes what is said of an item, and its folder. @throws DriveApiError 400, 403, 404 */
  update(
    item: Item,
    metadata: Metadata,
    { add, remove }: { add?: string; remove?: string },
    access: Access,
  ): void {
    const { data } = item;
    if (!item.parent) throw forbidden("insufficientFilePermissions", "The root cannot be changed.");
    const { mimeType = data.mimeType } = metadata;
    if (mimeType.startsWith(googleTypes) !== data.mimeType.startsWith(googleTypes))
      throw badRequest("The type of such a file cannot be changed.");
    const owner = access.viewer?.clientId ?? "";
    const properties = changeProperties(data.properties, metadata.properties);
    const appProperties = changeProperties(data.appProperties.get(owner), metadata.appProperties);
    const parent = this.#newParent(item, add, remove, access);
    data.mimeType = mimeType;
    data.properties = properties;
    if (appProperties.size > 0 || data.appProperties.has(owner)) data.appProperties.set(owner, appProperties);
    data.modified = metadata.modified ?? data.modified;
    data.starred = metadata.starred ?? data.starred;
    data.description = metadata.description ?? data.description;
    const { name = item.name, trashed = data.trashed } = metadata;
    const wasTrashed = data.trashed;
    data.trashed = trashed;
    if (name !== item.name || parent !== item.parent) {
      data.placed = this.clock.now();
      this.driveOf(item).tree.move(item, parent, name);
    }
    this.#touch(item, 1);
    if (trashed !== wasTrashed && this.#options.trashedDescendants)
      for (const below of this.driveOf(item).tree.below(item)) if (below !== item) this.#touch(below, 1);
  }

  /** Gives a file new bytes. @throws DriveApiError 403 */
  setContent(item: Item, content: Content, { keepForever = false, modified = this.clock.now() } = {}): void {
    const { data } = item;
    if (data.revisions.length === 0)
      throw forbidden("fileNotDownloadable", "Only files with binary content can have new bytes.");
    this.#charge(content.size, sizeOf(item));
    data.modified = modified;
    const revision = this.#revision(content, data);
    revision.keepForever = keepForever;
    data.revisions.push(revision);
    const purgeable = data.revisions.slice(0, -1).filter((each) => !each.keepForever);
    for (const old of purgeable.slice(
      0,
      Math.max(0, purgeable.length - (this.#options.mostRevisions ?? 100)),
    ))
      this.removeRevision(item, old);
    this.#touch(item, 3);
  }

  removeRevision({ data }: Item, revision: Revision): void {
    data.revisions = data.revisions.filter((each) => each !== revision);
    revision.content.release();
  }

  /** Removes an item for good, with all that is in it. @throws DriveApiError 403 */
  remove(item: Item): void {
    if (!item.parent) throw forbidden("insufficientFilePermissions", "The root cannot be removed.");
    for (const gone of this.driveOf(item).tree.remove(item)) {
      gone.data.changed = this.clock.now();
      this.used -= sizeOf(gone);
      for (const { content } of gone.data.revisions) content.release();
    }
  }

  /** @throws DriveApiError 403, 404 */
  copy(item: Item, metadata: Metadata, access: Access): Item {
    const { data } = item;
    if (item.children || data.target !== undefined)
      throw forbidden("cannotCopyFile", "This file cannot be copied by the user.");
    const keep = this.#options.copiedProperties !== false;
    const owner = access.viewer?.clientId ?? "";
    const own = (before: ReadonlyMap<string, string> | undefined, changes: Metadata["properties"]) =>
      Object.fromEntries(changeProperties(keep ? before : undefined, changes));
    const copied: Metadata = {
      ...metadata,
      name: metadata.name ?? `Copy of ${item.name}`,
      parents: metadata.parents ?? (item.parent ? [item.parent.id] : undefined),
      mimeType: metadata.mimeType ?? data.mimeType,
      properties: own(data.properties, metadata.properties),
      appProperties: own(data.appProperties.get(owner), metadata.appProperties),
    };
    return this.create(copied, data.revisions.at(-1)?.content, access);
  }

  /** @throws DriveApiError 403 */
  checkQuota(size: number, replaced = 0): void {
    if (this.used + size - replaced > this.quota)
      throw forbidden("storageQuotaExceeded", "The user's Drive storage quota has been exceeded.");
  }

  #charge(size: number, replaced = 0): void {
    this.checkQuota(size, replaced);
    this.used += size - replaced;
  }

  #revision(content: Content, { modified, mimeType }: Data): Revision {
    const id = `0B${randomBytes(24).toString("base64url")}PQ`;
    return { id, content: content.hold(), modified, mimeType, keepForever: false };
  }

  /** The folder that an item is to be in. @throws DriveApiError 403, 404 */
  #newParent(item: Item, add: string | undefined, remove: string | undefined, access: Access): Item {
    const current = item.parent!;
    const named = remove === "root" ? this.myDrive.tree.root.id : remove;
    if (named !== undefined && named !== current.id)
      throw new DriveApiError(404, "notFound", `The file is not in ${remove}.`, {
        location: "removeParents",
      });
    if (add === undefined) return current;
    const parent = this.#parent(add, access);
    if (parent === current) return current;
    if (named === undefined)
      throw forbidden("cannotAddParent", "Increasing the number of parents is not allowed");
    if (this.driveOf(parent) !== this.driveOf(item))
      throw forbidden("teamDrivesFolderMoveInNotSupported", "Items cannot be moved between drives here.");
    for (let at: Item | undefined = parent; at; at = at.parent)
      if (at === item)
        throw forbidden("cyclicMembershipsNotAllowed", "A folder cannot be moved into itself.");
    return parent;
  }

  /** @throws DriveApiError 403, 404 */
  #parent(id: string, { viewer, allDrives }: Access): Item {
    // The root can be written to also by those who may not look at it.
    const parent = id === "root" ? this.myDrive.tree.root : this.find(id, { viewer, allDrives });
    if (!parent.children) throw forbidden("parentNotAFolder", "The specified parent is not a folder.");
    if (parent.parent && parent.children.size >= (this.#options.mostChildren ?? 500_000))
      throw forbidden(
        "numChildrenInNonRootLimitExceeded",
        "The limit for this folder's number of children has been exceeded.",
      );
    return parent;
  }

  #touch(item: Item, versions: number): void {
    item.data.version += versions;
    item.data.changed = this.clock.now();
    this.driveOf(item).tree.touch(item);
  }

  #newDrive(name: string, shared: boolean): Drive {
    const id = `0A${randomBytes(11).toString("base64url").slice(0, 14)}PVA`;
    const now = this.clock.now();
    const data: Data = {
      mimeType: folderType,
      created: now,
      modified: now,
      changed: now,
      placed: now,
      version: 1,
      trashed: false,
      starred: false,
      description: undefined,
      originalFilename: undefined,
      properties: new Map(),
      appProperties: new Map(),
      client: undefined,
      revisions: [],
      target: undefined,
      abusive: false,
    };
    const tree = new Tree(id, data, { now: () => this.clock.now() });
    tree.root.name = shared ? "Drive" : name;
    return { id, name, shared, tree };
  }
}

/** Bytes of the current content. */
export function sizeOf({ data }: Item): number {
  return data.revisions.at(-1)?.content.size ?? 0;
}

/** An app that was only given its own files sees no others. */
export function sees(viewer: Viewer | undefined, { data }: Item): boolean {
  if (!viewer) return true;
  const { scopes, clientId } = viewer;
  return ![...scopes].every((scope) => scope === "drive.file") || data.client === clientId;
}

export const isGoogleType = (mimeType: string): boolean => mimeType.startsWith(googleTypes);

const newId = () => `1${randomBytes(24).toString("base64url")}`;
