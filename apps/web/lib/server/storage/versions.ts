import { CopyObjectCommand, ListObjectVersionsCommand } from "@aws-sdk/client-s3";
import { copySource } from "./change.ts";
import { patiently, storageClient } from "./client.ts";
import type { Place } from "./urls.ts";

export interface Version {
  readonly id: string;
  readonly isLatest: boolean;
  /** Bytes. */
  readonly size: number;
  readonly modified?: Date;
}

/** The contents that the remote keeps of an object, newest first; none where it keeps but the present one. */
export async function versionsOf({ bucket, key }: Place): Promise<readonly Version[]> {
  const { Versions = [] } = await (await storageClient()).send(
    // Keys that begin so come after it.
    new ListObjectVersionsCommand({ Bucket: bucket, Prefix: key, MaxKeys: 1 }),
  );
  const versions = Versions.filter(({ Key }) => Key === key).map(
    ({ VersionId: id = "null", IsLatest: isLatest = false, Size: size = 0, LastModified: modified }) => ({
      id,
      isLatest,
      size,
      modified,
    }),
  );
  return versions.length > 1 ? versions : [];
}

/** Makes an earlier content the present one again. */
export async function restoreVersion({ bucket, key, version }: Required<Place>): Promise<void> {
  await (await storageClient()).send(
    new CopyObjectCommand({
      Bucket: bucket,
      Key: key,
      CopySource: `${copySource({ bucket, key })}?versionId=${encodeURIComponent(version)}`,
    }),
    patiently,
  );
}
