import type { drive_v2, drive_v3 } from "@googleapis/drive";
import { type Account, type Item, isGoogleType, type Revision, sizeOf } from "./account.ts";
import { exportFormats } from "./documents.ts";
import type { Json } from "./fields.ts";
import type { Viewer } from "./tokens.ts";

export const user: drive_v3.Schema$User = {
  kind: "drive#user",
  displayName: "Stand-in User",
  me: true,
  permissionId: "01234567890123456789",
  emailAddress: "user@stand-in.example",
};

/** Times as the API writes them. */
export const timestamp = (time: number): string => new Date(time).toISOString();

/** A file in full as v3 tells of it. 64-bit numbers are texts. */
export function fileJson(account: Account, item: Item, viewer: Viewer): drive_v3.Schema$File {
  const { data, parent } = item;
  const drive = account.driveOf(item);
  const head = data.revisions.at(-1);
  const json: drive_v3.Schema$File = {
    kind: "drive#file",
    id: item.id,
    name: item.name,
    mimeType: data.mimeType,
    starred: data.starred,
    trashed: account.trashed(item),
    explicitlyTrashed: data.trashed,
    spaces: ["drive"],
    version: String(data.version),
    createdTime: timestamp(data.created),
    modifiedTime: timestamp(data.modified),
    modifiedByMe: true,
    modifiedByMeTime: timestamp(data.modified),
    lastModifyingUser: user,
    shared: drive.shared,
    isAppAuthorized: true,
    hasThumbnail: false,
    thumbnailVersion: "0",
    webViewLink: webViewLink(item),
    quotaBytesUsed: String(sizeOf(item)),
    capabilities: {
      canAddChildren: item.children !== undefined,
      canCopy: item.children === undefined,
      canDelete: parent !== undefined,
      canDownload: head !== undefined,
      canEdit: true,
      canListChildren: item.children !== undefined,
      canReadRevisions: true,
      canRename: true,
      canTrash: parent !== undefined,
    },
  };
  if (drive.shared)
    Object.assign(json, { driveId: drive.id, teamDriveId: drive.id } satisfies drive_v3.Schema$File);
  else Object.assign(json, { ownedByMe: true, owners: [user] } satisfies drive_v3.Schema$File);
  if (parent) json.parents = [parent.id];
  if (data.description !== undefined) json.description = data.description;
  const own = data.appProperties.get(viewer.clientId);
  if (data.properties.size > 0) json.properties = Object.fromEntries(data.properties);
  if (own && own.size > 0) json.appProperties = Object.fromEntries(own);
  if (data.target !== undefined) json.shortcutDetails = shortcutDetails(account, data.target);
  // What Google's own documents take up is no length of anything that can be read.
  if (isGoogleType(data.mimeType) && !item.children && data.target === undefined) json.size = "1";
  const exports = exportFormats[data.mimeType];
  if (exports)
    json.exportLinks = Object.fromEntries(
      exports.map((type) => [type, `https://docs.google.com/export?id=${item.id}&type=${type}`]),
    );
  if (!head) return json;
  const extension = /\.([^.]+)$/.exec(item.name)?.[1] ?? "";
  return {
    ...json,
    size: String(head.content.size),
    md5Checksum: head.content.hashes.md5,
    sha1Checksum: head.content.hashes.sha1,
    sha256Checksum: head.content.hashes.sha256,
    headRevisionId: head.id,
    originalFilename: data.originalFilename,
    fileExtension: extension,
    fullFileExtension: extension,
    webContentLink: `https://drive.google.com/uc?id=${item.id}&export=download`,
  };
}

/** The tag by which v2 lets writes be made only while a file is as it was. */
export function etag({ id, data }: Item): string {
  return `"${Buffer.from(`${id}/${data.version}`).toString("base64url")}"`;
}

/** A file as v2 tells of it: other names for the same. */
export function fileJsonV2(account: Account, item: Item, viewer: Viewer): drive_v2.Schema$File {
  const { data, parent } = item;
  const v3 = fileJson(account, item, viewer);
  const { starred } = data;
  const trashed = account.trashed(item);
  const listed = (properties: ReadonlyMap<string, string> | undefined, visibility: string) =>
    [...(properties ?? [])].map(([key, value]) => ({ kind: "drive#property", key, value, visibility }));
  const same = [
    ...["kind", "id", "mimeType", "description", "version", "driveId", "explicitlyTrashed", "headRevisionId"],
    ...["md5Checksum", "sha1Checksum", "sha256Checksum", "originalFilename", "quotaBytesUsed", "spaces"],
    ...["shortcutDetails", "exportLinks", "fileExtension", "capabilities"],
  ];
  return {
    ...Object.fromEntries(same.map((name) => [name, (v3 as Json)[name]])),
    etag: etag(item),
    title: item.name,
    labels: { starred, hidden: false, trashed, restricted: false, viewed: true },
    createdDate: v3.createdTime,
    modifiedDate: v3.modifiedTime,
    parents: parent
      ? [{ kind: "drive#parentReference", id: parent.id, isRoot: parent.parent === undefined }]
      : [],
    fileSize: data.revisions.length === 0 ? undefined : v3.size,
    alternateLink: v3.webViewLink,
    properties: [
      ...listed(data.properties, "PUBLIC"),
      ...listed(data.appProperties.get(viewer.clientId), "PRIVATE"),
    ],
  };
}

export function revisionJson({ data }: Item, revision: Revision): drive_v3.Schema$Revision {
  const { id, content, modified, mimeType, keepForever } = revision;
  return {
    kind: "drive#revision",
    id,
    mimeType,
    modifiedTime: timestamp(modified),
    keepForever,
    published: false,
    lastModifyingUser: user,
    originalFilename: data.originalFilename,
    md5Checksum: content.hashes.md5,
    size: String(content.size),
  };
}

/** The target may be gone. */
function shortcutDetails(account: Account, targetId: string): drive_v3.Schema$File["shortcutDetails"] {
  const target = account.drives.map(({ tree }) => tree.get(targetId)).find(Boolean);
  return { targetId, ...(target && { targetMimeType: target.data.mimeType }) };
}

function webViewLink({ id, data, children }: Item): string {
  if (children) return `https://drive.google.com/drive/folders/${id}`;
  const kind = /google-apps\.(document|spreadsheet|presentation)$/.exec(data.mimeType)?.[1];
  const places: Record<string, string> = {
    document: "document",
    spreadsheet: "spreadsheets",
    presentation: "presentation",
  };
  return kind
    ? `https://docs.google.com/${places[kind]}/d/${id}/edit?usp=drivesdk`
    : `https://drive.google.com/file/d/${id}/view?usp=drivesdk`;
}
