import type { ChildProcess } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  CopyObjectCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  GetBucketTaggingCommand,
  ListBucketsCommand,
  PutBucketTaggingCommand,
  PutObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import { afterEach, beforeEach, expect, test } from "vitest";
import { startProgram, stopAll } from "../process.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const example = join(root, "examples/overcoat.config.ts");
const started: ChildProcess[] = [];
let work: string;
beforeEach(async () => {
  work = await mkdtemp(join(tmpdir(), "overcoat-example-"));
});
afterEach(async () => {
  stopAll(started);
  await rm(work, { recursive: true, maxRetries: 3 });
});

test("examples/overcoat.config.ts serves remotes, a mapped bucket and rights", async () => {
  for (const folder of ["nas/public", "nas/models", "nas/private", "archive/Photos 2020"])
    await mkdir(join(work, folder), { recursive: true });
  await writeFile(join(work, "nas/public/hello.txt"), "hello");
  const command = join(root, "packages/cli/bin/overcoat.js");
  const flags = [
    "--config",
    example,
    "--addr",
    "127.0.0.1:0",
    "--workers",
    "1",
    "--data",
    join(work, "data"),
  ];
  const env = { PATH: process.env.PATH, ADMIN_SECRET: "admin-secret", TRAINER_SECRET: "trainer-secret" };
  const running = startProgram(process.execPath, [command, "serve", "s3", ...flags], { cwd: work, env });
  started.push(running.child);
  await running.printed("(1 worker)");
  const endpoint = /http:\/\/127\.0\.0\.1:\d+/.exec(running.output())![0];

  expect(await (await fetch(`${endpoint}/public/hello.txt`)).text()).toBe("hello");
  expect((await fetch(`${endpoint}/private`)).status).toBe(403);
  const s3 = new S3Client({
    endpoint,
    region: "us-east-1",
    credentials: { accessKeyId: "trainer", secretAccessKey: "trainer-secret" },
    forcePathStyle: true,
  });
  const names = (await s3.send(new ListBucketsCommand({}))).Buckets?.map(({ Name }) => Name);
  expect(names).toEqual(["models", "photos-2020", "private", "public"]);
  const put = (Bucket: string) => s3.send(new PutObjectCommand({ Bucket, Key: "k", Body: "x" }));
  await put("models");
  await expect(put("photos-2020")).rejects.toThrow("Access Denied");
  s3.destroy();

  const admin = new S3Client({
    endpoint,
    region: "us-east-1",
    credentials: { accessKeyId: "admin", secretAccessKey: "admin-secret" },
    forcePathStyle: true,
  });
  const Bucket = "photos-2020";
  const TagSet = [{ Key: "kept", Value: "yes" }];
  await admin.send(new PutBucketTaggingCommand({ Bucket, Tagging: { TagSet } }));
  await admin.send(new PutObjectCommand({ Bucket, Key: "a/b.jpg", Body: "picture" }));
  expect(await readFile(join(work, "archive/Photos 2020/a/b.jpg"), "utf8")).toBe("picture");
  const copy = { Bucket: "models", Key: "b.jpg", CopySource: `${Bucket}/a/b.jpg` };
  await admin.send(new CopyObjectCommand(copy));
  expect(await readFile(join(work, "nas/models/b.jpg"), "utf8")).toBe("picture");
  await admin.send(new DeleteObjectCommand({ Bucket, Key: "a/b.jpg" }));
  await expect(admin.send(new DeleteBucketCommand({ Bucket }))).rejects.toThrow("by its configuration");
  expect((await admin.send(new GetBucketTaggingCommand({ Bucket }))).TagSet).toEqual(TagSet);
  admin.destroy();
});

test("the README shows that configuration", async () => {
  expect(await readFile(join(root, "README.md"), "utf8")).toContain(await readFile(example, "utf8"));
});
