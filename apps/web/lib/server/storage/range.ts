import { GetObjectCommand } from "@aws-sdk/client-s3";
import { storageClient } from "./client.ts";
import type { Place } from "./urls.ts";

/** Some bytes of an object: those from `start` to before `end`, which must be after it and not after the object's. */
export async function readRange({ bucket, key }: Place, start: number, end: number): Promise<Uint8Array> {
  const { Body } = await (await storageClient()).send(
    new GetObjectCommand({ Bucket: bucket, Key: key, Range: `bytes=${start}-${end - 1}` }),
  );
  return Body!.transformToByteArray();
}
