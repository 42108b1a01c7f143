import type { Revision } from "./drive.ts";
import { foldName } from "./names.ts";

/** What files were: the last revisions of each path, also of those that nothing has any more. */
export class Revisions {
  readonly #most: number;
  readonly #byRev = new Map<string, Revision>();
  /** Newest first. */
  readonly #byPath = new Map<string, Revision[]>();

  /** @param most how many each path keeps */
  constructor(most: number) {
    this.#most = most;
  }

  add(revision: Revision): void {
    const key = keyOf(revision.path);
    const all = this.#byPath.get(key) ?? [];
    this.#byPath.set(key, all);
    all.unshift(revision);
    this.#byRev.set(revision.rev, revision);
    for (const old of all.splice(this.#most)) {
      this.#byRev.delete(old.rev);
      old.content.release();
    }
  }

  get(rev: string): Revision | undefined {
    return this.#byRev.get(rev);
  }

  /** Newest first. @param path the names from the root of the tree */
  ofPath(path: readonly string[]): readonly Revision[] {
    return this.#byPath.get(keyOf(path)) ?? [];
  }

  /** Newest first, wherever the file was. */
  ofFile(id: string): readonly Revision[] {
    return [...this.#byRev.values()].filter((revision) => revision.id === id).reverse();
  }
}

const keyOf = (path: readonly string[]) => path.map(foldName).join("/");
