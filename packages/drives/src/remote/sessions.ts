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

  /**
   * Gives up those that are left over (see `isLeftOver`). What the vendor cannot give up now, or another process gives
   * up at the same time, is left to the next time.
   * @returns how many
   */
  async sweep(vendor: Vendor, olderThan: number): Promise<number> {
    let count = 0;
    for (const name of await readdir(this.#folder).catch(() => [])) {
      const path = join(this.#folder, name);
      const stats = await stat(path).catch(() => undefined);
      if (!stats || !isLeftOver(name, stats.mtimeMs, olderThan)) continue;
      try {
        const state = await readFile(path, "utf8");
        // Empty where sessions end by themselves, or where the process ended before it was written.
        if (state !== "") await vendor.cancelUpload(state);
        await rm(path);
        count++;
      } catch {}
    }
    return count;
  }
}
