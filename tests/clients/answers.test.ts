import { randomBytes } from "node:crypto";
import { get as httpGet } from "node:http";
import { get as httpsGet } from "node:https";
import { text } from "node:stream/consumers";
import {
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteBucketLifecycleCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetBucketAclCommand,
  GetBucketOwnershipControlsCommand,
  GetObjectCommand,
  GetObjectTaggingCommand,
  HeadObjectCommand,
  ListBucketsCommand,
  ListMultipartUploadsCommand,
  PutBucketAclCommand,
  PutBucketPolicyCommand,
  PutObjectCommand,
  PutObjectTaggingCommand,
  type S3Client,
  S3ServiceException,
  UploadPartCommand,
  UploadPartCopyCommand,
} from "@aws-sdk/client-s3";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Gateway, served, startGateway } from "../gateway.ts";
import { connect } from "./s3-client.ts";

describe.each(served)("S3's answers over $where", ({ tls, drive }) => {
  const Bucket = "answers";
  let gateway: Gateway;
  let s3: S3Client;
  beforeAll(async () => {
    gateway = await startGateway({ tls, drive });
    s3 = connect(gateway);
    await s3.send(new CreateBucketCommand({ Bucket }));
  });
  afterAll(async () => {
    s3?.destroy();
    await gateway?.stop();
  });

  async function refusal(promise: Promise<unknown>): Promise<[string, number | undefined]> {
    const error: unknown = await promise.catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(S3ServiceException);
    const { name, $metadata } = error as S3ServiceException;
    return [name, $metadata.httpStatusCode];
  }

  /** Without a signature; answers with status and body. */
  const read = (url: string, headers: Record<string, string> = {}) =>
    new Promise<[number | undefined, string]>((resolve, reject) => {
      const get = url.startsWith("https:") ? httpsGet : httpGet;
      get(url, { headers, ...(gateway.agent && { agent: gateway.agent }) }, (response) => {
        text(response).then((body) => resolve([response.statusCode, body]), reject);
      }).once("error", reject);
    });

  test("a request that is meant for another owner's bucket is refused", async () => {
    const ours = (await s3.send(new ListBucketsCommand({}))).Owner!.ID;
    const at = { Bucket, Key: "owned" };
    await s3.send(new PutObjectCommand({ ...at, Body: "x", ExpectedBucketOwner: ours }));
    const refused = ["AccessDenied", 403];
    const of = { ...at, ExpectedBucketOwner: "111122223333" };
    expect(await refusal(s3.send(new GetObjectCommand(of)))).toEqual(refused);
    expect(await refusal(s3.send(new DeleteObjectCommand(of)))).toEqual(refused);
    const copy = { ...at, CopySource: `${Bucket}/owned`, ExpectedSourceBucketOwner: "111122223333" };
    expect(await refusal(s3.send(new CopyObjectCommand({ ...copy, Key: "copy" })))).toEqual(refused);
    await s3.send(new CopyObjectCommand({ ...copy, Key: "copy", ExpectedSourceBucketOwner: ours }));
  });

  test("an upload in parts keeps what was said at its beginning, and tells where it lies", async () => {
    const Key = "a folder/päper+clip.html";
    const said = {
      ContentType: "text/html",
      CacheControl: "no-cache",
      ContentDisposition: "inline",
      ContentLanguage: "de",
      Metadata: { colour: "green" },
    };
    const { UploadId } = await s3.send(
      new CreateMultipartUploadCommand({
        Bucket,
        Key,
        ...said,
        Expires: new Date("2030-01-01T00:00:00Z"),
        Tagging: "b=2&a=1",
        ACL: "bucket-owner-full-control",
        ChecksumAlgorithm: "SHA256",
      }),
    );
    const { Uploads } = await s3.send(new ListMultipartUploadsCommand({ Bucket }));
    const owner = { ID: expect.any(String), DisplayName: "overcoat" };
    expect(Uploads).toMatchObject([{ Key, UploadId, Owner: owner, Initiator: owner }]);
    const other = { Bucket, Key, UploadId, PartNumber: 1, Body: "x", ChecksumAlgorithm: "CRC32" } as const;
    expect(await refusal(s3.send(new UploadPartCommand(other)))).toEqual(["InvalidRequest", 400]);
    const Parts = [];
    for (const [i, Body] of [randomBytes(5 << 20), Buffer.from("the end")].entries()) {
      const part = { Bucket, Key, UploadId, PartNumber: i + 1, Body, ChecksumAlgorithm: "SHA256" } as const;
      const { ETag, ChecksumSHA256 } = await s3.send(new UploadPartCommand(part));
      Parts.push({ PartNumber: i + 1, ETag, ChecksumSHA256 });
    }
    const done = await s3.send(
      new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload: { Parts } }),
    );
    expect(done.Location).toBe(`${gateway.endpoint}/answers/a%20folder/p%C3%A4per%2Bclip.html`);
    const head = await s3.send(new HeadObjectCommand({ Bucket, Key, ChecksumMode: "ENABLED" }));
    expect(head).toMatchObject({ ...said, ExpiresString: "Tue, 01 Jan 2030 00:00:00 GMT", TagCount: 2 });
    expect(head.ChecksumSHA256).toMatch(/-2$/);
    const tagging = await s3.send(new GetObjectTaggingCommand({ Bucket, Key }));
    expect(tagging.TagSet?.map((tag) => `${tag.Key}=${tag.Value}`)).toEqual(["a=1", "b=2"]);

    const part = { Bucket, Key, PartNumber: 2, ChecksumMode: "ENABLED" } as const;
    const last = await s3.send(new GetObjectCommand(part));
    expect(last).toMatchObject({ ChecksumSHA256: Parts[1]?.ChecksumSHA256, PartsCount: 2 });
    expect(await last.Body?.transformToString()).toBe("the end");
    const some = new HeadObjectCommand({ Bucket, Key, Range: "bytes=1-2", ChecksumMode: "ENABLED" });
    expect((await s3.send(some)).ChecksumSHA256).toBeUndefined();
    expect(await refusal(s3.send(new GetObjectCommand({ ...part, PartNumber: 3 })))).toEqual([
      "InvalidPartNumber",
      416,
    ]);

    const copy = { Bucket, Key: "copy" };
    const { UploadId: copyId } = await s3.send(new CreateMultipartUploadCommand(copy));
    const beyond = new UploadPartCopyCommand({
      ...copy,
      UploadId: copyId,
      PartNumber: 1,
      CopySource: `${Bucket}/${encodeURIComponent(Key)}`,
      CopySourceRange: `bytes=0-${6 << 20}`,
    });
    expect(await refusal(s3.send(beyond))).toEqual(["InvalidArgument", 400]);
  });

  test("what says nothing of its type is binary, and tags can be taken away", async () => {
    const Key = "plain";
    await s3.send(new PutObjectCommand({ Bucket, Key, Body: Buffer.from("x"), Tagging: "a=1" }));
    expect((await s3.send(new HeadObjectCommand({ Bucket, Key }))).TagCount).toBe(1);
    await s3.send(new PutObjectTaggingCommand({ Bucket, Key, Tagging: { TagSet: [] } }));
    expect((await s3.send(new GetObjectTaggingCommand({ Bucket, Key }))).TagSet).toEqual([]);
    const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ Bucket, Key }));
    const part = await s3.send(new UploadPartCommand({ Bucket, Key, UploadId, PartNumber: 1, Body: "x" }));
    const MultipartUpload = { Parts: [{ PartNumber: 1, ETag: part.ETag }] };
    await s3.send(new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload }));
    expect((await s3.send(new HeadObjectCommand({ Bucket, Key }))).ContentType).toBe("binary/octet-stream");
  });

  test("a range of what has changed meanwhile is the whole, and headers are set only by who signs", async () => {
    const object = { Bucket, Key: "shared/a" };
    const { ETag } = await s3.send(new PutObjectCommand({ ...object, Body: "hello" }));
    const Statement = {
      Effect: "Allow",
      Principal: "*",
      Action: "s3:GetObject",
      Resource: `arn:aws:s3:::${Bucket}/shared/*`,
    };
    const Policy = JSON.stringify({ Version: "2012-10-17", Statement });
    await s3.send(new PutBucketPolicyCommand({ Bucket, Policy }));
    const url = `${gateway.endpoint}/${Bucket}/shared/a`;
    const { LastModified } = await s3.send(new HeadObjectCommand(object));
    const part = (condition: string | undefined) =>
      read(url, { range: "bytes=1-2", "if-range": condition ?? "" });
    expect(await part(ETag)).toEqual([206, "el"]);
    expect(await part(LastModified?.toUTCString())).toEqual([206, "el"]);
    expect(await part('"other"')).toEqual([200, "hello"]);
    expect(await part("Tue, 01 Jan 2019 00:00:00 GMT")).toEqual([200, "hello"]);
    expect(await read(`${url}?response-content-type=text/html`)).toEqual([
      400,
      expect.stringContaining("InvalidRequest"),
    ]);
    const html = new GetObjectCommand({ ...object, ResponseContentType: "text/html" });
    expect((await s3.send(html)).ContentType).toBe("text/html");
  });

  test("a bucket that is not there takes no object, and does not come by one", async () => {
    const object = { Bucket: "answers-absent", Key: "a/b" };
    const refused = ["NoSuchBucket", 404];
    expect(await refusal(s3.send(new PutObjectCommand({ ...object, Body: "x" })))).toEqual(refused);
    const copy = { ...object, CopySource: `${Bucket}/plain` };
    await s3.send(new PutObjectCommand({ Bucket, Key: "plain", Body: "x" }));
    expect(await refusal(s3.send(new CopyObjectCommand(copy)))).toEqual(refused);
    expect(await refusal(s3.send(new CreateMultipartUploadCommand(object)))).toEqual(refused);
    const { Buckets } = await s3.send(new ListBucketsCommand({}));
    expect(Buckets?.map(({ Name }) => Name)).not.toContain(object.Bucket);
  });

  test("what cannot be kept as asked is refused", async () => {
    const put = new PutObjectCommand({ Bucket, Key: "cold", Body: "x", StorageClass: "GLACIER" });
    expect(await refusal(s3.send(put))).toEqual(["InvalidStorageClass", 400]);
    await s3.send(new PutObjectCommand({ Bucket, Key: "warm", Body: "x", StorageClass: "STANDARD" }));
    expect(await refusal(s3.send(new ListBucketsCommand({ MaxBuckets: 0 })))).toEqual([
      "InvalidArgument",
      400,
    ]);
  });

  test("a delete asks for no condition that it does not check", async () => {
    const object = { Bucket, Key: "kept" };
    await s3.send(new PutObjectCommand({ ...object, Body: "x" }));
    const refused = ["NotImplemented", 501];
    expect(await refusal(s3.send(new DeleteObjectCommand({ ...object, IfMatchSize: 9 })))).toEqual(refused);
    const Objects = [
      { Key: "kept", Size: 9 },
      { Key: "kept", LastModifiedTime: new Date(0) },
      { Key: "kept", ETag: "other" },
    ];
    const { Errors, Deleted } = await s3.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }));
    expect(Errors?.map((one) => one.Code)).toEqual([
      "NotImplemented",
      "NotImplemented",
      "PreconditionFailed",
    ]);
    expect(Deleted).toBeUndefined();
    await s3.send(new HeadObjectCommand(object));
  });

  test("buckets have no ACLs", async () => {
    const object = { Bucket, Key: "acl", Body: "x" };
    await s3.send(new PutObjectCommand({ ...object, ACL: "private" }));
    const refused = ["AccessControlListNotSupported", 400];
    expect(await refusal(s3.send(new PutObjectCommand({ ...object, ACL: "public-read" })))).toEqual(refused);
    expect(await refusal(s3.send(new PutObjectCommand({ ...object, GrantRead: "id=x" })))).toEqual(refused);
    expect(await refusal(s3.send(new PutBucketAclCommand({ Bucket, ACL: "public-read" })))).toEqual(refused);
    const open = new CreateBucketCommand({ Bucket: "answers-open", ACL: "public-read" });
    expect(await refusal(s3.send(open))).toEqual(["InvalidBucketAclWithObjectOwnership", 400]);

    const { Owner, Grants } = await s3.send(new GetBucketAclCommand({ Bucket }));
    await s3.send(new PutBucketAclCommand({ Bucket, AccessControlPolicy: { Owner, Grants } }));
    const { OwnershipControls } = await s3.send(new GetBucketOwnershipControlsCommand({ Bucket }));
    expect(OwnershipControls?.Rules).toEqual([{ ObjectOwnership: "BucketOwnerEnforced" }]);
    expect((await s3.send(new DeleteBucketLifecycleCommand({ Bucket }))).$metadata.httpStatusCode).toBe(204);
  });
});
