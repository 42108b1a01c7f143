import { randomBytes } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { type BucketItem, Client, CopyConditions } from "minio";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Gateway, served, startGateway } from "../gateway.ts";

describe.each(served)("minio (npm) over $where", ({ tls, drive }) => {
  let gateway: Gateway;
  let client: Client;
  beforeAll(async () => {
    gateway = await startGateway({ tls, drive });
    client = new Client({
      endPoint: "127.0.0.1",
      port: gateway.port,
      useSSL: gateway.agent !== undefined,
      accessKey: gateway.accessKeyId,
      secretKey: gateway.secretAccessKey,
      ...(gateway.agent ? { transportAgent: gateway.agent } : {}),
    });
  });
  afterAll(() => gateway?.stop());

  async function listed(bucket: string, prefix: string, recursive: boolean): Promise<string[]> {
    const stream = client.listObjectsV2(bucket, prefix, recursive) as Readable;
    const items = (await stream.toArray()) as BucketItem[];
    return items.map((item) => item.name ?? item.prefix ?? "");
  }

  test("keeps objects, their metadata and their listing", async () => {
    const bucket = "minio-objects";
    expect(await client.bucketExists(bucket)).toBe(false);
    await client.makeBucket(bucket, "us-east-1");
    expect(await client.bucketExists(bucket)).toBe(true);
    expect((await client.listBuckets()).map(({ name }) => name)).toContain(bucket);
    const { etag } = await client.putObject(bucket, "docs/a b+ü.txt", "hello", 5, {
      "Content-Type": "text/plain",
      "X-Amz-Meta-Colour": "green",
    });
    expect(etag).toBe("5d41402abc4b2a76b9719d911017c592");
    const stat = await client.statObject(bucket, "docs/a b+ü.txt");
    expect(stat).toMatchObject({ size: 5, etag });
    expect(stat.metaData).toMatchObject({ colour: "green", "content-type": "text/plain" });
    expect(String(await buffer(await client.getObject(bucket, "docs/a b+ü.txt")))).toBe("hello");
    expect(String(await buffer(await client.getPartialObject(bucket, "docs/a b+ü.txt", 1, 3)))).toBe("ell");
    await client.copyObject(bucket, "copy.txt", `/${bucket}/docs/a b+ü.txt`, new CopyConditions());
    expect(await listed(bucket, "", true)).toEqual(["copy.txt", "docs/a b+ü.txt"]);
    expect((await listed(bucket, "", false)).sort()).toEqual(["copy.txt", "docs/"]);
    await client.removeObjects(bucket, ["copy.txt", "docs/a b+ü.txt"]);
    await expect(client.statObject(bucket, "copy.txt")).rejects.toMatchObject({ code: "NotFound" });
    await client.removeBucket(bucket);
  });

  test("uploads a file in parts and downloads it", async () => {
    const bucket = "minio-parts";
    await client.makeBucket(bucket, "us-east-1");
    const body = randomBytes(12 << 20);
    const partial = new Client({
      endPoint: "127.0.0.1",
      port: gateway.port,
      useSSL: gateway.agent !== undefined,
      accessKey: gateway.accessKeyId,
      secretKey: gateway.secretAccessKey,
      partSize: 5 << 20,
      ...(gateway.agent ? { transportAgent: gateway.agent } : {}),
    });
    const source = join(gateway.scratch, "source.bin");
    await writeFile(source, body);
    const { etag } = await partial.fPutObject(bucket, "large.bin", source);
    expect(etag).toMatch(/^[0-9a-f]{32}-3$/);
    const target = join(gateway.scratch, "large.bin");
    await client.fGetObject(bucket, "large.bin", target);
    expect(body.equals(await readFile(target))).toBe(true);
  });

  test("presigns", async () => {
    const bucket = "minio-presigned";
    await client.makeBucket(bucket, "us-east-1");
    const { request } = await import(gateway.agent ? "node:https" : "node:http");
    const send = (method: string, url: string, body = "") =>
      new Promise<{ status: number; text: string }>((resolve, reject) => {
        const options = {
          method,
          agent: gateway.agent,
          headers: { "content-length": Buffer.byteLength(body) },
        };
        const call = request(url, options, async (response: Readable & { statusCode: number }) => {
          resolve({ status: response.statusCode, text: String(await buffer(response)) });
        });
        call.once("error", reject);
        call.end(body);
      });
    const put = await send("PUT", await client.presignedPutObject(bucket, "x", 60), "presigned");
    expect(put.status).toBe(200);
    const url = await client.presignedGetObject(bucket, "x", 60);
    expect(await send("GET", url)).toEqual({ status: 200, text: "presigned" });
    expect((await send("GET", url.replace("/x?", "/y?"))).status).toBe(403);
  });
});
