import { createHash, hash as digest } from "node:crypto";
import { DriveError } from "../drive.ts";
import type {
  Body,
  ChangePage,
  Condition,
  Item,
  ItemVersion,
  RemovedItem,
  Target,
  Traits,
  UploadSession,
  Vendor,
  WriteOptions,
} from "./vendor.ts";

interface Node {
  item: Item;
  bytes: Buffer;
  history: { version: ItemVersion; bytes: Buffer }[];
}

export const rootItem: Item = {
  id: "root",
  parent: undefined,
  name: "",
  kind: "folder",
  size: 0,
  modified: 0,
  version: "",
};

const md5 = (bytes: Uint8Array) => digest("md5", bytes);

export const memoryTraits: Traits = {
  name: "Memory",
  caseSensitive: false,
  duplicates: false,
  propertiesLimit: 0,
  uploadLimit: 64 * 1024,
  fragmentUnit: 1024,
  fragmentSize: 32 * 1024,
  parallelFragments: 1,
  largestFile: 64 * 1024 * 1024,
  removeBatch: 20,
  atomic: { absent: true, unchanged: true },
  encode: (segment) => (segment.includes("?") ? segment.replaceAll("?", "？") : segment),
  decode: (name) => name.replaceAll("？", "?"),
  hash() {
    const hash = createHash("md5");
    return { update: (chunk) => void hash.update(chunk), digest: () => hash.digest("hex") };
  },
  rewrites: (name) => name.endsWith(".docx"),
};

/** A vendor in memory that refuses what the interface does not allow, for tests. */
export class MemoryVendor implements Vendor {
  readonly traits: Traits;
  readonly description = "memory:";
  readonly nodes = new Map<string, Node>();
  readonly sessions = new Map<string, { received: number; size: number; chunks: Buffer[]; done?: Item }>();
  /** Names of the methods called, in order. */
  calls: string[] = [];
  /** Asked before each call, and after it has had its effect. */
  before: (call: string, detail?: unknown) => Promise<void> | void = () => {};
  after: (call: string, detail?: unknown) => Promise<void> | void = () => {};
  /** Changes the bytes that a read sends. */
  stream: (bytes: Buffer, item: Item) => AsyncIterable<Uint8Array> | Iterable<Uint8Array> = (bytes) =>
    pieces(bytes);
  /** Changes the bytes that a write stores. */
  stored: (bytes: Buffer) => Buffer = (bytes) => bytes;
  pageSize = 100;
  /** The feed forgets what it said before this entry. */
  forgotten = 0;
  readonly log: (Item | RemovedItem)[] = [];
  #clock = 1_700_000_000_000;
  #ids = 0;
  #versions = 0;

  constructor(traits: Partial<Traits> = {}) {
    this.traits = { ...memoryTraits, ...traits };
    this.nodes.set("root", { item: rootItem, bytes: Buffer.alloc(0), history: [] });
  }

  counted(): Record<string, number> {
    const counts: Record<string, number> = {};
    for (const call of this.calls) counts[call] = (counts[call] ?? 0) + 1;
    return counts;
  }

  /** What others do: makes or replaces a file, with the folders above. */
  put(path: string, text: string | Buffer): Item {
    const names = path.split("/");
    let folder = rootItem;
    for (const name of names.slice(0, -1))
      folder = this.#child(folder.id, name) ?? this.#make({ folder, name }, "folder", Buffer.alloc(0), {});
    const name = names.at(-1)!;
    const replaces = this.#child(folder.id, name);
    return this.#make({ folder, name, replaces }, "file", Buffer.from(text), {});
  }

  /** What others do: removes what is at a path. */
  drop(path: string): void {
    this.#drop(this.at(path)!.id);
  }

  /** What others do: renames. */
  rename(path: string, to: string): Item {
    const item = this.at(path)!;
    const names = to.split("/");
    const folder = names.length === 1 ? rootItem : this.at(names.slice(0, -1).join("/"))!;
    return this.#change({ ...item, parent: folder.id, name: names.at(-1)! });
  }

  at(path: string): Item | undefined {
    let item: Item | undefined = rootItem;
    for (const name of path.split("/")) item = item && this.#child(item.id, name);
    return item;
  }

  text(path: string): string | undefined {
    const item = this.at(path);
    return item && this.nodes.get(item.id)!.bytes.toString();
  }

  async root(): Promise<Item> {
    return this.#call("root", undefined, () => rootItem);
  }

  async find(names: readonly string[]): Promise<Item | undefined> {
    return this.#call("find", names, () => this.at(names.join("/")));
  }

  async get(id: string): Promise<Item | undefined> {
    return this.#call("get", id, () => this.nodes.get(id)?.item);
  }

  async *children(folder: Item): AsyncGenerator<readonly Item[]> {
    const all = [...this.nodes.values()].map(({ item }) => item).filter(({ parent }) => parent === folder.id);
    for (let at = 0; at === 0 || at < all.length; at += this.pageSize)
      yield await this.#call("children", folder.id, () => all.slice(at, at + this.pageSize));
  }

  async read(item: Item, start: number, end: number): Promise<AsyncIterable<Uint8Array>> {
    return this.#call("read", [start, end], () => {
      const node = this.#node(item.id);
      if (node.item.version !== item.version) throw new DriveError("Changed", "it has other bytes");
      return this.#stream(node.bytes.subarray(start, end), item);
    });
  }

  async *#stream(bytes: Buffer, item: Item): AsyncGenerator<Uint8Array> {
    yield* this.stream(bytes, item);
  }

  async upload(target: Target, body: Body, options: WriteOptions = {}): Promise<Item> {
    if (body.size > this.traits.uploadLimit) throw new Error("too much for one call");
    const bytes = await collect(body, 0, body.size);
    return this.#call("upload", target, () => this.#write(target, bytes, options));
  }

  async startUpload(target: Target, size: number, options: WriteOptions = {}): Promise<UploadSession> {
    const state = await this.#call("startUpload", target, () => {
      this.#check(target, options.condition);
      const id = `session${++this.#ids}`;
      this.sessions.set(id, { received: 0, size, chunks: [] });
      return id;
    });
    const session = () => {
      const found = this.sessions.get(state);
      if (!found) throw new DriveError("Gone", "there is no such session");
      return found;
    };
    return {
      state,
      send: async (body, start, end) => {
        const bytes = await collect(body, start, end);
        return this.#call("send", [start, end], () => {
          const open = session();
          if (start !== open.received) throw new Error("fragment out of order");
          if (end < open.size && (end - start) % this.traits.fragmentUnit) throw new Error("not a multiple");
          open.chunks.push(bytes);
          open.received = end;
          if (end < open.size) return undefined;
          open.done = this.#write(target, Buffer.concat(open.chunks), options);
          return open.done;
        });
      },
      received: () => this.#call("received", state, () => session().done ?? session().received),
      cancel: () => this.cancelUpload(state),
    };
  }

  async cancelUpload(state: string): Promise<void> {
    await this.#call("cancelUpload", state, () => void this.sessions.delete(state));
  }

  async close(): Promise<void> {}

  async setProperties(item: Item, properties: string): Promise<Item> {
    if (this.traits.propertiesLimit === 0) throw new Error("no properties here");
    return this.#call("setProperties", item, () => this.#change({ ...this.#node(item.id).item, properties }));
  }

  async copy(item: Item, target: Target, options: WriteOptions = {}): Promise<Item> {
    return this.#call("copy", target, () => this.#write(target, this.#node(item.id).bytes, options));
  }

  async move(item: Item, target: Target, options: WriteOptions = {}): Promise<Item> {
    return this.#call("move", target, () => {
      this.#check(target, options.condition);
      const there = this.#child(target.folder.id, target.name);
      if (there && there.id !== item.id) this.#drop(there.id);
      return this.#change({ ...this.#node(item.id).item, parent: target.folder.id, name: target.name });
    });
  }

  async remove(item: Item, condition?: "unchanged"): Promise<boolean> {
    return this.#call("remove", item, () => {
      const node = this.nodes.get(item.id);
      if (!node) return false;
      if (condition && node.item.version !== item.version)
        throw new DriveError("Changed", "it has other bytes");
      this.#drop(item.id);
      return true;
    });
  }

  async removeAll(items: readonly Item[]): Promise<(boolean | Error)[]> {
    const results: boolean[] = [];
    for (let at = 0; at < items.length; at += this.traits.removeBatch)
      await this.#call("removeBatch", undefined, () => {
        for (const { id } of items.slice(at, at + this.traits.removeBatch)) {
          results.push(this.nodes.has(id));
          if (this.nodes.has(id)) this.#drop(id);
        }
      });
    return results;
  }

  async makeFolder(folder: Item, name: string): Promise<Item> {
    return this.#call("makeFolder", name, () => {
      const there = this.#child(folder.id, name);
      if (there?.kind === "file") throw new DriveError("NotAFolder", `${name} is a file`);
      return there ?? this.#make({ folder, name }, "folder", Buffer.alloc(0), {});
    });
  }

  async *changes(cursor: string | undefined): AsyncGenerator<ChangePage> {
    let at = cursor === undefined ? 0 : Number(cursor);
    let reset = false;
    if (cursor !== undefined && at < this.forgotten) {
      at = 0;
      reset = true;
    }
    do {
      const page = await this.#call("changes", at, () => ({
        changes: this.log.slice(at, at + this.pageSize),
        cursor: String(Math.min(at + this.pageSize, this.log.length)),
        reset,
      }));
      reset = false;
      at = Number(page.cursor);
      yield page;
    } while (at < this.log.length);
  }

  /** Forgets the order of what happened, as a vendor does that lets a cursor expire. */
  forget(): void {
    this.log.length = 0;
    this.log.push(...[...this.nodes.values()].map(({ item }) => item).filter(({ id }) => id !== "root"));
    this.forgotten = Number.MAX_SAFE_INTEGER;
  }

  async versions(item: Item): Promise<readonly ItemVersion[]> {
    return this.#call("versions", item, () => {
      const { history, item: now } = this.#node(item.id);
      const current = { id: now.version, size: now.size, modified: now.modified, hash: now.hash };
      return [current, ...history.map(({ version }) => version).reverse()];
    });
  }

  async readVersion(item: Item, version: ItemVersion, start: number, end: number) {
    return this.#call("readVersion", item, () => {
      const node = this.#node(item.id);
      const old = node.history.find((one) => one.version.id === version.id)?.bytes;
      return this.#stream((old ?? node.bytes).subarray(start, end), item);
    });
  }

  #write(target: Target, bytes: Buffer, { condition, properties }: WriteOptions): Item {
    this.#check(target, condition);
    if (properties !== undefined && Buffer.byteLength(properties) > this.traits.propertiesLimit)
      throw new Error("properties do not fit");
    const replaces = this.traits.duplicates ? target.replaces : this.#child(target.folder.id, target.name);
    return this.#make({ ...target, replaces }, "file", this.stored(bytes), { properties });
  }

  #check({ folder, name, replaces }: Target, condition: Condition | undefined): void {
    if (!this.nodes.has(folder.id)) throw new DriveError("NotFound", "there is no such folder");
    const there = this.#child(folder.id, name);
    if (condition === "absent" && there) throw new DriveError("Exists", `${name} is there`);
    if (condition === "unchanged" && (!there || there.version !== replaces?.version))
      throw new DriveError("Changed", `${name} has other bytes`);
    if (there?.kind === "folder") throw new DriveError("IsAFolder", `${name} is a folder`);
  }

  #make(target: Target, kind: Item["kind"], bytes: Buffer, { properties }: WriteOptions): Item {
    const { folder, name, replaces } = target;
    const id = replaces?.id ?? `${kind}${++this.#ids}`;
    const before = this.nodes.get(id);
    const modified = ++this.#clock;
    const item: Item = {
      id,
      parent: folder.id,
      // A name keeps its case when its bytes are replaced.
      name: before?.item.name ?? name,
      kind,
      size: bytes.length,
      modified,
      created: before?.item.created ?? modified,
      version: `v${++this.#versions}`,
      hash: kind === "file" ? md5(bytes) : undefined,
      properties,
    };
    const history = before?.history ?? [];
    if (before) {
      const { version, size, modified: time, hash } = before.item;
      history.push({ version: { id: version, size, modified: time, hash }, bytes: before.bytes });
    }
    this.nodes.set(id, { item, bytes, history });
    this.log.push(item);
    return item;
  }

  #change(item: Item): Item {
    const node = this.#node(item.id);
    node.item = item;
    this.log.push(item);
    return item;
  }

  #drop(id: string): void {
    for (const { item } of [...this.nodes.values()]) if (item.parent === id) this.#drop(item.id);
    this.nodes.delete(id);
    this.log.push({ id, removed: true });
  }

  #child(folder: string, name: string): Item | undefined {
    const same = (one: string) => (this.traits.caseSensitive ? one : one.toLowerCase());
    const found = [...this.nodes.values()]
      .map(({ item }) => item)
      .filter((item) => item.parent === folder && same(item.name) === same(name));
    return found.sort((a, b) => (a.created ?? 0) - (b.created ?? 0))[0];
  }

  #node(id: string): Node {
    const node = this.nodes.get(id);
    if (!node) throw new DriveError("NotFound", "there is no such item");
    return node;
  }

  async #call<T>(name: string, detail: unknown, effect: () => T): Promise<T> {
    this.calls.push(name);
    await this.before(name, detail);
    const result = effect();
    await this.after(name, detail);
    return result;
  }
}

async function collect(body: Body, start: number, end: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body.read(start, end)) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

function* pieces(bytes: Buffer): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 10_000) yield bytes.subarray(at, at + 10_000);
}
