import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  CopyObjectCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteBucketPolicyCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListBucketsCommand,
  ListObjectsV2Command,
  PutBucketPolicyCommand,
  PutObjectCommand,
  RenameObjectCommand,
  type S3Client,
  UploadPartCopyCommand,
} from "@aws-sdk/client-s3";
import { Client as Minio } from "minio";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type Gateway, served, startGateway } from "../gateway.ts";
import { connect } from "./s3-client.ts";

const keys = {
  reader: { shared: "read-only" },
  writer: { shared: "read-write", public: "read-only" },
  stranger: { elsewhere: "read-write" },
} as const;
type Name = keyof typeof keys | "owner";
const all = { Bucket: "shared", Key: "secret/a" };
const denySecret = {
  Effect: "Deny",
  Principal: { AWS: "writer" },
  Action: "s3:*",
  Resource: "arn:aws:s3:::shared/secret/*",
};

// What TLS does is no matter of rights.
describe.each(served.filter(({ tls }) => !tls))("rights over $where", ({ drive }) => {
  let work: string;
  let gateway: Gateway;
  const clients = new Map<Name, S3Client>();
  const as = (name: Name) => clients.get(name)!;

  beforeAll(async () => {
    work = await mkdtemp(join(tmpdir(), "overcoat-rights-"));
    const config = join(work, "overcoat.config.ts");
    const pairs = Object.entries(keys).map(([name, buckets]) => ({
      accessKeyId: name,
      secretAccessKey: `${name}-secret`,
      buckets,
    }));
    await writeFile(config, `export default ${JSON.stringify({ keys: pairs, anonymousRead: ["public"] })};`);
    gateway = await startGateway({ drive, flags: ["--config", config] });
    for (const name of [...Object.keys(keys), "owner"] as Name[])
      clients.set(
        name,
        connect(
          gateway,
          name === "owner" ? gateway : { accessKeyId: name, secretAccessKey: `${name}-secret` },
        ),
      );
    for (const Bucket of ["shared", "public", "elsewhere", "hidden"])
      await as("owner").send(new CreateBucketCommand({ Bucket }));
  });
  afterAll(async () => {
    for (const client of clients.values()) client.destroy();
    await gateway?.stop();
    await rm(work, { recursive: true, force: true });
  });

  async function setPolicy(...statements: object[]): Promise<void> {
    const whole = statements.map((one) => ({ Principal: "*", ...one }));
    const Policy = JSON.stringify({ Version: "2012-10-17", Statement: whole });
    await as("owner").send(new PutBucketPolicyCommand({ Bucket: "shared", Policy }));
  }

  const put = (Key: string, Bucket = "shared") =>
    as("owner").send(new PutObjectCommand({ Bucket, Key, Body: Key }));

  /** The status and S3's code; "success" when there is no error. */
  async function outcome(promise: Promise<unknown>): Promise<string> {
    return promise.then(
      () => "success",
      (error) => `${error.$metadata?.httpStatusCode} ${error.name}`,
    );
  }

  beforeEach(async () => {
    await as("owner").send(new DeleteBucketPolicyCommand({ Bucket: "shared" }));
    for (const key of ["secret/a", "plain/a"]) await put(key);
  });

  describe("a policy that denies some keys", () => {
    beforeEach(() => setPolicy(denySecret));

    test("counts for each key of DeleteObjects", async () => {
      const Objects = ["plain/a", "secret/a", "secret/absent"].map((Key) => ({ Key }));
      for (const Quiet of [false, true]) {
        await put("plain/a");
        const { Deleted = [], Errors = [] } = await as("writer").send(
          new DeleteObjectsCommand({ Bucket: "shared", Delete: { Objects, Quiet } }),
        );
        expect(Deleted.map(({ Key }) => Key)).toEqual(Quiet ? [] : ["plain/a"]);
        expect(Errors.map(({ Key, Code }) => [Key, Code])).toEqual([
          ["secret/a", "AccessDenied"],
          ["secret/absent", "AccessDenied"],
        ]);
      }
      await as("owner").send(new HeadObjectCommand(all));
      expect(await outcome(as("owner").send(new HeadObjectCommand({ ...all, Key: "plain/a" })))).toBe(
        "404 NotFound",
      );
    });

    test("counts for both ends of a copy and a rename", async () => {
      const Bucket = "shared";
      const send = (command: CopyObjectCommand | RenameObjectCommand) =>
        outcome(as("writer").send(command as never));
      const copy = (CopySource: string, Key: string) =>
        send(new CopyObjectCommand({ Bucket, CopySource, Key }));
      const rename = (RenameSource: string, Key: string) =>
        send(new RenameObjectCommand({ Bucket, RenameSource, Key }));
      for (const source of ["shared/secret/a", "/shared/secret/a", "shared/%73ecret/a", "shared/secret%2Fa"])
        expect(await copy(source, "plain/b")).toBe("403 AccessDenied");
      expect(await copy("shared/plain/a", "secret/b")).toBe("403 AccessDenied");
      for (const source of ["secret/a", "/secret/a", "%73ecret/a", "secret%2Fa"])
        expect(await rename(source, "plain/b")).toBe("403 AccessDenied");
      expect(await rename("plain/a", "secret/b")).toBe("403 AccessDenied");
      const create = new CreateMultipartUploadCommand({ Bucket, Key: "plain/c" });
      const { UploadId } = await as("writer").send(create);
      const part = { Bucket, Key: "plain/c", UploadId, PartNumber: 1, CopySource: "shared/secret/a" };
      expect(await outcome(as("writer").send(new UploadPartCopyCommand(part)))).toBe("403 AccessDenied");
      expect(await copy("shared/plain/a", "plain/b")).toBe("success");
      expect(await rename("plain/a", "plain/d")).toBe("success");
      await as("owner").send(new HeadObjectCommand(all));
    });

    test("cannot be taken away by the key that it names", async () => {
      const remove = new DeleteBucketPolicyCommand({ Bucket: "shared" });
      expect(await outcome(as("writer").send(remove))).toBe("403 AccessDenied");
    });
  });

  test("a rename needs to read and delete its source and to put its target", async () => {
    const rename = new RenameObjectCommand({ Bucket: "shared", RenameSource: "plain/a", Key: "plain/z" });
    const Resource = "arn:aws:s3:::shared/plain/*";
    for (const missing of ["s3:GetObject", "s3:DeleteObject", "s3:PutObject"]) {
      const Action = ["s3:GetObject", "s3:DeleteObject", "s3:PutObject"].filter((one) => one !== missing);
      await setPolicy({ Effect: "Allow", Action, Resource });
      expect([missing, await outcome(as("stranger").send(rename))]).toEqual([missing, "403 AccessDenied"]);
    }
    await setPolicy({
      Effect: "Allow",
      Action: ["s3:GetObject", "s3:DeleteObject", "s3:PutObject"],
      Resource,
    });
    expect(await outcome(as("stranger").send(rename))).toBe("success");
    expect(await outcome(as("owner").send(new HeadObjectCommand({ ...all, Key: "plain/a" })))).toBe(
      "404 NotFound",
    );
  });

  test("each key lists the buckets that it may see", async () => {
    const names = async (name: Name) =>
      (await as(name).send(new ListBucketsCommand({}))).Buckets?.map(({ Name }) => Name) ?? [];
    expect(await names("owner")).toEqual(["elsewhere", "hidden", "public", "shared"]);
    expect(await names("reader")).toEqual(["public", "shared"]);
    expect(await names("stranger")).toEqual(["elsewhere", "public"]);
    await setPolicy({
      Effect: "Allow",
      Principal: { AWS: "stranger" },
      Action: "s3:ListBucket",
      Resource: "arn:aws:s3:::shared",
    });
    expect(await names("stranger")).toEqual(["elsewhere", "public", "shared"]);
    expect((await fetch(gateway.endpoint)).status).toBe(403);
  });

  test("only who may list learns that a key is missing", async () => {
    const Resource = "arn:aws:s3:::shared/*";
    await setPolicy({ Effect: "Allow", Action: ["s3:GetObject", "s3:PutObject"], Resource });
    const absent = { Bucket: "shared", Key: "absent" };
    expect(await outcome(as("reader").send(new HeadObjectCommand(absent)))).toBe("404 NotFound");
    expect(await outcome(as("reader").send(new GetObjectCommand(absent)))).toBe("404 NoSuchKey");
    expect(await outcome(as("stranger").send(new HeadObjectCommand(absent)))).toMatch(/^403 /);
    expect(await outcome(as("stranger").send(new GetObjectCommand(absent)))).toBe("403 AccessDenied");
    const copy = new CopyObjectCommand({ ...absent, Key: "b", CopySource: "shared/absent" });
    expect(await outcome(as("stranger").send(copy))).toBe("403 AccessDenied");
    expect((await fetch(`${gateway.endpoint}/shared/absent`)).status).toBe(403);
    expect(await (await fetch(`${gateway.endpoint}/shared/plain/a`)).text()).toBe("plain/a");
    expect((await fetch(`${gateway.endpoint}/public/absent`)).status).toBe(404);
  });

  test("anybody may list and get in a public bucket, and nothing else", async () => {
    await put("a", "public");
    const status = async (path: string, method = "GET", headers: Record<string, string> = {}) =>
      (await fetch(`${gateway.endpoint}${path}`, { method, headers })).status;
    for (const path of ["/public", "/public?list-type=2", "/public/a"]) expect(await status(path)).toBe(200);
    expect(await status("/public/a", "HEAD")).toBe(200);
    for (const query of ["acl", "policy", "cors", "tagging", "uploads", "versions", "location"])
      expect([query, await status(`/public?${query}`)]).toEqual([query, 403]);
    for (const query of ["acl", "tagging", "attributes"])
      expect([query, await status(`/public/a?${query}`)]).toEqual([query, 403]);
    for (const method of ["PUT", "DELETE", "POST"])
      expect(await status("/public/a?uploads", method)).not.toBe(200);
    expect(await status("/public/a", "PUT")).toBe(403);
    expect(await status("/public/a", "DELETE")).toBe(403);
    expect(await status("/public/b", "PUT", { "x-amz-copy-source": "/public/a" })).toBe(403);
    for (const path of ["/shared", "/hidden", "/shared/plain/a"])
      expect([path, await status(path)]).toEqual([path, 403]);
    for (const path of ["/absent", "/absent/a", "/Public", "/public%2Fa"])
      expect([path, await status(path)]).toEqual([path, 404]);
    expect(await outcome(as("stranger").send(new ListObjectsV2Command({ Bucket: "public" })))).toBe(
      "success",
    );
    expect(await outcome(as("stranger").send(new DeleteObjectCommand({ Bucket: "public", Key: "a" })))).toBe(
      "403 AccessDenied",
    );
  });

  test("presigned URLs and forms have the rights of the key that signed them", async () => {
    await setPolicy(denySecret);
    const minio = (accessKey: string, secretKey: string) =>
      new Minio({
        endPoint: "127.0.0.1",
        port: gateway.port,
        useSSL: false,
        region: "us-east-1",
        accessKey,
        secretKey,
      });
    const writer = minio("writer", "writer-secret");
    const reader = minio("reader", "reader-secret");
    const status = async (url: string, init?: RequestInit) => (await fetch(url, init)).status;
    const body = { method: "PUT", body: "x" };
    expect(await status(await reader.presignedGetObject("shared", "plain/a"))).toBe(200);
    expect(await status(await reader.presignedPutObject("shared", "plain/a"), body)).toBe(403);
    expect(await status(await writer.presignedPutObject("shared", "plain/a"), body)).toBe(200);
    expect(await status(await writer.presignedPutObject("shared", "secret/a"), body)).toBe(403);
    const url = await writer.presignedPutObject("shared", "plain/b");
    expect(await status(url, { method: "PUT", headers: { "x-amz-copy-source": "/shared/plain/a" } })).toBe(
      403,
    );

    const upload = async (client: Minio, key: string) => {
      const policy = client.newPostPolicy();
      policy.setBucket("shared");
      policy.setKey(key);
      policy.setExpires(new Date(Date.now() + 600_000));
      const { postURL, formData } = await client.presignedPostPolicy(policy);
      const form = new FormData();
      for (const [name, value] of Object.entries(formData)) form.set(name, value);
      form.set("file", new Blob(["from a form"]), "file.txt");
      return status(postURL, { method: "POST", body: form });
    };
    expect(await upload(reader, "plain/form")).toBe(403);
    expect(await upload(writer, "secret/form")).toBe(403);
    expect(await upload(writer, "plain/form")).toBe(204);
    const anonymous = new FormData();
    anonymous.set("key", "plain/anonymous");
    anonymous.set("file", new Blob(["x"]), "file.txt");
    expect(await status(`${gateway.endpoint}/shared`, { method: "POST", body: anonymous })).toBe(403);
  });
});
