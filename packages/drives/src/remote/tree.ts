import { DriveError, type ListedEntry } from "../drive.ts";
import { parseShown, type Shown, shown } from "./duplicates.ts";
import type { Mirror } from "./mirror.ts";
import type { Item, Traits } from "./vendor.ts";

/** Where a file is or would be. */
export interface Place {
  /** The last folder on the way that is there. */
  readonly folder: Item;
  /** What has the path. */
  readonly item: Item | undefined;
  /** The segments below `folder` that nothing has; empty when `item` is there. */
  readonly missing: readonly string[];
}

/** What the drive holds, by paths. What differs from a path in case only is not found. */
export interface Tree {
  find(path: string): Promise<Item | undefined> | Item | undefined;
  /** @throws DriveError `NotAFolder`, or `NameRefused` when something has the path but for its case */
  place(path: string): Promise<Place> | Place;
  list(folder: Item, path: string): AsyncIterable<readonly ListedEntry[]>;
}

export const notAFolder = (path: string) => new DriveError("NotAFolder", `${path} is a file`);

/** The refusal of what has the name of something else but for its case. */
export const otherCase = (asked: string, there: string, vendor: string) =>
  new DriveError(
    "NameRefused",
    `${vendor} does not tell ${JSON.stringify(asked)} from ${JSON.stringify(there)}, which is there; choose another name`,
  );

/** The tree as the mirror knows it, which takes no call. */
export class MirroredTree implements Tree {
  readonly #mirror: Mirror;
  readonly #traits: Traits;
  readonly #root: Item;

  constructor(mirror: Mirror, traits: Traits, root: Item) {
    this.#mirror = mirror;
    this.#traits = traits;
    this.#root = root;
  }

  find(path: string): Item | undefined {
    if (path === "") return this.#root;
    let id = this.#root.id;
    for (const segment of path.split("/")) {
      const child = this.child(id, segment);
      if (child === undefined) return undefined;
      id = child.id;
    }
    return this.#mirror.item(id);
  }

  place(path: string): Place {
    const segments = path === "" ? [] : path.split("/");
    let folder = this.#root;
    for (const [at, segment] of segments.entries()) {
      const child = this.child(folder.id, segment);
      const item = child && this.#mirror.item(child.id);
      if (item === undefined) {
        const [other] = this.#mirror.named(folder.id, segment);
        if (other && other.name !== segment) throw otherCase(segment, other.name, this.#traits.name);
        return { folder, item: undefined, missing: segments.slice(at) };
      }
      if (at === segments.length - 1) return { folder, item, missing: [] };
      if (item.kind === "file") throw notAFolder(segments.slice(0, at + 1).join("/"));
      folder = item;
    }
    return { folder, item: folder, missing: [] };
  }

  /** What a segment names in a folder. */
  child(folder: string, segment: string): Shown | undefined {
    const named = this.#mirror.named(folder, segment);
    const first = named.find(({ name }) => name === segment);
    if (first) return { ...first, shown: segment };
    const parsed = this.#traits.duplicates ? parseShown(segment) : undefined;
    if (!parsed) return undefined;
    return shown(this.#mirror.named(folder, parsed.name)).find((one) => one.shown === segment);
  }

  async *list(folder: Item): AsyncGenerator<readonly ListedEntry[]> {
    const names: ListedEntry[] = [];
    // At once, as what is read is only one state of the folder until others write.
    for (const children of this.#mirror.children(folder.id))
      for (const child of shown(children)) names.push({ name: child.shown, kind: child.kind });
    yield names;
  }
}
