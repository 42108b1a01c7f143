import { DriveApiError } from "./errors.ts";

/** An object of the API, as JSON. */
export type Json = Record<string, unknown>;

/** One of the kinds that the published types of the API describe. */
interface Resource {
  readonly kind?: string | null;
}

const names = (text: string): ReadonlySet<string> => new Set(text.split(" "));

/** The fields that resources can have, by their kind. */
export const knownFields: Readonly<Record<string, ReadonlySet<string>>> = {
  "drive#file": names(
    "appProperties capabilities clientEncryptionDetails contentHints contentRestrictions " +
      "copyRequiresWriterPermission createdTime description downloadRestrictions driveId explicitlyTrashed " +
      "exportLinks fileExtension folderColorRgb fullFileExtension hasAugmentedPermissions hasThumbnail " +
      "headRevisionId iconLink id imageMediaMetadata inheritedPermissionsDisabled isAppAuthorized kind " +
      "labelInfo lastModifyingUser linkShareMetadata md5Checksum mimeType modifiedByMe modifiedByMeTime " +
      "modifiedTime name originalFilename ownedByMe owners parents permissionIds permissions properties " +
      "quotaBytesUsed resourceKey sha1Checksum sha256Checksum shared sharedWithMeTime sharingUser " +
      "shortcutDetails size spaces starred teamDriveId thumbnailLink thumbnailVersion trashed trashedTime " +
      "trashingUser version videoMediaMetadata viewedByMe viewedByMeTime viewersCanCopyContent " +
      "webContentLink webViewLink writersCanShare",
  ),
  "drive#fileList": names("kind files incompleteSearch nextPageToken"),
  "drive#change": names("changeType drive driveId file fileId kind removed teamDrive teamDriveId time type"),
  "drive#changeList": names("changes kind newStartPageToken nextPageToken"),
  "drive#revision": names(
    "exportLinks id keepForever kind lastModifyingUser md5Checksum mimeType modifiedTime originalFilename " +
      "publishAuto published publishedLink publishedOutsideDomain size",
  ),
  "drive#revisionList": names("kind nextPageToken revisions"),
  "drive#drive": names(
    "backgroundImageFile backgroundImageLink capabilities colorRgb createdTime hidden id kind name orgUnitId " +
      "restrictions themeId",
  ),
  "drive#driveList": names("drives kind nextPageToken"),
  "drive#about": names(
    "appInstalled canCreateDrives canCreateTeamDrives driveThemes exportFormats folderColorPalette " +
      "importFormats kind maxImportSizes maxUploadSize storageQuota teamDriveThemes user",
  ),
};

/** What comes back where nothing is asked for, by kind; everything for others. */
const defaults: Readonly<Record<string, string>> = {
  "drive#file": "kind,id,name,mimeType,driveId",
  "drive#fileList": "kind,incompleteSearch,nextPageToken,files(kind,id,name,mimeType,driveId)",
  "drive#change": "kind,changeType,type,time,removed,fileId,file(kind,id,name,mimeType,driveId)",
  "drive#changeList":
    "kind,nextPageToken,newStartPageToken," +
    "changes(kind,changeType,type,time,removed,fileId,file(kind,id,name,mimeType,driveId))",
  "drive#revision": "kind,id,mimeType,modifiedTime",
  "drive#revisionList": "kind,nextPageToken,revisions(kind,id,mimeType,modifiedTime)",
  "drive#drive": "kind,id,name",
  "drive#driveList": "kind,nextPageToken,drives(kind,id,name)",
};

/** Fields below a name; undefined chooses all of it. */
type Selection = ReadonlyMap<string, Selection | undefined>;

/**
 * Leaves of a resource what the query's `fields` names.
 * @throws DriveApiError 400 for a selector that is none or names what the resource cannot have
 */
export function partial(resource: Resource, query: URLSearchParams): object {
  const text = query.get("fields") || defaults[String(resource.kind)];
  return text === undefined ? resource : (choose(resource, parse(text), knownFields) as Json);
}

/** The same for v2, which gives all where nothing is asked for. Which names it has is not known here. */
export function partialV2(resource: Resource, query: URLSearchParams): object {
  const text = query.get("fields");
  return text ? (choose(resource, parse(text), {}) as Json) : resource;
}

function choose(value: unknown, selection: Selection | undefined, kinds: typeof knownFields): unknown {
  if (Array.isArray(value)) return value.map((each) => choose(each, selection, kinds));
  if (!selection || typeof value !== "object" || value === null) return value;
  const json = value as Json;
  const known = kinds[String(json.kind)];
  const chosen: Json = {};
  for (const [name, below] of selection) {
    if (name === "*") {
      for (const [each, inner] of Object.entries(json)) chosen[each] = choose(inner, below, kinds);
      continue;
    }
    if (known && !known.has(name)) throw invalidSelection(name);
    if (json[name] !== undefined) chosen[name] = choose(json[name], below, kinds);
  }
  return chosen;
}

function parse(text: string): Selection {
  let at = 0;
  const list = (): Selection => {
    const selection = new Map<string, Selection | undefined>();
    for (;;) {
      const [name, below] = field();
      selection.set(name, below);
      if (text[at] !== ",") return selection;
      at += 1;
    }
  };
  const field = (): [string, Selection | undefined] => {
    const name = /^(?:\w+|\*)/.exec(text.slice(at))?.[0];
    if (name === undefined) throw invalidSelection(text.slice(at) || text);
    at += name.length;
    if (text[at] === "/") {
      at += 1;
      return [name, new Map([field()])];
    }
    if (text[at] !== "(") return [name, undefined];
    at += 1;
    const below = list();
    if (text[at] !== ")") throw invalidSelection(text);
    at += 1;
    return [name, below];
  };
  const selection = list();
  if (at !== text.length) throw invalidSelection(text);
  return selection;
}

function invalidSelection(name: string): DriveApiError {
  return new DriveApiError(400, "invalidParameter", `Invalid field selection ${name}`, {
    location: "fields",
  });
}
