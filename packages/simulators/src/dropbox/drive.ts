import { randomBytes } from "node:crypto";
import type { Clock } from "../drives/clock.ts";
import type { Content } from "../drives/content.ts";
import { type Node, Tree } from "../drives/tree.ts";
import type { CommitInfo, WriteMode } from "./args.ts";
import { RouteError, type Tagged, tagged } from "./errors.ts";
import { foldName, nameError, parsePath } from "./names.ts";
import type { DropboxOptions, PropertyKeeper } from "./options.ts";
import { Revisions } from "./revisions.ts";

/** The content that a file has, or once had. Times in milliseconds since 1970. */
export interface Revision {
  readonly rev: string;
  /** The file's. */
  readonly id: string;
  /** From the root of the tree. */
  readonly path: readonly string[];
  readonly content: Content;
  readonly clientModified: number;
  readonly serverModified: number;
}

/** Fields by name, of property groups by template. */
export type PropertyGroups = ReadonlyMap<string, ReadonlyMap<string, string>>;

/** What Dropbox keeps of an item. */
export interface Data {
  /** Undefined for folders. */
  revision: Revision | undefined;
  groups: PropertyGroups;
  /** The id of the namespace that begins at a folder. */
  readonly namespace?: string;
  /** A document that can be exported but not downloaded. */
  readonly paper?: boolean;
  /** Its content must not be had, for legal reasons. */
  restricted?: boolean;
}

export type Item = Node<Data>;

/** A path that leads nowhere; holds a LookupError. */
export class LookupFailed extends Error {
  readonly error: Tagged;
  constructor(tag: string) {
    super(tag);
    this.error = tagged(tag);
  }
}

/** A write that cannot be; holds a WriteError. */
export class WriteFailed extends Error {
  readonly error: Tagged;
  constructor(error: Tagged | string) {
    const union = typeof error === "string" ? tagged(error) : error;
    super(union[".tag"]);
    this.error = union;
  }
}

export const conflict = (tag: "file" | "folder" | "file_ancestor") =>
  new WriteFailed(tagged("conflict", tagged(tag)));

/** Where a write goes. */
export interface Place {
  /** The deepest folder that is there. */
  readonly folder: Item;
  /** Folders to be made below it. */
  readonly missing: readonly string[];
  readonly name: string;
  readonly existing: Item | undefined;
}

const memberName = "Stand-in User";

/** The items of one Dropbox and its rules. Changes are made at once: none sees half of another. */
export class Drive {
  readonly tree: Tree<Data>;
  readonly clock: Clock;
  /** The folder of the user, where paths begin if no other root is asked for; the root itself without a team. */
  readonly home: Item;
  readonly revisions: Revisions;
  /** Bytes. */
  quota: number;
  #used = 0;
  #revs = 0;
  readonly #keeps: readonly PropertyKeeper[];
  readonly #watchers = new Set<() => void>();

  constructor(options: DropboxOptions, clock: Clock) {
    this.clock = clock;
    this.quota = options.quota ?? 2 * 2 ** 40;
    this.#keeps = options.keepsProperties ?? ["move"];
    this.revisions = new Revisions(options.mostRevisions ?? 100);
    const root: Data = { revision: undefined, groups: new Map(), namespace: "1000000001" };
    this.tree = new Tree(newId(), root, { fold: foldName, now: () => clock.now() });
    this.home = options.team
      ? this.tree.add(newId(), this.root, memberName, true, { ...root, namespace: "1000000002" })
      : this.root;
  }

  get root(): Item {
    return this.tree.root;
  }

  get used(): number {
    return this.#used;
  }

  /** The folder where a namespace begins. */
  namespace(id: string): Item | undefined {
    return [this.root, this.home].find(({ data }) => data.namespace === id);
  }

  /** The namespace that an item lies in. */
  namespaceOf(item: Item): string {
    let at = item;
    while (at.data.namespace === undefined && at.parent) at = at.parent;
    return at.data.namespace!;
  }

  /** Calls back at each change until the answer is called. */
  watch(callback: () => void): () => void {
    this.#watchers.add(callback);
    return () => this.#watchers.delete(callback);
  }

  /** The names from the root of the tree to an item. */
  pathOf(item: Item): string[] {
    const names: string[] = [];
    for (let at = item; at.parent; at = at.parent) names.unshift(at.name);
    return names;
  }

  /** @param view the folder where paths begin @throws LookupFailed */
  find(view: Item, path: string): Item {
    const { start, names } = parsePath(path);
    if (names.some((name) => nameError(name)?.[".tag"] === "malformed_path"))
      throw new LookupFailed("malformed_path");
    let item: Item | undefined = view;
    if (start.at === "id") item = this.tree.get(`id:${start.of}`);
    else if (start.at === "ns") item = this.namespace(start.of);
    else if (start.at === "rev") item = this.#ofRevision(start.of);
    for (const name of names) item = item && this.tree.child(item, name);
    if (!item) throw new LookupFailed("not_found");
    return item;
  }

  /** The revision that a path means, of a file that is there or of one that was. @throws LookupFailed */
  findRevision(view: Item, path: string): Revision {
    if (path.startsWith("rev:")) {
      const revision = this.revisions.get(path.slice("rev:".length));
      if (revision) return revision;
      throw new LookupFailed("not_found");
    }
    const { revision } = this.find(view, path).data;
    if (!revision) throw new LookupFailed("not_file");
    return revision;
  }

  #ofRevision(rev: string): Item | undefined {
    const item = this.tree.get(this.revisions.get(rev)?.id ?? "");
    return item?.data.revision?.rev === rev ? item : undefined;
  }

  /** @throws WriteFailed, LookupFailed for an id that leads nowhere */
  place(view: Item, path: string): Place {
    const { start, names } = parsePath(path);
    for (const name of names) {
      const error = nameError(name);
      if (error) throw new WriteFailed(error);
    }
    if (start.at === "id" && names.length === 0) {
      const existing = this.find(view, path);
      return { folder: existing.parent!, missing: [], name: existing.name, existing };
    }
    if (names.length === 0) throw new WriteFailed("malformed_path");
    let folder = start.at === "root" ? view : this.find(view, path.slice(0, path.indexOf("/")));
    for (const [index, name] of names.entries()) {
      if (!folder.children) throw conflict("file_ancestor");
      const child = this.tree.child(folder, name);
      const last = index === names.length - 1;
      if (!child || last)
        return { folder, missing: names.slice(index, -1), name: names.at(-1)!, existing: child };
      folder = child;
    }
    throw new Error("unreachable");
  }

  /** @throws WriteFailed */
  commit(
    place: Place,
    content: Content,
    info: Pick<CommitInfo, "mode" | "autorename" | "strict_conflict" | "client_modified">,
    groups: PropertyGroups = new Map(),
  ): Item {
    const verdict = judge(place.existing, content, info.mode, info.strict_conflict);
    if (verdict === "same") return place.existing!;
    if (verdict && !info.autorename) throw verdict;
    const { existing, folder, name } = verdict ? this.#renamed(place, info.mode) : place;
    const freed = existing?.data.revision?.content.size ?? 0;
    if (this.#used + content.size - freed > this.quota) throw new WriteFailed("insufficient_space");
    const kept = existing && this.#keeps.includes("overwrite") ? [...existing.data.groups] : [];
    const all = new Map([...kept, ...groups]);
    if (existing) {
      this.#used -= freed;
      existing.data.groups = all;
      this.#revise(existing, content, info.client_modified);
      this.tree.touch(existing);
      this.#changed();
      return existing;
    }
    const parent = this.#make(folder, place.missing);
    const item = this.tree.add(newId(), parent, name, false, { revision: undefined, groups: all });
    this.#revise(item, content, info.client_modified);
    this.#changed();
    return item;
  }

  /** @throws WriteFailed */
  createFolder(place: Place, autorename: boolean): Item {
    if (place.existing && !autorename) throw conflict(place.existing.children ? "folder" : "file");
    const { name } = place.existing ? this.#renamed(place) : place;
    const parent = this.#make(place.folder, place.missing);
    const folder = this.#addFolder(parent, name);
    this.#changed();
    return folder;
  }

  /** Makes the folders of a path that are missing. */
  folders(names: readonly string[]): Item {
    let at = this.home;
    for (const name of names) at = this.tree.child(at, name) ?? this.#addFolder(at, name);
    this.#changed();
    return at;
  }

  /** @throws WriteFailed, LookupFailed */
  remove(item: Item, parentRev?: string): void {
    if (item.data.namespace !== undefined) throw new WriteFailed("team_folder");
    if (parentRev !== undefined) {
      if (item.children) throw new LookupFailed("not_file");
      if (item.data.revision!.rev !== parentRev) throw conflict("file");
    }
    for (const { data } of this.tree.remove(item)) this.#used -= data.revision?.content.size ?? 0;
    this.#changed();
  }

  /**
   * Copies an item with all below it. @throws WriteFailed
   * @returns the copy
   */
  copy(item: Item, place: Place, autorename: boolean): Item {
    const { folder, name } = this.#target(item, place, autorename);
    let size = 0;
    for (const { data } of this.tree.below(item)) size += data.revision?.content.size ?? 0;
    if (this.#used + size > this.quota) throw new WriteFailed("insufficient_space");
    const copy = this.#copyBelow(item, this.#make(folder, place.missing), name);
    this.#changed();
    return copy;
  }

  /**
   * Moves an item with all below it; what it leaves shows as removed, what it becomes as new.
   * Other letter case alone changes nothing.
   * @throws WriteFailed
   */
  move(item: Item, place: Place, autorename: boolean): Item {
    if (item.data.namespace !== undefined) throw new WriteFailed("team_folder");
    if (place.existing === item) return item;
    const { folder, name } = this.#target(item, place, autorename);
    const parent = this.#make(folder, place.missing);
    this.tree.remove(item);
    const moved = this.#addAgain(item, parent, name);
    this.#changed();
    return moved;
  }

  setGroups(item: Item, groups: PropertyGroups): void {
    item.data.groups = groups;
    this.tree.touch(item);
    this.#changed();
  }

  /** Removes the groups of a template everywhere. */
  dropGroups(template: string): void {
    for (const item of this.tree.below(this.root))
      if (item.data.groups.has(template)) {
        const left = [...item.data.groups].filter(([id]) => id !== template);
        this.setGroups(item, new Map(left));
      }
  }

  /** Makes a document that can only be exported. */
  addPaper(names: readonly string[], content: Content): Item {
    const parent = this.folders(names.slice(0, -1));
    const data: Data = { revision: undefined, groups: new Map(), paper: true };
    const item = this.tree.add(newId(), parent, names.at(-1)!, false, data);
    this.#revise(item, content, undefined);
    this.#changed();
    return item;
  }

  #target(item: Item, place: Place, autorename: boolean): Place {
    const { existing } = place;
    if (existing && !autorename) throw conflict(existing.children ? "folder" : "file");
    for (let at: Item | undefined = place.folder; at; at = at.parent)
      if (at === item) throw new RouteError(tagged("cant_move_folder_into_itself"));
    return existing ? this.#renamed(place) : place;
  }

  #make(folder: Item, missing: readonly string[]): Item {
    return missing.reduce((at, name) => this.#addFolder(at, name), folder);
  }

  #addFolder(parent: Item, name: string): Item {
    return this.tree.add(newId(), parent, name, true, { revision: undefined, groups: new Map() });
  }

  #copyBelow(item: Item, parent: Item, name: string): Item {
    const { revision, groups, paper } = item.data;
    const data: Data = {
      revision: undefined,
      groups: this.#keeps.includes("copy") ? groups : new Map(),
      paper,
    };
    const copy = this.tree.add(newId(), parent, name, item.children !== undefined, data);
    if (revision) this.#revise(copy, revision.content, revision.clientModified);
    for (const child of item.children?.values() ?? []) this.#copyBelow(child, copy, child.name);
    return copy;
  }

  #addAgain(item: Item, parent: Item, name: string): Item {
    const { revision, groups } = item.data;
    const data = { ...item.data, groups: this.#keeps.includes("move") ? groups : new Map() };
    const again = this.tree.add(item.id, parent, name, item.children !== undefined, data);
    if (revision) {
      this.#used -= revision.content.size;
      this.#revise(again, revision.content, revision.clientModified);
    }
    for (const child of item.children?.values() ?? []) this.#addAgain(child, again, child.name);
    return again;
  }

  /** Gives a file a new revision. */
  #revise(item: Item, content: Content, clientModified: number | undefined): void {
    this.#revs += 1;
    const serverModified = Math.floor(this.clock.now() / 1000) * 1000;
    this.#used += content.size;
    item.data.revision = {
      rev: `${this.#revs.toString(16).padStart(9, "0")}0000001`,
      id: item.id,
      path: this.pathOf(item),
      content: content.hold(),
      clientModified: clientModified ?? serverModified,
      serverModified,
    };
    this.revisions.add(item.data.revision);
  }

  /** A name beside the one that is taken. */
  #renamed(place: Place, mode?: WriteMode): Place {
    const dot = place.name.lastIndexOf(".");
    const [stem, extension] = dot > 0 ? [place.name.slice(0, dot), place.name.slice(dot)] : [place.name, ""];
    for (let count = 1; ; count += 1) {
      const suffix = mode?.[".tag"] === "update" ? `conflicted copy ${count}` : String(count);
      const name = `${stem} (${suffix})${extension}`;
      if (!this.tree.child(place.folder, name)) return { ...place, name, existing: undefined };
    }
  }

  #changed(): void {
    for (const callback of [...this.#watchers]) callback();
  }
}

/** Whether a write may go ahead; "same" where nothing is to be written. */
function judge(
  existing: Item | undefined,
  content: Content,
  mode: WriteMode,
  strict: boolean,
): WriteFailed | "same" | undefined {
  const update = mode[".tag"] === "update" ? mode.update : undefined;
  if (!existing) return update !== undefined && strict ? conflict("file") : undefined;
  const { revision } = existing.data;
  if (!revision) return conflict("folder");
  const same = revision.content.hashes.content_hash === content.hashes.content_hash;
  if (same && !strict) return "same";
  if (mode[".tag"] === "add") return conflict("file");
  return update === undefined || update === revision.rev ? undefined : conflict("file");
}

const newId = () => `id:${randomBytes(16).toString("base64url")}`;
