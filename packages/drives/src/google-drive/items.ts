import { createHash } from "node:crypto";
import type { Item } from "../remote/vendor.ts";
import { type AppProperties, fromAppProperties } from "./properties.ts";

export const folderType = "application/vnd.google-apps.folder";
const shortcutType = "application/vnd.google-apps.shortcut";
const googleTypes = "application/vnd.google-apps.";

/** What is read of a file of version 3. */
export interface DriveFile {
  readonly id: string;
  readonly name?: string;
  readonly mimeType?: string;
  readonly parents?: readonly string[];
  /** 64-bit numbers are texts. */
  readonly size?: string;
  readonly md5Checksum?: string;
  readonly headRevisionId?: string;
  readonly modifiedTime?: string;
  readonly createdTime?: string;
  readonly trashed?: boolean;
  readonly driveId?: string;
  readonly appProperties?: AppProperties;
  readonly shortcutDetails?: { readonly targetId?: string };
}

export const fileFields =
  "id,name,mimeType,parents,size,md5Checksum,headRevisionId,modifiedTime,createdTime,trashed,driveId,appProperties," +
  "shortcutDetails/targetId";

/** The same of version 2, which has other names for some. */
export interface DriveFileV2 {
  readonly id: string;
  readonly etag?: string;
  readonly title?: string;
  readonly mimeType?: string;
  readonly parents?: readonly { readonly id: string }[];
  readonly fileSize?: string;
  readonly md5Checksum?: string;
  readonly headRevisionId?: string;
  readonly modifiedDate?: string;
  readonly createdDate?: string;
  readonly labels?: { readonly trashed?: boolean };
  readonly properties?: readonly {
    readonly key: string;
    readonly value: string;
    readonly visibility: string;
  }[];
}

export const fileFieldsV2 =
  "id,etag,title,mimeType,parents/id,fileSize,md5Checksum,headRevisionId,modifiedDate,createdDate,labels/trashed," +
  "properties(key,value,visibility)";

/** A file of version 2 as version 3 tells of it. */
export function fromV2(file: DriveFileV2): DriveFile {
  const own = file.properties?.filter(({ visibility }) => visibility === "PRIVATE") ?? [];
  return {
    id: file.id,
    name: file.title,
    mimeType: file.mimeType,
    parents: file.parents?.map(({ id }) => id),
    size: file.fileSize,
    md5Checksum: file.md5Checksum,
    headRevisionId: file.headRevisionId,
    modifiedTime: file.modifiedDate,
    createdTime: file.createdDate,
    trashed: file.labels?.trashed,
    appProperties: Object.fromEntries(own.map(({ key, value }) => [key, value])),
  };
}

/** A time as Google has it. */
export const timeOf = (milliseconds: number | undefined) =>
  milliseconds === undefined ? undefined : new Date(milliseconds).toISOString();

/** What tells one content of a file from another. */
export const versionOf = ({ headRevisionId, md5Checksum, modifiedTime, id }: DriveFile): string =>
  headRevisionId ?? md5Checksum ?? modifiedTime ?? id;

/** What the names of links end with that stand for Google's own documents and for shortcuts. */
const linkSuffix = ".url";

/** The name that Google has for what is shown by this one. */
export const nativeName = (item: Item, name: string) =>
  item.inline && name.endsWith(linkSuffix) ? name.slice(0, -linkSuffix.length) : name;

/** The names that Google may have for what is shown by this one. */
export const nativeNames = (name: string) =>
  name.endsWith(linkSuffix) ? [name, name.slice(0, -linkSuffix.length)] : [name];

/** Whether a name can be that of a link. */
export const isLinkName = (name: string) => name.endsWith(linkSuffix);

/** What of Google's own is shown. */
export interface Shown {
  readonly documents: boolean;
  readonly shortcuts: boolean;
}

/**
 * A file as an item. Google's own documents have no bytes of their own, and what a shortcut leads to may lie anywhere:
 * each is shown as a small file that opens it in a browser, whose bytes follow from the id alone. Undefined for what
 * is in the trash or is not to be shown.
 */
export function itemOf(file: DriveFile, shown: Shown): Item | undefined {
  const { id, name = "", mimeType = "", trashed, appProperties } = file;
  if (trashed) return undefined;
  const modified = Date.parse(file.modifiedTime ?? "") || 0;
  const common = {
    id,
    parent: file.parents?.[0],
    modified,
    created: Date.parse(file.createdTime ?? "") || 0,
  };
  if (mimeType === folderType) return { ...common, name, kind: "folder", size: 0, version: id };
  if (mimeType.startsWith(googleTypes)) {
    const shortcut = mimeType === shortcutType;
    if (shortcut ? !shown.shortcuts : !shown.documents) return undefined;
    const inline = link((shortcut && file.shortcutDetails?.targetId) || id);
    const hash = createHash("md5").update(inline).digest("hex");
    return {
      ...common,
      name: name + linkSuffix,
      kind: "file",
      size: inline.length,
      version: hash,
      hash,
      inline,
    };
  }
  return {
    ...common,
    name,
    kind: "file",
    size: Number(file.size ?? 0),
    version: versionOf(file),
    hash: file.md5Checksum,
    properties: fromAppProperties(appProperties),
  };
}

/** An Internet shortcut, as Windows and other systems open it. */
function link(id: string): Buffer {
  return Buffer.from(`[InternetShortcut]\r\nURL=https://drive.google.com/open?id=${id}\r\n`);
}
