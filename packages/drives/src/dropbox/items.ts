import type { Item } from "../remote/vendor.ts";
import { type PropertyGroup, textOf } from "./properties.ts";

/** What is read of the metadata of a file or folder. */
export interface Metadata {
  /** Missing where the kind is clear from the call. */
  readonly ".tag"?: "file" | "folder" | "deleted";
  readonly name: string;
  /** Missing where the caller has no path for it. */
  readonly path_lower?: string;
  readonly path_display?: string;
  readonly rev?: string;
  readonly size?: number;
  readonly client_modified?: string;
  readonly content_hash?: string;
  readonly is_downloadable?: boolean;
  readonly property_groups?: readonly PropertyGroup[];
}

/** The `id` of the root, whose own path is the empty text. */
export const rootId = "/";

/** The path by which the API knows an item. */
export const pathOf = (id: string) => (id === rootId ? "" : id);

/** The path of a name in a folder. */
export const pathIn = (folder: string, name: string) => `${pathOf(folder)}/${name}`;

export const rootItem: Item = {
  id: rootId,
  parent: undefined,
  name: "",
  kind: "folder",
  size: 0,
  modified: 0,
  version: "",
};

/** The item that metadata tells of; undefined for what lies outside of all paths. */
export function itemOf(json: Metadata): Item | undefined {
  const { name, path_lower: path, rev } = json;
  if (path === undefined) return undefined;
  const parent = path.slice(0, path.lastIndexOf("/")) || rootId;
  if (rev === undefined) return { id: path, parent, name, kind: "folder", size: 0, modified: 0, version: "" };
  const file = {
    id: path,
    parent,
    name,
    kind: "file",
    modified: Date.parse(json.client_modified ?? "") || 0,
    version: rev,
  } as const;
  if (json.is_downloadable === false) {
    // A document of Dropbox's own is no file: what can be read of it is the way to it.
    const inline = Buffer.from(`[InternetShortcut]\r\nURL=${addressOf(json)}\r\n`);
    return { ...file, size: inline.length, inline };
  }
  const properties = textOf(json.property_groups);
  return {
    ...file,
    size: json.size ?? 0,
    hash: json.content_hash,
    ...(properties !== undefined && { properties }),
  };
}

/** Where a browser shows a document. */
function addressOf({ path_display = "", name }: Metadata): string {
  const folder = path_display.slice(0, path_display.lastIndexOf("/"));
  return `https://www.dropbox.com/home${encodeURI(folder)}?preview=${encodeURIComponent(name)}`;
}
