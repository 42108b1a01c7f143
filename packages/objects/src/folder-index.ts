import { join } from "node:path";
import { type Database, open, type RootDatabase } from "lmdb";
import type { FolderNames, NameBlock } from "./folder-names.ts";

/** A folder whose names are indexed, as it was when they were read. */
interface IndexedFolder {
  readonly stamp: string;
  /** Which blocks hold its names. */
  readonly generation: number;
}

/** Names in a block: about what one page of a listing shows. */
const blockSize = 1000;
/** Longest path and name in bytes that fit into a key of the store beside what else is in it. */
const longestIndexed = 1900;

/**
 * The names of folders in the order of S3 keys, kept on disk for all processes with the same data directory.
 * It may be deleted at any time: what is missing is read from the drive again.
 */
export class FolderIndex {
  readonly #root: RootDatabase;
  readonly #folders: Database<IndexedFolder, string>;
  readonly #blocks: Database<NameBlock, [generation: number, first: string]>;

  constructor(data: string) {
    this.#root = open({ path: join(data, "index.mdb") });
    this.#folders = this.#root.openDB({ name: "folders" });
    this.#blocks = this.#root.openDB({ name: "blocks" });
  }

  /** The names of a folder, if they were read when it had this stamp. */
  get(path: string, stamp: string): FolderNames | undefined {
    if (Buffer.byteLength(path) > longestIndexed) return undefined;
    // What another process has written since this one began to read must show.
    this.#root.resetReadTxn();
    const folder = this.#folders.get(path);
    if (folder?.stamp !== stamp) return undefined;
    const { generation } = folder;
    if (this.#blocks.get([generation, ""]) === undefined) return undefined;
    return (bound) => this.#block(generation, bound);
  }

  #block(generation: number, bound: string): NameBlock {
    const range = { start: [generation, bound], end: [generation], reverse: true, limit: 1 };
    for (const { value } of this.#blocks.getRange(range as object)) return value;
    // Another process has read the folder anew meanwhile.
    throw new OutdatedNames();
  }

  /** Keeps the sorted names of a folder in place of those that were known. */
  async put(path: string, stamp: string, names: readonly string[]): Promise<void> {
    if (Buffer.byteLength(path) > longestIndexed) return;
    await this.#root.transaction(() => {
      this.#drop(path);
      const generation = ((this.#root.get("generation") as number | undefined) ?? 0) + 1;
      this.#root.put("generation", generation);
      for (let at = 0; at === 0 || at < names.length; at += blockSize) {
        const first = at === 0 ? "" : names[at]!;
        this.#blocks.put([generation, first], {
          names: names.slice(at, at + blockSize),
          next: names[at + blockSize],
        });
      }
      this.#folders.put(path, { stamp, generation });
    });
  }

  /** Forgets a folder that is gone. */
  async remove(path: string): Promise<void> {
    if (Buffer.byteLength(path) > longestIndexed || this.#folders.get(path) === undefined) return;
    await this.#root.transaction(() => this.#drop(path));
  }

  #drop(path: string): void {
    const folder = this.#folders.get(path);
    if (folder === undefined) return;
    const range = { start: [folder.generation], end: [folder.generation + 1] };
    for (const key of [...this.#blocks.getKeys(range as object)]) this.#blocks.remove(key);
    this.#folders.remove(path);
  }

  close(): Promise<void> {
    return this.#root.close();
  }
}

/** The names being read were replaced by newer ones: begin again. */
export class OutdatedNames extends Error {}
