import {
  type CommitOptions,
  type CreateOptions,
  type DriveEntry,
  DriveError,
  type PendingFile,
} from "../drive.ts";
import { entryOf } from "./entries.ts";
import type { Plan, Properties } from "./properties.ts";
import type { Sessions } from "./sessions.ts";
import type { Spool } from "./spool.ts";
import { FragmentedUpload } from "./uploading.ts";
import type { Condition, ContentHash, Item, Target, Vendor } from "./vendor.ts";
import type { Writer } from "./writer.ts";

/** What the files of a drive that are being written share. */
export interface PendingParts {
  readonly vendor: Vendor;
  readonly writer: Writer;
  readonly properties: Properties;
  readonly sessions: Sessions;
  spool(): Spool;
}

/** A file on its way to a vendor. */
export class RemotePending implements PendingFile {
  readonly #path: string;
  readonly #parts: PendingParts;
  readonly #spool: Spool;
  readonly #hash: ContentHash;
  #upload: FragmentedUpload | undefined;
  #beginning: Promise<void> = Promise.resolve();
  #queue: Promise<void> = Promise.resolve();
  #ended = false;

  constructor(path: string, parts: PendingParts) {
    this.#path = path;
    this.#parts = parts;
    this.#spool = parts.spool();
    this.#hash = parts.vendor.traits.hash();
  }

  /** Begins to send a file of known size before all of it is there, where it takes several calls anyway. */
  begin({ size, ...conditions }: CreateOptions): void {
    const { vendor, sessions, writer } = this.#parts;
    if (size === undefined || size <= vendor.traits.uploadLimit) return;
    const upload = new FragmentedUpload(vendor, sessions, this.#spool, size);
    this.#upload = upload;
    const begin = async () => {
      const place = await writer.foresee(this.#path, conditions);
      if (!place || this.#ended) return;
      await upload.begin(place.target, { condition: place.condition });
      upload.advance();
    };
    // What fails now is tried again, and told, when all bytes are there.
    this.#beginning = begin().catch(() => undefined);
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
    this.#upload?.advance();
  }

  async commit(text: string, options: CommitOptions = {}): Promise<DriveEntry> {
    await this.#queue;
    if (this.#ended) throw new Error("The file is committed or discarded");
    this.#ended = true;
    const { vendor, writer, properties } = this.#parts;
    const { size } = this.#spool;
    const hash = this.#hash.digest();
    const plan = properties.plan({ size, hash }, text, options.derivable ?? false);
    const textFor = (there: Item) => {
      const same = there.size === size && (there.hash === undefined || there.hash === hash);
      return same ? text : (options.rewritten?.() ?? text);
    };
    try {
      const item = await properties.recorded(this.#path, { size, hash }, text, plan, async () => {
        const written = await writer.publish(this.#path, options, {
          send: async (target, condition) => this.#verified(await this.#send(target, condition, plan), hash),
          arrived: (there) => there.size === size && there.hash === hash,
          kept: (there) => properties.kept(there, textFor(there), plan),
        });
        await properties.follow(written, textFor(written), plan);
        return written;
      });
      return entryOf(item, vendor.traits, null);
    } finally {
      await this.#close();
    }
  }

  async #send(target: Target, condition: Condition | undefined, plan: Plan): Promise<Item> {
    const { vendor, sessions } = this.#parts;
    const { size } = this.#spool;
    if (size <= vendor.traits.uploadLimit)
      return vendor.upload(target, this.#spool, { condition, properties: plan.native });
    await this.#beginning;
    if (this.#upload?.size !== size) {
      await this.#upload?.cancel();
      this.#upload = new FragmentedUpload(vendor, sessions, this.#spool, size);
    }
    const item = await this.#upload.finish(target, { condition, properties: plan.native });
    if (plan.native === undefined || item.properties === plan.native) return item;
    return vendor.setProperties(item, plan.native);
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
    await this.#close();
  }

  async #close(): Promise<void> {
    await this.#beginning;
    await this.#upload?.cancel();
    await this.#spool.close();
  }
}
