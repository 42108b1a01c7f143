import type { file_properties, files } from "dropbox";
import type { PropertyFilter } from "./args.ts";
import type { Drive, Item, PropertyGroups, Revision } from "./drive.ts";
import { foldName } from "./names.ts";

/** An object of the API, as JSON. */
export type Json = Record<string, unknown>;

/** What there is, as the published types of the API have it. */
export type EntryJson = files.FileMetadataReference | files.FolderMetadataReference;
type Place = Pick<files.Metadata, "path_lower" | "path_display">;

/** Writes metadata as a caller sees it whose paths begin at a folder. */
export class Metadata {
  readonly #drive: Drive;

  constructor(drive: Drive) {
    this.#drive = drive;
  }

  item(view: Item, item: Item, filter?: PropertyFilter): EntryJson {
    const { revision, groups, paper, namespace } = item.data;
    const shown = groupsJson(groups, filter?.filter_some);
    const properties = shown.length > 0 && { property_groups: shown };
    const place = this.#place(view, item);
    if (revision) return { ...this.revision(view, revision, item.name, paper), ...place, ...properties };
    return {
      ".tag": "folder",
      name: item.name,
      id: item.id,
      ...place,
      ...(namespace !== undefined && {
        shared_folder_id: namespace,
        sharing_info: { read_only: false, shared_folder_id: namespace },
      }),
      ...properties,
    };
  }

  /** What a file was or is, at the place where it was written. */
  revision(
    view: Item,
    revision: Revision,
    name = revision.path.at(-1)!,
    paper = false,
  ): files.FileMetadataReference {
    const { rev, id, content, clientModified, serverModified, path } = revision;
    return {
      ".tag": "file",
      name,
      id,
      ...paths(this.#drive.pathOf(view), path),
      client_modified: timestamp(clientModified),
      server_modified: timestamp(serverModified),
      rev,
      size: content.size,
      is_downloadable: !paper,
      ...(paper && { export_info: { export_as: "html", export_options: ["html", "markdown"] } }),
      content_hash: content.hashes.content_hash,
    };
  }

  /** What the change feed tells of an item that is gone. */
  deleted(view: Item, item: Item): files.DeletedMetadataReference {
    return { ".tag": "deleted", name: item.name, ...this.#place(view, item) };
  }

  #place(view: Item, item: Item): Place {
    return paths(this.#drive.pathOf(view), this.#drive.pathOf(item));
  }
}

/** Property groups of some templates. */
export function groupsJson(
  groups: PropertyGroups,
  templates: Iterable<string> = [],
): file_properties.PropertyGroup[] {
  return [...templates].flatMap((template_id) => {
    const fields = groups.get(template_id);
    return fields ? [{ template_id, fields: [...fields].map(([name, value]) => ({ name, value })) }] : [];
  });
}

export const timestamp = (time: number) => new Date(time).toISOString().replace(/\.\d+Z$/, "Z");

/** The paths of what lies below a folder; none for what lies elsewhere. */
function paths(view: readonly string[], path: readonly string[]): Place {
  if (path.length <= view.length) return {};
  if (view.some((name, index) => foldName(name) !== foldName(path[index]!))) return {};
  const names = path.slice(view.length);
  return {
    path_lower: `/${names.map(foldName).join("/")}`,
    path_display: `/${names.join("/")}`,
  };
}
