import { isCode } from "./client.ts";
import type { DriveFile } from "./items.ts";
import { folderType } from "./items.ts";
import { type Listing, mostFolders } from "./listing.ts";

/** How far a walk has come: what it takes to go on, also in another process. */
export interface WalkState {
  /** Folders whose children were not asked for yet. */
  readonly todo: readonly string[];
  /** Those that are being asked for, and the page that comes next. */
  readonly group: readonly string[];
  readonly next?: string;
}

export interface Step {
  readonly files: readonly DriveFile[];
  /** Undefined when all is walked. */
  readonly state: WalkState | undefined;
}

/** The walk of all that lies below folders. */
export const walkOf = (folders: readonly string[]): WalkState => ({ todo: folders, group: [] });

/**
 * Walks through folders, 50 in a call. Such a call is known to find nothing at times where it should (Google's issue
 * 149522397, as rclone tells): so its folders are then asked for one by one, and for good where that finds something.
 */
export class Walker {
  readonly #listing: Listing;
  #together = mostFolders;

  constructor(listing: Listing) {
    this.#listing = listing;
  }

  async *walk(start: WalkState, signal?: AbortSignal): AsyncGenerator<Step> {
    let state: WalkState | undefined = start;
    while (state) {
      const step = await this.#step(state, signal);
      state = step.state;
      yield step;
    }
  }

  async #step({ todo, group, next }: WalkState, signal: AbortSignal | undefined): Promise<Step> {
    // The folders met last come first, so that few are waiting at any time.
    const asked = group.length > 0 ? group : todo.slice(-this.#together);
    const rest = group.length > 0 ? todo : todo.slice(0, -asked.length);
    if (asked.length === 0) return { files: [], state: undefined };
    let page: Awaited<ReturnType<Listing["page"]>>;
    try {
      page = await this.#listing.page(asked, next, signal);
    } catch (error) {
      // A page's token does not live long: what was met once is met again.
      if (next === undefined || !isCode(error, "Gone")) throw error;
      page = await this.#listing.page(asked, undefined, signal);
    }
    if (page.files.length === 0 && page.next === undefined && next === undefined && asked.length > 1)
      return this.#apart(rest, asked, signal);
    const met = page.files.filter(isFolder).map(({ id }) => id);
    const waiting = [...rest, ...met];
    if (page.next !== undefined)
      return { files: page.files, state: { todo: waiting, group: asked, next: page.next } };
    return { files: page.files, state: waiting.length > 0 ? walkOf(waiting) : undefined };
  }

  /** Asks for each of several folders of which a search found nothing. */
  async #apart(
    rest: readonly string[],
    folders: readonly string[],
    signal: AbortSignal | undefined,
  ): Promise<Step> {
    const files: DriveFile[] = [];
    for (const folder of folders) {
      let next: string | undefined;
      do {
        const page = await this.#listing.page([folder], next, signal);
        files.push(...page.files);
        next = page.next;
      } while (next !== undefined);
    }
    if (files.length > 0) this.#together = 1;
    const waiting = [...rest, ...files.filter(isFolder).map(({ id }) => id)];
    return { files, state: waiting.length > 0 ? walkOf(waiting) : undefined };
  }
}

export const isFolder = ({ mimeType }: DriveFile) => mimeType === folderType;
