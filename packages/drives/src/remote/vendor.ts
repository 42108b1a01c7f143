/** A file or folder as a vendor's API tells of it. */
export interface Item {
  /** What the vendor addresses it by: OneDrive's and Google Drive's id, Dropbox's `path_lower`. */
  readonly id: string;
  /** The `id` of its folder; undefined for the root of the drive and what lies outside of it. */
  readonly parent: string | undefined;
  /** As the vendor has it, not decoded. */
  readonly name: string;
  readonly kind: "file" | "folder";
  /** Bytes; 0 for a folder. */
  readonly size: number;
  /** Milliseconds since 1970. */
  readonly modified: number;
  /** Milliseconds since 1970, where the vendor tells: of several items of one name the oldest has it. */
  readonly created?: number;
  /** Another one whenever the bytes are others: OneDrive's `cTag`, Google's `headRevisionId`, Dropbox's `rev`. */
  readonly version: string;
  /** In the vendor's own hash and notation, where it tells one. */
  readonly hash?: string;
  /** The text that `Vendor.upload` or `setProperties` left with the item, where the vendor keeps such. */
  readonly properties?: string;
  /** The bytes themselves where they follow from the item alone, as of the link that stands for a Google Doc. */
  readonly inline?: Uint8Array;
}

/** An item that is gone. */
export interface RemovedItem {
  readonly id: string;
  readonly removed: true;
}

/** Some changes of the drive, in their order. The last of an item is its state. */
export interface ChangePage {
  readonly changes: readonly (Item | RemovedItem)[];
  /** Where to go on once this page is kept. */
  readonly cursor: string;
  /** Whether the vendor gave up the cursor that was asked with: all that is known and does not come again is gone. */
  readonly reset: boolean;
}

/** A place for a file: where it is to be, and the file that it takes the place of. */
export interface Target {
  readonly folder: Item;
  /** Encoded for the vendor. */
  readonly name: string;
  readonly replaces?: Item;
}

/**
 * What must hold when a write takes effect, decided by the vendor in one step where it can: `absent` that nothing
 * has the name, `unchanged` that `Target.replaces` (or the item itself) still has its version. A write with a
 * condition whose answer is lost must not be repeated below this interface, where its own first try would refuse
 * it: it fails with `Unavailable`, and who asked for it looks what became of it.
 */
export type Condition = "absent" | "unchanged";

export interface WriteOptions {
  readonly condition?: Condition;
  /** Text to keep with the item, at most `Traits.propertiesLimit` bytes of UTF-8. */
  readonly properties?: string;
  /** The item's own time, in milliseconds since 1970. */
  readonly modified?: number;
  readonly signal?: AbortSignal;
}

/** Bytes that can be read again from any place, so that a broken call can be repeated. */
export interface Body {
  readonly size: number;
  read(start: number, end: number): AsyncIterable<Uint8Array>;
}

/** An upload in several calls. Nothing shows in the drive before the last fragment has arrived. */
export interface UploadSession {
  /** What `Vendor.cancelUpload` needs, also in another process; holds secrets. */
  readonly state: string;
  /**
   * Sends `body` from `start` to `end`. Fragments come in order, up to `Traits.parallelFragments` at once; all but
   * the last are a multiple of `Traits.fragmentUnit`. The last one commits, `end` being the whole size.
   * @returns the item once the upload is whole
   * @throws DriveError `Gone` when the vendor no longer has the session: begin anew
   */
  send(body: Body, start: number, end: number, signal?: AbortSignal): Promise<Item | undefined>;
  /** How many bytes the vendor has, or the item if the answer to the last fragment was lost. */
  received(): Promise<number | Item>;
  /**
   * Says before the last fragment which text is to be kept with the item. Without this method it can only be said
   * when the session begins, or follow.
   */
  describe?(properties: string): void;
  cancel(): Promise<void>;
}

/** A hash that is fed as bytes arrive. */
export interface ContentHash {
  update(chunk: Uint8Array): void;
  /** In the notation of `Item.hash`. Ends the hash. */
  digest(): string;
}

/** An earlier content of a file that the vendor kept. */
export interface ItemVersion {
  readonly id: string;
  readonly size: number;
  /** Milliseconds since 1970. */
  readonly modified: number;
  readonly hash?: string;
}

/** What a vendor can and cannot do. */
export interface Traits {
  /** For people: `OneDrive`, `Google Drive`, `Dropbox`. */
  readonly name: string;
  /** Whether `A` and `a` are different names. */
  readonly caseSensitive: boolean;
  /** Whether a folder may hold several items of one name. */
  readonly duplicates: boolean;
  /** Bytes of text that can be kept with an item; 0 where it takes a sidecar. */
  readonly propertiesLimit: number;
  /** Most bytes that `upload` takes. */
  readonly uploadLimit: number;
  /** Bytes of which every fragment but the last is a multiple. */
  readonly fragmentUnit: number;
  /** Bytes that a fragment should have. */
  readonly fragmentSize: number;
  readonly parallelFragments: number;
  /** How many reads of one large file at the same time are faster than one; 1 where not given. */
  readonly parallelReads?: number;
  /** Bytes of the largest file. */
  readonly largestFile: number;
  /** Most items that `removeAll` removes in one call. */
  readonly removeBatch: number;
  /** Whether `condition` is decided by the vendor in one step. */
  readonly atomic: { readonly absent: boolean; readonly unchanged: boolean };
  /** The name that stands in the drive for a segment of a key, as rclone encodes it. Undefined if none can. */
  encode(segment: string): string | undefined;
  /** The reverse, also for names that others gave. */
  decode(name: string): string;
  /** Whether a path of encoded names below the root is short enough; without it any is. */
  fits?(names: readonly string[]): boolean;
  hash(): ContentHash;
  /** Whether that hash is the MD5 in hexadecimal digits. */
  readonly md5?: boolean;
  /** Whether the vendor may change the bytes of such a file by itself, so that its hash proves nothing. */
  rewrites(name: string): boolean;
}

/**
 * One vendor's API, one call for each method where the vendor lets it. Retries, throttling and tokens are below it,
 * paths and S3's needs above. Errors are `DriveError`.
 */
export interface Vendor {
  readonly traits: Traits;
  /** For people: which drive this is. */
  readonly description: string;
  /** The folder that is served. @throws DriveError `NotFound` */
  root(): Promise<Item>;
  /** What lies below the root at these encoded names now, in whatever case; undefined if nothing does. */
  find(names: readonly string[]): Promise<Item | undefined>;
  /** The item as it is now; undefined when it is gone. */
  get(id: string): Promise<Item | undefined>;
  children(folder: Item): AsyncIterable<readonly Item[]>;
  /**
   * Bytes `start` to `end` (exclusive) of this version. The stream may break; who reads asks again for the rest.
   * @throws DriveError `Changed` when the vendor has other bytes now, `NotFound` when the file is gone
   */
  read(item: Item, start: number, end: number, signal?: AbortSignal): Promise<AsyncIterable<Uint8Array>>;
  /** Writes a small file in one call. @throws DriveError `Exists` or `Changed` by the condition */
  upload(target: Target, body: Body, options?: WriteOptions): Promise<Item>;
  /** Begins a large one. @throws as `upload`, which the last fragment may do as well */
  startUpload(target: Target, size: number, options?: WriteOptions): Promise<UploadSession>;
  /** Gives up a session that a crash left behind, and is content when there is none. */
  cancelUpload(state: string): Promise<void>;
  /** Only with a `Traits.propertiesLimit`. Bytes and `version` stay. */
  setProperties(item: Item, properties: string): Promise<Item>;
  copy(item: Item, target: Target, options?: WriteOptions): Promise<Item>;
  move(item: Item, target: Target, options?: WriteOptions): Promise<Item>;
  /** Removes a file, or a folder with all that is in it. @returns false when it was gone already */
  remove(item: Item, condition?: "unchanged"): Promise<boolean>;
  /** Removes many, any number, in as few calls as the vendor lets. @returns for each what `remove` does, or why not */
  removeAll(items: readonly Item[]): Promise<(boolean | Error)[]>;
  /** The folder of this name, made if it was not there. @throws DriveError `NotAFolder` when a file has the name */
  makeFolder(folder: Item, name: string): Promise<Item>;
  /**
   * All that changed since `cursor`, or everything there is without one. Ends when nothing more is known now.
   * Items outside the root may come as well.
   */
  changes(cursor: string | undefined, signal?: AbortSignal): AsyncIterable<ChangePage>;
  /** Waits until there may be changes behind `cursor`, for vendors that tell; false when none came in time. */
  wait?(cursor: string, signal: AbortSignal): Promise<boolean>;
  /** Newest first, the current one included. */
  versions(item: Item): Promise<readonly ItemVersion[]>;
  readVersion(
    item: Item,
    version: ItemVersion,
    start: number,
    end: number,
    signal?: AbortSignal,
  ): Promise<AsyncIterable<Uint8Array>>;
  /** Gives up connections. Calls that are under way fail. */
  close(): Promise<void>;
}
