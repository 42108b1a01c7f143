import type { DescribedFile, Drive, OpenFile } from "@overcoat/drives";
import { translate } from "./drive-errors.ts";
import { ObjectsError } from "./errors.ts";
import { checkKey, hiddenFolder, overflowPath, overflowRoot, treePath } from "./keys.ts";
import { objectInfo } from "./record.ts";

/** The file of a key. */
export interface FoundKey {
  readonly path: string;
  readonly file: DescribedFile;
  readonly info: ReturnType<typeof objectInfo>;
}

/**
 * Where the keys of buckets lie in the drive: each at its own path, or aside where another key is in the way. Folders
 * of buckets are given by their paths.
 */
export class KeyTree {
  readonly #drive: Drive;

  constructor(drive: Drive) {
    this.#drive = drive;
  }

  /** @throws ObjectsError when no object can have this key */
  async find(folder: string, key: string): Promise<FoundKey | undefined> {
    checkKey(key);
    const found = async (path: string | undefined) => {
      const file = path === undefined ? undefined : await translate(() => this.#drive.describe(path));
      return path !== undefined && file?.entry.kind === "file"
        ? { path, file, info: objectInfo(key, file) }
        : undefined;
    };
    const inTree = await found(treePath(this.#drive, folder, key));
    if (inTree || !(await this.#hasOverflow(folder))) return inTree;
    return found(overflowPath(folder, key));
  }

  /** @throws ObjectsError when no object can have this key */
  async open(folder: string, key: string): Promise<OpenFile | undefined> {
    checkKey(key);
    const path = treePath(this.#drive, folder, key);
    const file = path === undefined ? undefined : await translate(() => this.#drive.open(path));
    if (file || !(await this.#hasOverflow(folder))) return file;
    return translate(() => this.#drive.open(overflowPath(folder, key)));
  }

  /**
   * Where a write of a key goes: where it is, else its path, else aside when another key is in the way.
   * @throws ObjectsError KeyTooLongError
   */
  async place(folder: string, key: string): Promise<string> {
    const path = treePath(this.#drive, folder, key);
    if (path === undefined) {
      const aside = overflowPath(folder, key);
      if (this.#drive.fits(aside)) return aside;
      throw new ObjectsError("KeyTooLongError", "Your key is too long for the drive");
    }
    const there = await this.#drive.stat(path);
    if (there?.kind === "file") return path;
    const inTheWay = there !== undefined || (await this.#fileAbove(folder, path));
    if (!inTheWay && !(await this.#hasOverflow(folder))) return path;
    const aside = overflowPath(folder, key);
    return inTheWay || (await this.#drive.stat(aside)) ? aside : path;
  }

  /** Removes the folders above a path of a bucket that are empty. */
  async removeEmptyFolders(folder: string, path: string): Promise<void> {
    const stop = path.startsWith(`${folder}/${hiddenFolder}/`)
      ? folder.length + hiddenFolder.length + 1
      : folder.length;
    for (let end = path.lastIndexOf("/"); end > stop; end = path.lastIndexOf("/", end - 1))
      if (!(await this.#drive.removeFolder(path.slice(0, end)))) return;
  }

  /** The same for many paths. */
  async removeAllEmptyFolders(folder: string, paths: readonly string[]): Promise<void> {
    const one = new Map(paths.map((path) => [path.slice(0, path.lastIndexOf("/")), path]));
    // Those within others first.
    for (const parent of [...one.keys()].sort((a, b) => b.length - a.length))
      await this.removeEmptyFolders(folder, one.get(parent)!);
  }

  async #hasOverflow(folder: string): Promise<boolean> {
    return (await this.#drive.stat(overflowRoot(folder)))?.kind === "folder";
  }

  async #fileAbove(folder: string, path: string): Promise<boolean> {
    for (let end = path.lastIndexOf("/"); end > folder.length; end = path.lastIndexOf("/", end - 1)) {
      const above = await this.#drive.stat(path.slice(0, end));
      if (above) return above.kind === "file";
    }
    return false;
  }
}
