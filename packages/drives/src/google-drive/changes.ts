import type { ChangePage, Item, RemovedItem } from "../remote/vendor.ts";
import { type DriveClient, isCode } from "./client.ts";
import { type DriveFile, fileFields } from "./items.ts";
import type { Listing } from "./listing.ts";
import { isFolder, Walker, type WalkState, walkOf } from "./walk.ts";

interface Change {
  readonly fileId?: string;
  readonly removed?: boolean;
  readonly file?: DriveFile;
}

interface ChangeList {
  readonly changes?: readonly Change[];
  readonly nextPageToken?: string;
  readonly newStartPageToken?: string;
}

/** Where the feed goes on: behind a change, and in the walk before that where this has not ended. */
interface Cursor {
  readonly token: string;
  readonly walk?: WalkState;
}

/** Folders of which it is remembered that what is below is known. */
const mostKnown = 200_000;

/**
 * All that is below a folder, and then the changes of its drive. Google tells of a folder alone when it comes out of
 * the trash or from elsewhere, so all that is below it is walked, unless it was known to be there before.
 */
export class Feed {
  readonly #client: DriveClient;
  readonly #listing: Listing;
  readonly #walker: Walker;
  readonly #root: string;
  readonly #itemOf: (file: DriveFile) => Item | undefined;
  /** The folder of each folder that was walked. */
  readonly #known = new Map<string, string | undefined>();

  constructor(
    client: DriveClient,
    listing: Listing,
    root: string,
    itemOf: (file: DriveFile) => Item | undefined,
  ) {
    this.#client = client;
    this.#listing = listing;
    this.#walker = new Walker(listing);
    this.#root = root;
    this.#itemOf = itemOf;
  }

  /** As `Vendor.changes`. */
  async *pages(from: string | undefined, signal?: AbortSignal): AsyncGenerator<ChangePage> {
    const cursor = from === undefined ? undefined : parse(from);
    if (cursor?.walk) yield* this.#walk(cursor.token, cursor.walk, false, signal);
    if (cursor && (yield* this.#follow(cursor.token, signal))) return;
    // There is no cursor, or the service does not take it any more.
    const token = await this.#startToken(signal);
    yield* this.#walk(token, walkOf([this.#root]), from !== undefined, signal);
    yield* this.#follow(token, signal);
  }

  /** Notes a folder that was made with nothing in it. */
  remember({ id, parents }: DriveFile): void {
    if (this.#known.size >= mostKnown) this.#known.clear();
    this.#known.set(id, parents?.[0]);
  }

  async *#walk(
    token: string,
    start: WalkState,
    anew: boolean,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<ChangePage> {
    let reset = anew;
    for await (const { files, state } of this.#walker.walk(start, signal)) {
      yield { changes: this.#walked(files), cursor: JSON.stringify({ token, walk: state }), reset };
      reset = false;
    }
  }

  /** @returns false where the token is refused */
  async *#follow(from: string, signal: AbortSignal | undefined): AsyncGenerator<ChangePage, boolean> {
    for (let token = from; ; ) {
      const list = await this.#list(token, signal);
      if (list === undefined) return false;
      const { changes = [], nextPageToken, newStartPageToken } = list;
      const unknown = this.#unknown(changes);
      if (unknown.length > 0)
        for await (const { files } of this.#walker.walk(walkOf(unknown), signal))
          yield { changes: this.#walked(files), cursor: JSON.stringify({ token }), reset: false };
      token = nextPageToken ?? newStartPageToken ?? token;
      const told = changes.flatMap((change) => this.#told(change));
      yield { changes: told, cursor: JSON.stringify({ token }), reset: false };
      if (nextPageToken === undefined) return true;
    }
  }

  async #startToken(signal: AbortSignal | undefined): Promise<string> {
    const { body } = await this.#client.http.json<{ startPageToken: string }>({
      endpoint: "GET startPageToken",
      method: "GET",
      url: this.#client.v3("changes/startPageToken", { driveId: this.#listing.sharedDrive }),
      signal,
    });
    return body.startPageToken;
  }

  /** A page of the feed; undefined where the token is refused. */
  async #list(token: string, signal: AbortSignal | undefined): Promise<ChangeList | undefined> {
    const url = this.#client.v3("changes", {
      ...this.#listing.scope,
      pageToken: token,
      pageSize: "1000",
      includeRemoved: "true",
      fields: `nextPageToken,newStartPageToken,changes(fileId,removed,file(${fileFields}))`,
    });
    try {
      return (
        await this.#client.http.json<ChangeList>({ endpoint: "GET changes", method: "GET", url, signal })
      ).body;
    } catch (error) {
      if (isCode(error, "Gone")) return undefined;
      throw error;
    }
  }

  #told({ fileId, removed, file }: Change): (Item | RemovedItem)[] {
    // Changes of a shared drive itself have no file.
    if (fileId === undefined || fileId === this.#root) return [];
    const item = removed || !file ? undefined : this.#itemOf(file);
    return [item ?? { id: fileId, removed: true }];
  }

  #walked(files: readonly DriveFile[]): Item[] {
    for (const file of files) if (isFolder(file)) this.remember(file);
    return files.map((file) => this.#itemOf(file)).filter((item) => item !== undefined);
  }

  /** The folders of a page below which there may be what was never told. */
  #unknown(changes: readonly Change[]): string[] {
    const folders: string[] = [];
    for (const { fileId, removed, file } of changes) {
      if (fileId === undefined || fileId === this.#root) continue;
      if (removed || !file || file.trashed) {
        this.#known.delete(fileId);
        continue;
      }
      if (!isFolder(file)) continue;
      if (!this.#isKnown(fileId)) folders.push(fileId);
      this.remember(file);
    }
    return folders;
  }

  /** Whether a folder and all above it up to the root were walked, none having gone since. */
  #isKnown(id: string): boolean {
    let at: string | undefined = id;
    for (let depth = 0; at !== undefined && depth < 200; depth += 1) {
      if (at === this.#root) return true;
      at = this.#known.get(at);
    }
    return false;
  }
}

function parse(text: string): Cursor | undefined {
  try {
    const cursor = JSON.parse(text) as Partial<Cursor>;
    return typeof cursor.token === "string" ? (cursor as Cursor) : undefined;
  } catch {
    return undefined;
  }
}
