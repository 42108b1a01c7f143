import { DriveError } from "../drive.ts";
import { bodyOf, noBytes } from "../remote/body.ts";
import type {
  Body,
  ChangePage,
  Item,
  ItemVersion,
  Target,
  Traits,
  UploadSession,
  Vendor,
  WriteOptions,
} from "../remote/vendor.ts";
import { mostInner } from "./batch.ts";
import { Feed } from "./changes.ts";
import { DriveClient, isCode, vendorName } from "./client.ts";
import { Downloads } from "./download.ts";
import { etagOf, getFile } from "./files.ts";
import { Md5 } from "./hash.ts";
import { IdSupply } from "./ids.ts";
import {
  type DriveFile,
  fileFields,
  folderType,
  isLinkName,
  itemOf,
  nativeName,
  nativeNames,
  type Shown,
  timeOf,
} from "./items.ts";
import { Listing } from "./listing.ts";
import { encodeName, encodingOf } from "./naming.ts";
import { fragmentUnit, type GoogleDriveOptions } from "./options.ts";
import { propertiesLimit, toAppProperties } from "./properties.ts";
import { Removal } from "./removal.ts";
import { Uploads } from "./upload.ts";

/** What rclone sends in one call as well. */
const defaultUploadLimit = 8 * 1024 * 1024;
const defaultFragment = 8 * 1024 * 1024;
const largestFile = 5120 * 1024 ** 3;

interface Revision {
  readonly id: string;
  readonly size?: string;
  readonly modifiedTime?: string;
  readonly md5Checksum?: string;
}

/** My Drive, a folder of it or a shared drive as a vendor. */
export function googleDrive(options: GoogleDriveOptions): Vendor {
  return new GoogleDrive(options);
}

class GoogleDrive implements Vendor {
  readonly traits: Traits;
  readonly description: string;
  readonly #options: GoogleDriveOptions;
  readonly #removal: Removal;
  readonly #client: DriveClient;
  readonly #ids: IdSupply;
  readonly #listing: Listing;
  readonly #uploads: Uploads;
  readonly #downloads: Downloads;
  readonly #shown: Shown;
  #root: Promise<Item> | undefined;
  #feed: Feed | undefined;

  constructor(options: GoogleDriveOptions) {
    this.#options = options;
    this.#client = new DriveClient(options);
    this.#ids = new IdSupply(this.#client);
    this.#listing = new Listing(this.#client, options.listPage);
    this.#listing.sharedDrive = options.sharedDrive;
    this.#uploads = new Uploads(this.#client, this.#ids, options.keepRevisions);
    this.#downloads = new Downloads(this.#client, options.acknowledgeAbuse);
    this.#removal = new Removal(this.#client, options.hardDelete);
    this.#shown = { documents: !options.skipDocuments, shortcuts: !options.skipShortcuts };
    this.description = [vendorName, options.folder].filter(Boolean).join(": ");
    const encoding = encodingOf(options.encoding);
    this.traits = {
      name: vendorName,
      caseSensitive: true,
      duplicates: true,
      propertiesLimit,
      uploadLimit: options.uploadLimit ?? defaultUploadLimit,
      fragmentUnit,
      fragmentSize: options.fragmentSize ?? defaultFragment,
      parallelFragments: 1,
      largestFile,
      removeBatch: mostInner,
      atomic: { absent: false, unchanged: true },
      encode: (segment) => encodeName(segment, encoding),
      decode: (name) => encoding.decode(name),
      hash: () => new Md5(),
      md5: true,
      rewrites: () => false,
    };
  }

  root(): Promise<Item> {
    this.#root ??= this.#findRoot().catch((error) => {
      this.#root = undefined;
      throw error;
    });
    return this.#root;
  }

  async find(names: readonly string[]): Promise<Item | undefined> {
    return this.#below(await this.root(), names);
  }

  async get(id: string): Promise<Item | undefined> {
    const file = await getFile(this.#client, id);
    return file && this.#itemOf(file);
  }

  async *children(folder: Item): AsyncGenerator<readonly Item[]> {
    await this.root();
    let next: string | undefined;
    do {
      const page = await this.#listing.page([folder.id], next);
      yield page.files.map((file) => this.#itemOf(file)).filter((item) => item !== undefined);
      next = page.next;
    } while (next !== undefined);
  }

  async read(
    item: Item,
    start: number,
    end: number,
    signal?: AbortSignal,
  ): Promise<AsyncIterable<Uint8Array>> {
    if (item.inline) return bodyOf(item.inline).read(start, end);
    if (start >= end) return noBytes();
    return this.#downloads.read(item, start, end, signal);
  }

  async upload(target: Target, body: Body, options: WriteOptions = {}): Promise<Item> {
    return this.#mustShow(await this.#uploads.upload(target, body, options));
  }

  startUpload(target: Target, size: number, options: WriteOptions = {}): Promise<UploadSession> {
    return this.#uploads.start(target, size, options, (file) => this.#mustShow(file));
  }

  /** Sessions end by themselves. */
  async cancelUpload(): Promise<void> {}

  async setProperties(item: Item, properties: string): Promise<Item> {
    return this.#patch(item.id, {}, { appProperties: toAppProperties(properties) });
  }

  async copy(item: Item, target: Target, options: WriteOptions = {}): Promise<Item> {
    // A copy of a document would be a document again, and not the link that is shown for it.
    if (item.inline) return this.upload(target, bodyOf(item.inline), options);
    const id = await this.#ids.take();
    const { modified, signal } = options;
    const { body } = await this.#client.http
      .json<DriveFile>({
        endpoint: "POST copy",
        method: "POST",
        url: this.#client.v3(`files/${encodeURIComponent(item.id)}/copy`, { fields: fileFields }),
        content: {
          id,
          name: target.name,
          parents: [target.folder.id],
          modifiedTime: timeOf(modified),
          // A copy has the properties of the original where nothing else is said.
          appProperties: toAppProperties(options.properties),
        },
        repeatable: true,
        signal,
      })
      .catch(async (error: unknown) => {
        const made = isCode(error, "Exists") ? await getFile(this.#client, id) : undefined;
        if (!made) throw error;
        return { body: made };
      });
    const copied = this.#mustShow(body);
    if (!target.replaces) return copied;
    return this.#instead(copied, target.replaces, options.condition, () => this.remove(copied));
  }

  async move(item: Item, target: Target, options: WriteOptions = {}): Promise<Item> {
    if (item.inline && !isLinkName(target.name))
      throw new DriveError(
        "NameRefused",
        "What stands for a document of Google's own or a shortcut keeps .url at the end of its name.",
      );
    const { condition, properties, modified, signal } = options;
    if (condition === "unchanged" && !target.replaces) await etagOf(this.#client, item, signal);
    const there = item.parent;
    const elsewhere = there !== undefined && there !== target.folder.id;
    const parents = (to: string, from: string | undefined) =>
      elsewhere ? { addParents: to, removeParents: from } : {};
    const appProperties = properties === undefined ? undefined : toAppProperties(properties);
    const content = {
      name: nativeName(item, target.name),
      modifiedTime: timeOf(modified),
      appProperties,
    };
    const done = await this.#patch(item.id, parents(target.folder.id, there), content, signal);
    if (!target.replaces) return done;
    const back = { name: nativeName(item, item.name) };
    return this.#instead(done, target.replaces, condition, () =>
      this.#patch(item.id, parents(there!, target.folder.id), back),
    );
  }

  remove(item: Item, condition?: "unchanged"): Promise<boolean> {
    return this.#removal.remove(item, condition);
  }

  removeAll(items: readonly Item[]): Promise<(boolean | Error)[]> {
    return this.#removal.removeAll(items);
  }

  async makeFolder(folder: Item, name: string): Promise<Item> {
    const there = await this.#below(folder, [name]);
    if (there?.kind === "folder") return there;
    if (there) throw new DriveError("NotAFolder", `${name} is a file`);
    const id = await this.#ids.take();
    try {
      const { body } = await this.#client.http.json<DriveFile>({
        endpoint: "POST files",
        method: "POST",
        url: this.#client.v3("files", { fields: fileFields }),
        content: { id, name, mimeType: folderType, parents: [folder.id] },
        repeatable: true,
      });
      this.#feed?.remember(body);
      return this.#mustShow(body);
    } catch (error) {
      const made = isCode(error, "Exists") ? await this.get(id) : undefined;
      if (made) return made;
      throw error;
    }
  }

  async *changes(cursor: string | undefined, signal?: AbortSignal): AsyncGenerator<ChangePage> {
    const root = await this.root();
    this.#feed ??= new Feed(this.#client, this.#listing, root.id, (file) => this.#itemOf(file));
    yield* this.#feed.pages(cursor, signal);
  }

  async versions(item: Item): Promise<readonly ItemVersion[]> {
    if (item.inline) return [{ id: item.version, size: item.size, modified: item.modified, hash: item.hash }];
    const found: Revision[] = [];
    let pageToken: string | undefined;
    do {
      const { body } = await this.#client.http.json<{ revisions?: Revision[]; nextPageToken?: string }>({
        endpoint: "GET revisions",
        method: "GET",
        url: this.#client.v3(`files/${encodeURIComponent(item.id)}/revisions`, {
          pageSize: "1000",
          pageToken,
          fields: "nextPageToken,revisions(id,size,modifiedTime,md5Checksum)",
        }),
      });
      found.push(...(body.revisions ?? []));
      pageToken = body.nextPageToken;
    } while (pageToken !== undefined);
    return found.reverse().map(({ id, size, modifiedTime, md5Checksum }) => ({
      id,
      size: Number(size ?? 0),
      modified: Date.parse(modifiedTime ?? "") || 0,
      hash: md5Checksum,
    }));
  }

  async readVersion(
    item: Item,
    { id, size }: ItemVersion,
    start: number,
    end: number,
    signal?: AbortSignal,
  ): Promise<AsyncIterable<Uint8Array>> {
    if (item.inline) return this.read(item, start, end, signal);
    if (start >= end) return noBytes();
    return this.#downloads.revision(item.id, id, size, start, end, signal);
  }

  close(): Promise<void> {
    return this.#client.http.close();
  }

  async #findRoot(): Promise<Item> {
    const { rootFolderId, sharedDrive, folder } = this.#options;
    const id = rootFolderId ?? sharedDrive ?? "root";
    const file = await getFile(this.#client, id);
    if (file?.mimeType !== folderType || file.trashed) {
      const why = id === "root" ? "; the sign-in may be for the app's own files only" : "";
      throw new DriveError("NotFound", `Google Drive shows no folder ${id} to who signed in${why}.`);
    }
    this.#listing.sharedDrive ??= file.driveId;
    const root = this.#mustShow(file);
    if (!folder) return root;
    const names = folder.split("/").map((segment) => this.traits.encode(segment));
    const below = names.includes(undefined) ? undefined : await this.#below(root, names as string[]);
    if (below?.kind !== "folder")
      throw new DriveError("NotFound", `There is no folder ${folder} in Google Drive.`);
    return below;
  }

  /** Looks from folder to folder: Google does not know paths. Of several of one name it is the oldest. */
  async #below(folder: Item, names: readonly string[]): Promise<Item | undefined> {
    let at = folder;
    for (const name of names) {
      const found = (await this.#listing.named(at.id, nativeNames(name)))
        .map((file) => this.#itemOf(file))
        .filter((item) => item?.name === name)
        .sort((a, b) => a!.created! - b!.created! || (a!.id < b!.id ? -1 : 1))[0];
      if (!found) return undefined;
      at = found;
    }
    return at;
  }

  async #patch(
    id: string,
    query: Readonly<Record<string, string | undefined>>,
    content: object,
    signal?: AbortSignal,
  ): Promise<Item> {
    const { body } = await this.#client.http.json<DriveFile>({
      endpoint: "PATCH file",
      method: "PATCH",
      url: this.#client.v3(`files/${encodeURIComponent(id)}`, { ...query, fields: fileFields }),
      content,
      repeatable: true,
      signal,
    });
    return this.#mustShow(body);
  }

  /**
   * Ends what has the name that another item has been given, which Google lets stand beside it. Where that does not
   * succeed the other item is taken back.
   */
  async #instead(
    item: Item,
    replaced: Item,
    condition: WriteOptions["condition"],
    undo: () => Promise<unknown>,
  ): Promise<Item> {
    try {
      await this.remove(replaced, condition === "unchanged" ? "unchanged" : undefined);
    } catch (error) {
      await undo().catch(() => {});
      throw error;
    }
    return item;
  }

  #itemOf(file: DriveFile): Item | undefined {
    return itemOf(file, this.#shown);
  }

  #mustShow(file: DriveFile): Item {
    const item = itemOf(file, { documents: true, shortcuts: true });
    if (!item) throw new DriveError("Changed", "The file was put into the trash meanwhile.");
    return item;
  }
}
