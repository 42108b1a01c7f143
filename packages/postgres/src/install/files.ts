import { chmod, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { ExtensionFile } from "@overcoat/sql";

/** Writes control files and scripts into a folder where the server's user can read them. */
export async function writeExtensionFiles(folder: string, files: readonly ExtensionFile[]): Promise<void> {
  for (const { name, text } of files) {
    const file = join(folder, name);
    await writeFile(file, text);
    await chmod(file, 0o644);
  }
}
