import {
  type CommitOptions,
  type CreateOptions,
  type DriveEntry,
  DriveError,
  type PendingFile,
} from "../drive.ts";
import { entryOf } from "./entries.ts";
import type { Properties } from "./properties.ts";
import type { Spool } from "./spool.ts";
import { sendWhole } from "./uploading.ts";
import type { ContentHash, Item, Vendor } from "./vendor.ts";
import type { Writer } from "./writer.ts";

/** What the files of a drive that are being written share. */
export interface PendingParts {
  readonly vendor: Vendor;
  readonly writer: Writer;
  readonly properties: Properties;
  spool(): Spool;
}

/** A file on its way to a vendor. */
export class RemotePending implements PendingFile {
  readonly #path: string;
  readonly #parts: PendingParts;
  readonly #spool: Spool;
  readonly #hash: ContentHash;
  #queue: Promise<void> = Promise.resolve();
  #ended = false;

  constructor(path: string, parts: PendingParts, _options: CreateOptions) {
    this.#path = path;
    this.#parts = parts;
    this.#spool = parts.spool();
    this.#hash = parts.vendor.traits.hash();
  }

  write(chunk: Uint8Array): Promise<void> {
    this.#queue = this.#queue.then(() => this.#write(chunk));
    return this.#queue;
  }

  async #write(chunk: Uint8Array): Promise<void> {
    const { traits } = this.#parts.vendor;
    if (this.#spool.size + chunk.length > traits.largestFile)
      throw new DriveError("TooLarge", `${traits.name} takes files of ${traits.largestFile} bytes at most`);
    this.#hash.update(chunk);
    await this.#spool.append(chunk);
  }

  async commit(text: string, options: CommitOptions = {}): Promise<DriveEntry> {
    await this.#queue;
    if (this.#ended) throw new Error("The file is committed or discarded");
    this.#ended = true;
    const { vendor, writer, properties } = this.#parts;
    const hash = this.#hash.digest();
    const plan = properties.plan({ size: this.#spool.size, hash }, text, options.derivable ?? false);
    try {
      const item = await writer.publish(
        this.#path,
        options,
        async (target, condition) =>
          this.#verified(
            await sendWhole(vendor, target, this.#spool, { condition, properties: plan.native }),
            hash,
          ),
        (written) => properties.kept(written, text, plan),
      );
      await properties.follow(item, text, plan);
      return entryOf(item, vendor.traits, null);
    } finally {
      await this.#spool.close();
    }
  }

  /** Takes back what did not arrive as it was sent. */
  async #verified(item: Item, hash: string): Promise<Item> {
    const { vendor } = this.#parts;
    if (vendor.traits.rewrites(item.name)) return item;
    if (item.size === this.#spool.size && (item.hash === undefined || item.hash === hash)) return item;
    await vendor.remove(item);
    throw new DriveError("Unavailable", `${vendor.traits.name} stored other bytes than were sent; try again`);
  }

  async discard(): Promise<void> {
    this.#ended = true;
    await this.#queue.catch(() => undefined);
    await this.#spool.close();
  }
}
