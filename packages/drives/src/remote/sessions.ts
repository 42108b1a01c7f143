import { mkdir, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { isLeftOver, temporaryName } from "../processes.ts";
import type { UploadSession, Vendor } from "./vendor.ts";

/** The upload sessions that are open, on disk, so that those which a crash leaves behind are given up. */
export class Sessions {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Notes a session. @returns what forgets it */
  async note({ state }: UploadSession): Promise<() => Promise<void>> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    const path = join(this.#folder, temporaryName());
    await writeFile(path, state, { mode: 0o600, flag: "wx" });
    return () => rm(path, { force: true });
  }

  /** Gives up those that are left over (see `isLeftOver`). @returns how many */
  async sweep(vendor: Vendor, olderThan: number): Promise<number> {
    let count = 0;
    for (const name of await readdir(this.#folder).catch(() => [])) {
      const path = join(this.#folder, name);
      const stats = await stat(path).catch(() => undefined);
      if (!stats || !isLeftOver(name, stats.mtimeMs, olderThan)) continue;
      await vendor.cancelUpload(await readFile(path, "utf8"));
      await rm(path, { force: true });
      count++;
    }
    return count;
  }
}
