import { DriveError } from "../drive.ts";
import type { ChangePage, Item, RemovedItem } from "../remote/vendor.ts";
import { type DropboxClient, RouteError } from "./client.ts";
import { itemOf, type Metadata, pathOf } from "./items.ts";
import type { Templates } from "./properties.ts";

export interface ListPage {
  readonly entries: readonly Metadata[];
  readonly cursor: string;
  readonly has_more: boolean;
}

/** A cursor as the layers above keep it. */
interface Cursor {
  readonly cursor: string;
  /** The templates whose texts it tells. */
  readonly filter: object | null;
}

/** Entries of a page. */
export const listLimit = 2000;
/** How often the feed may say that it must be begun anew before that is taken for a fault. */
const mostResets = 3;
/** Seconds that the service may add to the time that a call waits for changes. */
const jitter = 90;
/** Milliseconds between two looks where the service does not wait for changes. */
const pollInterval = 10_000;

/** The change feed of a folder and all below it. */
export class Feed {
  readonly #client: DropboxClient;
  readonly #templates: Templates;
  readonly #seconds: number;
  #waits = true;

  constructor(client: DropboxClient, templates: Templates, seconds = 60) {
    this.#client = client;
    this.#templates = templates;
    this.#seconds = seconds;
  }

  /** As `Vendor.changes`. */
  async *changes(root: Item, from: string | undefined, signal?: AbortSignal): AsyncGenerator<ChangePage> {
    const filter = await this.#filter();
    let cursor = this.#cursor(from, filter);
    let reset = from !== undefined && cursor === undefined;
    for (let resets = 0; ; ) {
      let page: ListPage;
      try {
        page = await this.#page(root, cursor, filter, signal);
      } catch (error) {
        if (!(error instanceof RouteError && error.is("reset"))) throw error;
        resets += 1;
        if (resets > mostResets)
          throw new DriveError("Unavailable", "Dropbox's change feed begins anew again and again.");
        cursor = undefined;
        reset = true;
        continue;
      }
      cursor = page.cursor;
      const changes = page.entries.map(changeOf).filter((change) => change !== undefined);
      yield {
        changes: changes.filter(({ id }) => id !== root.id),
        cursor: JSON.stringify({ cursor, filter: filter ?? null } satisfies Cursor),
        reset,
      };
      if (!page.has_more) return;
      reset = false;
    }
  }

  /** As `Vendor.wait`. */
  async wait(from: string, signal: AbortSignal): Promise<boolean> {
    const { cursor } = JSON.parse(from) as Cursor;
    if (this.#waits)
      try {
        const { changes, backoff = 0 } = await this.#client.rpc<{ changes: boolean; backoff?: number }>(
          "files/list_folder/longpoll",
          { cursor, timeout: this.#seconds },
          { authorized: false, repeatable: true, waits: (this.#seconds + jitter) * 1000, signal },
        );
        if (backoff > 0) await this.#client.clock.sleep(backoff * 1000, signal);
        return changes;
      } catch (error) {
        signal.throwIfAborted();
        if (error instanceof RouteError && error.is("reset")) return true;
        if (!(error instanceof RouteError)) throw error;
        // Not all cursors can be waited for.
        this.#waits = false;
      }
    await this.#client.clock.sleep(pollInterval, signal);
    return true;
  }

  /**
   * The texts to be told of. The template is made beforehand: a cursor from before it would not tell any. Who may not
   * make it goes without.
   */
  async #filter(): Promise<object | undefined> {
    try {
      await this.#templates.id();
    } catch (error) {
      if (!(error instanceof DriveError && error.code === "AccessDenied")) throw error;
      return undefined;
    }
    return this.#templates.filter();
  }

  /** The cursor to go on with; undefined where it is none of ours, or tells other texts. */
  #cursor(text: string | undefined, filter: object | undefined): string | undefined {
    if (text === undefined) return undefined;
    try {
      const known = JSON.parse(text) as Cursor;
      if (JSON.stringify(known.filter) === JSON.stringify(filter ?? null)) return known.cursor;
    } catch {}
    return undefined;
  }

  #page(
    root: Item,
    cursor: string | undefined,
    filter: object | undefined,
    signal?: AbortSignal,
  ): Promise<ListPage> {
    if (cursor !== undefined)
      return this.#client.rpc("files/list_folder/continue", { cursor }, { repeatable: true, signal });
    const argument = {
      path: pathOf(root.id),
      recursive: true,
      limit: listLimit,
      include_property_groups: filter,
    };
    return this.#client.rpc("files/list_folder", argument, { repeatable: true, signal });
  }
}

function changeOf(json: Metadata): Item | RemovedItem | undefined {
  if (json[".tag"] !== "deleted") return itemOf(json);
  return json.path_lower === undefined ? undefined : { id: json.path_lower, removed: true };
}
