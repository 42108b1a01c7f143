import type { Drive } from "@overcoat/drives";
import { OutdatedNames } from "./folder-index.ts";
import { NameCursor } from "./folder-names.ts";
import type { Folders } from "./folders.ts";
import { compareKeys, nameOf, overflowKey, overflowRoot } from "./keys.ts";
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
  /** A key, or with `isFolder` a common prefix. */
  readonly key: string;
  /** Path of the folder that it is in. */
  readonly folder: string;
  readonly name: string;
  readonly isFolder: boolean;
}

interface Walk {
  readonly prefix: string;
  readonly after: string | undefined;
  /** Folders are taken whole below the prefix. */
  readonly rollUp: boolean;
  /** All that begins so is to be passed over; moves forward as common prefixes are found. */
  skip: string | undefined;
}

/** Files of one folder that the walk hands on together. */
const batchSize = 256;
/** How often a page is begun anew because others change its folders. */
const attempts = 10;
/** Sorts behind all that a name goes on with. */
const highest = "\u{10ffff}";

/** Lists a bucket: costs what the page shows, and the folders on the way to it. */
export class Listing {
  readonly #drive: Drive;
  readonly #folders: Folders;

  constructor(drive: Drive, folders: Folders) {
    this.#drive = drive;
    this.#folders = folders;
  }

  async page(bucketPath: string, request: ListRequest): Promise<ListPage> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#page(bucketPath, request);
      } catch (error) {
        if (!(error instanceof OutdatedNames) || attempt === attempts) throw error;
      }
    }
  }

  async #page(bucketPath: string, request: ListRequest): Promise<ListPage> {
    const { prefix = "", delimiter, maxKeys = 1000 } = request;
    const walk: Walk = { prefix, after: request.after, rollUp: delimiter === "/", skip: request.afterPrefix };
    const objects: ObjectInfo[] = [];
    const prefixes: string[] = [];
    let last: ListPage["last"];
    let files: Found[] = [];
    const full = () => objects.length + prefixes.length >= maxKeys;
    /** Adds what is left of the files. @returns whether there are more than the page holds */
    const settle = async (): Promise<boolean> => {
      const taken = files;
      files = [];
      for (const info of await this.#describe(taken)) {
        if (full()) return true;
        objects.push(info);
        last = { key: info.key };
      }
      return false;
    };
    if (maxKeys <= 0) return { objects, prefixes, truncated: false };
    for await (const batch of this.#all(bucketPath, walk))
      for (const found of batch) {
        if (!visible(found.key, walk)) continue;
        const common = found.isFolder ? found.key : commonPrefix(found.key, prefix, delimiter);
        if (common === undefined) {
          files.push(found);
          if (objects.length + prefixes.length + files.length > maxKeys && (await settle()))
            return { objects, prefixes, truncated: true, last };
          continue;
        }
        if ((await settle()) || full()) return { objects, prefixes, truncated: true, last };
        prefixes.push(common);
        walk.skip = common;
        last = { prefix: common };
      }
    return { objects, prefixes, truncated: await settle(), last };
  }

  /** What the drive knows of files, in their order; those that are gone are left out. */
  async #describe(files: readonly Found[]): Promise<ObjectInfo[]> {
    const infos: ObjectInfo[] = [];
    for (let at = 0; at < files.length; ) {
      const { folder } = files[at]!;
      let end = at + 1;
      while (end < files.length && files[end]!.folder === folder) end++;
      const run = files.slice(at, end);
      const described = await this.#drive.describeAll(
        folder,
        run.map(({ name }) => name),
      );
      for (let i = 0; i < run.length; i++) {
        const file = described[i];
        if (file) infos.push(objectInfo(run[i]!.key, file));
      }
      at = end;
    }
    return infos;
  }

  /** All that the walk finds, in the order of keys. */
  async *#all(bucketPath: string, walk: Walk): AsyncGenerator<Found[]> {
    const { after } = walk;
    const extra = (await this.#overflow(bucketPath)).filter(
      ({ key }) => after === undefined || compareKeys(key, after) > 0,
    );
    let next = 0;
    for await (const batch of this.#tree(bucketPath, "", walk)) {
      const end = batch.at(-1)!.key;
      const from = next;
      while (next < extra.length && compareKeys(extra[next]!.key, end) < 0) next++;
      if (next === from) yield batch;
      else yield [...batch, ...extra.slice(from, next)].sort((a, b) => compareKeys(a.key, b.key));
    }
    if (next < extra.length) yield extra.slice(next);
  }

  async *#tree(folder: string, above: string, walk: Walk): AsyncGenerator<Found[]> {
    const names = new NameCursor(await this.#folders.names(folder), firstName(above, walk));
    let batch: Found[] = [];
    let begun = walk.after === undefined;
    for (let name = names.next(); name !== undefined; name = names.next()) {
      const key = above + name;
      const isFolder = name.endsWith("/");
      if (!key.startsWith(walk.prefix) && !(isFolder && walk.prefix.startsWith(key))) {
        if (compareKeys(key, walk.prefix) > 0) break;
        continue;
      }
      if (walk.skip !== undefined && key.startsWith(walk.skip)) {
        if (walk.skip.length > above.length) names.seek(walk.skip.slice(above.length) + highest);
        continue;
      }
      if (!begun && compareKeys(key, walk.after!) <= 0) {
        if (!isFolder || !walk.after!.startsWith(key)) continue;
      } else begun = true;
      const found = { key, folder, name: nameOf(name), isFolder };
      if (!isFolder) {
        batch.push(found);
        if (batch.length < batchSize) continue;
        yield batch;
        batch = [];
        continue;
      }
      if (batch.length > 0) yield batch;
      batch = [];
      const path = `${folder}/${found.name}`;
      if (walk.rollUp && key.length > walk.prefix.length && key.startsWith(walk.prefix)) {
        if (walk.after?.startsWith(key) && !(await this.#hasMore(path, key, walk))) continue;
        yield [found];
      } else yield* this.#tree(path, key, walk);
    }
    if (batch.length > 0) yield batch;
  }

  /** Whether a folder in which a page begins has a key behind that place. */
  async #hasMore(path: string, key: string, walk: Walk): Promise<boolean> {
    for await (const _ of this.#tree(path, key, { ...walk, rollUp: false })) return true;
    return false;
  }

  /** The few keys of a bucket that are no paths, in order. */
  async #overflow(bucketPath: string): Promise<Found[]> {
    const root = overflowRoot(bucketPath);
    if ((await this.#drive.stat(root))?.kind !== "folder") return [];
    const found: Found[] = [];
    const collect = async (folder: string, relative: string): Promise<void> => {
      const names = new NameCursor(await this.#folders.names(folder), "");
      for (let name = names.next(); name !== undefined; name = names.next())
        if (name.endsWith("/")) await collect(`${folder}/${name.slice(0, -1)}`, `${relative}${name}`);
        else found.push({ key: overflowKey(relative + name), folder, name, isFolder: false });
    };
    await collect(root, "");
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

/** The first name in a folder that can matter to the walk. */
function firstName(above: string, walk: Walk): string {
  const bounds = [""];
  for (const bound of [walk.prefix, walk.after, walk.skip])
    if (bound?.startsWith(above) && bound.length > above.length) {
      const rest = bound.slice(above.length);
      const slash = rest.indexOf("/");
      bounds.push(slash < 0 ? rest : rest.slice(0, slash + 1));
    }
  return bounds.reduce((a, b) => (compareKeys(a, b) >= 0 ? a : b));
}
