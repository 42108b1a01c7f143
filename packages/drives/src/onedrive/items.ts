import type { Item } from "../remote/vendor.ts";
import { emptyHash } from "./hash.ts";
import type { DriveType } from "./options.ts";

/** What is read of a driveItem of Graph. */
export interface DriveItem {
  readonly id: string;
  readonly name?: string;
  readonly size?: number;
  /** Another one with each change. */
  readonly eTag?: string;
  /** Another one with each change of content; not in the change feed of Business, nor on its folders. */
  readonly cTag?: string;
  readonly file?: { readonly hashes?: { readonly quickXorHash?: string } };
  readonly folder?: object;
  readonly package?: object;
  readonly malware?: object;
  readonly deleted?: object;
  readonly remoteItem?: object;
  readonly parentReference?: { readonly id?: string };
  readonly lastModifiedDateTime?: string;
  readonly fileSystemInfo?: { readonly lastModifiedDateTime?: string };
  readonly [downloadUrl]?: string;
}

export const downloadUrl = "@microsoft.graph.downloadUrl";

const fields = [
  ...["id", "name", "size", "eTag", "cTag", "file", "folder", "package", "malware", "remoteItem"],
  ...["parentReference", "lastModifiedDateTime", "fileSystemInfo"],
];

/** What to ask for where items are listed. */
export const selectListed = `$select=${fields.join(",")}`;
/** And where they are likely to be read next. */
export const selectOne = `${selectListed},${downloadUrl}`;
/** And in the change feed. */
export const selectChanged = `${selectListed},deleted,root`;

/**
 * What tells one content of an item from another. Only personal drives say it of its own everywhere; elsewhere the
 * change feed does not, so that it takes the tag of any change.
 */
export const versionOf = ({ cTag, eTag, id }: DriveItem, type: DriveType) =>
  (type === "personal" ? cTag : eTag) ?? eTag ?? id;

/**
 * An item of the drive; undefined for what is neither file nor folder, such as OneNote's notebooks, and what lies
 * in another drive.
 */
export function itemOf(json: DriveItem, type: DriveType): Item | undefined {
  const { id, name = "", size = 0, file, folder, parentReference, fileSystemInfo } = json;
  if (json.package || json.remoteItem || json.deleted || (!file && !folder)) return undefined;
  const hash = size === 0 ? emptyHash : file?.hashes?.quickXorHash;
  return {
    id,
    parent: parentReference?.id,
    name,
    kind: file ? "file" : "folder",
    size: file ? size : 0,
    modified: Date.parse(fileSystemInfo?.lastModifiedDateTime ?? json.lastModifiedDateTime ?? "") || 0,
    version: versionOf(json, type),
    ...(file && hash !== undefined && { hash }),
  };
}
