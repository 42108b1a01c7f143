import {
  CopyObjectCommand,
  CreateBucketCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectVersionsCommand,
  PutObjectCommand,
  type S3Client,
} from "@aws-sdk/client-s3";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Gateway, served, startGateway } from "../gateway.ts";
import { connect } from "./s3-client.ts";

const Bucket = "versions";
const Key = "a folder/päper+clip.txt";
const CopySource = `${Bucket}/${encodeURIComponent(Key)}`;

describe.each(served.filter(({ drive }) => drive))("earlier versions over $where", ({ drive }) => {
  let gateway: Gateway;
  let s3: S3Client;
  beforeAll(async () => {
    gateway = await startGateway({ drive, flags: ["--versions"] });
    s3 = connect(gateway);
    await s3.send(new CreateBucketCommand({ Bucket }));
    await s3.send(new PutObjectCommand({ Bucket, Key, Body: "the first" }));
    const second = { Body: "and the second", ContentType: "text/x-own", Metadata: { colour: "green" } };
    await s3.send(new PutObjectCommand({ Bucket, Key, ...second }));
    await s3.send(new PutObjectCommand({ Bucket, Key: "other", Body: "x" }));
  });
  afterAll(async () => {
    s3?.destroy();
    await gateway?.stop();
  });

  const read = async (key: string, VersionId?: string) => {
    const got = await s3.send(new GetObjectCommand({ Bucket, Key: key, VersionId }));
    return { ...got, text: await got.Body?.transformToString() };
  };
  async function list() {
    const { Versions = [] } = await s3.send(new ListObjectVersionsCommand({ Bucket, Prefix: Key }));
    return Versions;
  }

  test("are listed, and read with their ids", async () => {
    const [present, earlier, ...more] = await list();
    expect(more).toEqual([]);
    expect(present).toMatchObject({ Key, IsLatest: true, Size: 14 });
    expect(earlier).toMatchObject({ Key, IsLatest: false, Size: 9 });
    expect(earlier!.VersionId).not.toBe(present!.VersionId);
    expect(earlier!.LastModified!.getTime()).toBeLessThanOrEqual(present!.LastModified!.getTime());

    const described = { ContentType: "text/x-own", Metadata: { colour: "green" } };
    const now = await read(Key, present!.VersionId);
    expect(now).toMatchObject({ text: "and the second", VersionId: present!.VersionId, ...described });
    expect(now.ETag).toBe((await s3.send(new HeadObjectCommand({ Bucket, Key }))).ETag);
    const before = await read(Key, earlier!.VersionId);
    expect(before).toMatchObject({ text: "the first", VersionId: earlier!.VersionId, ETag: earlier!.ETag });
    const part = { Bucket, Key, VersionId: earlier!.VersionId, Range: "bytes=4-" };
    const got = await s3.send(new GetObjectCommand(part));
    expect([got.ContentRange, await got.Body?.transformToString()]).toEqual(["bytes 4-8/9", "first"]);
    for (const { VersionId, ETag, Size } of [present!, earlier!])
      expect(await s3.send(new HeadObjectCommand({ Bucket, Key, VersionId }))).toMatchObject({
        VersionId,
        ETag,
        ContentLength: Size,
      });
    const none = new GetObjectCommand({ Bucket, Key, VersionId: "none" });
    await expect(s3.send(none)).rejects.toMatchObject({ name: "NoSuchVersion" });
  });

  test("are brought back by a copy, and cannot be deleted", async () => {
    const [present, earlier] = await list();
    const version = { Bucket, Key, VersionId: earlier!.VersionId };
    await expect(s3.send(new DeleteObjectCommand(version))).rejects.toThrow();
    expect((await read(Key)).text).toBe("and the second");

    const source = `${CopySource}?versionId=${earlier!.VersionId}`;
    await s3.send(new CopyObjectCommand({ Bucket, Key: "copy", CopySource: source }));
    expect((await read("copy")).text).toBe("the first");
    await s3.send(new CopyObjectCommand({ Bucket, Key, CopySource: source }));
    expect((await read(Key)).text).toBe("the first");
    const [restored, ...older] = await list();
    expect(restored).toMatchObject({ IsLatest: true, Size: 9 });
    expect(older.map(({ Size, IsLatest }) => [Size, IsLatest])).toEqual([
      [14, false],
      [9, false],
    ]);
    expect((await read(Key, present!.VersionId)).text).toBe("and the second");
  });
});
