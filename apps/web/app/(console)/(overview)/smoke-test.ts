import { randomUUID } from "node:crypto";
import {
  DeleteObjectCommand,
  GetObjectCommand,
  ListBucketsCommand,
  PutObjectCommand,
} from "@aws-sdk/client-s3";
import { messageOf } from "@/lib/server/checks";
import { storageClient } from "@/lib/server/storage/client";

export interface SmokeTest {
  readonly milliseconds: number;
  readonly bytes: number;
  /** What went wrong, if something did. */
  readonly error?: string;
}

const kept = globalThis as { overcoatSmokeTest?: SmokeTest };

/** The last one since the console started. */
export const lastSmokeTest = (): SmokeTest | undefined => kept.overcoatSmokeTest;

/** Uploads a small file into the first bucket, downloads, compares and removes it. */
export async function runSmokeTest(): Promise<void> {
  const start = performance.now();
  const content = "id,label\n1,cat\n2,dog\n3,horse\n";
  const end = (error?: string) => {
    kept.overcoatSmokeTest = {
      milliseconds: Math.max(1, Math.round(performance.now() - start)),
      bytes: content.length,
      ...(error !== undefined && { error }),
    };
  };
  try {
    const client = await storageClient();
    const { Buckets: [bucket] = [] } = await client.send(new ListBucketsCommand());
    if (!bucket?.Name) return end("there is no bucket to test with");
    const object = { Bucket: bucket.Name, Key: `overcoat-smoke-test-${randomUUID()}.csv` };
    await client.send(new PutObjectCommand({ ...object, Body: content, ContentType: "text/csv" }));
    const { Body } = await client.send(new GetObjectCommand(object));
    const read = await Body?.transformToString();
    await client.send(new DeleteObjectCommand(object));
    end(read === content ? undefined : "what was downloaded is not what was uploaded");
  } catch (error) {
    end(messageOf(error));
  }
}
