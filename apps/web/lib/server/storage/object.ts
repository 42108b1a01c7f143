import { GetObjectTaggingCommand, HeadObjectCommand } from "@aws-sdk/client-s3";
import { storageClient } from "./client.ts";

export interface ObjectDescription {
  readonly key: string;
  /** Bytes. */
  readonly size: number;
  readonly contentType?: string;
  readonly modified?: Date;
  readonly etag?: string;
  /** Of HTTP, such as `Cache-Control`, those that are set. */
  readonly headers: Readonly<Record<string, string>>;
  /** The user's own: `x-amz-meta-*`, without that beginning. */
  readonly metadata: Readonly<Record<string, string>>;
  readonly tags: Readonly<Record<string, string>>;
}

/** What is known of an object; undefined where there is none. */
export async function describeObject(bucket: string, key: string): Promise<ObjectDescription | undefined> {
  const client = await storageClient();
  const object = { Bucket: bucket, Key: key };
  try {
    const [head, { TagSet = [] }] = await Promise.all([
      client.send(new HeadObjectCommand(object)),
      client.send(new GetObjectTaggingCommand(object)),
    ]);
    const headers = {
      "Cache-Control": head.CacheControl,
      "Content-Disposition": head.ContentDisposition,
      "Content-Encoding": head.ContentEncoding,
      "Content-Language": head.ContentLanguage,
      Expires: head.ExpiresString,
    };
    return {
      key,
      size: head.ContentLength ?? 0,
      contentType: head.ContentType,
      modified: head.LastModified,
      etag: head.ETag?.replaceAll('"', ""),
      headers: Object.fromEntries(Object.entries(headers).filter((one): one is [string, string] => !!one[1])),
      metadata: head.Metadata ?? {},
      tags: Object.fromEntries(TagSet.map(({ Key = "", Value = "" }) => [Key, Value])),
    };
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

const isMissing = (error: unknown) =>
  error instanceof Error && /^(NotFound|NoSuchKey|NoSuchBucket)$/.test(error.name);
