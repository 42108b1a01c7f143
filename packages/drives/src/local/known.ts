import type fs from "node:fs";
import type { DescribedFile } from "../drive.ts";
import type { LocalEntry } from "./open.ts";

/** Files kept in memory. */
const most = 100_000;
/** The coarsest clock of file systems with attributes; what is read sooner after a change proves nothing. */
const granularity = 2_000;

interface Known {
  readonly changed: number;
  readonly file: DescribedFile;
}

/** What was read of files, good while their time of change stands: that moves with bytes and attributes alike. */
export class KnownFiles {
  readonly #files = new Map<number, Known>();

  /** The same object as long as nothing of the file has changed; undefined when that is not known. */
  recall(stats: fs.Stats): DescribedFile | undefined {
    const known = this.#files.get(stats.ino);
    if (known?.changed !== stats.ctimeMs || !stats.isFile()) return undefined;
    const { entry } = known.file;
    return entry.size === stats.size && entry.id.startsWith(`${stats.dev}-`) ? known.file : undefined;
  }

  /** `file` must be what the file with this entry surely had. */
  remember({ changed, inode }: LocalEntry, file: DescribedFile): void {
    if (Date.now() - changed <= granularity) return;
    if (this.#files.size >= most) this.#files.delete(this.#files.keys().next().value as number);
    this.#files.set(inode, { changed, file });
  }
}
