import { type Drive, type DriveEntry, DriveError } from "@overcoat/drives";
import type { FolderIndex } from "./folder-index.ts";
import { type FolderNames, noNames } from "./folder-names.ts";
import { compareKeys, sortKey } from "./keys.ts";

interface Reading {
  readonly stamp: string;
  readonly names: Promise<readonly string[]>;
}

/** The coarsest clock of common file systems ticks every 2 s (FAT); a listing read sooner proves nothing. */
const granularity = 2_000;
const beyondAscii = /[\ud800-\uffff]/;

/** Sorted names of folders: from the index while the folder's own time stands, else from the drive. */
export class Folders {
  readonly #drive: Drive;
  readonly #index: FolderIndex;
  readonly #readings = new Map<string, Reading>();

  constructor(drive: Drive, index: FolderIndex) {
    this.#drive = drive;
    this.#index = index;
  }

  /** Sort keys (folders end in `/`) of what is visible in a folder; none when there is no such folder. */
  async names(path: string): Promise<FolderNames> {
    const folder = await this.#drive.stat(path);
    if (folder?.kind !== "folder") {
      await this.#index.remove(path);
      return noNames;
    }
    const stamp = stampOf(folder);
    const indexed = stamp === undefined ? undefined : this.#index.get(path, stamp);
    if (indexed) return indexed;
    const names = await (stamp === undefined || isFresh(folder)
      ? this.#read(path)
      : this.#readOnce(path, stamp));
    return () => ({ names });
  }

  /** Requests share one reading where no change can have escaped it. */
  #readOnce(path: string, stamp: string): Promise<readonly string[]> {
    const running = this.#readings.get(path);
    if (running?.stamp === stamp) return running.names;
    const names = this.#read(path);
    const reading = { stamp, names };
    this.#readings.set(path, reading);
    names
      .then((read) => this.#index.put(path, stamp, read))
      // The reader is told; an index that cannot be written costs only speed.
      .catch(() => undefined)
      .finally(() => {
        if (this.#readings.get(path) === reading) this.#readings.delete(path);
      });
    return names;
  }

  async #read(path: string): Promise<string[]> {
    const names: string[] = [];
    let special = false;
    try {
      for await (const page of this.#drive.list(path))
        for (const { name, kind } of page) {
          const sorted = sortKey(name, kind);
          if (sorted === undefined) continue;
          special ||= beyondAscii.test(sorted);
          names.push(sorted);
        }
    } catch (error) {
      if (error instanceof DriveError && (error.code === "NotFound" || error.code === "NotAFolder"))
        return [];
      throw error;
    }
    return special ? names.sort(compareKeys) : names.sort();
  }
}

/** What changes with the names in a folder; undefined where nothing is known to. */
const stampOf = ({ id, modified, stamp = `${id} ${modified}` }: DriveEntry) => stamp ?? undefined;

/** Whether the folder changed so lately that a change now may not show. */
const isFresh = ({ modified, stamp }: DriveEntry) =>
  stamp === undefined && Date.now() - modified <= granularity;
