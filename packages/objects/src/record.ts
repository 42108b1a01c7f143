import { hash } from "node:crypto";
import type { DescribedFile, DriveEntry } from "@overcoat/drives";
import { contentTypeOf, followsFromName } from "./content-type.ts";
import {
  type Checksum,
  noMetadata,
  type ObjectInfo,
  type ObjectMetadata,
  type ObjectPart,
} from "./metadata.ts";

/** What is kept with the bytes of an object, in the drive's properties. */
export interface ObjectRecord {
  readonly etag: string;
  readonly metadata: ObjectMetadata;
  readonly checksum?: Checksum;
  readonly parts?: readonly ObjectPart[];
  /** The upload that made it, so that a repeated CompleteMultipartUpload is recognised. */
  readonly upload?: string;
}

interface StoredRecord {
  e: string;
  h?: ObjectMetadata["headers"];
  u?: ObjectMetadata["user"];
  t?: ObjectMetadata["tags"];
  c?: [Checksum["algorithm"], "F" | "C", string];
  /** Runs of equal parts: count, size, and the checksums when there are any. */
  p?: [number, number, string[]?][];
  i?: string;
}

const some = <T extends object>(value: T): T | undefined => (Object.keys(value).length ? value : undefined);

/** Just an MD5, and a CRC-32 where there is one: the text of most objects, short enough to lie in an inode. */
const plain = /^([\w-]{22})(?:\.([\w-]{6}))?$/;

function encodePlain({ etag, metadata, checksum, parts, upload }: ObjectRecord): string | undefined {
  if (parts || upload || etag.length !== 32) return undefined;
  if (checksum && (checksum.algorithm !== "CRC32" || checksum.type !== "FULL_OBJECT")) return undefined;
  if (some(metadata.headers) ?? some(metadata.user) ?? some(metadata.tags)) return undefined;
  const crc = checksum ? `.${Buffer.from(checksum.value, "base64").toString("base64url")}` : "";
  return Buffer.from(etag, "hex").toString("base64url") + crc;
}

/** The record as the text that the drive keeps. */
export function encodeRecord(record: ObjectRecord): string {
  const short = encodePlain(record);
  if (short !== undefined) return short;
  const { metadata, checksum } = record;
  const stored: StoredRecord = {
    e: record.etag,
    h: some(metadata.headers),
    u: some(metadata.user),
    t: some(metadata.tags),
    c: checksum && [checksum.algorithm, checksum.type === "COMPOSITE" ? "C" : "F", checksum.value],
    p: record.parts && runs(record.parts),
    i: record.upload,
  };
  return JSON.stringify(stored);
}

function runs(parts: readonly ObjectPart[]): StoredRecord["p"] {
  const out: [number, number, string[]?][] = [];
  for (const part of parts) {
    const last = out.at(-1);
    if (last && last[1] === part.size && (last[2] !== undefined) === (part.checksum !== undefined)) {
      last[0]++;
      if (part.checksum) last[2]?.push(part.checksum);
    } else out.push(part.checksum ? [1, part.size, [part.checksum]] : [1, part.size]);
  }
  return out;
}

/** The record in the drive's text; undefined when it is none of ours. */
export function decodeRecord(text: string): ObjectRecord | undefined {
  const short = plain.exec(text);
  if (short) {
    const [, md5 = "", crc] = short;
    const value = crc && Buffer.from(crc, "base64url").toString("base64");
    return {
      etag: Buffer.from(md5, "base64url").toString("hex"),
      metadata: noMetadata,
      checksum: value ? { algorithm: "CRC32", type: "FULL_OBJECT", value } : undefined,
    };
  }
  try {
    const stored = JSON.parse(text) as StoredRecord;
    if (typeof stored.e !== "string") return undefined;
    return {
      etag: stored.e,
      metadata: { headers: stored.h ?? {}, user: stored.u ?? {}, tags: stored.t ?? {} },
      checksum: stored.c && {
        algorithm: stored.c[0],
        type: stored.c[1] === "C" ? "COMPOSITE" : "FULL_OBJECT",
        value: stored.c[2],
      },
      parts: stored.p?.flatMap(([count, size, checksums]) =>
        Array.from({ length: count }, (_, i) => ({ size, checksum: checksums?.[i] })),
      ),
      upload: stored.i,
    };
  } catch {
    return undefined;
  }
}

/** The record of bytes that the drive has changed by itself: nothing that was made of the old ones is told. */
export function rewrittenRecord({ metadata, upload, etag }: ObjectRecord): ObjectRecord {
  return { metadata, upload, etag: `${hash("md5", etag)}-0` };
}

/** Whether a record tells nothing but what follows from the object's key and bytes. */
export function isDerivable(key: string, { etag, metadata, checksum, parts, upload }: ObjectRecord): boolean {
  const { "content-type": type, ...others } = metadata.headers;
  if (parts || upload || etag.length !== 32 || checksum?.type === "COMPOSITE") return false;
  if (some(others) ?? some(metadata.user) ?? some(metadata.tags)) return false;
  return type === undefined || followsFromName(key, type);
}

/**
 * The ETag of a file that others put there: its MD5 where the drive tells it, else what is stable while the bytes
 * are, as far as the drive knows, and no MD5 by its form.
 */
const foreignEtag = ({ size, modified, content, md5 }: DriveEntry) =>
  md5 ?? `${hash("md5", content === undefined ? `${size}:${modified}` : `${size}:${content}`)}-0`;

type StoredInfo = ObjectInfo & { readonly upload?: string };
const decoded = new WeakMap<DescribedFile, StoredInfo>();

/** A stored file as S3 sees it: the same object again while nothing of it changes. */
export function objectInfo(key: string, file: DescribedFile): StoredInfo {
  let info = decoded.get(file);
  if (info?.key !== key) {
    info = decodeFile(key, file);
    decoded.set(file, info);
  }
  return info;
}

function decodeFile(key: string, { entry, properties }: DescribedFile): StoredInfo {
  const { size, modified } = entry;
  const record = properties === undefined ? undefined : decodeRecord(properties);
  if (record) return { key, size, modified, ...record };
  const type = contentTypeOf(key);
  const metadata = type === undefined ? noMetadata : { ...noMetadata, headers: { "content-type": type } };
  return { key, size, modified, etag: foreignEtag(entry), metadata };
}
