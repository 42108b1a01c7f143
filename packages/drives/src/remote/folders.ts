import { DriveError } from "../drive.ts";
import type { Mirror } from "./mirror.ts";
import type { Place } from "./tree.ts";
import type { Item, Vendor } from "./vendor.ts";

/** The name in the drive of a segment. @throws DriveError `NameRefused` */
export function encoded(vendor: Vendor, segment: string): string {
  const name = vendor.traits.encode(segment);
  if (name !== undefined) return name;
  throw new DriveError(
    "NameRefused",
    `${vendor.traits.name} cannot hold the name ${JSON.stringify(segment)}`,
  );
}

/** Makes folders, each once at a time. */
export class FolderMaker {
  readonly #vendor: Vendor;
  readonly #mirror: Mirror;
  readonly #making = new Map<string, Promise<Item>>();

  constructor(vendor: Vendor, mirror: Mirror) {
    this.#vendor = vendor;
    this.#mirror = mirror;
  }

  /** Makes the folders of `names` below that of a place, whose path is `above`. @returns the last one */
  async make({ folder }: Place, above: string, names: readonly string[]): Promise<Item> {
    let last = folder;
    let path = above;
    for (const name of names) {
      path = path === "" ? name : `${path}/${name}`;
      last = await this.#makeOne(last, name, path);
    }
    return last;
  }

  #makeOne(folder: Item, segment: string, path: string): Promise<Item> {
    const key = `${folder.id}\n${segment}`;
    let making = this.#making.get(key);
    if (!making) {
      making = this.#call(folder, segment, path).finally(() => this.#making.delete(key));
      this.#making.set(key, making);
    }
    return making;
  }

  async #call(folder: Item, segment: string, path: string): Promise<Item> {
    const mark = this.#mirror.mark(undefined);
    const made = await this.#vendor.makeFolder(folder, encoded(this.#vendor, segment));
    // When the feed was faster it is in already.
    await this.#mirror.wrote(made.id, made, mark, path);
    return made;
  }
}
