import { join } from "node:path";
import { DriveError } from "../drive.ts";
import { Locks } from "../locks.ts";
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
  /** Where the vendor lets items of one name stand side by side, one process at a time makes one. */
  readonly #locks: Locks | undefined;
  readonly #making = new Map<string, Promise<Item>>();

  /** @param data the folder that all processes with this drive share */
  constructor(vendor: Vendor, mirror: Mirror, data: string) {
    this.#vendor = vendor;
    this.#mirror = mirror;
    if (vendor.traits.duplicates) this.#locks = new Locks(join(data, "folders"), late);
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

  /** Makes what takes a name in a folder, while no other process does. */
  exclusively<T>(folder: Item, segment: string, work: () => Promise<T>): Promise<T> {
    return this.#locks?.with(`${folder.id}\n${segment}`, work) ?? work();
  }

  #makeOne(folder: Item, segment: string, path: string): Promise<Item> {
    const key = `${folder.id}\n${segment}`;
    let making = this.#making.get(key);
    if (!making) {
      const work = () => this.#call(folder, segment, path);
      const locked = this.exclusively(folder, segment, async () => this.#made(folder, segment) ?? work());
      making = locked.finally(() => this.#making.delete(key));
      this.#making.set(key, making);
    }
    return making;
  }

  /** The folder that another process made meanwhile. */
  #made(folder: Item, segment: string): Item | undefined {
    if (!this.#locks) return undefined;
    this.#mirror.refresh();
    const named = this.#mirror.named(folder.id, segment).find(({ name }) => name === segment);
    if (named?.kind === "file") throw new DriveError("NotAFolder", `${segment} is a file`);
    return named && this.#mirror.item(named.id);
  }

  async #call(folder: Item, segment: string, path: string): Promise<Item> {
    const mark = this.#mirror.mark(undefined);
    const made = await this.#vendor.makeFolder(folder, encoded(this.#vendor, segment));
    // When the feed was faster it is in already.
    await this.#mirror.wrote(made.id, made, mark, path);
    return made;
  }

  close(): void {
    this.#locks?.close();
  }
}

const late = () =>
  new DriveError("Unavailable", "Another process takes too long to make a folder of this name");
