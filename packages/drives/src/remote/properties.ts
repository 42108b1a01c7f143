import { createHash } from "node:crypto";
import { setImmediate } from "node:timers/promises";
import { isLeftOver, temporaryName } from "../processes.ts";
import { type Bytes, bind, unbind } from "./binding.ts";
import { bodyOf } from "./body.ts";
import { sidecarFolder } from "./hidden.ts";
import type { KeptProperties, Mirror, Owed } from "./mirror.ts";
import { readItem } from "./reading.ts";
import type { Tree } from "./tree.ts";
import type { Item, Vendor } from "./vendor.ts";
import type { Writer } from "./writer.ts";

/** Sidecars that are read at the same time when nobody waits for them. */
const loadedAtOnce = 4;
/** Sidecars that are looked at before others have their turn. */
const step = 1000;
/** Bytes of the largest sidecar that is read; S3's metadata is far below. */
const largest = 1024 * 1024;

/** How the properties of a write travel. */
export interface Plan {
  /** What goes with the bytes in one call. */
  readonly native: string | undefined;
  /** Whether a sidecar must follow. */
  readonly aside: boolean;
}

interface Parts {
  readonly vendor: Vendor;
  readonly mirror: Mirror;
  readonly writer: Writer;
  tree(): Tree;
}

/**
 * The texts that are kept with files: with the item itself where the vendor takes them, else in a sidecar by the
 * item's id, or in the mirror alone where they can be lost. They belong to bytes, and are void with others.
 */
export class Properties {
  readonly #parts: Parts;
  #known: { readonly reads: number; readonly folder: { readonly id: string } | undefined } | undefined;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Those of an item; takes calls only where a sidecar was not read yet. */
  read(item: Item): Promise<string | undefined> | string | undefined {
    const { mirror } = this.#parts;
    if (!mirror.synced) return this.#readLive(item);
    const sidecar = this.sidecar(item.id);
    if (!sidecar) return this.#native(item) ?? this.#kept(item);
    if (sidecar.version === mirror.properties(item.id)?.sidecar)
      return this.#kept(item) ?? this.#native(item);
    return this.#load(item, sidecar);
  }

  #native(item: Item): string | undefined {
    return item.properties === undefined ? undefined : unbind(item, item.properties);
  }

  #kept(item: Item): string | undefined {
    const kept = this.#parts.mirror.properties(item.id);
    return kept && unbind(item, kept.bound);
  }

  async #readLive(item: Item): Promise<string | undefined> {
    const known = this.#kept(item);
    if (known !== undefined) return known;
    const sidecar = await this.#findLive(`${sidecarFolder}/${sidecarName(item.id)}`);
    return sidecar ? this.#load(item, sidecar) : this.#native(item);
  }

  /** The sidecar of an item, as far as the mirror knows. */
  sidecar(id: string): Item | undefined {
    const { mirror } = this.#parts;
    const folder = this.#folder();
    const [child] = folder ? mirror.named(folder.id, sidecarName(id)) : [];
    return child && mirror.item(child.id);
  }

  /** The folder of sidecars, if anything ever was in it. */
  #folder(): { readonly id: string } | undefined {
    const { mirror } = this.#parts;
    if (this.#known?.reads === mirror.reads) return this.#known.folder;
    let folder: { readonly id: string } | undefined = mirror.root;
    for (const name of sidecarFolder.split("/")) folder = folder && mirror.named(folder.id, name)[0];
    if (folder && mirror.stamp(folder.id) === 0) folder = undefined;
    this.#known = { reads: mirror.reads, folder };
    return folder;
  }

  /** How a text that belongs to these bytes is to be written together with them. */
  plan(bytes: { size: number; hash: string }, text: string, derivable: boolean): Plan {
    const { propertiesLimit, uploadLimit, md5 } = this.#parts.vendor.traits;
    const bound = bind(bytes, text);
    // In fragments they would take a call of their own, for what the vendor tells anyway.
    const told = derivable && md5 && bytes.size > uploadLimit;
    if (text !== "" && !told && Buffer.byteLength(bound) <= propertiesLimit)
      return { native: bound, aside: false };
    return { native: undefined, aside: text !== "" && !derivable };
  }

  /** What the mirror keeps of the text for an item that was just written. */
  kept(item: Item, text: string, { native }: Plan): KeptProperties | null {
    if (native !== undefined || text === "") return null;
    return { bound: bind(item, text), sidecar: this.sidecar(item.id)?.version };
  }

  /**
   * Does a write whose sidecar follows the bytes. What is to follow is noted, so that it does also where the process
   * ends between the two.
   */
  async recorded<T>(
    path: string,
    bytes: Bytes,
    text: string,
    { aside }: Plan,
    write: () => Promise<T>,
  ): Promise<T> {
    if (!aside) return write();
    const { mirror } = this.#parts;
    const name = temporaryName();
    await mirror.setOwed(name, { path, size: bytes.size, hash: bytes.hash, text, at: Date.now() });
    try {
      return await write();
    } finally {
      await mirror.setOwed(name, undefined);
    }
  }

  /**
   * Writes the sidecars that processes which ended did not come to (see `isLeftOver`). What the vendor does not take
   * now is left to the next time.
   */
  async recover(olderThan: number): Promise<void> {
    const { mirror } = this.#parts;
    mirror.refresh();
    for (const [name, owed] of mirror.owed()) {
      if (!isLeftOver(name, owed.at, olderThan)) continue;
      try {
        await this.#settle(owed);
        await mirror.setOwed(name, undefined);
      } catch {}
    }
  }

  async #settle({ path, size, hash, text }: Owed): Promise<void> {
    const item = await this.#parts.tree().find(path);
    const same = item?.kind === "file" && item.size === size && item.hash === hash;
    // What was written since stands.
    if (same && [undefined, text].includes(await this.read(item))) await this.replace(path, item, text);
  }

  /** Brings the drive's sidecar of an item in line with the text that was written with its bytes. */
  async follow(item: Item, text: string, { aside }: Plan): Promise<void> {
    if (aside) await this.#writeSidecar(item, bind(item, text));
    else await this.removeSidecar(item.id);
  }

  /** Replaces the text of an item whose bytes stay. */
  async replace(path: string, item: Item, text: string): Promise<void> {
    const { vendor, mirror, writer } = this.#parts;
    const bound = bind(item, text);
    if (Buffer.byteLength(bound) <= vendor.traits.propertiesLimit) {
      await writer.change(path, item, () => vendor.setProperties(item, bound), null);
      return this.removeSidecar(item.id);
    }
    await this.#writeSidecar(item, bound);
    await mirror.touch(path);
  }

  async #writeSidecar(item: Item, bound: string): Promise<void> {
    const { vendor, writer } = this.#parts;
    const bytes = Buffer.from(JSON.stringify({ id: item.id, bound }));
    const sidecar = await writer.publish(
      `${sidecarFolder}/${sidecarName(item.id)}`,
      {},
      { send: (target, condition) => vendor.upload(target, bodyOf(bytes), { condition }) },
    );
    await this.#keep({ id: item.id, bound }, sidecar);
  }

  async removeSidecar(id: string): Promise<void> {
    const { mirror, writer } = this.#parts;
    const path = `${sidecarFolder}/${sidecarName(id)}`;
    const sidecar = mirror.synced ? this.sidecar(id) : await this.#findLive(path);
    if (sidecar) await writer.remove(path, sidecar);
  }

  /** The sidecar that goes with an item when that is removed, as far as the mirror knows. */
  beside(id: string): { path: string; item: Item }[] {
    const item = this.sidecar(id);
    return item ? [{ path: `${sidecarFolder}/${sidecarName(id)}`, item }] : [];
  }

  /** Looks which of many items have sidecars at once, before each of them is read. */
  async foresee(items: readonly (Item | undefined)[]): Promise<void> {
    const tree = this.#parts.tree();
    const folder = await tree.find(sidecarFolder);
    if (folder && items.length > 3) for await (const _ of tree.list(folder, sidecarFolder));
  }

  async #findLive(path: string): Promise<Item | undefined> {
    const tree = this.#parts.tree();
    return (await tree.find(sidecarFolder)) && tree.find(path);
  }

  /** Reads the sidecars that were not read yet. */
  async loadAll(signal: AbortSignal): Promise<void> {
    const { mirror } = this.#parts;
    mirror.refresh();
    const folder = this.#folder();
    if (!folder) return;
    const unread = [...mirror.children(folder.id)].flat().map(({ id }) => id);
    const work = async () => {
      for (let id = unread.pop(); id !== undefined && !signal.aborted; id = unread.pop()) {
        mirror.refresh();
        const sidecar = mirror.item(id);
        if (!sidecar || mirror.properties(id)?.sidecar === sidecar.version) continue;
        const text = await this.#content(sidecar);
        if (text) await this.#keep(text, sidecar);
      }
    };
    await Promise.all(Array.from({ length: loadedAtOnce }, work));
  }

  /** Whether an item is a sidecar. */
  isSidecar(item: { readonly parent?: string }): boolean {
    return item.parent !== undefined && item.parent === this.#folder()?.id;
  }

  /** The sidecars whose items are gone, as far as the mirror knows. */
  async orphans(): Promise<{ path: string; item: Item }[]> {
    const { mirror } = this.#parts;
    const folder = this.#folder();
    const sidecars = folder ? [...mirror.children(folder.id)].flat() : [];
    const orphans: { path: string; item: Item }[] = [];
    for (const [i, { id, name }] of sidecars.entries()) {
      // There may be very many.
      if (i % step === step - 1) {
        await setImmediate();
        mirror.refresh();
      }
      const of = mirror.properties(id)?.of;
      const item = of !== undefined && mirror.item(of) === undefined ? mirror.item(id) : undefined;
      if (item) orphans.push({ path: `${sidecarFolder}/${name}`, item });
    }
    return orphans;
  }

  async #load(item: Item, sidecar: Item): Promise<string | undefined> {
    const content = await this.#content(sidecar);
    if (content?.id !== item.id) return this.#native(item);
    await this.#keep(content, sidecar);
    return unbind(item, content.bound) ?? this.#native(item);
  }

  async #keep({ id, bound }: { id: string; bound: string }, sidecar: Item): Promise<void> {
    const { mirror } = this.#parts;
    await mirror.setProperties(id, { bound, sidecar: sidecar.version });
    await mirror.setProperties(sidecar.id, { bound: "", sidecar: sidecar.version, of: id });
  }

  async #content(sidecar: Item): Promise<{ id: string; bound: string } | undefined> {
    if (sidecar.size > largest) return undefined;
    const chunks: Buffer[] = [];
    for await (const chunk of readItem(this.#parts.vendor, sidecar, 0, sidecar.size)) chunks.push(chunk);
    try {
      const { id, bound } = JSON.parse(Buffer.concat(chunks).toString());
      return typeof id === "string" && typeof bound === "string" ? { id, bound } : undefined;
    } catch {
      // Not one of ours.
      return undefined;
    }
  }
}

const sidecarName = (id: string) => `${createHash("sha256").update(id).digest("hex").slice(0, 32)}.json`;
