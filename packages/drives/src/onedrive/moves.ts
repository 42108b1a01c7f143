import { DriveError } from "../drive.ts";
import { asideName, hiddenFolder } from "../remote/hidden.ts";
import type { Item, Target, WriteOptions } from "../remote/vendor.ts";
import type { GraphClient } from "./client.ts";
import { type DriveItem, itemOf } from "./items.ts";
import { conflictBehavior, type Take, times } from "./writes.ts";

/** Changes of the tree: folders made, items moved and removed. */
export class Moves {
  readonly #graph: GraphClient;
  readonly #take: Take;
  readonly #root: () => Promise<Item>;
  /** Whether what is removed does not go into the recycle bin, which personal drives do not offer. */
  readonly hard: boolean;

  constructor(graph: GraphClient, take: Take, root: () => Promise<Item>, hard: boolean) {
    this.#graph = graph;
    this.#take = take;
    this.#root = root;
    this.hard = hard && graph.driveType !== "personal";
  }

  /** As `Vendor.move`. */
  async move(item: Item, target: Target, { condition, modified, signal }: WriteOptions = {}): Promise<Item> {
    await this.check(target, condition);
    const replaces = condition === "absent" ? undefined : target.replaces;
    const content = {
      parentReference: { id: target.folder.id },
      name: target.name,
      [conflictBehavior]: replaces ? "replace" : "fail",
      ...(modified !== undefined && { fileSystemInfo: times(modified) }),
    };
    try {
      return await this.change(item, content, signal);
    } catch (error) {
      if (!replaces || !(error instanceof DriveError && error.code === "Exists")) throw error;
      // Not every drive is known to move over a file.
      await this.remove(replaces, "unchanged");
      return this.change(item, content, signal);
    }
  }

  /** A place of its own for a file that is to be moved to another when it is whole; hidden. */
  async aside(): Promise<Target> {
    return { folder: await this.makeFolder(await this.#root(), hiddenFolder), name: asideName() };
  }

  /** Brings a file from such a place to where it belongs, or removes it. */
  async settle(item: Item, target: Target, options: WriteOptions): Promise<Item> {
    try {
      return await this.move(item, target, options);
    } catch (error) {
      await this.remove(item).catch(() => false);
      throw error;
    }
  }

  /** Decides a condition beforehand where the call itself has no way to. */
  async check({ replaces }: Target, condition: WriteOptions["condition"]): Promise<void> {
    if (condition !== "unchanged" || !replaces) return;
    const json = await this.#graph.item(this.#graph.byId(replaces.id));
    const now = json && itemOf(json, this.#graph.driveType);
    if (now?.version !== replaces.version) throw new DriveError("Changed", `${replaces.name} was changed`);
  }

  /** Changes properties of an item. */
  async change(item: Item, content: object, signal?: AbortSignal): Promise<Item> {
    const { body } = await this.#graph.http.json<DriveItem>({
      endpoint: "PATCH item",
      method: "PATCH",
      url: this.#graph.byId(item.id),
      content,
      signal,
      repeatable: true,
    });
    return this.#take(body);
  }

  /** As `Vendor.remove`. */
  async remove(item: Item, condition?: "unchanged"): Promise<boolean> {
    const url = this.#graph.byId(item.id);
    // Removing for good knows no condition.
    const hard = this.hard && condition === undefined;
    const { status } = await this.#graph.http.json({
      endpoint: hard ? "POST permanentDelete" : "DELETE item",
      method: hard ? "POST" : "DELETE",
      url: hard ? `${url}/permanentDelete` : url,
      headers: condition ? { "if-match": item.version } : {},
      repeatable: true,
      accept: [404],
    });
    return status !== 404;
  }

  /** As `Vendor.makeFolder`. */
  async makeFolder(folder: Item, name: string): Promise<Item> {
    try {
      const { body } = await this.#graph.http.json<DriveItem>({
        endpoint: "POST children",
        method: "POST",
        url: `${this.#graph.byId(folder.id)}/children`,
        content: { name, folder: {}, [conflictBehavior]: "fail" },
        repeatable: true,
      });
      return this.#take(body);
    } catch (error) {
      if (!(error instanceof DriveError && error.code === "Exists")) throw error;
      const json = await this.#graph.item(this.#graph.byPath(folder.id, [name]));
      const there = json && itemOf(json, this.#graph.driveType);
      if (there?.kind === "folder") return there;
      throw there ? new DriveError("NotAFolder", `${name} is a file`) : error;
    }
  }
}
