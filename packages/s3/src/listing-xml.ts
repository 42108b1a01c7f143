import type { ObjectInfo } from "@overcoat/objects";
import { owner } from "./context.ts";
import { isoTime } from "./times.ts";
import { escapeText } from "./xml.ts";

/** `encoding-type=url` as S3 does it: all but unreserved characters and the slash. */
export const urlEncode = (text: string) =>
  /^[\w./~-]*$/.test(text)
    ? text
    : encodeURIComponent(text)
        .replaceAll("%2F", "/")
        .replace(/[!'()]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);

export const ownerXml = (name = "Owner") =>
  `<${name}><ID>${owner.id}</ID><DisplayName>${owner.name}</DisplayName></${name}>`;

const ownerElement = ownerXml();

/** One object of a listing, without the element around it. One template, which a page has a thousand times. */
export function objectXml(
  { key, modified, etag, checksum, size }: ObjectInfo,
  encode: (text: string) => string,
  withOwner: boolean,
): string {
  const checksumElements = checksum
    ? `<ChecksumAlgorithm>${checksum.algorithm}</ChecksumAlgorithm><ChecksumType>${checksum.type}</ChecksumType>`
    : "";
  return `<Key>${escapeText(encode(key))}</Key><LastModified>${isoTime(modified)}</LastModified><ETag>&quot;${etag}&quot;</ETag>${checksumElements}<Size>${size}</Size>${withOwner ? ownerElement : ""}<StorageClass>STANDARD</StorageClass>`;
}

/** The objects of a page. Pieces are added to one text: joined from an array they take twice the time. */
export function objectsXml(
  objects: readonly ObjectInfo[],
  encode: (text: string) => string,
  withOwner: boolean,
): string {
  let xml = "";
  for (const object of objects) xml += `<Contents>${objectXml(object, encode, withOwner)}</Contents>`;
  return xml;
}
