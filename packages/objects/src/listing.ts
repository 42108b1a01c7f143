import type { Drive } from "@overcoat/drives";
import type { Folders } from "./folders.ts";
import { compareKeys, hiddenFolder, nameOf, overflowKey, overflowRoot } from "./keys.ts";
import type { ObjectInfo } from "./metadata.ts";
import { objectInfo } from "./record.ts";

export interface ListRequest {
  readonly prefix?: string;
  readonly delimiter?: string;
  /** Only keys behind this one. */
  readonly after?: string;
  /** Only keys and common prefixes behind this common prefix, with all that is in it. */
  readonly afterPrefix?: string;
  /** Objects and common prefixes together, at most; default 1,000. */
  readonly maxKeys?: number;
}

/** One page: objects and common prefixes, each in the order of S3 keys. */
export interface ListPage {
  readonly objects: readonly ObjectInfo[];
  readonly prefixes: readonly string[];
  readonly truncated: boolean;
  /** The last key or common prefix of this page. */
  readonly last?: { key: string } | { prefix: string };
}

interface Found {
  /** A key, or with `folder` a common prefix. */
  readonly key: string;
  readonly path: string;
  readonly folder: boolean;
}

interface Walk {
  readonly prefix: string;
  readonly after: string | undefined;
  /** Folders are taken whole below the prefix. */
  readonly rollUp: boolean;
  /** All that begins so is to be passed over; moves forward as common prefixes are found. */
  skip: string | undefined;
}

/** Lists a bucket: costs what the page shows, and the folders on the way to it. */
export class Listing {
  readonly #drive: Drive;
  readonly #folders: Folders;

  constructor(drive: Drive, folders: Folders) {
    this.#drive = drive;
    this.#folders = folders;
  }

  async page(bucketPath: string, request: ListRequest): Promise<ListPage> {
    const { prefix = "", delimiter, maxKeys = 1000 } = request;
    const walk: Walk = { prefix, after: request.after, rollUp: delimiter === "/", skip: request.afterPrefix };
    const objects: ObjectInfo[] = [];
    const prefixes: string[] = [];
    let last: ListPage["last"];
    if (maxKeys <= 0) return { objects, prefixes, truncated: false };
    for await (const found of this.#all(bucketPath, walk)) {
      const common = found.folder ? found.key : commonPrefix(found.key, prefix, delimiter);
      const full = objects.length + prefixes.length >= maxKeys;
      if (common !== undefined) {
        if (full) return { objects, prefixes, truncated: true, last };
        prefixes.push(common);
        walk.skip = common;
        last = { prefix: common };
        continue;
      }
      const file = await this.#drive.describe(found.path);
      if (file?.entry.kind !== "file") continue;
      if (full) return { objects, prefixes, truncated: true, last };
      objects.push(objectInfo(found.key, file));
      last = { key: found.key };
    }
    return { objects, prefixes, truncated: false, last };
  }

  async *#all(bucketPath: string, walk: Walk): AsyncGenerator<Found> {
    const extra = await this.#overflow(bucketPath);
    let next = 0;
    const pick = (key: string) =>
      visible(key, walk) && !(walk.after !== undefined && compareKeys(key, walk.after) <= 0);
    for await (const found of this.#tree(bucketPath, "", walk)) {
      for (; next < extra.length && compareKeys(extra[next]!.key, found.key) < 0; next++)
        if (pick(extra[next]!.key)) yield extra[next]!;
      if (visible(found.key, walk)) yield found;
    }
    for (; next < extra.length; next++) if (pick(extra[next]!.key)) yield extra[next]!;
  }

  async *#tree(folder: string, above: string, walk: Walk): AsyncGenerator<Found> {
    const names = await this.#folders.names(folder);
    for (let at = firstIndex(names, above, walk); at < names.length; at++) {
      const name = names[at]!;
      const key = above + name;
      const isFolder = name.endsWith("/");
      if (!key.startsWith(walk.prefix) && !(isFolder && walk.prefix.startsWith(key))) {
        if (compareKeys(key, walk.prefix) > 0) return;
        continue;
      }
      if (walk.skip !== undefined && key.startsWith(walk.skip)) continue;
      if (walk.after !== undefined && compareKeys(key, walk.after) <= 0)
        if (!isFolder || !walk.after.startsWith(key)) continue;
      const path = `${folder}/${nameOf(name)}`;
      if (!isFolder) yield { key, path, folder: false };
      else if (walk.rollUp && key.length > walk.prefix.length && key.startsWith(walk.prefix)) {
        if (walk.after?.startsWith(key) && !(await this.#hasMore(path, key, walk))) continue;
        yield { key, path, folder: true };
      } else yield* this.#tree(path, key, walk);
    }
  }

  /** Whether a folder in which a page begins has a key behind that place. */
  async #hasMore(path: string, key: string, walk: Walk): Promise<boolean> {
    for await (const _ of this.#tree(path, key, { ...walk, rollUp: false })) return true;
    return false;
  }

  /** The few keys of a bucket that are no paths, in order. */
  async #overflow(bucketPath: string): Promise<Found[]> {
    const root = overflowRoot(bucketPath);
    const found: Found[] = [];
    const collect = async (folder: string, relative: string): Promise<void> => {
      for (const name of await this.#folders.names(folder))
        if (name.endsWith("/")) await collect(`${folder}/${name.slice(0, -1)}`, `${relative}${name}`);
        else found.push({ key: overflowKey(relative + name), path: `${folder}/${name}`, folder: false });
    };
    if ((await this.#drive.stat(`${bucketPath}/${hiddenFolder}`))?.kind === "folder") await collect(root, "");
    return found.sort((a, b) => compareKeys(a.key, b.key));
  }
}

const visible = (key: string, walk: Walk) =>
  key.startsWith(walk.prefix) && !(walk.skip !== undefined && key.startsWith(walk.skip));

function commonPrefix(key: string, prefix: string, delimiter: string | undefined): string | undefined {
  if (!delimiter) return undefined;
  const end = key.indexOf(delimiter, prefix.length);
  return end < 0 ? undefined : key.slice(0, end + delimiter.length);
}

/** Index of the first name that can matter to the walk. */
function firstIndex(names: readonly string[], above: string, walk: Walk): number {
  const bounds: string[] = [];
  for (const bound of [walk.prefix, walk.after, walk.skip])
    if (bound !== undefined && bound.startsWith(above) && bound.length > above.length) {
      const rest = bound.slice(above.length);
      const slash = rest.indexOf("/");
      bounds.push(slash < 0 ? rest : rest.slice(0, slash + 1));
    }
  if (bounds.length === 0) return 0;
  const bound = bounds.reduce((a, b) => (compareKeys(a, b) >= 0 ? a : b));
  let low = 0;
  let high = names.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (compareKeys(names[middle]!, bound) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
