import { DriveError } from "../drive.ts";
import type { Item } from "../remote/vendor.ts";
import { type DropboxClient, entryError, RouteError, type Tagged } from "./client.ts";
import type { Committer } from "./committer.ts";
import { pathOf } from "./items.ts";

/** Most entries of a batch. */
export const mostInBatch = 1000;
const attempts = 5;
/** Milliseconds between two looks at a batch, doubled each time, and until it is given up. */
const firstLook = 100;
const longestLook = 2_000;
const longestBatch = 10 * 60_000;

type Entry = { readonly ".tag": "success" } | { readonly ".tag": "failure"; readonly failure: Tagged };
type Progress =
  | { readonly ".tag": "in_progress" }
  | { readonly ".tag": "complete"; readonly entries: readonly Entry[] }
  | { readonly ".tag": "failed"; readonly failed: Tagged };
type Launch = Progress | { readonly ".tag": "async_job_id"; readonly async_job_id: string };

const batchRoute = "files/delete_batch";

/** Removes items, each call in its turn. */
export class Removal {
  readonly #client: DropboxClient;
  readonly #committer: Committer;

  constructor(client: DropboxClient, committer: Committer) {
    this.#client = client;
    this.#committer = committer;
  }

  /** As `Vendor.remove`. A condition can only be made for files. */
  async one(item: Item, condition?: "unchanged"): Promise<boolean> {
    const conditional = condition !== undefined && item.kind === "file";
    const argument = { path: pathOf(item.id), ...(conditional && { parent_rev: item.version }) };
    try {
      await this.#committer.run(() => this.#client.rpc("files/delete_v2", argument, { repeatable: true }));
      return true;
    } catch (error) {
      if (!(error instanceof RouteError)) throw error;
      if (isGone(error)) return false;
      if (error.is("conflict")) throw new DriveError("Changed", "The file was changed in Dropbox.");
      throw error;
    }
  }

  /** As `Vendor.removeAll`. */
  async all(items: readonly Item[]): Promise<(boolean | Error)[]> {
    const results: (boolean | Error)[] = [];
    for (let start = 0; start < items.length; start += mostInBatch)
      results.push(...(await this.#batch(items.slice(start, start + mostInBatch))));
    return results;
  }

  async #batch(items: readonly Item[]): Promise<(boolean | Error)[]> {
    const [only] = items;
    if (only && items.length === 1) return [await this.one(only).catch((error: Error) => error)];
    const results: (boolean | Error)[] = [];
    let open = items.map((_, index) => index);
    for (let attempt = 1; open.length > 0; attempt += 1) {
      let entries: readonly Entry[];
      try {
        const paths = open.map((index) => ({ path: pathOf(items[index]!.id) }));
        entries = await this.#committer.run(() => this.#run(paths));
      } catch (error) {
        for (const index of open) results[index] = error as Error;
        return results;
      }
      const again: number[] = [];
      for (const [at, index] of open.entries()) {
        const outcome = outcomeOf(entries[at]);
        results[index] = outcome.result;
        if (outcome.again && attempt < attempts) again.push(index);
      }
      open = again;
      if (open.length > 0) await this.#client.clock.sleep(attempt * 500);
    }
    return results;
  }

  /** Removes what a batch names. @returns what became of each */
  async #run(entries: readonly { readonly path: string }[]): Promise<readonly Entry[]> {
    // What is gone already stays gone.
    let state = await this.#client.rpc<Launch>(batchRoute, { entries }, { repeatable: true });
    const job = state[".tag"] === "async_job_id" ? state.async_job_id : "";
    const end = this.#client.clock.now() + longestBatch;
    for (let wait = firstLook; state[".tag"] !== "complete"; wait = Math.min(longestLook, 2 * wait)) {
      if (state[".tag"] === "failed") throw entryError(batchRoute, state.failed).error;
      if (this.#client.clock.now() > end)
        throw new DriveError("Unavailable", "Dropbox did not finish removing files in ten minutes.");
      await this.#client.clock.sleep(wait);
      const check = { async_job_id: job };
      state = await this.#client.rpc<Progress>(`${batchRoute}/check`, check, { repeatable: true });
    }
    return state.entries;
  }
}

function outcomeOf(entry: Entry | undefined): { result: boolean | Error; again: boolean } {
  if (!entry)
    return { result: new DriveError("Unavailable", "Dropbox left out a part of a batch."), again: true };
  if (entry[".tag"] === "success") return { result: true, again: false };
  const { error, remedy } = entryError(batchRoute, entry.failure);
  if (error instanceof RouteError && isGone(error)) return { result: false, again: false };
  return { result: error, again: remedy !== undefined };
}

const isGone = (error: RouteError) => error.is("path_lookup", "not_found");
