import {
  type ChecksumAlgorithm,
  type Conditions,
  checksumAlgorithms,
  type ObjectInfo,
  type ObjectMetadata,
  systemHeaders,
} from "@overcoat/objects";
import { type Context, type Headers, header } from "./context.ts";
import { S3Error } from "./errors.ts";

const largestUserMetadata = 2048;
const date = (text: string | undefined) => {
  const time = text === undefined ? Number.NaN : Date.parse(text);
  return Number.isNaN(time) ? undefined : time;
};

const conditional = (prefix: string) => ({
  ifMatch: `${prefix}if-match`,
  ifNoneMatch: `${prefix}if-none-match`,
  ifModifiedSince: `${prefix}if-modified-since`,
  ifUnmodifiedSince: `${prefix}if-unmodified-since`,
});
const plainConditions = conditional("");

/** The conditions, if there is any: one that is empty, or of 1970, is one. */
const given = (conditions: Conditions) =>
  Object.values(conditions).some((one) => one !== undefined) ? conditions : undefined;

/** Conditional headers; with a prefix, those of a copy's source. */
export function conditionsOf(context: Context, prefix = ""): Conditions | undefined {
  const names = prefix ? conditional(prefix) : plainConditions;
  const ifMatch = header(context, names.ifMatch);
  const ifNoneMatch = header(context, names.ifNoneMatch);
  const ifModifiedSince = date(header(context, names.ifModifiedSince));
  const ifUnmodifiedSince = date(header(context, names.ifUnmodifiedSince));
  return given({ ifMatch, ifNoneMatch, ifModifiedSince, ifUnmodifiedSince });
}

/** Conditions that count for a write. */
export function writeConditions(context: Context): Conditions | undefined {
  const ifMatch = header(context, "if-match");
  const ifNoneMatch = header(context, "if-none-match");
  return given({ ifMatch, ifNoneMatch });
}

/** Latin-1 as Node.js reads headers, back to the UTF-8 that clients send. */
const utf8 = (value: string) => {
  if (!/[\x80-\xff]/.test(value)) return value;
  const decoded = Buffer.from(value, "latin1").toString("utf8");
  return decoded.includes("\ufffd") ? value : decoded;
};

/** Headers to be stored with an object, from the request. @throws S3Error MetadataTooLarge, InvalidTag */
export function metadataOf(context: Context): ObjectMetadata {
  const { headers } = context.request;
  const stored: Record<string, string> = {};
  for (const name of systemHeaders) {
    const value = header(context, name);
    if (value === undefined) continue;
    if (name !== "content-encoding") stored[name] = utf8(value);
    else {
      const rest = value
        .split(",")
        .map((one) => one.trim())
        .filter((one) => one && one !== "aws-chunked");
      if (rest.length) stored[name] = rest.join(", ");
    }
  }
  // By entries, since `__proto__` is a name like any other.
  const user: [name: string, value: string][] = [];
  let size = 0;
  for (const name in headers)
    if (name.startsWith("x-amz-meta-")) {
      const value = utf8(header(context, name) ?? "");
      user.push([name.slice(11), value]);
      size += name.length - 11 + Buffer.byteLength(value);
    }
  if (size > largestUserMetadata)
    throw new S3Error("MetadataTooLarge", undefined, {
      Size: String(size),
      MaxSizeAllowed: String(largestUserMetadata),
    });
  return {
    headers: stored,
    user: Object.fromEntries(user),
    tags: tagsOf(header(context, "x-amz-tagging") ?? ""),
  };
}

/** Tags of `x-amz-tagging`, a query string. @throws S3Error BadRequest, InvalidTag */
export function tagsOf(query: string): Record<string, string> {
  return checkTags([...new URLSearchParams(query)]);
}

/** What tags may be made of (user guide, "Categorizing your objects using tags"). */
const tagText = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u;

/** S3's limits on tags: 10, keys of 128 and values of 256 characters, no key twice. @throws S3Error BadRequest, InvalidTag */
export function checkTags(pairs: readonly (readonly [string, string])[], most = 10): Record<string, string> {
  if (pairs.length > most) throw new S3Error("BadRequest", `There must not be more than ${most} tags.`);
  const tags = new Map<string, string>();
  for (const [key, value] of pairs) {
    if (key === "" || key.length > 128 || !tagText.test(key))
      throw new S3Error("InvalidTag", "The TagKey you have provided is invalid");
    if (value.length > 256 || !tagText.test(value))
      throw new S3Error("InvalidTag", "The TagValue you have provided is invalid");
    if (tags.has(key)) throw new S3Error("InvalidTag", "Cannot provide multiple Tags with the same key");
    tags.set(key, value);
  }
  return Object.fromEntries(tags);
}

/** Header name of a checksum. */
export const checksumHeader = (algorithm: ChecksumAlgorithm) => `x-amz-checksum-${algorithm.toLowerCase()}`;

/** A client's name of an algorithm. @throws S3Error InvalidRequest */
export function algorithmOf(name: string | undefined): ChecksumAlgorithm | undefined {
  if (name === undefined) return undefined;
  const algorithm = checksumAlgorithms.find((one) => one === name.toUpperCase());
  if (!algorithm) throw new S3Error("InvalidRequest", "Checksum algorithm provided is unsupported.");
  return algorithm;
}

const known = new WeakMap<ObjectInfo, Headers>();

/** Headers of GET and HEAD for an object. @throws S3Error InvalidRequest */
export function objectHeaders(context: Context, info: ObjectInfo): Headers {
  let headers = known.get(info);
  if (!headers) {
    headers = storedHeaders(info);
    known.set(info, headers);
  }
  return context.query.size === 0 ? headers : { ...headers, ...overrides(context) };
}

function storedHeaders(info: ObjectInfo): Headers {
  const { metadata } = info;
  const out: Record<string, string | number> = {
    "last-modified": new Date(info.modified).toUTCString(),
    etag: `"${info.etag}"`,
    "accept-ranges": "bytes",
    "content-type": metadata.headers["content-type"] ?? "binary/octet-stream",
  };
  for (const name of systemHeaders) {
    const value = metadata.headers[name];
    if (value !== undefined) out[name] = latin1(value);
  }
  for (const name in metadata.user) out[`x-amz-meta-${name}`] = latin1(metadata.user[name]!);
  const tags = Object.keys(metadata.tags).length;
  if (tags) out["x-amz-tagging-count"] = tags;
  return out;
}

/** The headers that `response-*` asks for. @throws S3Error InvalidRequest for a sender without a key */
function overrides(context: Context): Record<string, string> {
  const out: Record<string, string> = {};
  for (const [name, value] of context.query)
    if (overridable.has(name)) out[name.slice("response-".length)] = latin1(value);
  if (Object.keys(out).length && context.verified === "anonymous" && !context.service.rights.open)
    throw new S3Error(
      "InvalidRequest",
      "Request specific response headers cannot be used for anonymous GET requests.",
    );
  return out;
}

const overridable = new Set(
  systemHeaders.filter((name) => !name.startsWith("x-amz-")).map((name) => `response-${name}`),
) as ReadonlySet<string>;

/** A value that Node.js can put into a header so that its UTF-8 bytes go out; no header can hold control characters. */
const latin1 = (value: string) =>
  /[^\x20-\x7e]/.test(value)
    ? Buffer.from(value.replace(/[\x00-\x1f\x7f]/g, " "), "utf8").toString("latin1")
    : value;

/** The stored checksum as headers. */
export function checksumHeaders(info: Pick<ObjectInfo, "checksum">): Record<string, string> {
  const { checksum } = info;
  if (!checksum) return {};
  return { [checksumHeader(checksum.algorithm)]: checksum.value, "x-amz-checksum-type": checksum.type };
}
