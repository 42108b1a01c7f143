import { DriveError, type WriteConditions } from "../drive.ts";
import { entryId } from "./entries.ts";
import type { FolderUse } from "./folder-use.ts";
import { encoded, type FolderMaker } from "./folders.ts";
import type { KeptProperties, Mark, Mirror } from "./mirror.ts";
import type { Tree } from "./tree.ts";
import type { Condition, Item, Target, Vendor } from "./vendor.ts";

/** How often a write is begun anew because others change the place it is for. */
const attempts = 4;

/** What a writer needs of its drive. */
export interface WriterParts {
  readonly vendor: Vendor;
  readonly mirror: Mirror;
  readonly folders: FolderMaker;
  readonly use: FolderUse;
  /** The tree to be asked now. */
  tree(): Tree;
  /** Forgets what was seen of a path. */
  forget(path: string): void;
}

/** How a file gets its place. */
export interface Publication {
  /** Makes the call that does. */
  send(target: Target, condition: Condition | undefined): Promise<Item>;
  /** Whether an item has the bytes that were sent, where the answer to that is lost. */
  arrived?(item: Item): boolean;
  /** What the mirror keeps of the item's properties: `null` nothing, undefined what it has. */
  kept?(item: Item): KeptProperties | null | undefined;
  /** Where the item was that is moved. */
  readonly moved?: { readonly item: Item; readonly path: string };
}

/** What a write is to replace, and how. */
interface WritePlan {
  readonly target: Target;
  readonly there: Item | undefined;
  readonly condition: Condition | undefined;
}

/** Brings changes to the drive and then into the mirror. */
export class Writer {
  readonly #parts: WriterParts;

  constructor(parts: WriterParts) {
    this.#parts = parts;
  }

  /**
   * Gives a file its place, replacing what is there.
   * @throws DriveError `Exists` or `Changed` by the conditions, `IsAFolder`, `NotAFolder`, `NameRefused`
   */
  publish(path: string, conditions: WriteConditions, publication: Publication): Promise<Item> {
    return this.#parts.use.during(path, async () => {
      let failure: unknown;
      for (let attempt = 0; attempt < attempts; attempt++) {
        try {
          const item = await this.#publishOnce(path, conditions, publication);
          if (item) return item;
        } catch (error) {
          const code = error instanceof DriveError ? error.code : undefined;
          if (code !== "Exists" && code !== "Changed" && code !== "NotFound") throw error;
          if (code !== "NotFound" && (conditions.onlyIfAbsent || conditions.unchanged)) throw error;
          failure = error;
        }
      }
      throw new DriveError("Unavailable", `Others keep changing ${path}`, { cause: failure });
    });
  }

  /** @returns undefined when the place was another one in the end. @throws also where looking anew helps */
  async #publishOnce(
    path: string,
    conditions: WriteConditions,
    publication: Publication,
  ): Promise<Item | undefined> {
    const { vendor, folders } = this.#parts;
    const { decode, duplicates } = vendor.traits;
    const plan = await this.#target(path, conditions);
    const { target, there } = plan;
    const send = () => this.#send(path, plan, publication);
    const item =
      duplicates && !there
        ? await folders.exclusively(target.folder, decode(target.name), async () => {
            if ((await this.#parts.tree().place(path)).item === undefined) return send();
            throw new DriveError("Exists", `${path} was made meanwhile`);
          })
        : await send();
    // Who moved the item while it was replaced has taken the new bytes along.
    if (item.parent === target.folder.id && decode(item.name) === decode(target.name)) return item;
    await this.look(path, target.folder);
    return undefined;
  }

  async #send(
    path: string,
    { target, there, condition }: WritePlan,
    { send, arrived, kept, moved }: Publication,
  ): Promise<Item> {
    const { mirror } = this.#parts;
    const mark = mirror.mark(there?.id);
    const fresh = mirror.mark(moved?.item.id);
    let item: Item;
    try {
      item = await send(target, condition);
    } catch (error) {
      const code = error instanceof DriveError ? error.code : undefined;
      if (code !== "Exists" && code !== "Changed" && code !== "NotFound" && code !== "Unavailable")
        throw error;
      const now = await this.look(path, target.folder);
      // The call may have had its effect though its answer is lost.
      const isNew = now !== undefined && entryId(now) !== (there && entryId(there));
      if (code !== "Unavailable" || !isNew || !arrived?.(now)) throw error;
      item = now;
    }
    const same = item.id === there?.id;
    const before = same ? mark : moved && moved.item.id !== item.id ? mirror.mark(undefined) : fresh;
    await this.#settle(item.id, item, before, path, kept?.(item));
    if (moved) await mirror.touch(moved.path);
    if (moved && moved.item.id !== item.id) await this.#settle(moved.item.id, undefined, fresh, moved.path);
    if (there && !same) await this.#settle(there.id, undefined, mark, path);
    return item;
  }

  /** Where a file will go, as far as that can be told without changing anything. */
  async foresee(path: string, conditions: WriteConditions) {
    const place = await this.#parts.tree().place(path);
    return place.missing.length > 1 ? undefined : this.#target(path, conditions);
  }

  async #target(path: string, conditions: WriteConditions): Promise<WritePlan> {
    const { vendor, folders } = this.#parts;
    const { atomic } = vendor.traits;
    const place = await this.#parts.tree().place(path);
    const there = place.item;
    check(path, there, conditions);
    const above = path.split("/").slice(0, -Math.max(place.missing.length, 1));
    const folder = await folders.make(place, above.join("/"), place.missing.slice(0, -1));
    // By its own name, as the one that is shown may stand for several of the same name.
    const target = { folder, name: there?.name ?? encoded(vendor, place.missing.at(-1)!), replaces: there };
    if (conditions.onlyIfAbsent) {
      if (!atomic.absent) await this.#mustBe(path, undefined);
      return { target, there, condition: "absent" };
    }
    if (conditions.unchanged) {
      if (!atomic.unchanged) await this.#mustBe(path, there);
      return { target, there, condition: "unchanged" };
    }
    // What shares the name but for its case, or came just now, must not be overwritten unseen.
    return { target, there, condition: there === undefined && atomic.absent ? "absent" : undefined };
  }

  /** Looks at the drive itself where it cannot decide a condition in one step with the write. */
  async #mustBe(path: string, item: Item | undefined): Promise<void> {
    const now = item ? await this.#parts.vendor.get(item.id) : await this.#find(path);
    if (item ? now && entryId(now) === entryId(item) : now === undefined) return;
    await this.look(path, undefined);
    throw item ? changed(path) : exists(path);
  }

  #find(path: string): Promise<Item | undefined> {
    const { vendor } = this.#parts;
    return vendor.find(path.split("/").map((segment) => encoded(vendor, segment)));
  }

  /** Takes in what the drive has at a path now, where it is not what was known, and tells it. */
  async look(path: string, folder: Item | undefined): Promise<Item | undefined> {
    const { mirror, forget } = this.#parts;
    forget(path);
    if (folder && !(await this.#ask(folder.id))) {
      for (let end = path.lastIndexOf("/"); end > 0; end = path.lastIndexOf("/", end - 1))
        forget(path.slice(0, end));
      return undefined;
    }
    const known = await Promise.resolve()
      .then(() => this.#parts.tree().find(path))
      .catch(() => undefined);
    const mark = mirror.mark(known?.id);
    const now = await this.#find(path);
    if (known && known.id === now?.id) await mirror.saw(known.id, now, mark);
    else {
      if (known) await this.#ask(known.id);
      if (now) await this.#ask(now.id);
    }
    return now;
  }

  /** Takes in what the drive has of an item now, and tells it. */
  async #ask(id: string): Promise<Item | undefined> {
    const { vendor, mirror } = this.#parts;
    const mark = mirror.mark(id);
    const item = await vendor.get(id);
    await mirror.saw(id, item, mark);
    return item;
  }

  /** Changes an item without moving it. `kept` is what the mirror keeps of its properties, as in a `Publication`. */
  async change(
    path: string,
    item: Item,
    call: () => Promise<Item>,
    kept: KeptProperties | null | undefined,
  ): Promise<Item> {
    const mark = this.#parts.mirror.mark(item.id);
    const changed = await call();
    await this.#settle(item.id, changed, mark, path, kept);
    return changed;
  }

  /** Removes an item from the drive. @returns false when it was gone */
  async remove(path: string, item: Item, condition?: "unchanged"): Promise<boolean> {
    const { vendor, mirror } = this.#parts;
    const mark = mirror.mark(item.id);
    if (condition && !vendor.traits.atomic.unchanged) await this.#mustBe(path, item);
    const removed = await vendor.remove(item, condition);
    await this.#settle(item.id, undefined, mark, path);
    return removed;
  }

  /** Removes many items. @returns for each what `remove` does, or why it could not */
  async removeAll(items: readonly { path: string; item: Item }[]): Promise<(boolean | Error)[]> {
    const { vendor, mirror } = this.#parts;
    const [one] = items;
    if (one === undefined) return [];
    if (items.length === 1) return [await this.remove(one.path, one.item)];
    const marks = items.map(({ item }) => mirror.mark(item.id));
    const results = await vendor.removeAll(items.map(({ item }) => item));
    for (const [i, { path, item }] of items.entries())
      if (!(results[i] instanceof Error)) await this.#settle(item.id, undefined, marks[i]!, path);
    return results;
  }

  /** Takes in what a call has led to, asking again while the feed tells of the item as well. */
  async #settle(
    id: string,
    item: Item | undefined,
    mark: Mark,
    path: string,
    properties?: KeptProperties | null,
  ): Promise<void> {
    const { mirror, vendor } = this.#parts;
    let state = item;
    let before = mark;
    for (let attempt = 0; attempt < attempts; attempt++) {
      if (await mirror.wrote(id, state, before, path, properties)) return;
      before = mirror.mark(id);
      state = await vendor.get(id);
    }
  }
}

function check(path: string, there: Item | undefined, conditions: WriteConditions): void {
  if (there?.kind === "folder") throw new DriveError("IsAFolder", `${path} is a folder`);
  if (conditions.onlyIfAbsent && there) throw exists(path);
  const { unchanged } = conditions;
  if (unchanged && (!there || entryId(there) !== unchanged.id)) throw changed(path);
}

const exists = (path: string) => new DriveError("Exists", `${path} is there`);
const changed = (path: string) => new DriveError("Changed", `${path} is another file now`);
