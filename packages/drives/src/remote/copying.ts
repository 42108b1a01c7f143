import { type CommitOptions, type DriveEntry, DriveError, type PendingFile } from "../drive.ts";
import { entryId, entryOf } from "./entries.ts";
import type { Properties } from "./properties.ts";
import type { Item, Vendor } from "./vendor.ts";
import type { Writer } from "./writer.ts";

/** What the copies of a drive share. */
export interface CopyParts {
  readonly vendor: Vendor;
  readonly writer: Writer;
  readonly properties: Properties;
}

/** A copy that the vendor makes when it is committed. */
export class RemoteCopy implements PendingFile {
  readonly #item: Item;
  readonly #path: string;
  readonly #parts: CopyParts;
  readonly #inPlace: boolean;

  /** `inPlace` says that the path is that of the item itself: then only the properties are others. */
  constructor(item: Item, path: string, parts: CopyParts, inPlace: boolean) {
    this.#item = item;
    this.#path = path;
    this.#parts = parts;
    this.#inPlace = inPlace;
  }

  async write(): Promise<void> {
    throw new Error("A copy has its bytes already");
  }

  async commit(text: string, options: CommitOptions = {}): Promise<DriveEntry> {
    const { vendor, writer, properties } = this.#parts;
    const { size, hash } = this.#item;
    if (this.#inPlace) return this.#changeInPlace(text, options);
    const derivable = options.derivable ?? false;
    const plan = properties.plan({ size, hash: hash ?? "" }, text, derivable);
    const item = await properties.recorded(this.#path, { size, hash }, text, plan, async () => {
      const copy = await writer.publish(this.#path, options, {
        send: async (target, condition) =>
          this.#verified(await vendor.copy(this.#item, target, { condition, properties: plan.native })),
        kept: (there) => properties.kept(there, text, plan),
      });
      await properties.follow(copy, text, plan);
      return copy;
    });
    return entryOf(item, vendor.traits, null);
  }

  async #changeInPlace(text: string, { onlyIfAbsent, unchanged }: CommitOptions): Promise<DriveEntry> {
    if (onlyIfAbsent) throw new DriveError("Exists", `${this.#path} is there`);
    if (unchanged && unchanged.id !== entryId(this.#item))
      throw new DriveError("Changed", `${this.#path} is another file now`);
    await this.#parts.properties.replace(this.#path, this.#item, text);
    return entryOf(this.#item, this.#parts.vendor.traits, null);
  }

  /** Takes back a copy of other bytes than were to be copied. */
  async #verified(copy: Item): Promise<Item> {
    const { vendor } = this.#parts;
    const { size, hash, version, id } = this.#item;
    if (copy.size === size && copy.hash !== undefined && copy.hash === hash) return copy;
    const now = await vendor.get(id);
    if (copy.size === size && hash === undefined && now?.version === version) return copy;
    if (vendor.traits.rewrites(copy.name) && now?.version === version) return copy;
    await vendor.remove(copy);
    throw new DriveError("Unavailable", "The file changed while it was copied; try again");
  }

  async discard(): Promise<void> {}
}
