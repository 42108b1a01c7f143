import { join } from "node:path";
import {
  type CreateOptions,
  type DescribedFile,
  type Drive,
  type DriveEntry,
  DriveError,
  type FileVersion,
  type ListedEntry,
  type OpenFile,
  type PendingFile,
} from "../drive.ts";
import { BlockCache, type CachedRead } from "./block-cache.ts";
import { RemoteCopy } from "./copying.ts";
import { entryId, entryOf } from "./entries.ts";
import { FolderUse } from "./folder-use.ts";
import { FolderMaker } from "./folders.ts";
import { Follower } from "./follower.ts";
import { hiddenFolder, sidecarFolder } from "./hidden.ts";
import type { CallObserver } from "./http/index.ts";
import { sweepLeftOvers } from "./left-overs.ts";
import { LiveTree } from "./live-tree.ts";
import type { Mirror } from "./mirror.ts";
import { closeMirror, openMirror } from "./mirrors.ts";
import { RemotePending } from "./pending.ts";
import { Properties } from "./properties.ts";
import { type Reader, readingAhead } from "./read-ahead.ts";
import { RemoteFile, readItem } from "./reading.ts";
import { Sessions } from "./sessions.ts";
import { Budget, Spool } from "./spool.ts";
import { MirroredTree, type Tree } from "./tree.ts";
import type { Item, ItemVersion, Vendor } from "./vendor.ts";
import { Writer } from "./writer.ts";

export interface RemoteDriveOptions {
  /** Folder for what is known of the drive and what is on its way there: of this drive alone, shared by processes. */
  readonly data: string;
  /** Milliseconds between two questions for what others changed, where the vendor does not tell; default 10 s. */
  readonly pollInterval?: number;
  readonly readOnly?: boolean;
  /** Folder for the bytes of files that were read, to be read from there again; without it none are kept. */
  readonly cacheDir?: string;
  /** Bytes that it may have; default 10 GiB. */
  readonly cacheSize?: number;
  readonly observer?: DriveObserver;
}

/** Hears what a drive does, for metrics. It is called in the middle of the work, and must not throw. */
export interface DriveObserver extends CallObserver {
  /** Only where bytes are kept. */
  cached(read: CachedRead): void;
}

/** How far the drive is known. */
export interface SyncProgress {
  /** Items met so far. */
  readonly items: number;
  /** Whether all are known, so that nothing but bytes is asked for any more. */
  readonly done: boolean;
  /** Why following the drive does not succeed at the moment, where it is this process that tries. */
  readonly error: Error | undefined;
}

export interface RemoteDrive extends Drive {
  progress(): SyncProgress;
}

const defaultPollInterval = 10_000;
/** Bytes of uploads that a process holds in memory. */
const uploadMemory = 64 * 1024 * 1024;
/** Bytes that a process holds in memory of what is read before it is asked for. */
const readAheadMemory = 64 * 1024 * 1024;
const defaultCacheSize = 10 * 1024 ** 3;

/** A drive of a vendor's API. @throws DriveError when it cannot be reached and nothing is known of it */
export async function remoteDrive(vendor: Vendor, options: RemoteDriveOptions): Promise<RemoteDrive> {
  const mirror = await openMirror(options.data, vendor.traits);
  try {
    const root = await rootOf(vendor, mirror);
    await mirror.serve(root);
    const drive = new VendorDrive(vendor, mirror, root, options);
    await drive.start();
    return drive;
  } catch (error) {
    await closeMirror(mirror);
    throw error;
  }
}

async function rootOf(vendor: Vendor, mirror: Mirror): Promise<Item> {
  try {
    return await vendor.root();
  } catch (error) {
    const passing =
      error instanceof DriveError && (error.code === "Unavailable" || error.code === "Throttled");
    const known = passing ? mirror.root : undefined;
    if (known) return known;
    throw error;
  }
}

class VendorDrive implements RemoteDrive {
  readonly description: string;
  readonly #vendor: Vendor;
  readonly #mirror: Mirror;
  readonly #known: MirroredTree;
  readonly #live: LiveTree;
  readonly #follower: Follower;
  readonly #writer: Writer;
  readonly #properties: Properties;
  readonly #parts: { vendor: Vendor; writer: Writer; properties: Properties };
  readonly #readOnly: boolean;
  readonly #folders: FolderMaker;
  readonly #use: FolderUse;
  readonly #spools: string;
  readonly #sessions: Sessions;
  readonly #budget = new Budget(uploadMemory);
  readonly #cache: BlockCache | undefined;
  readonly #read: Reader;
  #closing: Promise<void> | undefined;

  constructor(vendor: Vendor, mirror: Mirror, root: Item, options: RemoteDriveOptions) {
    const pollInterval = options.pollInterval ?? defaultPollInterval;
    this.description = vendor.description;
    this.#vendor = vendor;
    this.#mirror = mirror;
    this.#known = new MirroredTree(mirror, vendor.traits, root);
    this.#live = new LiveTree(vendor, mirror, root, pollInterval);
    this.#follower = new Follower(vendor, mirror, options.data, {
      pollInterval,
      synced: () => this.#prepare(),
      changed: async (items, signal) => {
        if (items.some((item) => this.#properties.isSidecar(item))) await this.#properties.loadAll(signal);
      },
    });
    this.#folders = new FolderMaker(vendor, mirror, options.data);
    this.#use = new FolderUse(options.data);
    this.#readOnly = options.readOnly ?? false;
    const { cacheDir, cacheSize = defaultCacheSize, observer } = options;
    this.#cache =
      cacheDir === undefined
        ? undefined
        : new BlockCache(cacheDir, cacheSize, observer && ((read) => observer.cached(read)));
    const plain: Reader = (item, start, end) => readItem(vendor, item, start, end);
    const ahead = readingAhead(plain, vendor.traits.parallelReads ?? 1, new Budget(readAheadMemory));
    this.#read = this.#cache?.reading(ahead) ?? ahead;
    this.#spools = join(options.data, "spool");
    this.#sessions = new Sessions(join(options.data, "sessions"));
    this.#writer = new Writer({
      vendor,
      mirror,
      folders: this.#folders,
      use: this.#use,
      tree: () => this.#tree(),
      forget: (path) => this.#live.forget(path),
    });
    const writer = this.#writer;
    this.#properties = new Properties({ vendor, mirror, writer, tree: () => this.#tree() });
    this.#parts = { vendor, writer, properties: this.#properties };
  }

  /** Makes the folder of sidecars beforehand, so that the first write does not take calls for it. */
  async #prepare(): Promise<void> {
    if (!this.#readOnly && this.#vendor.traits.propertiesLimit === 0) await this.makeFolder(sidecarFolder);
  }

  start(): Promise<void> {
    return this.#follower.start();
  }

  progress(): SyncProgress {
    this.#mirror.refresh();
    return { items: this.#mirror.feed.walked, done: this.#mirror.synced, error: this.#follower.error };
  }

  fits(path: string): boolean {
    const { traits } = this.#vendor;
    const names = path.split("/").map((segment) => traits.encode(segment));
    return names.every((name) => name !== undefined) && (traits.fits?.(names as string[]) ?? true);
  }

  async *list(path: string): AsyncGenerator<readonly ListedEntry[]> {
    const tree = this.#tree();
    const folder = await tree.find(path);
    if (!folder) throw new DriveError("NotFound", `There is no folder ${path}`);
    if (folder.kind === "file") throw new DriveError("NotAFolder", `${path} is a file`);
    for await (const page of tree.list(folder, path))
      yield path === "" ? page.filter(({ name }) => name !== hiddenFolder) : page;
  }

  stat(path: string): Promise<DriveEntry | undefined> | DriveEntry | undefined {
    return after(this.#tree().find(path), (item) => item && this.#entry(item));
  }

  open(path: string): Promise<OpenFile | undefined> | OpenFile | undefined {
    return after(this.#tree().find(path), (item) =>
      after(this.#described(item), (file) =>
        item && file
          ? new RemoteFile(item, file, {
              traits: this.#vendor.traits,
              read: this.#read,
              stale: async () => {
                await this.#writer.look(path, undefined);
              },
              spoilt: async () => this.#cache?.forget(item),
            })
          : undefined,
      ),
    );
  }

  describe(path: string): Promise<DescribedFile | undefined> | DescribedFile | undefined {
    return after(this.#tree().find(path), (item) => this.#described(item));
  }

  describeAll(
    path: string,
    names: readonly string[],
  ): Promise<(DescribedFile | undefined)[]> | (DescribedFile | undefined)[] {
    const tree = this.#tree();
    if (tree === this.#live) return this.#describeLive(path, names);
    const folder = this.#known.find(path);
    const files = names.map((name) => {
      const child = folder && this.#known.child(folder.id, name);
      return this.#described(child && this.#mirror.item(child.id));
    });
    return files.some((file) => file instanceof Promise)
      ? Promise.all(files)
      : (files as (DescribedFile | undefined)[]);
  }

  async #describeLive(path: string, names: readonly string[]): Promise<(DescribedFile | undefined)[]> {
    const folder = await this.#live.find(path);
    if (folder?.kind !== "folder") return names.map(() => undefined);
    const items = await this.#live.describe(folder, path, names);
    await this.#properties.foresee(items);
    return Promise.all(items.map((item) => this.#described(item)));
  }

  async create(path: string, options: CreateOptions = {}): Promise<PendingFile> {
    this.#writable();
    await this.#tree().place(path);
    const spool = () => new Spool(this.#spools, this.#budget, this.#vendor.traits.uploadLimit);
    const pending = new RemotePending(path, { ...this.#parts, sessions: this.#sessions, spool });
    pending.begin(options);
    return pending;
  }

  async setProperties(path: string, properties: string): Promise<void> {
    this.#writable();
    const item = await this.#tree().find(path);
    if (item?.kind !== "file") throw new DriveError("NotFound", `There is no file ${path}`);
    await this.#properties.replace(path, item, properties);
  }

  async copy(from: string, to: string): Promise<PendingFile | undefined> {
    this.#writable();
    const item = await this.#tree().find(from);
    if (item?.kind !== "file") return undefined;
    const { inline } = item;
    if (inline === undefined) return new RemoteCopy(item, to, this.#parts, from === to);
    const pending = await this.create(to, { size: inline.length });
    await pending.write(inline);
    return pending;
  }

  async move(from: string, to: string): Promise<boolean> {
    this.#writable();
    const item = await this.#tree().find(from);
    if (item?.kind !== "file") return false;
    if (from === to) return true;
    const text = await this.#properties.read(item);
    const replaced = await this.#tree().find(to);
    const moved = await this.#writer.publish(
      to,
      {},
      {
        send: (target, condition) => this.#vendor.move(item, target, { condition }),
        moved: { item, path: from },
      },
    );
    if (text !== undefined && (await this.#properties.read(moved)) !== text) {
      await this.#properties.replace(to, moved, text);
      await this.#properties.removeSidecar(item.id);
    }
    if (replaced && replaced.id !== moved.id) await this.#properties.removeSidecar(replaced.id);
    return true;
  }

  async remove(path: string, unchanged?: DriveEntry): Promise<boolean> {
    this.#writable();
    const item = await this.#tree().find(path);
    if (unchanged && item && entryId(item) !== unchanged.id)
      throw new DriveError("Changed", `${path} is another file now`);
    if (item?.kind !== "file") return false;
    if (unchanged === undefined) {
      const [gone = false] = await this.#removeItems([{ path, item }]);
      if (gone instanceof Error) throw gone;
      return gone;
    }
    const removed = await this.#writer.remove(path, item, "unchanged");
    await this.#properties.removeSidecar(item.id);
    return removed;
  }

  async removeAll(paths: readonly string[]): Promise<(boolean | Error)[]> {
    this.#writable();
    const tree = this.#tree();
    const found: { at: number; path: string; item: Item }[] = [];
    for (const [at, path] of paths.entries()) {
      const item = await tree.find(path);
      if (item?.kind === "file") found.push({ at, path, item });
    }
    const results: (boolean | Error)[] = paths.map(() => false);
    const removed = await this.#removeItems(found);
    for (const [i, { at }] of found.entries()) results[at] = removed[i]!;
    return results;
  }

  async makeFolder(path: string): Promise<boolean> {
    this.#writable();
    const place = await this.#tree().place(path);
    if (place.item?.kind === "file") throw new DriveError("NotAFolder", `${path} is a file`);
    if (place.item) return false;
    const above = path.split("/").slice(0, -place.missing.length).join("/");
    await this.#folders.make(place, above, place.missing);
    return true;
  }

  async removeFolder(path: string): Promise<boolean> {
    this.#writable();
    const item = path === "" ? undefined : await this.#tree().find(path);
    if (item?.kind !== "folder" || this.#mirror.hasChildren(item.id)) return false;
    return this.#use.alone(path, async () => {
      this.#mirror.refresh();
      if (this.#mirror.hasChildren(item.id)) return false;
      // The drive removes a folder with all that is in it, and others may have put something there.
      for await (const page of this.#vendor.children(item)) if (page.length > 0) return false;
      return this.#writer.remove(path, item);
    });
  }

  /** Removes files with their sidecars. */
  async #removeItems(files: readonly { path: string; item: Item }[]): Promise<(boolean | Error)[]> {
    const aside = files.flatMap(({ item }) => this.#properties.beside(item.id));
    const removed = await this.#writer.removeAll([...files, ...aside]);
    return removed.slice(0, files.length);
  }

  async versions(path: string): Promise<readonly FileVersion[]> {
    const item = await this.#tree().find(path);
    if (item?.kind !== "file") return [];
    const versions = await this.#vendor.versions(item);
    return versions.map((version) => ({
      id: version.id,
      entry: entryOf(contentOf(item, version), this.#vendor.traits, null),
    }));
  }

  async openVersion(path: string, id: string): Promise<OpenFile | undefined> {
    const item = await this.#tree().find(path);
    if (item?.kind !== "file") return undefined;
    const versions = await this.#vendor.versions(item);
    const version = versions.find((one) => one.id === id);
    if (!version) return undefined;
    if (version === versions[0]) return this.open(path);
    const { traits } = this.#vendor;
    const read: Vendor["read"] = (_, start, end, signal) =>
      this.#vendor.readVersion(item, version, start, end, signal);
    const content = contentOf(item, version);
    return new RemoteFile(
      content,
      { entry: entryOf(content, traits, null), properties: undefined },
      {
        traits,
        read: (_, start, end) => readItem({ traits, read }, content, start, end),
        stale: async () => {},
        spoilt: async () => {},
      },
    );
  }

  async sweep(olderThan: number): Promise<number> {
    if (this.#readOnly) return 0;
    await this.#properties.recover(olderThan);
    const sessions = await this.#sessions.sweep(this.#vendor, olderThan);
    return sessions + (await sweepLeftOvers({ ...this.#parts, mirror: this.#mirror }, olderThan));
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await this.#follower.close();
    this.#folders.close();
    this.#use.close();
    await this.#cache?.close();
    await closeMirror(this.#mirror);
    await this.#vendor.close();
  }

  #tree(): Tree {
    this.#mirror.refresh();
    return this.#mirror.synced ? this.#known : this.#live;
  }

  #entry(item: Item): DriveEntry {
    const stamp = this.#mirror.synced && item.kind === "folder" ? this.#mirror.stamp(item.id) : null;
    return entryOf(item, this.#vendor.traits, stamp);
  }

  #described(item: Item | undefined): Promise<DescribedFile | undefined> | DescribedFile | undefined {
    if (item?.kind !== "file") return undefined;
    return after(this.#properties.read(item), (properties) => ({ entry: this.#entry(item), properties }));
  }

  #writable(): void {
    if (this.#readOnly) throw new DriveError("ReadOnly", `${this.description} is served read-only`);
  }
}

/** An item as it was with an earlier content. */
const contentOf = (item: Item, { id, size, modified, hash }: ItemVersion): Item => ({
  ...item,
  version: id,
  size,
  modified,
  hash,
  properties: undefined,
});

function after<T, R>(value: Promise<T> | T, next: (value: T) => Promise<R> | R): Promise<R> | R {
  return value instanceof Promise ? value.then(next) : next(value);
}
