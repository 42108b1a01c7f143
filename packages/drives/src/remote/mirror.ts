import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { type Database, open, type RootDatabase } from "lmdb";
import { epochOf, fingerprint, gone, type ItemRecord, itemOf, keyPart, recordOf } from "./records.ts";
import type { ChangePage, Item, Traits } from "./vendor.ts";

/** How far the mirror follows the drive. */
export interface FeedState {
  readonly cursor: string | undefined;
  /** Counts the walks through everything; what a walk did not meet is gone when it ends. */
  readonly epoch: number;
  readonly walking: boolean;
  /** Items that the running walk has met, or the last one. */
  readonly walked: number;
  /** Whether everything was walked once. */
  readonly synced: boolean;
  /** Whether the changes since the last time that anyone followed are in. */
  readonly caughtUp: boolean;
  /** When the last changes were taken in; milliseconds since 1970. */
  readonly polled: number;
}

/** One name in a folder. */
export interface Child {
  readonly id: string;
  /** Decoded, as the vendor has it: several items may have the same. */
  readonly name: string;
  readonly kind: "file" | "folder";
}

type ChildRecord = [id: string, name: string, kind: 0 | 1, created: number];

/** What became of an item lately by a write of ours, or that the feed told of its end. */
interface Recent {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly own: boolean;
  /** Which of all the ends that the feed told was that of this item, counted from 1. */
  readonly ended?: number;
  /** Fingerprints, the last one being the state. */
  readonly states: readonly string[];
}

/** Properties that the vendor does not keep with the item. */
export interface KeptProperties {
  /** The text, bound to the bytes it belongs to. */
  readonly bound: string;
  /** The version of the sidecar it is from; undefined where it is only here. */
  readonly sidecar?: string;
  /** Of a sidecar itself: the item that it belongs to. */
  readonly of?: string;
}

/** Items that a sweep found left over, each with the time since when; milliseconds since 1970. */
interface LeftOvers {
  readonly at: number;
  readonly since: readonly (readonly [id: string, since: number])[];
}

/** A sidecar that is to follow bytes which are on their way. */
export interface Owed {
  readonly path: string;
  readonly size: number;
  readonly hash?: string;
  readonly text: string;
  /** Milliseconds since 1970. */
  readonly at: number;
}

/** The state of an item as a call about it begins. */
export interface Mark {
  readonly state: string;
  /** How many items the feed had told the end of. */
  readonly ends: number;
}

/** Milliseconds for which the feed may tell states from before a write. */
const feedLag = 10 * 60_000;
const pruneEvery = 60_000;
/** States of an item that are remembered. */
const mostStates = 8;
/** Items looked at in one step when a walk has ended. */
const sweepStep = 5000;
/** Sorts behind the separator. */
const behind = "\v";

const noFeed: FeedState = {
  cursor: undefined,
  epoch: 0,
  walking: false,
  walked: 0,
  synced: false,
  caughtUp: false,
  polled: 0,
};

/**
 * What the drive holds, on disk for all processes with the same folder. It may be deleted at any time: what is
 * missing is asked for again. Reads take no wait and see what was written since `refresh`. Opened by `openMirror`.
 */
export class Mirror {
  readonly folder: string;
  readonly #store: RootDatabase;
  readonly #items: Database<ItemRecord, string>;
  readonly #children: Database<ChildRecord[], string>;
  readonly #stamps: Database<number, string>;
  readonly #recent: Database<Recent, string>;
  readonly #properties: Database<KeptProperties, string>;
  readonly #touched: Database<[sequence: number, at: number], string>;
  readonly #owed: Database<Owed, string>;
  readonly #traits: Traits;
  /** As it was when it was looked at first since `refresh`. */
  #feed: FeedState | undefined;
  /** How often `refresh` was called. */
  #reads = 0;
  /** Folders in which the running change alters names. */
  readonly #renamed = new Set<string>();
  #pruned = 0;

  constructor(folder: string, traits: Traits) {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    this.#traits = traits;
    this.folder = folder;
    this.#store = open({ path: join(folder, "mirror.mdb"), maxDbs: 16 });
    this.#items = this.#store.openDB({ name: "items" });
    this.#children = this.#store.openDB({ name: "children" });
    this.#stamps = this.#store.openDB({ name: "stamps" });
    this.#recent = this.#store.openDB({ name: "recent" });
    this.#properties = this.#store.openDB({ name: "properties" });
    this.#touched = this.#store.openDB({ name: "touched" });
    this.#owed = this.#store.openDB({ name: "owed" });
  }

  /** Lets the reads that follow see what other processes have written. */
  refresh(): void {
    this.#store.resetReadTxn();
    this.#feed = undefined;
    this.#reads++;
  }

  /** Another number whenever something else may be read. */
  get reads(): number {
    return this.#reads;
  }

  get feed(): FeedState {
    this.#feed ??= (this.#store.get("feed") as FeedState | undefined) ?? noFeed;
    return this.#feed;
  }

  /** Makes a change in one step, as seen by all processes. */
  async #change<T>(action: () => T): Promise<T> {
    try {
      return await this.#store.transaction(() => {
        this.#feed = undefined;
        const result = action();
        this.#stampRenamed();
        return result;
      });
    } finally {
      this.refresh();
    }
  }

  get synced(): boolean {
    const { synced, caughtUp } = this.feed;
    return synced && caughtUp;
  }

  setFeed(change: Partial<FeedState>): Promise<void> {
    return this.#change(() => this.#setFeed(change));
  }

  /** The folder that is served. A mirror of another one is emptied. */
  async serve(root: Item): Promise<void> {
    await this.#change(() => {
      if (this.#store.get("root") !== root.id) {
        for (const each of [this.#items, this.#children, this.#stamps, this.#recent, this.#properties])
          each.clearSync();
        this.#setFeed(noFeed);
      }
      this.#store.put("root", root.id);
      this.#put(root);
    });
  }

  get root(): Item | undefined {
    const id = this.#store.get("root") as string | undefined;
    return id === undefined ? undefined : this.item(id);
  }

  item(id: string): Item | undefined {
    const record = this.#items.get(keyPart(id));
    return record && itemOf(record);
  }

  /** The items in a folder whose names differ from this one in case at most, the one that keeps the name first. */
  named(folder: string, name: string): readonly Child[] {
    return (this.#children.get(this.#childKey(folder, name)) ?? []).map(childOf);
  }

  /** All names in a folder, those that are alike together. */
  *children(folder: string): Generator<readonly Child[]> {
    const start = `${keyPart(folder)}\n`;
    for (const { value } of this.#children.getRange({ start, end: keyPart(folder) + behind }))
      yield value.map(childOf);
  }

  hasChildren(folder: string): boolean {
    for (const _ of this.children(folder)) return true;
    return false;
  }

  /** Another number whenever a name in the folder has changed. */
  stamp(folder: string): number {
    return this.#stamps.get(keyPart(folder)) ?? 0;
  }

  properties(id: string): KeptProperties | undefined {
    return this.#properties.get(keyPart(id));
  }

  setProperties(id: string, properties: KeptProperties | undefined): Promise<unknown> {
    const key = keyPart(id);
    return properties ? this.#properties.put(key, properties) : this.#properties.remove(key);
  }

  /** Notes the state of an item before a call about it, to be given to `wrote` or `saw` with what that leads to. */
  mark(id: string | undefined): Mark {
    this.refresh();
    return { state: fingerprint(id === undefined ? undefined : this.item(id)), ends: this.#ends };
  }

  get #ends(): number {
    return (this.#store.get("ends") as number | undefined) ?? 0;
  }

  owed(): [name: string, Owed][] {
    return [...this.#owed.getRange()].map(({ key, value }) => [key, value]);
  }

  setOwed(name: string, owed: Owed | undefined): Promise<unknown> {
    return owed ? this.#owed.put(name, owed) : this.#owed.remove(name);
  }

  /**
   * Begins a sweep, unless any process did in the last `every` milliseconds.
   * @returns since when items are left over, as far as that was noted
   */
  beginSweep(every: number): Promise<ReadonlyMap<string, number> | undefined> {
    return this.#change(() => {
      const now = Date.now();
      const { at, since } = (this.#store.get("leftOver") as LeftOvers | undefined) ?? { at: 0, since: [] };
      if (now - at < every) return undefined;
      this.#store.put("leftOver", { at: now, since } satisfies LeftOvers);
      return new Map(since);
    });
  }

  noteLeftOvers(since: ReadonlyMap<string, number>): Promise<unknown> {
    return this.#store.put("leftOver", { at: Date.now(), since: [...since] } satisfies LeftOvers);
  }

  /**
   * Takes in what a write of ours has led to: `item`, or that the item `id` is gone.
   * @returns false, taking nothing in, when the feed told of the item meanwhile: then only asking the vendor tells
   *   which of the two came later
   */
  wrote(
    id: string,
    item: Item | undefined,
    mark: Mark,
    path: string,
    properties?: KeptProperties | null,
  ): Promise<boolean> {
    return this.#change(() => {
      const key = keyPart(id);
      const state = fingerprint(item);
      const now = fingerprint(this.item(id));
      const recent = this.#recent.get(key);
      if (now !== state && now !== mark.state) return false;
      if (now === gone && item !== undefined && (recent?.ended ?? 0) > mark.ends) return false;
      if (item) this.#put(item);
      else this.#remove(id);
      if (properties === null) this.#properties.remove(key);
      else if (properties) this.#properties.put(key, properties);
      const before = recent?.states ?? (mark.state === gone ? [] : [mark.state]);
      const states = [...before, state].slice(-mostStates);
      this.#recent.put(key, { at: Date.now(), own: true, states });
      this.#touch(path);
      return true;
    });
  }

  /** Takes in an item as the vendor was found to have it, unless its state is another one than when it was asked. */
  saw(id: string, item: Item | undefined, mark: Mark): Promise<void> {
    return this.#change(() => {
      if (fingerprint(this.item(id)) !== mark.state) return;
      if (item) this.#put(item);
      else this.#remove(id);
    });
  }

  /**
   * Takes in a page of the feed and its cursor. `settled` holds the present state of items whose place in time
   * was doubtful, each with the mark from before it was asked for.
   * @returns the items whose state must be asked for first; then nothing was taken in
   */
  take(
    page: ChangePage,
    settled: ReadonlyMap<string, { item: Item | undefined; mark: Mark }>,
  ): Promise<string[]> {
    return this.#change(() => {
      const doubtful: string[] = [];
      const accepted: { id: string; item: Item | undefined }[] = [];
      for (const change of page.changes) {
        const item = "removed" in change ? undefined : change;
        const verdict = this.#judge(change.id, item);
        if (verdict === "newer") accepted.push({ id: change.id, item });
        if (verdict !== "doubtful") continue;
        const answer = settled.get(change.id);
        if (answer?.mark.state !== fingerprint(this.item(change.id))) doubtful.push(change.id);
        else accepted.push({ id: change.id, item: answer.item });
      }
      if (doubtful.length > 0) return doubtful;
      const { epoch, walked, walking, cursor } = this.feed;
      const anew = page.reset || cursor === undefined;
      this.#setFeed({
        cursor: page.cursor,
        ...(anew && { epoch: epoch + 1, walking: true }),
        ...((anew || walking) && { walked: (anew ? 0 : walked) + page.changes.length }),
      });
      for (const { id, item } of accepted) {
        if (item) this.#put(item);
        else this.#end(id);
      }
      return [];
    });
  }

  /** Whether a state that the feed tells is newer than what is known, older, or only the vendor can tell. */
  #judge(id: string, item: Item | undefined): "newer" | "older" | "doubtful" {
    const recent = this.#recent.get(keyPart(id));
    if (!recent?.own) return "newer";
    const state = fingerprint(item);
    if (state === recent.states.at(-1)) return "newer";
    const now = this.item(id);
    // Only bytes that were replaced do not come again: names and places do, and what was removed is restored.
    const replaced = item?.kind === "file" && now !== undefined && now.version !== item.version;
    return replaced && recent.states.includes(state) ? "older" : "doubtful";
  }

  /** Ends a walk: removes what it did not meet, but for what is `doubtful`, and forgets old writes. */
  async finish(started: number, confirm: (id: string) => Promise<Item | undefined>): Promise<void> {
    if (this.feed.walking) await this.#sweep(confirm);
    await this.#change(() => {
      this.#setFeed({ walking: false, synced: true, caughtUp: true, polled: Date.now() });
      if (started - this.#pruned < pruneEvery) return;
      this.#pruned = started;
      const before = started - feedLag;
      for (const { key, value } of this.#recent.getRange()) if (value.at < before) this.#recent.remove(key);
      for (const { key, value } of this.#touched.getRange()) if (value[1] < before) this.#touched.remove(key);
    });
  }

  async #sweep(confirm: (id: string) => Promise<Item | undefined>): Promise<void> {
    const { epoch } = this.feed;
    const root = this.#store.get("root");
    for (let start = ""; ; ) {
      this.refresh();
      const step = [...this.#items.getRange({ start, limit: sweepStep })];
      const stale = step.filter(({ value }) => epochOf(value) !== epoch && value[0] !== root);
      for (const { key, value } of stale) {
        if (!this.#recent.get(key)?.own) continue;
        const mark = this.mark(value[0]);
        const item = await confirm(value[0]);
        if (item) await this.saw(item.id, item, mark);
      }
      await this.#change(() => {
        for (const { key } of stale) {
          const record = this.#items.get(key);
          if (record && epochOf(record) !== epoch) this.#remove(record[0]);
        }
      });
      if (step.length < sweepStep) return;
      start = step.at(-1)!.key;
    }
  }

  /** The number of writes of ours so far, and that of the last one to a path while not yet `synced`. */
  get sequence(): number {
    return (this.#store.get("sequence") as number | undefined) ?? 0;
  }

  touched(path: string): number {
    return this.#touched.get(keyPart(path.toLowerCase()))?.[0] ?? 0;
  }

  /** Notes that a write of ours changed what a path is. */
  touch(path: string): Promise<void> {
    return this.#change(() => this.#touch(path));
  }

  async close(): Promise<void> {
    // Changes that are under way would fail.
    await this.#store.committed;
    await this.#store.close();
  }

  #touch(path: string): void {
    if (this.synced) return;
    const sequence = this.sequence + 1;
    this.#store.put("sequence", sequence);
    this.#touched.put(keyPart(path.toLowerCase()), [sequence, Date.now()]);
  }

  #setFeed(change: Partial<FeedState>): void {
    this.#feed = { ...this.feed, ...change };
    this.#store.put("feed", this.#feed);
  }

  #childKey(folder: string, name: string): string {
    const same = this.#traits.caseSensitive ? name : name.normalize("NFC").toLowerCase();
    return `${keyPart(folder)}\n${keyPart(same)}`;
  }

  #put(item: Item): void {
    const before = this.item(item.id);
    const moved = before && (before.parent !== item.parent || before.name !== item.name);
    if (before && (moved || before.kind !== item.kind)) this.#unlink(before);
    this.#link(item);
    this.#items.put(keyPart(item.id), recordOf(item, this.feed.epoch));
  }

  #link(item: Item): void {
    if (item.parent === undefined) return;
    const name = this.#traits.decode(item.name);
    const key = this.#childKey(item.parent, name);
    const there = this.#children.get(key) ?? [];
    const created = item.created ?? 0;
    const known = there.find(([id]) => id === item.id);
    if (known && known[3] === created) return;
    const child: ChildRecord = [item.id, name, item.kind === "folder" ? 1 : 0, created];
    const all = [...there.filter(([id]) => id !== item.id), child];
    this.#children.put(key, all.sort(byAge));
    this.#renamed.add(item.parent);
  }

  #unlink(item: Item): void {
    if (item.parent === undefined) return;
    const key = this.#childKey(item.parent, this.#traits.decode(item.name));
    const rest = (this.#children.get(key) ?? []).filter(([id]) => id !== item.id);
    if (rest.length > 0) this.#children.put(key, rest);
    else this.#children.remove(key);
    this.#renamed.add(item.parent);
  }

  #stampRenamed(): void {
    if (this.#renamed.size === 0) return;
    const clock = ((this.#store.get("clock") as number | undefined) ?? 0) + 1;
    this.#store.put("clock", clock);
    for (const folder of this.#renamed) this.#stamps.put(keyPart(folder), clock);
    this.#renamed.clear();
  }

  /** Removes an item of which the feed says so. */
  #end(id: string): void {
    this.#remove(id);
    const recent = this.#recent.get(keyPart(id));
    const ended = this.#ends + 1;
    this.#store.put("ends", ended);
    const states = [...(recent?.states ?? []), gone].slice(-mostStates);
    this.#recent.put(keyPart(id), { at: Date.now(), own: recent?.own ?? false, ended, states });
  }

  #remove(id: string): void {
    const item = this.item(id);
    if (!item) return;
    this.#unlink(item);
    this.#items.remove(keyPart(id));
    this.#properties.remove(keyPart(id));
    if (item.kind === "file") return;
    const inside = [...this.children(id)].flat();
    for (const child of inside) this.#remove(child.id);
    this.#stamps.remove(keyPart(id));
  }
}

const childOf = ([id, name, kind]: ChildRecord): Child => ({
  id,
  name,
  kind: kind === 1 ? "folder" : "file",
});

const byAge = (a: ChildRecord, b: ChildRecord) => a[3] - b[3] || (a[0] < b[0] ? -1 : 1);
