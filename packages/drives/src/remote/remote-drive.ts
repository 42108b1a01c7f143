import { rm } from "node:fs/promises";
import { join } from "node:path";
import {
  type CreateOptions,
  type DescribedFile,
  type Drive,
  type DriveEntry,
  DriveError,
  type ListedEntry,
  type OpenFile,
  type PendingFile,
} from "../drive.ts";
import { entryId, entryOf } from "./entries.ts";
import { FolderMaker } from "./folders.ts";
import { Follower } from "./follower.ts";
import { LiveTree } from "./live-tree.ts";
import { Mirror } from "./mirror.ts";
import { RemotePending } from "./pending.ts";
import { RemoteFile } from "./reading.ts";
import { Budget, Spool } from "./spool.ts";
import { MirroredTree, type Tree } from "./tree.ts";
import type { Item, Vendor } from "./vendor.ts";
import { Writer } from "./writer.ts";

export interface RemoteDriveOptions {
  /** Folder for what is known of the drive and what is on its way there: of this drive alone, shared by processes. */
  readonly data: string;
  /** Milliseconds between two questions for what others changed, where the vendor does not tell; default 10 s. */
  readonly pollInterval?: number;
  readonly readOnly?: boolean;
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

/** A drive of a vendor's API. @throws DriveError when it cannot be reached and nothing is known of it */
export async function remoteDrive(vendor: Vendor, options: RemoteDriveOptions): Promise<RemoteDrive> {
  const mirror = new Mirror(options.data, vendor.traits);
  try {
    const root = await rootOf(vendor, mirror);
    await mirror.serve(root);
    const drive = new VendorDrive(vendor, mirror, root, options);
    await drive.start();
    return drive;
  } catch (error) {
    await mirror.close();
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
  readonly #readOnly: boolean;
  readonly #folders: FolderMaker;
  readonly #spools: string;
  readonly #budget = new Budget(uploadMemory);

  constructor(vendor: Vendor, mirror: Mirror, root: Item, options: RemoteDriveOptions) {
    const pollInterval = options.pollInterval ?? defaultPollInterval;
    this.description = vendor.description;
    this.#vendor = vendor;
    this.#mirror = mirror;
    this.#known = new MirroredTree(mirror, vendor.traits, root);
    this.#live = new LiveTree(vendor, mirror, root, pollInterval);
    this.#follower = new Follower(vendor, mirror, options.data, { pollInterval });
    this.#folders = new FolderMaker(vendor, mirror);
    this.#readOnly = options.readOnly ?? false;
    this.#spools = join(options.data, "spool");
    this.#writer = new Writer({
      vendor,
      mirror,
      folders: this.#folders,
      tree: () => this.#tree(),
      forget: (path) => this.#live.forget(path),
    });
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
    yield* tree.list(folder, path);
  }

  stat(path: string): Promise<DriveEntry | undefined> | DriveEntry | undefined {
    return after(this.#tree().find(path), (item) => item && this.#entry(item));
  }

  open(path: string): Promise<OpenFile | undefined> | OpenFile | undefined {
    return after(this.#tree().find(path), (item) =>
      item?.kind === "file"
        ? new RemoteFile(this.#vendor, item, this.#describe(item), () => this.#writer.look(path, undefined))
        : undefined,
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
    return names.map((name) => {
      const child = folder && this.#known.child(folder.id, name);
      return this.#described(child && this.#mirror.item(child.id));
    });
  }

  async #describeLive(path: string, names: readonly string[]): Promise<(DescribedFile | undefined)[]> {
    const folder = await this.#live.find(path);
    if (folder?.kind !== "folder") return names.map(() => undefined);
    return (await this.#live.describe(folder, path, names)).map((item) => this.#described(item));
  }

  async create(path: string, options: CreateOptions = {}): Promise<PendingFile> {
    this.#writable();
    await this.#tree().place(path);
    const { vendor, writer } = { vendor: this.#vendor, writer: this.#writer };
    const spool = () => new Spool(this.#spools, this.#budget, vendor.traits.uploadLimit);
    return new RemotePending(path, { vendor, writer, spool }, options);
  }

  async setProperties(_path: string, _properties: string): Promise<void> {
    throw new Error("not yet");
  }

  async copy(_from: string, _to: string): Promise<PendingFile | undefined> {
    throw new Error("not yet");
  }

  async move(from: string, to: string): Promise<boolean> {
    this.#writable();
    const item = await this.#tree().find(from);
    if (item?.kind !== "file") return false;
    if (from === to) return true;
    await this.#writer.publish(
      to,
      {},
      (target, condition) => this.#vendor.move(item, target, { condition }),
      () => undefined,
      { item, path: from },
    );
    return true;
  }

  async remove(path: string, unchanged?: DriveEntry): Promise<boolean> {
    this.#writable();
    const item = await this.#tree().find(path);
    if (unchanged && item && entryId(item) !== unchanged.id)
      throw new DriveError("Changed", `${path} is another file now`);
    if (item?.kind !== "file") return false;
    return this.#writer.remove(path, item, unchanged && "unchanged");
  }

  async removeAll(paths: readonly string[]): Promise<(boolean | Error)[]> {
    this.#writable();
    const tree = this.#tree();
    const found: { at: number; path: string; item: Item; mark: string }[] = [];
    for (const [at, path] of paths.entries()) {
      const item = await tree.find(path);
      if (item?.kind === "file") found.push({ at, path, item, mark: this.#mirror.mark(item.id) });
    }
    const results: (boolean | Error)[] = paths.map(() => false);
    if (found.length === 0) return results;
    const removed = await this.#vendor.removeAll(found.map(({ item }) => item));
    for (const [i, { at, path, item, mark }] of found.entries()) {
      const result = removed[i]!;
      results[at] = result;
      if (!(result instanceof Error)) await this.#writer.removed(path, item, mark);
    }
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
    if (item?.kind !== "folder") return false;
    if (this.#mirror.synced && this.#mirror.hasChildren(item.id)) return false;
    for await (const page of this.#vendor.children(item)) if (page.length > 0) return false;
    return this.#writer.remove(path, item);
  }

  async sweep(_olderThan: number): Promise<number> {
    await rm(this.#spools, { recursive: true, force: true });
    return 0;
  }

  async close(): Promise<void> {
    await this.#follower.close();
    await this.#mirror.close();
  }

  #tree(): Tree {
    this.#mirror.refresh();
    return this.#mirror.synced ? this.#known : this.#live;
  }

  #entry(item: Item): DriveEntry {
    const stamp = this.#mirror.synced && item.kind === "folder" ? this.#mirror.stamp(item.id) : null;
    return entryOf(item, this.#vendor.traits, stamp);
  }

  #describe(item: Item): DescribedFile {
    return { entry: this.#entry(item), properties: undefined };
  }

  #described(item: Item | undefined): DescribedFile | undefined {
    return item?.kind === "file" ? this.#describe(item) : undefined;
  }

  #writable(): void {
    if (this.#readOnly) throw new DriveError("ReadOnly", `${this.description} is served read-only`);
  }
}

function after<T, R>(value: Promise<T> | T, next: (value: T) => R): Promise<R> | R {
  return value instanceof Promise ? value.then(next) : next(value);
}
