import { randomBytes, randomUUID } from "node:crypto";
import type { Clock } from "../drives/clock.ts";
import type { Content, ContentWriter } from "../drives/content.ts";
import { type Node, Tree } from "../drives/tree.ts";
import { invalidRequest, nameExists, quotaReached, tagMismatch } from "./errors.ts";
import { checkName, checkPathLength, foldName } from "./names.ts";
import type { DriveType, OneDriveOptions } from "./options.ts";

/** Times in milliseconds since 1970. */
export interface FileTimes {
  created: number;
  modified: number;
}

export interface Version {
  readonly number: number;
  readonly content: Content;
  readonly modified: number;
}

/** What OneDrive keeps of an item. */
export interface Data {
  readonly guid: string;
  /** Counts all changes: the number in the eTag. */
  revision: number;
  /** Counts changes of content: the number in the cTag. */
  contentRevision: number;
  /** The server's own times. */
  readonly created: number;
  modified: number;
  /** Those that the client can set. */
  times: FileTimes;
  /** Undefined for folders. */
  content: Content | undefined;
  /** Bytes of the file, or of all files below the folder. */
  size: number;
  /** The number of the version that is current. */
  version: number;
  /** Older ones, newest first. */
  versions: Version[];
  description?: string;
  /** The name of a folder that has a place in every drive, such as `approot`. */
  special?: string;
  /** A OneNote notebook. */
  notebook?: boolean;
  infected?: boolean;
}

export type Item = Node<Data>;

export type Conflict = "fail" | "replace" | "rename";

/** What a client may say of an item in the body of a write. */
export interface Properties {
  readonly times?: Partial<FileTimes>;
  readonly description?: string;
}

/** What must hold of an item for a call to go ahead. */
export interface Conditions {
  readonly ifMatch?: string;
  readonly ifNoneMatch?: string;
}

const specialFolders: Readonly<Record<string, string>> = {
  approot: "Apps/Stand-in",
  cameraroll: "Pictures/Camera Roll",
  documents: "Documents",
  music: "Music",
  photos: "Pictures",
};

const rewritten = /\.(docx|xlsx|pptx|html?)$/i;
const officeProperties = Buffer.from("\n<!-- document library: promoted properties -->\n");

/** The items of one drive and the rules of its type. Changes are made at once: none sees half of another. */
export class Drive {
  readonly type: DriveType;
  readonly id: string;
  readonly tree: Tree<Data>;
  readonly clock: Clock;
  /** Bytes. */
  quota: number;
  readonly #mostVersions: number;
  readonly #rewrites: boolean;

  constructor(options: OneDriveOptions, clock: Clock) {
    this.type = options.driveType ?? "personal";
    this.clock = clock;
    this.quota = options.quota ?? 2 ** 40;
    this.#mostVersions = options.mostVersions ?? 100;
    this.#rewrites = options.rewriteOffice ?? this.type === "documentLibrary";
    this.id =
      this.type === "personal"
        ? `0${randomBytes(8).toString("hex").slice(1)}`
        : `b!${randomBytes(48).toString("base64url")}`;
    this.tree = new Tree(this.#newId(), this.#newData(undefined), {
      fold: foldName,
      now: () => clock.now(),
    });
  }

  get personal(): boolean {
    return this.type === "personal";
  }

  get root(): Item {
    return this.tree.root;
  }

  get used(): number {
    return this.root.data.size;
  }

  eTag({ data }: Item): string {
    return `"{${data.guid}},${data.revision}"`;
  }

  /** Undefined for folders where these have none. */
  cTag({ data }: Item): string | undefined {
    return data.content || this.personal ? `"c:{${data.guid}},${data.contentRevision}"` : undefined;
  }

  /** @throws GraphError 412, or 400 where a tag is not in quotes */
  check(item: Item | undefined, { ifMatch, ifNoneMatch }: Conditions): void {
    if (ifMatch !== undefined && !(item && this.matches(item, ifMatch))) throw tagMismatch();
    if (ifNoneMatch !== undefined && item && this.matches(item, ifNoneMatch)) throw tagMismatch();
  }

  /** Whether one of the tags of a header is that of an item. @throws GraphError 400 */
  matches(item: Item, header: string): boolean {
    if (header.trim() === "*") return true;
    const tags = [...header.matchAll(/(?:W\/)?("[^"]*")/g)].map((match) => match[1]);
    if (tags.length === 0) throw invalidRequest("The entity tag must be in quotes.", "malformedEntityTag");
    return tags.includes(this.eTag(item)) || tags.includes(this.cTag(item));
  }

  /** The item at a path below another, undefined where there is none. */
  find(from: Item, segments: readonly string[]): Item | undefined {
    let item: Item | undefined = from;
    for (const segment of segments) item = item && this.tree.child(item, segment);
    return item;
  }

  /** The names from the root to an item. */
  pathOf(item: Item): string[] {
    const names: string[] = [];
    for (let at = item; at.parent; at = at.parent) names.unshift(at.name);
    return names;
  }

  /** Folders at a path below another, made where they are missing. @throws GraphError 409 at a file */
  folders(from: Item, segments: readonly string[]): Item {
    let folder = from;
    for (const segment of segments) {
      const next = this.tree.child(folder, segment) ?? this.createFolder(folder, segment, "fail").item;
      if (!next.children) throw nameExists("A file stands where a folder is needed.");
      folder = next;
    }
    return folder;
  }

  /** A special folder, made at its first use; undefined for a name that is none. */
  special(name: string): Item | undefined {
    const path = specialFolders[name.toLowerCase()];
    if (!path) return undefined;
    const folder = this.folders(this.root, path.split("/"));
    folder.data.special = name.toLowerCase();
    return folder;
  }

  /** @throws GraphError 400, 409 */
  createFolder(parent: Item, name: unknown, conflict: Conflict, properties: Properties = {}) {
    const target = this.#place(parent, name, conflict);
    if (target.existing) {
      if (!target.existing.children) throw nameExists();
      return { item: target.existing, created: false };
    }
    const item = this.tree.add(this.#newId(), parent, target.name, true, this.#newData(undefined));
    this.#describe(item, properties);
    this.#grow(parent, 0);
    return { item, created: true };
  }

  /** @throws GraphError 400 for a name that an item of a folder cannot have */
  checkName(parent: Item, name: unknown): asserts name is string {
    checkName(name, this.type === "documentLibrary" && parent === this.root);
    checkPathLength([...this.pathOf(parent), name].join("/").length);
  }

  /** Bytes that the service adds to a file of that name once it is uploaded. */
  async finish(writer: ContentWriter, name: string): Promise<Content> {
    if (this.#rewrites && rewritten.test(name)) await writer.write(officeProperties);
    return writer.finish();
  }

  /** @throws GraphError 507 */
  checkQuota(size: number, replaced = 0): void {
    if (this.used + size - replaced > this.quota) throw quotaReached();
  }

  /**
   * Puts content under a name. @returns the item, and whether it is new
   * @throws GraphError 400, 409, 412, 507; the content is the caller's still
   */
  putFile(
    parent: Item,
    name: unknown,
    content: Content,
    conflict: Conflict,
    conditions: Conditions = {},
    properties: Properties = {},
  ): { item: Item; created: boolean } {
    if (typeof name === "string") this.check(this.tree.child(parent, name), conditions);
    const { name: free, existing } = this.#place(parent, name, conflict);
    if (existing) {
      this.replaceContent(existing, content, properties);
      return { item: existing, created: false };
    }
    this.checkQuota(content.size);
    const item = this.tree.add(this.#newId(), parent, free, false, this.#newData(content.hold()));
    this.#describe(item, properties);
    this.#grow(parent, content.size);
    return { item, created: true };
  }

  /** @throws GraphError 409 for a folder, 507 */
  replaceContent(item: Item, content: Content, properties: Properties = {}): void {
    const { data } = item;
    if (!data.content) throw nameExists("A folder of that name exists already.");
    this.checkQuota(content.size, data.size);
    this.#keepVersion(item);
    const grown = content.size - data.size;
    data.content = content.hold();
    data.size = content.size;
    data.contentRevision += 1;
    data.times = { ...data.times, modified: this.#now() };
    this.#changed(item);
    this.#describe(item, properties);
    this.#grow(item.parent, grown);
  }

  /**
   * Moves, renames and describes an item.
   * @throws GraphError 400, 409
   */
  update(
    item: Item,
    { parent, name, properties }: { parent?: Item; name?: unknown; properties: Properties },
    conflict: Conflict,
  ): void {
    if (parent !== undefined || name !== undefined) {
      if (item === this.root) throw invalidRequest("The root cannot be moved or renamed.");
      const to = parent ?? item.parent!;
      for (let at: Item | undefined = to; at; at = at.parent)
        if (at === item) throw invalidRequest("An item cannot be moved into itself.");
      const { name: free, existing } = this.#place(to, name ?? item.name, conflict, item);
      if (existing) this.remove(existing);
      this.#grow(item.parent, -item.data.size);
      this.tree.move(item, to, free);
      this.#grow(to, item.data.size);
      item.data.times = { ...item.data.times, modified: this.#now() };
    }
    // Business writes a version for new times, with the same bytes.
    if (properties.times && !this.personal && item.data.content) {
      const { content } = item.data;
      this.#keepVersion(item);
      item.data.content = content.hold();
    }
    this.#changed(item);
    this.#describe(item, properties);
  }

  remove(item: Item): void {
    if (item === this.root) throw invalidRequest("The root cannot be deleted.");
    const { parent } = item;
    const { size } = item.data;
    for (const gone of this.tree.remove(item)) {
      const { data } = gone;
      data.revision += 1;
      data.content?.release();
      for (const version of data.versions) version.content.release();
      data.versions = [];
    }
    this.#grow(parent, -size);
  }

  /** Copies an item with all in it. @throws GraphError 400, 409, 507 */
  copy(item: Item, parent: Item, name: unknown, conflict: Conflict): Item {
    for (let at: Item | undefined = parent; at; at = at.parent)
      if (at === item) throw invalidRequest("A folder cannot be copied into itself.");
    const { name: free, existing } = this.#place(parent, name, conflict);
    if (existing === item) throw invalidRequest("An item cannot be copied onto itself.");
    this.checkQuota(item.data.size, existing?.data.size);
    if (existing) this.remove(existing);
    const copied = this.#copyBelow(item, parent, free);
    this.#grow(parent, item.data.size);
    return copied;
  }

  /** Makes an old version the current one. */
  restore(item: Item, { content }: Version): void {
    this.replaceContent(item, content);
  }

  deleteVersion(item: Item, version: Version): void {
    item.data.versions = item.data.versions.filter((each) => each !== version);
    version.content.release();
  }

  #copyBelow(item: Item, parent: Item, name: string): Item {
    const { content, size } = item.data;
    const data = this.#newData(content?.hold());
    data.size = size;
    const copy = this.tree.add(this.#newId(), parent, name, item.children !== undefined, data);
    for (const child of item.children?.values() ?? []) this.#copyBelow(child, copy, child.name);
    return copy;
  }

  /**
   * Where a write with a name goes: the item that it replaces, or a name that is free.
   * @param mover the item that is moved, which is not in its own way
   * @throws GraphError 400, 409
   */
  #place(parent: Item, name: unknown, conflict: Conflict, mover?: Item): { name: string; existing?: Item } {
    if (!parent.children) throw invalidRequest("The parent is not a folder.");
    this.checkName(parent, name);
    const existing = this.tree.child(parent, name);
    if (!existing || existing === mover) return { name };
    if (conflict === "fail") throw nameExists();
    if (conflict === "replace") {
      if (mover && existing.children) throw nameExists();
      return { name, existing };
    }
    const dot = name.lastIndexOf(".");
    const [stem, extension] = dot > 0 ? [name.slice(0, dot), name.slice(dot)] : [name, ""];
    for (let count = 1; ; count += 1) {
      const free = `${stem} ${count}${extension}`;
      if (!this.tree.child(parent, free)) return { name: free };
    }
  }

  #keepVersion({ data }: Item): void {
    data.versions.unshift({ number: data.version, content: data.content!, modified: data.modified });
    data.version += 1;
    for (const old of data.versions.splice(this.#mostVersions)) old.content.release();
  }

  #changed(item: Item): void {
    item.data.revision += 1;
    item.data.modified = this.#now();
    this.tree.touch(item);
  }

  #describe({ data }: Item, { times, description }: Properties): void {
    data.times = {
      created: times?.created === undefined ? data.times.created : this.#precise(times.created),
      modified: times?.modified === undefined ? data.times.modified : this.#precise(times.modified),
    };
    if (description !== undefined) data.description = description;
  }

  /** Adds to the sizes of a folder and those above it; a personal drive's change with what is in them. */
  #grow(folder: Item | undefined, bytes: number): void {
    for (let at = folder; at; at = at.parent) {
      at.data.size += bytes;
      if (!this.personal) continue;
      at.data.contentRevision += 1;
      this.tree.touch(at);
    }
  }

  #newData(content: Content | undefined): Data {
    const now = this.#now();
    return {
      guid: randomUUID().toUpperCase(),
      revision: 1,
      contentRevision: 1,
      created: now,
      modified: now,
      times: { created: now, modified: now },
      content,
      size: content?.size ?? 0,
      version: 1,
      versions: [],
    };
  }

  #newId(): string {
    if (this.personal) return `${this.id.toUpperCase()}!s${randomBytes(16).toString("hex")}`;
    return `01${base32(randomBytes(32))}`;
  }

  #now(): number {
    return this.#precise(this.clock.now());
  }

  /** Business keeps whole seconds. */
  #precise(time: number): number {
    return this.personal ? time : Math.floor(time / 1000) * 1000;
  }
}

function base32(bytes: Buffer): string {
  const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  return [...bytes].map((byte) => letters[byte & 31]).join("");
}
