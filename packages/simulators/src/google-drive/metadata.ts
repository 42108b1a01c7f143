import { badRequest, DriveApiError, forbidden, invalid } from "./errors.ts";
import { type Json, knownFields } from "./fields.ts";

/** What a client says of a file, the same for both versions of the API. Times in milliseconds since 1970. */
export interface Metadata {
  readonly id?: string;
  readonly name?: string;
  readonly parents?: readonly string[];
  readonly mimeType?: string;
  readonly description?: string;
  readonly starred?: boolean;
  readonly trashed?: boolean;
  readonly created?: number;
  readonly modified?: number;
  readonly originalFilename?: string;
  /** `null` removes one. */
  readonly properties?: Readonly<Record<string, string | null>>;
  readonly appProperties?: Readonly<Record<string, string | null>>;
  readonly shortcutTarget?: string;
}

type Use = "create" | "update" | "copy";

const writable = new Set(
  [
    "appProperties contentHints contentRestrictions copyRequiresWriterPermission description folderColorRgb",
    "kind mimeType modifiedTime name originalFilename properties shortcutDetails starred trashed",
    "viewedByMeTime writersCanShare",
  ].flatMap((names) => names.split(" ")),
);
const writableOnce = new Set(["id", "parents", "createdTime"]);

/** What the body of a v3 call says. @throws DriveApiError 400, 403 */
export function metadataOf(body: Json, use: Use): Metadata {
  for (const name of Object.keys(body)) {
    if (!knownFields["drive#file"]!.has(name)) throw invalid(`Unknown name "${name}" at 'file'.`);
    const once = writableOnce.has(name);
    if (once && use === "update")
      throw forbidden(
        "fieldNotWritable",
        name === "parents"
          ? "The parents field is not directly writable in update requests. Use the addParents and removeParents parameters instead."
          : "The resource body includes fields which are not directly writable.",
      );
    if (!once && !writable.has(name))
      throw forbidden(
        "fieldNotWritable",
        "The resource body includes fields which are not directly writable.",
      );
  }
  const { shortcutDetails } = body;
  return {
    id: text(body, "id"),
    name: text(body, "name"),
    parents: parentsOf(body.parents),
    mimeType: text(body, "mimeType"),
    description: text(body, "description"),
    originalFilename: text(body, "originalFilename"),
    starred: flag(body, "starred"),
    trashed: flag(body, "trashed"),
    created: timeOf(body.createdTime),
    modified: timeOf(body.modifiedTime),
    properties: propertiesOf(body.properties),
    appProperties: propertiesOf(body.appProperties),
    shortcutTarget: isObject(shortcutDetails) ? text(shortcutDetails, "targetId") : undefined,
  };
}

/** What the body of a v2 call says. @param setsModified whether the query lets it set `modifiedDate` */
export function metadataOfV2(body: Json, setsModified: boolean): Metadata {
  const { labels, parents, properties } = body;
  const ids = Array.isArray(parents)
    ? parents.map((parent) => (isObject(parent) ? parent.id : parent))
    : parents;
  const of = (visibility: string) => {
    if (properties === undefined) return undefined;
    if (!Array.isArray(properties) || !properties.every(isObject))
      throw badRequest("properties must be a list.");
    const some = properties.filter((each) => (each.visibility ?? "PRIVATE") === visibility);
    return propertiesOf(Object.fromEntries(some.map(({ key, value }) => [key, value])));
  };
  return {
    id: text(body, "id"),
    name: text(body, "title"),
    parents: parentsOf(ids),
    mimeType: text(body, "mimeType"),
    description: text(body, "description"),
    originalFilename: text(body, "originalFilename"),
    starred: isObject(labels) ? flag(labels, "starred") : undefined,
    trashed: isObject(labels) ? flag(labels, "trashed") : undefined,
    modified: setsModified ? timeOf(body.modifiedDate) : undefined,
    properties: of("PUBLIC"),
    appProperties: of("PRIVATE"),
  };
}

/** Whether a v2 call takes the time from its body. */
export function setsModified(query: URLSearchParams): boolean {
  return query.get("setModifiedDate") === "true" || /^fromBody/.test(query.get("modifiedDateBehavior") ?? "");
}

const mostOfOneKind = 30;
const mostPropertyBytes = 124;

/**
 * Properties after a change.
 * @throws DriveApiError 403 where there are too many or one is too long
 */
export function changeProperties(
  before: ReadonlyMap<string, string> | undefined,
  changes: Readonly<Record<string, string | null>> | undefined,
): ReadonlyMap<string, string> {
  if (!changes) return before ?? new Map();
  const after = new Map(before);
  for (const [key, value] of Object.entries(changes)) {
    if (value === null) {
      after.delete(key);
      continue;
    }
    if (key === "" || Buffer.byteLength(key) + Buffer.byteLength(value) > mostPropertyBytes)
      throw new DriveApiError(
        400,
        "propertyTooLong",
        `A property and its value may have ${mostPropertyBytes} bytes.`,
      );
    after.set(key, value);
  }
  if (after.size > mostOfOneKind)
    throw forbidden("propertyLimitExceeded", `A file may have ${mostOfOneKind} properties of an app.`);
  return after;
}

export function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function text(body: Json, name: string): string | undefined {
  const value = body[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== "string") throw badRequest(`Invalid value for ${name}: it must be a text.`);
  return value;
}

function flag(body: Json, name: string): boolean | undefined {
  const value = body[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== "boolean") throw badRequest(`Invalid value for ${name}: it must be true or false.`);
  return value;
}

function timeOf(value: unknown): number | undefined {
  if (value === undefined || value === null) return undefined;
  const valid = typeof value === "string" && /^\d{4}-\d\d-\d\dT[\d:.]+(Z|[+-]\d\d:\d\d)$/.test(value);
  const time = valid ? Date.parse(value) : Number.NaN;
  if (Number.isNaN(time)) throw badRequest(`Invalid value for a time: ${value}`);
  return time;
}

function parentsOf(value: unknown): readonly string[] | undefined {
  if (value === undefined || value === null) return undefined;
  if (!Array.isArray(value) || !value.every((id) => typeof id === "string"))
    throw badRequest("Invalid value for parents: it must be a list of ids.");
  if (value.length > 1) throw invalid("A file can only have one parent.", "parents");
  return value;
}

function propertiesOf(value: unknown): Record<string, string | null> | undefined {
  if (value === undefined || value === null) return undefined;
  if (!isObject(value)) throw badRequest("Invalid value for properties: it must be an object.");
  for (const each of Object.values(value))
    if (each !== null && typeof each !== "string")
      throw badRequest("The value of a property must be a text.");
  return value as Record<string, string | null>;
}
