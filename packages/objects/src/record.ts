import { createHash } from "node:crypto";
import type { DescribedFile } from "@overcoat/drives";
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

interface Stored {
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

/** The record as the text that the drive keeps. */
export function encodeRecord(record: ObjectRecord): string {
  const { metadata, checksum } = record;
  const stored: Stored = {
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

function runs(parts: readonly ObjectPart[]): Stored["p"] {
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
  try {
    const stored = JSON.parse(text) as Stored;
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

/** The ETag of a file that others put there: stable while size and time stand, and no MD5 by its form. */
const opaqueEtag = (size: number, modified: number) =>
  `${createHash("md5").update(`${size}:${modified}`).digest("hex")}-0`;

/** A stored file as S3 sees it. */
export function objectInfo(key: string, file: DescribedFile): ObjectInfo & { upload?: string } {
  const { size, modified } = file.entry;
  const record = file.properties === undefined ? undefined : decodeRecord(file.properties);
  if (record) return { key, size, modified, ...record };
  return { key, size, modified, etag: opaqueEtag(size, modified), metadata: noMetadata };
}
