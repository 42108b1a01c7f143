import { randomBytes } from "node:crypto";
import { type Access, type Account, type Item, sees } from "./account.ts";
import { fileNotFound, forbidden, invalid } from "./errors.ts";
import type { GoogleDriveOptions } from "./options.ts";
import { parseQuery, type Query } from "./query.ts";
import type { Viewer } from "./tokens.ts";

/** Page tokens are good for so many milliseconds. */
const tokenLife = 4 * 3_600_000;
const mostSearches = 1000;

interface Search {
  /** The query that it answers, for a token goes with that only. */
  readonly asked: string;
  readonly found: readonly Item[];
  readonly expires: number;
}

/** Searches of `files.list`, each as it was when its first page was asked for. */
export class Listing {
  readonly #account: Account;
  readonly #options: GoogleDriveOptions;
  readonly #searches = new Map<string, Search>();

  constructor(account: Account, options: GoogleDriveOptions) {
    this.#account = account;
    this.#options = options;
  }

  /** @throws DriveApiError 400, 403, 404 */
  page(query: URLSearchParams, viewer: Viewer): { items: Item[]; nextPageToken?: string } {
    const size = pageSizeOf(query, 1000);
    const token = query.get("pageToken");
    const asked = ["q", "orderBy", "corpora", "driveId"].map((name) => query.get(name) ?? "").join("\n");
    let id: string;
    let start = 0;
    if (token) {
      const [, search = "", offset = ""] = /^~!!~(\w+)-(\d+)$/.exec(token) ?? [];
      const kept = this.#searches.get(search);
      if (!kept || kept.asked !== asked || kept.expires <= this.#account.clock.now())
        throw invalid("Invalid Value", "pageToken");
      id = search;
      start = Number(offset);
    } else {
      id = randomBytes(12).toString("hex");
      const expires = this.#account.clock.now() + tokenLife;
      this.#searches.set(id, { asked, found: this.#search(query, viewer), expires });
      if (this.#searches.size > mostSearches) this.#searches.delete(this.#searches.keys().next().value!);
    }
    const { found } = this.#searches.get(id)!;
    const end = start + size;
    const items = found.slice(start, end).filter(({ removed }) => !removed);
    if (end < found.length) return { items, nextPageToken: `~!!~${id}-${end}` };
    this.#searches.delete(id);
    return { items };
  }

  #search(query: URLSearchParams, viewer: Viewer): Item[] {
    const search = parseQuery(query.get("q") ?? "trashed = true or trashed = false", this.#account, viewer);
    const { lag = {}, groupedParents } = this.#options;
    const now = this.#account.clock.now();
    const wait = Math.max(lag.children ?? 0, search.byName ? (lag.names ?? 0) : 0);
    if (groupedParents === "nothing" && search.parents && search.parents.length > 1) return [];
    const found = this.#candidates(query, search, viewer).filter(
      (item) => item.parent && item.data.placed <= now - wait && sees(viewer, item) && search.matches(item),
    );
    return sorted(found, query.get("orderBy"));
  }

  #candidates(query: URLSearchParams, { parents }: Query, viewer: Viewer): Item[] {
    const { drives, myDrive } = this.#account;
    const corpora = query.get("corpora") ?? "user";
    const allDrives = query.get("supportsAllDrives") === "true";
    const included = query.get("includeItemsFromAllDrives") === "true";
    if (included && !allDrives)
      throw forbidden("teamDrivesNotSupported", "includeItemsFromAllDrives needs supportsAllDrives.");
    const driveId = query.get("driveId");
    if ((corpora === "drive") !== (driveId !== null))
      throw invalid("The driveId goes with corpora=drive only.", "driveId");
    if (!["user", "drive", "allDrives", "domain"].includes(corpora))
      throw invalid("Invalid Value", "corpora");
    if (corpora !== "user" && !included)
      throw invalid("Such corpora need includeItemsFromAllDrives.", "includeItemsFromAllDrives");
    const one = drives.find(({ id }) => id === driveId);
    if (driveId !== null && !one) throw fileNotFound(driveId);
    if (parents) {
      const access: Access = { viewer, allDrives: included };
      return [...new Set(parents)].flatMap((id) => [...(this.#folder(id, access)?.children?.values() ?? [])]);
    }
    const searched = one ? [one] : corpora === "allDrives" ? drives : [myDrive];
    return searched.flatMap(({ tree }) => [...tree.below(tree.root)]);
  }

  #folder(id: string, access: Access): Item | undefined {
    // The root can be listed also by those who may not look at it.
    if (id === this.#account.myDrive.id) return this.#account.myDrive.tree.root;
    try {
      return this.#account.find(id, access);
    } catch (error) {
      if (this.#options.unknownParent === "empty") return undefined;
      throw error;
    }
  }
}

/** @throws DriveApiError 400 */
export function pageSizeOf(query: URLSearchParams, most: number): number {
  const text = query.get("pageSize") ?? "100";
  if (!/^\d+$/.test(text) || Number(text) < 1 || Number(text) > most)
    throw invalid(`Invalid value '${text}'. Values must be within the range: [1, ${most}]`, "pageSize");
  return Number(text);
}

const collator = new Intl.Collator("en", { sensitivity: "base" });
const natural = new Intl.Collator("en", { sensitivity: "base", numeric: true });

const orders: Readonly<Record<string, (a: Item, b: Item) => number>> = {
  name: (a, b) => collator.compare(a.name, b.name),
  name_natural: (a, b) => natural.compare(a.name, b.name),
  folder: (a, b) => Number(b.children !== undefined) - Number(a.children !== undefined),
  modifiedTime: (a, b) => a.data.modified - b.data.modified,
  createdTime: (a, b) => a.data.created - b.data.created,
};

/** In no order that means anything where none is asked for. @throws DriveApiError 400 */
function sorted(items: Item[], orderBy: string | null): Item[] {
  const keys = (orderBy ?? "").split(",").filter(Boolean);
  const compares = keys.map((key) => {
    const [name = "", direction = "asc"] = key.trim().split(/\s+/);
    const compare = orders[name];
    if (!compare || !/^(asc|desc)$/.test(direction)) throw invalid("Invalid Value", "orderBy");
    return direction === "desc" ? (a: Item, b: Item) => compare(b, a) : compare;
  });
  const byId = (a: Item, b: Item) => (a.id < b.id ? -1 : 1);
  return items.sort((a, b) => compares.reduce((order, compare) => order || compare(a, b), 0) || byId(a, b));
}
