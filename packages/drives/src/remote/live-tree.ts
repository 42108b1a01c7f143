import type { ListedEntry } from "../drive.ts";
import { parseShown, shown } from "./duplicates.ts";
import type { Mirror } from "./mirror.ts";
import { notAFolder, otherCase, type Place, type Tree } from "./tree.ts";
import type { Item, Vendor } from "./vendor.ts";

/** What a path was found to be: an item, nothing, or something of another case. */
interface Seen {
  readonly item?: Item;
  readonly other?: string;
  /** The number of our own writes before it was asked for. */
  readonly sequence: number;
  /** Milliseconds of the process's clock. */
  readonly at: number;
}

/** Paths that are remembered. */
const most = 100_000;

/** The tree as the vendor tells it call by call, until the mirror has all of it. */
export class LiveTree implements Tree {
  readonly #vendor: Vendor;
  readonly #mirror: Mirror;
  readonly #root: Item;
  readonly #trusted: number;
  readonly #seen = new Map<string, Seen>();
  readonly #asking = new Map<string, Promise<Seen>>();

  /** What was seen is trusted for `trusted` milliseconds, or until a write of ours. */
  constructor(vendor: Vendor, mirror: Mirror, root: Item, trusted: number) {
    this.#vendor = vendor;
    this.#mirror = mirror;
    this.#root = root;
    this.#trusted = trusted;
  }

  async find(path: string): Promise<Item | undefined> {
    return (await this.#look(path)).item;
  }

  async place(path: string): Promise<Place> {
    const segments = path === "" ? [] : path.split("/");
    for (let length = segments.length; length > 0; length--) {
      const part = segments.slice(0, length).join("/");
      const { item, other } = await this.#look(part);
      if (other !== undefined) throw otherCase(segments[length - 1]!, other, this.#vendor.traits.name);
      if (!item) continue;
      if (length === segments.length) {
        const folder = await this.find(segments.slice(0, -1).join("/"));
        if (folder) return { folder, item, missing: [] };
      } else if (item.kind === "file") throw notAFolder(part);
      else return { folder: item, item: undefined, missing: segments.slice(length) };
    }
    const item = path === "" ? this.#root : undefined;
    return { folder: this.#root, item, missing: segments };
  }

  async *list(folder: Item, path: string): AsyncGenerator<readonly ListedEntry[]> {
    const above = path === "" ? "" : `${path}/`;
    for await (const page of this.#pages(folder)) {
      const { sequence } = this.#mirror;
      const { traits } = this.#vendor;
      const byId = new Map(page.map((item) => [item.id, item]));
      const children = shown(page.map(({ id, name, kind }) => ({ id, name: traits.decode(name), kind })));
      for (const child of children)
        this.#keep(above + child.shown, { item: byId.get(child.id)!, sequence, at: performance.now() });
      yield children.map((child) => ({ name: child.shown, kind: child.kind }));
    }
  }

  /** Pages of a folder; all in one, sorted, where names may be alike. */
  async *#pages(folder: Item): AsyncGenerator<readonly Item[]> {
    const pages = this.#vendor.children(folder);
    if (!this.#vendor.traits.duplicates) return yield* pages;
    const all: Item[] = [];
    for await (const page of pages) all.push(...page);
    yield all.sort((a, b) => (a.created ?? 0) - (b.created ?? 0) || (a.id < b.id ? -1 : 1));
  }

  /** Asks for many files of one folder by listing it. */
  async describe(folder: Item, path: string, names: readonly string[]): Promise<(Item | undefined)[]> {
    const unseen = names.filter((name) => !this.#recall(`${path}/${name}`)).length;
    if (unseen > 3) for await (const _ of this.list(folder, path));
    const items: (Item | undefined)[] = [];
    for (const name of names) {
      const seen = this.#recall(`${path}/${name}`);
      items.push(seen ? seen.item : await this.find(`${path}/${name}`));
    }
    return items;
  }

  /** Forgets what a path was seen to be. */
  forget(path: string): void {
    this.#seen.delete(path);
  }

  async #look(path: string): Promise<Seen> {
    if (path === "") return { item: this.#root, sequence: 0, at: 0 };
    const seen = this.#recall(path);
    if (seen) return seen;
    // Requests at the same time share one call, but for one that began before a write of ours.
    const { sequence } = this.#mirror;
    const key = `${sequence}\n${path}`;
    let asking = this.#asking.get(key);
    if (!asking) {
      asking = this.#ask(path, sequence).finally(() => this.#asking.delete(key));
      this.#asking.set(key, asking);
    }
    return asking;
  }

  async #ask(path: string, sequence: number): Promise<Seen> {
    const found = await this.#found(path);
    const seen = { ...found, sequence, at: performance.now() };
    this.#keep(path, seen);
    return seen;
  }

  async #found(path: string): Promise<{ item?: Item; other?: string }> {
    const { traits } = this.#vendor;
    const slash = path.lastIndexOf("/");
    const above = slash < 0 ? "" : path.slice(0, slash);
    const segment = path.slice(slash + 1);
    if (traits.duplicates && path.split("/").some(parseShown)) return this.#listed(above, path);
    const names = path.split("/").map((one) => traits.encode(one));
    if (names.some((name) => name === undefined)) return {};
    const item = await this.#vendor.find(names as string[]);
    if (!item || traits.caseSensitive) return { item };
    const name = traits.decode(item.name);
    if (name !== segment) return { other: name };
    const parent = await this.#look(above);
    return parent.item ? { item } : { other: parent.other };
  }

  /** Finds a path whose names may stand for items of the same name. */
  async #listed(above: string, path: string): Promise<{ item?: Item }> {
    const folder = await this.find(above);
    if (folder?.kind !== "folder") return {};
    this.forget(path);
    for await (const _ of this.list(folder, above));
    return { item: this.#recall(path)?.item };
  }

  #recall(path: string): Seen | undefined {
    const seen = this.#seen.get(path);
    if (!seen) return undefined;
    if (performance.now() - seen.at < this.#trusted && this.#mirror.touched(path) <= seen.sequence)
      return seen;
    this.#seen.delete(path);
    return undefined;
  }

  #keep(path: string, seen: Seen): void {
    this.#seen.delete(path);
    this.#seen.set(path, seen);
    if (this.#seen.size > most) this.#seen.delete(this.#seen.keys().next().value as string);
  }
}
