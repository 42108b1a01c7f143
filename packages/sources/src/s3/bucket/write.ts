import {
  CopyObjectCommand,
  DeleteObjectsCommand,
  type ObjectIdentifier,
  PutObjectCommand,
  type StorageClass,
} from "@aws-sdk/client-s3";
import { SqlError } from "../../error.ts";
import { isMissing, sqlError } from "../errors.ts";
import { encodeKey } from "../object-url.ts";
import type { Bucket } from "./bucket.ts";
import type { Headers, Listed } from "./object.ts";
import { encodeUserMetadata } from "./user-metadata.ts";

/** Keys of one DeleteObjects. */
export const mostDeletes = 1000;

/** Bytes of the largest object that one request copies. */
export const largestCopy = 5 * 1024 ** 3;

/** What is stored with an object. */
export interface Stored extends Omit<Headers, "version"> {
  /** `undefined` for the service's default. */
  readonly storageClass: string | undefined;
}

/** A write's condition: that there is no such object, or that it has this ETag. */
export type Condition = { readonly absent: true } | { readonly etag: string };

const conditionOf = (condition: Condition | undefined) =>
  condition && ("absent" in condition ? { IfNoneMatch: "*" } : { IfMatch: `"${condition.etag}"` });

function headersOf(stored: Stored) {
  const expires = stored.expires === undefined ? Number.NaN : Date.parse(stored.expires);
  return {
    ContentType: stored.contentType,
    ContentEncoding: stored.contentEncoding,
    ContentLanguage: stored.contentLanguage,
    ContentDisposition: stored.contentDisposition,
    CacheControl: stored.cacheControl,
    Expires: Number.isNaN(expires) ? undefined : new Date(expires),
    Metadata: encodeUserMetadata(stored.userMetadata),
    StorageClass: stored.storageClass as StorageClass | undefined,
  };
}

/** @throws SqlError 40001 when the condition does not hold */
export async function putObject(
  bucket: Bucket,
  key: string,
  content: Uint8Array,
  stored: Stored,
  condition: Condition | undefined,
  signal: AbortSignal,
): Promise<void> {
  const send = (checked: Condition | undefined) =>
    bucket.call(key, signal, (client) => {
      const command = new PutObjectCommand({
        Bucket: bucket.name,
        Key: key,
        Body: content,
        ...headersOf(stored),
        ...conditionOf(checked),
      });
      return client.send(command, { abortSignal: signal });
    });
  await guarded(bucket, key, condition, signal, send);
}

/**
 * Copies an object, if it still has its ETag, within its bucket. With `stored` the copy gets that instead of what is
 * stored with the object.
 * @throws SqlError 40001 when it has changed, or the condition on the copy does not hold
 */
export async function copyObject(
  bucket: Bucket,
  source: Pick<Listed, "key" | "etag" | "storageClass">,
  key: string,
  stored: Stored | undefined,
  condition: Condition | undefined,
  signal: AbortSignal,
): Promise<void> {
  const send = (checked: Condition | undefined) =>
    bucket.call(key, signal, (client) => {
      const command = new CopyObjectCommand({
        Bucket: bucket.name,
        Key: key,
        CopySource: `${bucket.name}/${encodeKey(source.key)}`,
        CopySourceIfMatch: `"${source.etag}"`,
        MetadataDirective: stored ? "REPLACE" : "COPY",
        ...(stored ? headersOf(stored) : { StorageClass: source.storageClass as StorageClass }),
        ...conditionOf(checked),
      });
      return client.send(command, { abortSignal: signal });
    });
  await guarded(bucket, key, condition, signal, send);
}

/** Sends a write with its condition; where the service knows no such conditions, it is looked up before. */
async function guarded(
  bucket: Bucket,
  key: string,
  condition: Condition | undefined,
  signal: AbortSignal,
  send: (condition: Condition | undefined) => Promise<unknown>,
): Promise<void> {
  try {
    await send(condition);
  } catch (error) {
    if (!condition || !(error instanceof SqlError)) throw error;
    const absent = "absent" in condition;
    if (error.sqlState === "40001" && absent) throw appeared(bucket.name, key);
    if (error.sqlState !== "0A000") throw error;
    const found = await bucket.head(key, signal);
    if (absent && found) throw appeared(bucket.name, key);
    if (!absent && found?.etag !== condition.etag) throw changed(bucket.name, key);
    await send(undefined);
  }
}

export const changed = (bucket: string, key: string) =>
  new SqlError("40001", `object "${key}" in bucket "${bucket}" was changed by another since it was read`, {
    hint: "run the transaction again",
  });

/** At COMMIT: when the statement ran there was none. */
export const appeared = (bucket: string, key: string) =>
  new SqlError("40001", `object "${key}" in bucket "${bucket}" exists`, {
    hint: "run the transaction again, or set the table option on_conflict to replace",
  });

export interface Deletion {
  readonly key: string;
  /** Deletes this version of it only, where the service can tell. */
  readonly etag: string | undefined;
}

/** Deletes up to `mostDeletes` objects and gives what went wrong with which, in no order. */
export async function deleteObjects(
  bucket: Bucket,
  deletions: readonly Deletion[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, unknown>> {
  const output = await bucket.call(undefined, signal, (client) => {
    const objects = deletions.map(({ key, etag }): ObjectIdentifier => {
      return { Key: key, ...(etag && { ETag: `"${etag}"` }) };
    });
    const command = new DeleteObjectsCommand({
      Bucket: bucket.name,
      Delete: { Objects: objects, Quiet: true },
    });
    return client.send(command, { abortSignal: signal });
  });
  return new Map(
    (output.Errors ?? []).map(({ Key: key = "", Code: code = "", Message: message = "" }) => {
      const error = Object.assign(new Error(message), { name: code });
      return [
        key,
        isMissing(error)
          ? changed(bucket.name, key)
          : sqlError(error, bucket.settings, { bucket: bucket.name, key }),
      ];
    }),
  );
}
