import { DriveError } from "../drive.ts";
import { bodyOf } from "../remote/body.ts";
import { LostAnswer } from "../remote/http/index.ts";
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
import { Feed, type ListPage, listLimit } from "./changes.ts";
import { DropboxClient, RouteError, vendorName } from "./client.ts";
import { Committer } from "./committer.ts";
import { Downloads } from "./downloads.ts";
import { BlockHash } from "./hash.ts";
import { itemOf, type Metadata, pathIn, pathOf, rootId, rootItem } from "./items.ts";
import { defaultEncoding, encodeName } from "./naming.ts";
import { type DropboxOptions, fragmentUnit } from "./options.ts";
import { groupOf, propertiesLimit, Templates } from "./properties.ts";
import { mostInBatch, Removal } from "./removal.ts";
import { Uploads } from "./upload.ts";

const MiB = 1024 * 1024;
/** Bytes of the largest file (Dropbox, `upload_session/start`). */
const largestFile = 2 ** 41 - 2 ** 22;
const revisionsLimit = 100;
/** How often a move is made of a file that the service does not find yet, and milliseconds between. */
const looks = 4;
const pause = 300;

/** A Dropbox, or a team's space, through API v2. The `id` of an item is its `path_lower`. */
export class DropboxVendor implements Vendor {
  readonly traits: Traits;
  readonly description: string;
  readonly #options: DropboxOptions;
  readonly #client: DropboxClient;
  readonly #committer: Committer;
  readonly #templates: Templates;
  readonly #downloads: Downloads;
  readonly #uploads: Uploads;
  readonly #removal: Removal;
  readonly #feed: Feed;
  #root: Promise<Item> | undefined;

  constructor(options: DropboxOptions) {
    const { encoding = defaultEncoding, folder = "", uploadLimit = 32 * MiB } = options;
    const { fragmentSize = 32 * MiB, concurrent = fragmentSize % fragmentUnit === 0 } = options;
    this.#options = options;
    this.#client = new DropboxClient(options);
    this.#committer = new Committer(this.#client);
    this.#templates = new Templates(this.#client);
    this.#downloads = new Downloads(this.#client);
    this.#removal = new Removal(this.#client, this.#committer);
    this.#feed = new Feed(this.#client, this.#templates, options.longpollSeconds);
    this.#uploads = new Uploads({
      client: this.#client,
      committer: this.#committer,
      templates: this.#templates,
      look: (path) => this.#look(path),
      take,
      setProperties: (item, text) => this.setProperties(item, text),
      mostInOrder: concurrent ? 2 * fragmentSize : largestFile,
    });
    this.description = folder === "" ? vendorName : `${vendorName}:${folder}`;
    this.traits = {
      name: vendorName,
      caseSensitive: false,
      duplicates: false,
      propertiesLimit,
      uploadLimit,
      fragmentUnit: concurrent ? fragmentUnit : 1,
      fragmentSize,
      parallelFragments: concurrent ? 4 : 1,
      largestFile,
      removeBatch: mostInBatch,
      atomic: { absent: true, unchanged: true },
      encode: (segment) => encodeName(segment, encoding),
      decode: encoding.decode,
      hash: () => new BlockHash(),
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

  async #findRoot(): Promise<Item> {
    const { folder = "" } = this.#options;
    const names = folder.split("/").filter((segment) => segment !== "");
    // The root itself has no metadata.
    if (names.length === 0) return rootItem;
    const encoded = names.map((segment) => this.traits.encode(segment) ?? segment);
    const root = await this.#item(`/${encoded.join("/")}`);
    if (!root) throw new DriveError("NotFound", `Dropbox has no folder ${folder}`);
    if (root.kind === "file") throw new DriveError("NotAFolder", `${folder} in Dropbox is a file`);
    return root;
  }

  async find(names: readonly string[]): Promise<Item | undefined> {
    const root = await this.root();
    return names.length === 0 ? root : this.#item(pathIn(root.id, names.join("/")));
  }

  async get(id: string): Promise<Item | undefined> {
    return id === rootId ? rootItem : this.#item(id);
  }

  async *children(folder: Item): AsyncGenerator<readonly Item[]> {
    const include_property_groups = await this.#templates.filter();
    const argument = { path: pathOf(folder.id), limit: listLimit, include_property_groups };
    let page = await this.#list("files/list_folder", argument);
    for (;;) {
      yield page.entries.map(itemOf).filter((item) => item !== undefined);
      if (!page.has_more) return;
      page = await this.#list("files/list_folder/continue", { cursor: page.cursor });
    }
  }

  read(item: Item, start: number, end: number, signal?: AbortSignal): Promise<AsyncIterable<Uint8Array>> {
    return this.#downloads.read(item.version, item.size, start, end, signal);
  }

  upload(target: Target, body: Body, options?: WriteOptions): Promise<Item> {
    return this.#uploads.whole(target, body, options);
  }

  startUpload(target: Target, size: number, options?: WriteOptions): Promise<UploadSession> {
    return this.#uploads.start(target, size, options);
  }

  /** Sessions end by themselves. */
  async cancelUpload(): Promise<void> {}

  async setProperties(item: Item, properties: string): Promise<Item> {
    const set = async () => {
      const property_groups = [groupOf(await this.#templates.id(), properties)];
      const argument = { path: pathOf(item.id), property_groups };
      await this.#committer.run(() =>
        this.#client.rpc("file_properties/properties/overwrite", argument, { repeatable: true }),
      );
    };
    try {
      await set();
    } catch (error) {
      if (!(error instanceof RouteError && error.is("template_not_found"))) throw error;
      this.#templates.forget();
      await set();
    }
    return { ...item, properties };
  }

  async copy(item: Item, target: Target, options: WriteOptions = {}): Promise<Item> {
    if (target.replaces && options.condition !== "absent" && item.size <= this.traits.uploadLimit)
      return this.#copyOver(item, target, options);
    const copy = await this.#relocate("files/copy_v2", item, target, options);
    const { properties } = options;
    if (properties === undefined || copy.properties === properties) return copy;
    return this.setProperties(copy, properties);
  }

  move(item: Item, target: Target, options: WriteOptions = {}): Promise<Item> {
    return this.#relocate("files/move_v2", item, target, options);
  }

  remove(item: Item, condition?: "unchanged"): Promise<boolean> {
    return this.#removal.one(item, condition);
  }

  removeAll(items: readonly Item[]): Promise<(boolean | Error)[]> {
    return this.#removal.all(items);
  }

  async makeFolder(folder: Item, name: string): Promise<Item> {
    const path = pathIn(folder.id, name);
    try {
      const { metadata } = await this.#committer.run(() =>
        this.#client.rpc<{ metadata: Metadata }>("files/create_folder_v2", { path }, { repeatable: true }),
      );
      return take(metadata);
    } catch (error) {
      if (!(error instanceof RouteError && error.is("conflict"))) throw error;
      const there = await this.#item(path);
      if (there?.kind === "folder") return there;
      throw there ? new DriveError("NotAFolder", `${name} is a file`) : error;
    }
  }

  async *changes(cursor: string | undefined, signal?: AbortSignal): AsyncGenerator<ChangePage> {
    yield* this.#feed.changes(await this.root(), cursor, signal);
  }

  wait(cursor: string, signal: AbortSignal): Promise<boolean> {
    return this.#feed.wait(cursor, signal);
  }

  async versions(item: Item): Promise<readonly ItemVersion[]> {
    const versions: ItemVersion[] = [];
    for (let before: string | undefined; ; before = versions.at(-1)!.id) {
      const { entries, has_more } = await this.#client.rpc<{ entries: Metadata[]; has_more: boolean }>(
        "files/list_revisions",
        { path: pathOf(item.id), limit: revisionsLimit, before_rev: before },
        { repeatable: true },
      );
      for (const json of entries)
        versions.push({
          id: json.rev!,
          size: json.size!,
          modified: Date.parse(json.client_modified!),
          hash: json.content_hash,
        });
      if (!has_more || entries.length === 0) return versions;
    }
  }

  readVersion(
    _item: Item,
    { id, size }: ItemVersion,
    start: number,
    end: number,
    signal?: AbortSignal,
  ): Promise<AsyncIterable<Uint8Array>> {
    return this.#downloads.read(id, size, start, end, signal);
  }

  close(): Promise<void> {
    return this.#client.http.close();
  }

  /** The service copies over nothing: the bytes go up once more, so that the file is never missing. */
  async #copyOver(item: Item, target: Target, options: WriteOptions): Promise<Item> {
    const chunks = await Array.fromAsync(await this.read(item, 0, item.size, options.signal));
    return this.upload(target, bodyOf(Buffer.concat(chunks)), options);
  }

  /** Copies or moves, removing what is to be replaced, which comes back where that fails. */
  async #relocate(
    route: "files/copy_v2" | "files/move_v2",
    item: Item,
    { folder, name, replaces }: Target,
    { condition, signal }: WriteOptions,
  ): Promise<Item> {
    const path = pathIn(folder.id, name);
    const replaced = condition === "absent" ? undefined : replaces;
    if (replaced) await this.#removal.one(replaced, "unchanged");
    try {
      return await this.#relocateTo(route, item, path, signal);
    } catch (error) {
      if (replaced?.kind === "file") await this.#restore(replaced);
      throw error;
    }
  }

  async #relocateTo(
    route: "files/copy_v2" | "files/move_v2",
    item: Item,
    to_path: string,
    signal?: AbortSignal,
  ): Promise<Item> {
    const argument = { from_path: pathOf(item.id), to_path };
    for (let look = 1; ; look += 1)
      try {
        const { metadata } = await this.#committer.run(
          () => this.#client.rpc<{ metadata: Metadata }>(route, argument, { signal }),
          signal,
        );
        return take(metadata);
      } catch (error) {
        if (error instanceof LostAnswer) {
          const now = await this.#item(to_path);
          if (now && now.kind === item.kind && now.hash === item.hash) return now;
          if (look === looks) throw error;
        } else {
          if (!(error instanceof RouteError && error.is("from_lookup", "not_found"))) throw error;
          // What was just written is not found everywhere at once.
          if (look === looks || !(await this.get(item.id))) throw error;
        }
        await this.#client.clock.sleep(pause * look, signal);
      }
  }

  async #restore({ id, version }: Item): Promise<void> {
    const argument = { path: pathOf(id), rev: version };
    await this.#committer.run(() =>
      this.#client.rpc("files/restore", argument, { repeatable: true }).catch(() => {}),
    );
  }

  #list(route: string, argument: object): Promise<ListPage> {
    return this.#client.rpc<ListPage>(route, argument, { repeatable: true });
  }

  async #item(path: string): Promise<Item | undefined> {
    const json = await this.#look(path);
    return json && itemOf(json);
  }

  async #look(path: string): Promise<Metadata | undefined> {
    const include_property_groups = await this.#templates.filter();
    try {
      return await this.#client.rpc<Metadata>(
        "files/get_metadata",
        { path, include_property_groups },
        { repeatable: true },
      );
    } catch (error) {
      if (error instanceof RouteError && (error.is("path", "not_found") || error.is("malformed_path")))
        return undefined;
      throw error;
    }
  }
}

/** The item that a write has led to. */
function take(json: Metadata): Item {
  const item = itemOf(json);
  if (item) return item;
  throw new DriveError("Unavailable", "Dropbox answered a write with what has no path.");
}
