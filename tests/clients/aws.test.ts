import { randomBytes } from "node:crypto";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Gateway, runProgram, served, startGateway } from "../gateway.ts";

const command = process.env.OVERCOAT_TEST_AWS ?? "aws";

describe.each(served)("aws over $where", { timeout: 300_000 }, ({ tls, drive }) => {
  let gateway: Gateway;
  beforeAll(async () => {
    gateway = await startGateway({ tls, drive });
  });
  afterAll(() => gateway?.stop());

  const aws = (...args: string[]) =>
    runProgram(command, ["--endpoint-url", gateway.endpoint, ...args], {
      env: gateway.environment,
      cwd: gateway.scratch,
    });
  const names = async (bucket: string) =>
    (await aws("s3", "ls", "--recursive", `s3://${bucket}`))
      .split("\n")
      .filter(Boolean)
      .map((line) => line.slice(31));

  test.concurrent("s3 mb, ls, cp, mv, rm, rb", async () => {
    const bucket = "s3://aws-files";
    const scratch = join(gateway.scratch, "files");
    await mkdir(scratch);
    const small = join(scratch, "small.txt");
    const large = join(scratch, "large.bin");
    const body = randomBytes(20 << 20);
    await writeFile(small, "hello");
    await writeFile(large, body);
    expect(await aws("s3", "mb", bucket)).toBe("make_bucket: aws-files\n");
    expect(await aws("s3", "ls")).toMatch(/ aws-files\n/);
    await aws("s3", "cp", small, `${bucket}/folder/a b.txt`, "--metadata", "colour=green");
    await aws("s3", "cp", large, `${bucket}/large.bin`);
    const lines = (await aws("s3", "ls", bucket)).split("\n");
    expect(lines[0]).toMatch(/^ +PRE folder\/$/);
    expect(lines[1]).toMatch(/^[\d-]{10} [\d:]{8} +20971520 large\.bin$/);
    const back = join(scratch, "back.bin");
    await aws("s3", "cp", `${bucket}/large.bin`, back);
    expect(body.equals(await readFile(back))).toBe(true);
    expect(await aws("s3", "cp", `${bucket}/folder/a b.txt`, "-")).toBe("hello");
    await aws("s3", "cp", `${bucket}/large.bin`, `${bucket}/copy.bin`);
    await aws("s3", "mv", `${bucket}/folder/a b.txt`, `${bucket}/moved.txt`);
    expect(await names("aws-files")).toEqual(["copy.bin", "large.bin", "moved.txt"]);
    await expect(aws("s3", "rb", bucket)).rejects.toThrow("BucketNotEmpty");
    await aws("s3", "rm", "--recursive", bucket);
    await aws("s3", "rb", bucket);
    await expect(aws("s3", "ls", bucket)).rejects.toThrow("NoSuchBucket");
  });

  test.concurrent("s3 sync in both directions", async () => {
    const source = join(gateway.scratch, "sync", "source");
    const target = join(gateway.scratch, "sync", "target");
    await mkdir(join(source, "deep", "er"), { recursive: true });
    await mkdir(target);
    const files = ["deep/er/3.txt", "deep/ü 2.txt", "one+.txt", "zero"];
    for (const name of files) await writeFile(join(source, name), name === "zero" ? "" : name);
    await aws("s3", "mb", "s3://aws-sync");
    await aws("s3", "sync", source, "s3://aws-sync/mirror");
    expect(await names("aws-sync")).toEqual(files.map((name) => `mirror/${name}`));
    expect(await aws("s3", "sync", source, "s3://aws-sync/mirror")).toBe("");
    await aws("s3", "sync", "s3://aws-sync/mirror", target);
    for (const name of files) {
      expect(await readFile(join(target, name), "utf8")).toBe(name === "zero" ? "" : name);
    }
    await rm(join(source, "zero"));
    await writeFile(join(source, "new"), "new");
    await aws("s3", "sync", "--delete", source, "s3://aws-sync/mirror");
    await aws("s3", "sync", "--delete", "s3://aws-sync/mirror", target);
    expect((await readdir(target)).sort()).toEqual(["deep", "new", "one+.txt"]);
    await aws("s3", "rm", "--recursive", "s3://aws-sync/mirror/deep");
    expect(await names("aws-sync")).toEqual(["mirror/new", "mirror/one+.txt"]);
  });

  test.concurrent("s3api", async () => {
    const api = async (...args: string[]) => JSON.parse((await aws("s3api", ...args)) || "{}");
    const object = ["--bucket", "aws-api", "--key", "x.txt"];
    await writeFile(join(gateway.scratch, "api.txt"), "123456789");
    await api("create-bucket", "--bucket", "aws-api");
    const put = ["--body", "api.txt", "--content-type", "text/plain", "--checksum-algorithm", "SHA256"];
    await api("put-object", ...object, ...put, "--metadata", "colour=green");
    const ETag = '"25f9e794323b453885f5181f1b624d0b"';
    expect(await api("head-object", ...object)).toMatchObject({
      ContentLength: 9,
      ContentType: "text/plain",
      ETag,
      Metadata: { colour: "green" },
    });
    const wanted = ["--object-attributes", "ETag", "Checksum", "ObjectSize", "StorageClass"];
    expect(await api("get-object-attributes", ...object, ...wanted)).toMatchObject({
      ETag: ETag.slice(1, -1),
      ObjectSize: 9,
      StorageClass: "STANDARD",
      Checksum: { ChecksumSHA256: "FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU=" },
    });
    await api("get-object", ...object, "--range", "bytes=2-4", "range.txt");
    expect(await readFile(join(gateway.scratch, "range.txt"), "utf8")).toBe("345");
    const listed = await api("list-objects-v2", "--bucket", "aws-api");
    expect(listed.Contents).toMatchObject([{ Key: "x.txt", Size: 9, ETag }]);
    await expect(api("get-bucket-lifecycle-configuration", "--bucket", "aws-api")).rejects.toThrow(
      "NoSuchLifecycleConfiguration",
    );
    await api("delete-object", ...object);
    await expect(api("head-object", ...object)).rejects.toThrow("404");
  });
});
