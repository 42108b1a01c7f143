import { DriveError } from "../drive.ts";
import { exactly, placed } from "../remote/http/index.ts";
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
import { changes } from "./changes.ts";
import { GraphClient, vendorName } from "./client.ts";
import { copyFile } from "./copy.ts";
import { Downloads } from "./downloads.ts";
import { QuickXorHash } from "./hash.ts";
import { type DriveItem, itemOf, selectListed } from "./items.ts";
import { Moves } from "./moves.ts";
import { defaultEncoding, encodeName, isRewritten, longestPath } from "./naming.ts";
import { fragmentUnit, type OneDriveOptions } from "./options.ts";
import { mostInBatch, removeAll } from "./removal.ts";
import { Uploads } from "./upload.ts";
import { times } from "./writes.ts";

const MiB = 1024 * 1024;

interface Page {
  readonly value: readonly DriveItem[];
  readonly "@odata.nextLink"?: string;
}

interface Version {
  readonly id: string;
  readonly size?: number;
  readonly lastModifiedDateTime?: string;
}

/** OneDrive and SharePoint through Microsoft Graph v1.0. */
export class OneDriveVendor implements Vendor {
  readonly traits: Traits;
  readonly description: string;
  readonly #options: OneDriveOptions;
  readonly #graph: GraphClient;
  readonly #downloads: Downloads;
  readonly #moves: Moves;
  readonly #uploads: Uploads;
  #root: Promise<Item> | undefined;

  constructor(options: OneDriveOptions) {
    const { driveType, encoding = defaultEncoding, fragmentSize = 10 * MiB, uploadLimit = 4 * MiB } = options;
    this.#options = options;
    this.#graph = new GraphClient(options);
    this.#downloads = new Downloads(this.#graph);
    const take = (json: DriveItem) => this.#take(json);
    this.#moves = new Moves(this.#graph, take, () => this.root(), options.hardDelete === true);
    this.#uploads = new Uploads(this.#graph, take, this.#moves);
    this.description = `${vendorName} (${driveType})`;
    this.traits = {
      name: vendorName,
      caseSensitive: false,
      duplicates: false,
      propertiesLimit: 0,
      uploadLimit,
      fragmentUnit,
      fragmentSize,
      parallelFragments: 1,
      parallelReads: 4,
      largestFile: 250 * 1024 * MiB,
      removeBatch: mostInBatch,
      atomic: { absent: true, unchanged: true },
      encode: (segment) => encodeName(segment, encoding),
      decode: encoding.decode,
      fits: (names) => names.join("/").length <= longestPath,
      hash: () => new QuickXorHash(),
      rewrites: (name) => driveType === "documentLibrary" && isRewritten(name),
    };
  }

  root(): Promise<Item> {
    this.#root ??= this.#findRoot().catch((error) => {
      this.#root = undefined;
      throw error;
    });
    return this.#root;
  }

  async #findRoot(): Promise<Item> {
    const { rootFolderId = "root", folder = "" } = this.#options;
    const names = folder.split("/").filter((segment) => segment !== "");
    const encoded = names.map((segment) => this.traits.encode(segment) ?? segment);
    const root = await this.#item(this.#graph.byPath(rootFolderId, encoded));
    if (!root)
      throw new DriveError("NotFound", `${this.description} has no folder ${folder || rootFolderId}`);
    if (root.kind === "file")
      throw new DriveError("NotAFolder", `${folder} in ${this.description} is a file`);
    return root;
  }

  async find(names: readonly string[]): Promise<Item | undefined> {
    if (!this.traits.fits!(names)) return undefined;
    return this.#item(this.#graph.byPath((await this.root()).id, names));
  }

  get(id: string): Promise<Item | undefined> {
    return this.#item(this.#graph.byId(id));
  }

  async *children(folder: Item): AsyncGenerator<readonly Item[]> {
    const { listPage = 1000, driveType } = this.#options;
    let url: string | undefined = `${this.#graph.byId(folder.id)}/children?${selectListed}&$top=${listPage}`;
    while (url !== undefined) {
      const { body }: { body: Page } = await this.#graph.http.json<Page>({
        endpoint: "GET children",
        method: "GET",
        url,
      });
      yield body.value.map((json) => itemOf(json, driveType)).filter((item) => item !== undefined);
      url = body["@odata.nextLink"];
    }
  }

  read(item: Item, start: number, end: number, signal?: AbortSignal): Promise<AsyncIterable<Uint8Array>> {
    return this.#downloads.read(item, start, end, signal);
  }

  upload(target: Target, body: Body, options?: WriteOptions): Promise<Item> {
    return this.#uploads.whole(target, body, options);
  }

  startUpload(target: Target, size: number, options?: WriteOptions): Promise<UploadSession> {
    return this.#uploads.start(target, size, options);
  }

  cancelUpload(state: string): Promise<void> {
    return this.#uploads.cancel(state);
  }

  setProperties(): Promise<Item> {
    throw new Error("OneDrive keeps no properties with an item");
  }

  async copy(item: Item, target: Target, options: WriteOptions = {}): Promise<Item> {
    const { condition, modified, signal } = options;
    await this.#moves.check(target, condition);
    const replace = target.replaces !== undefined && condition !== "absent";
    if (replace && this.#options.driveType === "personal") {
      // A personal drive does not copy over a file, but it moves over one.
      const aside = await this.#moves.aside();
      const copy = this.#take(await copyFile(this.#graph, item, aside, false, signal));
      return this.#moves.settle(copy, target, { modified, signal });
    }
    const copy = this.#take(await copyFile(this.#graph, item, target, replace, signal));
    if (modified === undefined || copy.modified === modified) return copy;
    return this.#moves.change(copy, { fileSystemInfo: times(modified) }, signal);
  }

  move(item: Item, target: Target, options?: WriteOptions): Promise<Item> {
    return this.#moves.move(item, target, options);
  }

  remove(item: Item, condition?: "unchanged"): Promise<boolean> {
    return this.#moves.remove(item, condition);
  }

  removeAll(items: readonly Item[]): Promise<(boolean | Error)[]> {
    return removeAll(this.#graph, items, this.#moves.hard);
  }

  makeFolder(folder: Item, name: string): Promise<Item> {
    return this.#moves.makeFolder(folder, name);
  }

  changes(cursor: string | undefined, signal?: AbortSignal): AsyncIterable<ChangePage> {
    return changes(this.#graph, cursor, signal);
  }

  async versions(item: Item): Promise<readonly ItemVersion[]> {
    const { body } = await this.#graph.http.json<{ value: readonly Version[] }>({
      endpoint: "GET versions",
      method: "GET",
      url: `${this.#graph.byId(item.id)}/versions`,
    });
    return body.value.map(({ id, size = 0, lastModifiedDateTime = "" }) => ({
      id,
      size,
      modified: Date.parse(lastModifiedDateTime) || 0,
    }));
  }

  async readVersion(
    item: Item,
    version: ItemVersion,
    start: number,
    end: number,
    signal?: AbortSignal,
  ): Promise<AsyncIterable<Uint8Array>> {
    const { status, headers } = await this.#graph.http.json({
      endpoint: "GET version content",
      method: "GET",
      url: `${this.#graph.byId(item.id)}/versions/${encodeURIComponent(version.id)}/content`,
      // 400: the current version is read as the item itself.
      accept: [302, 400],
      signal,
    });
    if (status === 400) return this.read(item, start, end, signal);
    const reply = await this.#downloads.fetch(headers.location!, start, end, version.size, signal);
    const { body, skip, total } = placed(reply, start);
    if (total !== version.size) {
      body.destroy();
      throw new DriveError("Unavailable", "OneDrive sends other bytes than the version has.");
    }
    return exactly(body, skip, end - start, vendorName);
  }

  close(): Promise<void> {
    return this.#graph.http.close();
  }

  async #item(url: string): Promise<Item | undefined> {
    const json = await this.#graph.item(url);
    if (!json) return undefined;
    this.#downloads.keep(json);
    return itemOf(json, this.#options.driveType);
  }

  /** The item that a write has led to, whose address is good for reading it. */
  #take(json: DriveItem): Item {
    this.#downloads.keep(json);
    const item = itemOf(json, this.#options.driveType);
    if (!item)
      throw new DriveError("Unavailable", "OneDrive answered a write with what is neither file nor folder.");
    return item;
  }
}
