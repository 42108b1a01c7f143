import { randomBytes } from "node:crypto";
import type { Call, Reply } from "../drives/call.ts";
import type { Drive, Item } from "./drive.ts";
import { GraphError, invalidRequest, notSupported } from "./errors.ts";
import { type ItemJson, type Json, Select } from "./item-json.ts";
import type { OneDriveOptions } from "./options.ts";
import { allowOptions, option, pageSize, seal, unseal } from "./paging.ts";

export type Resync = "resyncChangesApplyDifferences" | "resyncChangesUploadDifferences";

/** Enumerations that are under way at once; older ones must begin anew. */
const mostEnumerations = 32;

interface Enumeration {
  readonly items: readonly Item[];
  /** The feed goes on after this change. */
  readonly change: number;
}

/** What a token says: where the feed, or an enumeration of all items, goes on. */
interface State {
  readonly epoch: string;
  readonly change?: number;
  readonly enumeration?: string;
  readonly at?: number;
}

/** The change feed. It begins with all items, parents before their children. */
export class Delta {
  readonly #drive: Drive;
  readonly #json: ItemJson;
  readonly #options: NonNullable<OneDriveOptions["delta"]>;
  readonly #lag: number;
  readonly #enumerations = new Map<string, Enumeration>();
  #epoch = randomBytes(6).toString("base64url");
  #resync: Resync = "resyncChangesApplyDifferences";

  constructor(drive: Drive, json: ItemJson, options: OneDriveOptions["delta"] = {}, lag = 0) {
    this.#drive = drive;
    this.#json = json;
    this.#options = options;
    this.#lag = lag;
  }

  /** Makes all tokens of now invalid: who comes with one is told to begin anew. */
  reset(code: Resync): void {
    this.#epoch = randomBytes(6).toString("base64url");
    this.#resync = code;
    this.#enumerations.clear();
  }

  /** @param argument the token where it stands in the path: `delta(token='…')` */
  answer(call: Call, item: Item, argument: string | undefined, address: string): Reply {
    const { query } = call;
    allowOptions(query, ["top", "select", "skiptoken", "skipToken"]);
    if (item !== this.#drive.root && !this.#drive.personal)
      throw notSupported("The change feed of a folder is not supported, only that of the root.");
    const select = new Select(option(query, "select"));
    const size = pageSize(query);
    const token = argument ?? query.get("token") ?? query.get("$skiptoken") ?? query.get("$skipToken");
    const last = this.#visibleChange();
    const link = (kind: "next" | "delta", state: State): Json => ({
      [`@odata.${kind}Link`]: this.#link(kind, call, address, state),
    });
    const page = (items: readonly Item[], links: Json): Reply => ({
      status: 200,
      body: {
        "@odata.context": `${call.origin}/v1.0/$metadata#Collection(driveItem)`,
        value: this.#write(items, item, select),
        ...links,
      },
    });
    if (token === "latest") return page([], link("delta", { epoch: this.#epoch, change: last }));

    let state: State;
    if (token === null || token === "") {
      const enumeration = this.#enumerate(item, last);
      state = { epoch: this.#epoch, enumeration, at: 0 };
    } else state = this.#read(token, call, address);

    if (state.enumeration !== undefined) {
      const enumeration = this.#enumerations.get(state.enumeration);
      if (!enumeration) throw this.#expired(call, address);
      const at = state.at ?? 0;
      const from = this.#options.duplicates ? Math.max(0, at - 1) : at;
      const items = enumeration.items.slice(from, at + size).filter(({ removed }) => !removed);
      if (at + size < enumeration.items.length) return page(items, link("next", { ...state, at: at + size }));
      return page(items, link("delta", { epoch: this.#epoch, change: enumeration.change }));
    }

    const change = state.change ?? 0;
    if (change < this.#drive.tree.forgottenChange) throw this.#expired(call, address);
    const changed = this.#drive.tree.changed(change, size).filter((each) => each.change <= last);
    const end = changed.at(-1)?.change;
    const more = end !== undefined && this.#drive.tree.changed(end, 1).some((each) => each.change <= last);
    const items = this.#options.removedDescendants === false ? withoutDescendants(changed) : changed;
    if (this.#options.outOfOrder) items.reverse();
    if (this.#options.duplicates && items[0]) items.push(items[0]);
    return page(items, link(more ? "next" : "delta", { epoch: this.#epoch, change: end ?? change }));
  }

  #enumerate(item: Item, change: number): string {
    const items = [...this.#drive.tree.below(item)];
    if (this.#options.outOfOrder) items.reverse();
    const id = randomBytes(9).toString("base64url");
    this.#enumerations.set(id, { items, change });
    if (this.#enumerations.size > mostEnumerations)
      this.#enumerations.delete(this.#enumerations.keys().next().value!);
    return id;
  }

  #write(items: readonly Item[], top: Item, select: Select): object[] {
    const written: object[] = [];
    for (const item of items) {
      if (top !== this.#drive.root && !isBelow(item, top)) continue;
      const json = item.removed ? this.#json.removed(item) : this.#json.item(item, { withPath: false });
      written.push(select.from(json));
    }
    return written;
  }

  /** @throws GraphError 400, 410 */
  #read(token: string, call: Call, address: string): State {
    const time = Date.parse(token);
    if (/^\d{4}-\d\d-\d\dT/.test(token) && !Number.isNaN(time)) {
      if (this.#drive.personal) throw invalidRequest("A time is no token of a personal drive.");
      return { epoch: this.#epoch, change: this.#drive.tree.changeBy(time) };
    }
    const state = unseal(token) as State | undefined;
    if (typeof state?.epoch !== "string") throw invalidRequest("The token is not one of this feed.");
    if (state.epoch !== this.#epoch) throw this.#expired(call, address);
    return state;
  }

  #expired(call: Call, address: string): GraphError {
    return new GraphError(410, this.#resync, "Resync required. Replace any local items with the server's.", {
      inner: "resyncRequired",
      headers: { location: `${call.origin}/v1.0${address}` },
    });
  }

  #link(kind: "next" | "delta", { origin, query }: Call, address: string, state: State): string {
    const rest = new URLSearchParams();
    for (const name of ["select", "top"] as const) {
      const value = option(query, name);
      if (value !== null) rest.set(`$${name}`, value);
    }
    rest.set(kind === "next" ? "$skiptoken" : "token", seal(state));
    return `${origin}/v1.0${address}?${rest}`;
  }

  /** The last change that the feed shows already. */
  #visibleChange(): number {
    const { tree, clock } = this.#drive;
    return this.#lag === 0 ? tree.lastChange : tree.changeBy(clock.now() - this.#lag);
  }
}

function isBelow(item: Item, top: Item): boolean {
  for (let at: Item | undefined = item; at; at = at.parent) if (at === top) return true;
  return false;
}

/** Leaves out what went with a folder that is told of itself. */
function withoutDescendants(items: readonly Item[]): Item[] {
  return items.filter((item) => !item.removed || !item.parent?.removed);
}
