import { randomBytes } from "node:crypto";
import {
  CopyObjectCommand,
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListBucketsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  paginateListObjectsV2,
  type S3Client,
  S3ServiceException,
} from "@aws-sdk/client-s3";
import { Upload } from "@aws-sdk/lib-storage";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Gateway, served, startGateway } from "../gateway.ts";
import { connect } from "./s3-client.ts";

describe.each(served)("@aws-sdk/client-s3 over $where", ({ tls, drive }) => {
  let gateway: Gateway;
  let s3: S3Client;
  beforeAll(async () => {
    gateway = await startGateway({ tls, drive });
    s3 = connect(gateway);
  });
  afterAll(async () => {
    s3?.destroy();
    await gateway?.stop();
  });

  async function failure(promise: Promise<unknown>): Promise<S3ServiceException> {
    const error = await promise.then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(S3ServiceException);
    return error as S3ServiceException;
  }

  test("puts, reads, heads, copies and deletes an object", async () => {
    const Bucket = "sdk-object";
    await s3.send(new CreateBucketCommand({ Bucket }));
    const { Buckets } = await s3.send(new ListBucketsCommand({}));
    expect(Buckets?.map((bucket) => bucket.Name)).toContain(Bucket);
    const Key = "a folder/päper+clip (1).txt";
    const put = await s3.send(
      new PutObjectCommand({
        Bucket,
        Key,
        Body: "hello, world",
        ContentType: "text/plain",
        CacheControl: "no-cache",
        Metadata: { colour: "green" },
      }),
    );
    expect(put.ETag).toBe('"e4d7f1b4ed2e42d15898f4b27b019da4"');
    const got = await s3.send(new GetObjectCommand({ Bucket, Key }));
    expect(await got.Body?.transformToString()).toBe("hello, world");
    expect(got).toMatchObject({
      ContentType: "text/plain",
      CacheControl: "no-cache",
      Metadata: { colour: "green" },
    });
    expect(got.ContentEncoding).toBeUndefined();
    const part = await s3.send(new GetObjectCommand({ Bucket, Key, Range: "bytes=7-" }));
    expect(await part.Body?.transformToString()).toBe("world");
    expect(part.ContentRange).toBe("bytes 7-11/12");
    await s3.send(
      new CopyObjectCommand({ Bucket, Key: "copy", CopySource: `${Bucket}/${encodeURIComponent(Key)}` }),
    );
    const head = await s3.send(new HeadObjectCommand({ Bucket, Key: "copy" }));
    expect(head).toMatchObject({ ContentLength: 12, ETag: put.ETag, Metadata: { colour: "green" } });
    const gone = await s3.send(
      new DeleteObjectsCommand({ Bucket, Delete: { Objects: [{ Key }, { Key: "copy" }] } }),
    );
    expect(gone.Errors ?? []).toEqual([]);
    expect(gone.Deleted).toHaveLength(2);
    expect((await failure(s3.send(new GetObjectCommand({ Bucket, Key })))).name).toBe("NoSuchKey");
    await s3.send(new DeleteBucketCommand({ Bucket }));
    expect((await failure(s3.send(new ListObjectsV2Command({ Bucket })))).name).toBe("NoSuchBucket");
  });

  test("uploads 12 MiB in parts", async () => {
    const Bucket = "sdk-upload";
    await s3.send(new CreateBucketCommand({ Bucket }));
    const body = randomBytes(12 << 20);
    const params = { Bucket, Key: "large.bin", Body: body, Metadata: { made: "by parts" } };
    await new Upload({ client: s3, params, partSize: 5 << 20, queueSize: 3 }).done();
    const got = await s3.send(new GetObjectCommand({ Bucket, Key: "large.bin" }));
    expect(got.ETag).toMatch(/^"[0-9a-f]{32}-3"$/);
    expect(got.Metadata).toEqual({ made: "by parts" });
    const bytes = (await got.Body?.transformToByteArray()) ?? new Uint8Array();
    expect(body.equals(bytes)).toBe(true);
    const second = await s3.send(new HeadObjectCommand({ Bucket, Key: "large.bin", PartNumber: 2 }));
    expect(second).toMatchObject({ ContentLength: 5 << 20, PartsCount: 3 });
  });

  test("verifies and gives back every checksum", async () => {
    const Bucket = "sdk-checksum";
    await s3.send(new CreateBucketCommand({ Bucket }));
    const expected = {
      CRC32: "y/Q5Jg==",
      CRC32C: "4waSgw==",
      SHA1: "98O8HYCOBHMq32eZZczDTKeuNEE=",
      SHA256: "FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU=",
    } as const;
    for (const algorithm of Object.keys(expected) as (keyof typeof expected)[]) {
      const Key = algorithm;
      await s3.send(new PutObjectCommand({ Bucket, Key, Body: "123456789", ChecksumAlgorithm: algorithm }));
      const head = await s3.send(new HeadObjectCommand({ Bucket, Key, ChecksumMode: "ENABLED" }));
      expect(head[`Checksum${algorithm}`], algorithm).toBe(expected[algorithm]);
    }
    const wrong = new PutObjectCommand({ Bucket, Key: "wrong", Body: "x", ChecksumCRC32: "AAAAAA==" });
    expect((await failure(s3.send(wrong))).$metadata.httpStatusCode).toBe(400);
    expect((await failure(s3.send(new HeadObjectCommand({ Bucket, Key: "wrong" })))).name).toBe("NotFound");
  });

  test("lists by page, prefix and delimiter, and honours conditions", async () => {
    const Bucket = "sdk-list";
    await s3.send(new CreateBucketCommand({ Bucket }));
    const keys = Array.from({ length: 25 }, (_, i) => `dir${i % 5}/file${String(i).padStart(2, "0")}`).sort();
    await Promise.all(keys.map((Key) => s3.send(new PutObjectCommand({ Bucket, Key, Body: Key }))));
    const listed: (string | undefined)[] = [];
    for await (const page of paginateListObjectsV2({ client: s3, pageSize: 7 }, { Bucket })) {
      for (const object of page.Contents ?? []) listed.push(object.Key);
    }
    expect(listed).toEqual(keys);
    const top = await s3.send(new ListObjectsV2Command({ Bucket, Delimiter: "/" }));
    expect(top.Contents ?? []).toEqual([]);
    expect(top.CommonPrefixes?.map(({ Prefix }) => Prefix)).toEqual([0, 1, 2, 3, 4].map((i) => `dir${i}/`));
    const Key = keys[0];
    const again = new PutObjectCommand({ Bucket, Key, Body: "again", IfNoneMatch: "*" });
    expect((await failure(s3.send(again))).name).toBe("PreconditionFailed");
    const other = new PutObjectCommand({ Bucket, Key, Body: "again", IfMatch: '"00"' });
    expect((await failure(s3.send(other))).name).toBe("PreconditionFailed");
    const { ETag } = await s3.send(new HeadObjectCommand({ Bucket, Key }));
    const same = await failure(s3.send(new GetObjectCommand({ Bucket, Key, IfNoneMatch: ETag })));
    expect(same.$metadata.httpStatusCode).toBe(304);
  });
});
