import { setTimeout as sleep } from "node:timers/promises";
import type { files } from "dropbox";
import type { ListFolderArg, PropertyFilter } from "./args.ts";
import { type Drive, type Item, LookupFailed } from "./drive.ts";
import { badRequest, RouteError, tagged } from "./errors.ts";
import type { Metadata } from "./metadata.ts";
import { foldName } from "./names.ts";

export interface FeedOptions {
  readonly feedLag?: number;
  readonly tellsDescendants?: boolean;
  readonly longpollSeconds?: number;
  readonly longpollBackoff?: number;
}

interface State {
  /** Cursors of an earlier epoch are no longer good. */
  readonly epoch: number;
  /** The id of the folder where the caller's paths begin. */
  readonly view: string;
  /** Folded names from the root of the tree to the listed folder. */
  readonly folder: readonly string[];
  readonly recursive: boolean;
  readonly deleted: boolean;
  readonly papers: boolean;
  readonly filter: PropertyFilter;
  readonly limit: number;
  /** The folded name behind which a plain listing goes on; undefined once it is through. */
  readonly after: string | undefined;
  /** The last change that was told. */
  readonly position: number;
  /** The last change when the listing began: what is removed before it was never told. */
  readonly until: number;
}

const mostEntries = 2000;

/** Listings, which are at their end the change feed. A cursor holds all that there is to know. */
export class Cursors {
  readonly #drive: Drive;
  readonly #metadata: Metadata;
  readonly #options: FeedOptions;
  #epoch = 1;
  /** Ends the longpolls. */
  readonly #closed = new AbortController();

  constructor(drive: Drive, metadata: Metadata, options: FeedOptions) {
    this.#drive = drive;
    this.#metadata = metadata;
    this.#options = options;
  }

  /** @throws LookupFailed */
  list(view: Item, arg: ListFolderArg): files.ListFolderResult {
    return this.#page(this.#begin(view, arg));
  }

  /** A cursor behind all that there is now. @throws LookupFailed */
  latest(view: Item, arg: ListFolderArg): string {
    const begun = this.#begin(view, arg);
    return encode({ ...begun, after: undefined, position: begun.until });
  }

  /** @throws LookupFailed, RouteError 409 `reset` */
  continue(cursor: string): files.ListFolderResult {
    return this.#page(this.#decode(cursor));
  }

  /** Waits until there are changes or some time has passed. @throws RouteError 409 `reset` */
  async longpoll(cursor: string, seconds: number): Promise<files.ListFolderLongpollResult> {
    const state = this.#decode(cursor);
    const { longpollSeconds = seconds, longpollBackoff, feedLag = 0 } = this.#options;
    const ends = performance.now() + Math.min(seconds, longpollSeconds) * 1000;
    for (;;) {
      const changes = this.#page({ ...state, limit: 1 }).entries.length > 0;
      const left = ends - performance.now();
      if (changes || left <= 0 || this.#closed.signal.aborted)
        return { changes, ...(longpollBackoff !== undefined && { backoff: longpollBackoff }) };
      await this.#change(feedLag > 0 ? Math.min(left, 50) : left);
    }
  }

  /** Makes all cursors invalid. */
  reset(): void {
    this.#epoch += 1;
  }

  close(): void {
    this.#closed.abort();
  }

  /** Settles at the next change, or when the time is over. */
  async #change(milliseconds: number): Promise<void> {
    const woken = new AbortController();
    const signal = AbortSignal.any([woken.signal, this.#closed.signal]);
    const unwatch = this.#drive.watch(() => woken.abort());
    await sleep(milliseconds, undefined, { signal, ref: false }).catch(() => {});
    unwatch();
  }

  #begin(view: Item, arg: ListFolderArg): State {
    const folder = arg.path === "" ? view : this.#drive.find(view, arg.path);
    if (!folder.children) throw new LookupFailed("not_folder");
    return {
      epoch: this.#epoch,
      view: view.id,
      folder: this.#drive.pathOf(folder).map(foldName),
      recursive: arg.recursive,
      deleted: arg.include_deleted,
      papers: arg.include_non_downloadable_files,
      filter: arg.include_property_groups,
      limit: arg.limit ?? mostEntries,
      after: arg.recursive ? undefined : "",
      position: arg.recursive ? 0 : this.#drive.tree.lastChange,
      until: this.#drive.tree.lastChange,
    };
  }

  #decode(cursor: string): State {
    let state: State;
    try {
      state = JSON.parse(Buffer.from(cursor.slice(2), "base64url").toString()) as State;
    } catch {
      throw badRequest('Invalid "cursor" parameter: it did not come from here.');
    }
    const { forgottenChange } = this.#drive.tree;
    if (state.epoch !== this.#epoch || Math.max(state.position, state.until) < forgottenChange)
      throw new RouteError(tagged("reset"));
    return state;
  }

  #page(state: State): files.ListFolderResult {
    return state.after === undefined ? this.#changes(state) : this.#children(state);
  }

  /** The next children of a folder, in the order of their names. */
  #children(state: State): files.ListFolderResult {
    const folder = this.#folder(state);
    const children = this.#drive.tree.sorted(folder);
    let low = 0;
    for (let high = children.length; low < high; ) {
      const middle = (low + high) >>> 1;
      if (foldName(children[middle]!.name) <= state.after!) low = middle + 1;
      else high = middle;
    }
    const page = children.slice(low, low + state.limit);
    const has_more = low + state.limit < children.length;
    const after = has_more ? foldName(page.at(-1)!.name) : undefined;
    const entries = page.flatMap((item) => this.#entry(state, item));
    return { entries, cursor: encode({ ...state, after }), has_more };
  }

  /** What changed, in the order of the last changes; to begin with, all that is there. */
  #changes(state: State): files.ListFolderResult {
    this.#folder(state);
    const { tree, clock } = this.#drive;
    const lag = this.#options.feedLag ?? 0;
    const visible = lag > 0 ? Math.max(state.until, tree.changeBy(clock.now() - lag)) : tree.lastChange;
    const entries: files.ListFolderResult["entries"] = [];
    let { position } = state;
    while (position < visible && entries.length < state.limit) {
      const nodes = tree.changed(position, state.limit - entries.length);
      if (nodes.length === 0) position = visible;
      for (const node of nodes) {
        if (node.change > visible) {
          position = visible;
          break;
        }
        position = node.change;
        if (this.#tells(state, node)) entries.push(...this.#entry(state, node));
      }
    }
    return { entries, cursor: encode({ ...state, position }), has_more: position < visible };
  }

  /** Whether an item that changed belongs to a listing. */
  #tells({ folder, recursive, deleted, until }: State, item: Item): boolean {
    const path = this.#drive.pathOf(item);
    if (path.length < folder.length || path.length === 0) return false;
    if (!recursive && path.length !== folder.length + 1) return false;
    if (folder.some((name, index) => name !== foldName(path[index]!))) return false;
    if (!item.removed) return true;
    if (item.change <= until && !deleted) return false;
    return deleted || !item.parent?.removed || this.#options.tellsDescendants === true;
  }

  #entry({ view, filter, papers }: State, item: Item): files.ListFolderResult["entries"] {
    const from = this.#drive.tree.get(view)!;
    // What the caller has no path for cannot be told.
    if (item === from) return [];
    if (item.removed) return [this.#metadata.deleted(from, item)];
    return item.data.paper && !papers ? [] : [this.#metadata.item(from, item, filter)];
  }

  #folder({ folder }: State): Item {
    let at: Item | undefined = this.#drive.root;
    for (const name of folder) at = at && this.#drive.tree.child(at, name);
    if (!at) throw new LookupFailed("not_found");
    if (!at.children) throw new LookupFailed("not_folder");
    return at;
  }
}

function encode(state: State): string {
  return `AA${Buffer.from(JSON.stringify(state)).toString("base64url")}`;
}
