import { isPresignable, presign, saveAsParameters } from "../../../integrations/storage.ts";
import { nameOf } from "../../storage-paths.ts";
import { connections } from "../connections.ts";

/** One object, or an earlier content of it. */
export interface Place {
  readonly bucket: string;
  readonly key: string;
  readonly version?: string;
}

const storageOf = async (bucket: string) => ({ ...(await connections()).s3, bucket });

/** A URL by which anybody may read an object. @throws Error for a key that URLs cannot carry */
export async function readingUrl(
  { bucket, key, version }: Place,
  seconds: number,
  { isSaved = false } = {},
): Promise<string> {
  checkKey(key);
  return presign(await storageOf(bucket), "GET", key, seconds, {
    ...(isSaved && saveAsParameters(nameOf(key))),
    ...(version && { versionId: version }),
  });
}

/** A URL for one request of an upload, good for an hour. @throws Error for a key that URLs cannot carry */
export async function uploadingUrl(
  { bucket, key }: Place,
  method: "GET" | "PUT" | "POST" | "DELETE",
  parameters: Readonly<Record<string, string>>,
): Promise<string> {
  checkKey(key);
  return presign(await storageOf(bucket), method, key, 3600, parameters);
}

function checkKey(key: string): void {
  if (!isPresignable(key))
    throw new Error(
      'URLs cannot name an object with a part "." or "..": use a client of S3, or copy it to another name.',
    );
}
