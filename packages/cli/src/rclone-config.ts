import { randomUUID } from "node:crypto";
import { readFile, realpath, rename, rm, writeFile } from "node:fs/promises";

/**
 * Puts a section into an rclone.conf in the place of one of that name, and leaves all else in it as it is. The
 * file is whole at any time and its owner's alone.
 */
export async function writeSection(file: string, name: string, section: string): Promise<void> {
  const target = await realpath(file).catch(() => file);
  const before = await readFile(target, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return "";
    throw error;
  });
  const temporary = `${target}.${randomUUID()}`;
  try {
    await writeFile(temporary, replaceSection(before, name, section), { mode: 0o600, flag: "wx" });
    await rename(temporary, target);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

function replaceSection(text: string, name: string, section: string): string {
  const kept: string[] = [];
  let inside = false;
  for (const line of text.split("\n")) {
    const header = /^\s*\[(.*)\]\s*$/.exec(line);
    if (header) inside = header[1] === name;
    if (!inside) kept.push(line);
  }
  const rest = kept.join("\n").trim();
  return rest === "" ? section : `${rest}\n\n${section}`;
}
