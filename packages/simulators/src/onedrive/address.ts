import type { Drive, Item } from "./drive.ts";
import { GraphError, invalidRequest, notFound } from "./errors.ts";
import { checkPathLength } from "./names.ts";

/** What an address names: a drive, or an item by id, by path or both, and what of it. */
export interface Address {
  /** Undefined for the drive itself. */
  readonly item: ItemAddress | undefined;
  /** The part behind, without its slash: `children`, `versions/1.0/content`; empty for the thing itself. */
  readonly resource: string;
}

export interface ItemAddress {
  /** `root`, `items/ID` or `special/NAME`. */
  readonly base: string;
  /** Names below the base, decoded. */
  readonly path: readonly string[];
}

/** Splits an address below `/v1.0`, percent-encoded as it was sent. @throws GraphError 400, 404 */
export function parseAddress(drive: Drive, address: string): Address {
  const match = /^\/(?:me\/drive|users\/[^/]+\/drive|sites\/[^/]+\/drive|drives\/([^/]+))(\/.*)?$/.exec(
    address,
  );
  if (!match) throw new GraphError(400, "BadRequest", "Resource not found for the segment.");
  const [, id, rest = ""] = match;
  if (id !== undefined && !isDriveId(drive, decode(id))) throw notFound("The drive could not be found.");
  if (rest === "") return { item: undefined, resource: "" };
  const item = /^\/(root|items\/[^/:]+|special\/[^/:]+)(?::\/?([^:]*)(?::|$))?(?:\/(.*))?$/.exec(rest);
  if (!item) throw invalidRequest("The address is not well formed.");
  const [, base, path = "", resource = ""] = item;
  const segments = path.replace(/\/$/, "").split("/");
  if (path === "") segments.length = 0;
  if (segments.some((segment) => segment === "")) throw invalidRequest("The path has an empty segment.");
  return { item: { base: decode(base!), path: segments.map(decode) }, resource: decode(resource) };
}

/** @throws GraphError 404 */
export function baseItem(drive: Drive, { base }: ItemAddress): Item {
  if (base === "root") return drive.root;
  const [kind, name = ""] = base.split("/");
  const item = kind === "special" ? drive.special(name) : drive.tree.get(name);
  if (item) return item;
  if (name === "root") return drive.root;
  throw notFound();
}

/** @throws GraphError 400, 404 */
export function findItem(drive: Drive, address: ItemAddress): Item {
  checkPathLength(address.path.join("/").length);
  const item = drive.find(baseItem(drive, address), address.path);
  if (!item) throw notFound();
  return item;
}

/** The folder and the name that a path ends with. @throws GraphError 400, 404 */
export function parentOf(
  drive: Drive,
  address: ItemAddress,
  missing: "refuse" | "make",
): { parent: Item; name: string } {
  checkPathLength(address.path.join("/").length);
  const name = address.path.at(-1);
  if (name === undefined) throw invalidRequest("The address names no file.");
  const folders = address.path.slice(0, -1);
  const base = baseItem(drive, address);
  const parent = missing === "make" ? drive.folders(base, folders) : drive.find(base, folders);
  if (!parent) throw notFound("The parent folder could not be found.");
  if (!parent.children) throw invalidRequest("The parent is not a folder.");
  return { parent, name };
}

/** Personal ids are the same in any case, and without a leading zero. */
export function isDriveId(drive: Drive, id: string): boolean {
  if (!drive.personal) return id === drive.id;
  return id.toLowerCase().padStart(16, "0") === drive.id;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw invalidRequest("The address is not well encoded.");
  }
}
