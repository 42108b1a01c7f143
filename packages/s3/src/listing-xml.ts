import type { ObjectInfo } from "@overcoat/objects";
import { owner } from "./context.ts";
import { isoTime } from "./times.ts";
import { element } from "./xml.ts";

/** `encoding-type=url` as S3 does it: all but unreserved characters and the slash. */
export const urlEncode = (text: string) =>
  /^[\w./~-]*$/.test(text)
    ? text
    : encodeURIComponent(text)
        .replaceAll("%2F", "/")
        .replace(/[!'()]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);

export const ownerXml = (name = "Owner") =>
  `<${name}><ID>${owner.id}</ID><DisplayName>${owner.name}</DisplayName></${name}>`;

/** One object of a listing, without the element around it. */
export function objectXml(object: ObjectInfo, encode: (text: string) => string, withOwner: boolean): string {
  const { checksum } = object;
  return (
    element("Key", encode(object.key)) +
    `<LastModified>${isoTime(object.modified)}</LastModified><ETag>&quot;${object.etag}&quot;</ETag>` +
    (checksum
      ? `<ChecksumAlgorithm>${checksum.algorithm}</ChecksumAlgorithm><ChecksumType>${checksum.type}</ChecksumType>`
      : "") +
    `<Size>${object.size}</Size>${withOwner ? ownerXml() : ""}<StorageClass>STANDARD</StorageClass>`
  );
}
