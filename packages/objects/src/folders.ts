import { type Drive, DriveError } from "@overcoat/drives";
import { compareKeys, sortKey } from "./keys.ts";

interface Listing {
  readonly modified: number;
  readonly id: string;
  readonly names: readonly string[];
  /** A change after the reading would have shown in the folder's time: the listing may be kept. */
  readonly settled: boolean;
}

/** Names kept in memory over all folders. */
const capacity = 1_000_000;
/** The coarsest clock of common file systems ticks every 2 s (FAT); a listing read sooner proves nothing. */
const granularity = 2_000;
const beyondAscii = /[\ud800-\uffff]/;

/** Sorted names of folders, kept while the folder's own time stands. */
export class Folders {
  readonly #drive: Drive;
  readonly #kept = new Map<string, Listing>();
  #size = 0;

  constructor(drive: Drive) {
    this.#drive = drive;
  }

  /** Sort keys (folders end in `/`) of what is visible in a folder; empty when there is no such folder. */
  async names(path: string): Promise<readonly string[]> {
    const folder = await this.#drive.stat(path);
    if (folder?.kind !== "folder") {
      this.#drop(path);
      return [];
    }
    const kept = this.#kept.get(path);
    if (kept?.settled && kept.modified === folder.modified && kept.id === folder.id) {
      this.#kept.delete(path);
      this.#kept.set(path, kept);
      return kept.names;
    }
    const names = await this.#read(path);
    this.#drop(path);
    this.#kept.set(path, {
      modified: folder.modified,
      id: folder.id,
      names,
      settled: Date.now() - folder.modified > granularity,
    });
    this.#size += names.length + 1;
    for (const oldest of this.#kept.keys()) {
      if (this.#size <= capacity || oldest === path) break;
      this.#drop(oldest);
    }
    return names;
  }

  #drop(path: string): void {
    const kept = this.#kept.get(path);
    if (!kept) return;
    this.#size -= kept.names.length + 1;
    this.#kept.delete(path);
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
