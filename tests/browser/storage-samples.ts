import {
  CreateBucketCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
} from "@aws-sdk/client-s3";
import type { TestConsole } from "./console.ts";

const orders = 'id,item,price\n1,coat,129.00\n2,"scarf, wool",35.50\n3,hat,24.00\n';
export const oddKey = "odd//a b%20ü/+x#?&=.txt";

type Storage = Pick<TestConsole, "storage">;

/** Makes the bucket `shop` with objects where pages and tests look for them. */
export async function putSamples({ storage }: Storage): Promise<void> {
  await storage.send(new CreateBucketCommand({ Bucket: "shop" }));
  const put = (Key: string, Body: string, more: object = {}) =>
    storage.send(new PutObjectCommand({ Bucket: "shop", Key, Body, ...more }));
  await put("orders.csv", orders, {
    ContentType: "text/csv",
    CacheControl: "max-age=60",
    Metadata: { source: "till-4" },
    Tagging: "stage=raw",
  });
  await put("archive/2025.csv", orders);
  await put("prices.json", '{"coat":129,"hat":[24,26]}');
  await put(oddKey, "an odd key\n");
  await Promise.all(Array.from({ length: 102 }, (_, i) => put(`many/${1000 + i}.txt`, `${i}\n`)));
}

/** Puts an object into the bucket `shop`; one without a body holds its key. */
export async function putObject({ storage }: Storage, Key: string, Body: string | Uint8Array = Key) {
  await storage.send(new PutObjectCommand({ Bucket: "shop", Key, Body }));
}

export async function contentOf({ storage }: Storage, Key: string, Bucket = "shop"): Promise<Buffer> {
  const { Body } = await storage.send(new GetObjectCommand({ Bucket, Key }));
  return Buffer.from(await Body!.transformToByteArray());
}

/** Keys of a bucket, those that begin so. */
export async function keysIn({ storage }: Storage, Bucket: string, Prefix = ""): Promise<string[]> {
  const { Contents = [] } = await storage.send(new ListObjectsV2Command({ Bucket, Prefix }));
  return Contents.map(({ Key = "" }) => Key);
}
