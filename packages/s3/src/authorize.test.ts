import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { localDrive } from "@overcoat/drives";
import { type Objects, openObjects } from "@overcoat/objects";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Credential } from "./auth/credentials.ts";
import { permissions, type Rights } from "./authorize.ts";
import type { Context, Service } from "./context.ts";
import { actionsOf } from "./policy.ts";
import { route } from "./router.ts";

let work: string;
let objects: Objects;
beforeAll(async () => {
  work = await mkdtemp(join(tmpdir(), "overcoat-rights-"));
  await mkdir(join(work, "drive"));
  const drive = localDrive(join(work, "drive"), { fsync: false });
  objects = await openObjects({ drive, data: join(work, "data") });
  for (const bucket of ["bucket", "constructor"]) await objects.createBucket(bucket);
});
afterAll(async () => {
  await objects.close();
  await rm(work, { recursive: true });
});
beforeEach(() => setPolicy());

const key = (id: string, buckets?: Credential["buckets"]): Credential => ({
  accessKeyId: id,
  secretAccessKey: "secret",
  buckets,
});
const owner = key("OWNER");
const reader = key("READER", { bucket: "read-only" });
const writer = key("WRITER", { bucket: "read-write" });
const stranger = key("STRANGER", { other: "read-write" });

async function setPolicy(...statements: object[]): Promise<void> {
  const all = statements.map((one) => ({ Principal: "*", Resource: "arn:aws:s3:::bucket/*", ...one }));
  const policy = all.length ? JSON.stringify({ Version: "2012-10-17", Statement: all }) : undefined;
  await objects.buckets.change("bucket", (before) => ({ ...before, policy }));
}

async function may(
  credential: Credential | undefined,
  operation: string,
  object = "",
  {
    bucket = "bucket",
    ...rights
  }: Partial<Omit<Rights, "anonymousRead">> & {
    bucket?: string;
    anonymousRead?: string[];
  } = {},
) {
  const service = {
    objects,
    rights: { open: false, readOnly: false, ...rights, anonymousRead: new Set(rights.anonymousRead) },
  } as unknown as Service;
  return (await permissions({ credential, service }, bucket)).may(operation, object);
}

describe("without a policy", () => {
  it.each([
    ["owner", owner, "PutBucketPolicy", true],
    ["reader", reader, "GetObject", true],
    ["reader", reader, "ListObjectsV2", true],
    ["reader", reader, "GetBucketPolicy", true],
    ["reader", reader, "PutObject", false],
    ["reader", reader, "AbortMultipartUpload", false],
    ["reader", reader, "PutObjectTagging", false],
    ["writer", writer, "PutObject", true],
    ["writer", writer, "DeleteObject", true],
    ["writer", writer, "PutBucketPolicy", false],
    ["writer", writer, "DeleteBucketPolicy", false],
    ["stranger", stranger, "GetObject", false],
    ["stranger", stranger, "HeadBucket", false],
    ["nobody", undefined, "GetObject", false],
  ])("%s: %o may %s: %o", async (_, credential, operation, allowed) =>
    expect(await may(credential, operation, "k")).toBe(allowed),
  );
  it("takes a bucket's name for no property that every object has", async () => {
    const limited = key("LIMITED", { bucket: "read-only" });
    expect(await may(limited, "GetObject", "k", { bucket: "constructor" })).toBe(false);
  });
  it("knows * for the buckets that are not named", async () => {
    const most = key("MOST", { "*": "read-write", bucket: "read-only" });
    expect(await may(most, "PutObject", "k")).toBe(false);
    expect(await may(most, "PutObject", "k", { bucket: "constructor" })).toBe(true);
  });
  it("lets anybody list and get where the configuration says so, and nothing else", async () => {
    const open = { anonymousRead: ["bucket"] };
    for (const operation of ["ListObjects", "ListObjectsV2", "HeadBucket", "GetObject", "HeadObject"])
      for (const sender of [undefined, stranger]) expect(await may(sender, operation, "", open)).toBe(true);
    for (const operation of Object.keys(actionsOf))
      if (!["ListObjects", "ListObjectsV2", "HeadBucket", "GetObject", "HeadObject"].includes(operation))
        expect([operation, await may(undefined, operation, "", open)]).toEqual([operation, false]);
  });
});

describe("with a policy", () => {
  it("lets Deny win over every right, for that key only", async () => {
    await setPolicy({ Effect: "Deny", Action: "s3:*", Resource: "arn:aws:s3:::bucket/secret/*" });
    for (const sender of [owner, writer, reader, undefined])
      for (const operation of ["GetObject", "HeadObject", "GetObjectAttributes", "DeleteObject", "PutObject"])
        expect(await may(sender, operation, "secret/a", { anonymousRead: ["bucket"] })).toBe(false);
    expect(await may(undefined, "PutObject", "secret/a", { open: true })).toBe(false);
    for (const other of ["secret", "Secret/a", "secre/t", "x/secret/a"])
      expect(await may(owner, "DeleteObject", other)).toBe(true);
  });
  it("adds to the rights of a key, also in part", async () => {
    await setPolicy({ Effect: "Allow", Principal: { AWS: "STRANGER" }, Action: "s3:GetObject" });
    expect(await may(stranger, "GetObject", "k")).toBe(true);
    expect(await may(stranger, "GetObjectAttributes", "k")).toBe(false);
    expect(await may(stranger, "ListObjects")).toBe(false);
    expect(await may(undefined, "GetObject", "k")).toBe(false);
    await setPolicy({ Effect: "Allow", Principal: { AWS: "READER" }, Action: "s3:PutObject" });
    expect(await may(reader, "PutObject", "k")).toBe(true);
    expect(await may(reader, "DeleteObject", "k")).toBe(false);
  });
  it("leaves the policy itself to the owner, and to keys that it names", async () => {
    const both = ["arn:aws:s3:::bucket", "arn:aws:s3:::bucket/*"];
    await setPolicy({ Effect: "Deny", Action: "*", Resource: both });
    for (const operation of ["GetBucketPolicy", "PutBucketPolicy", "DeleteBucketPolicy"]) {
      expect(await may(owner, operation)).toBe(true);
      expect(await may(undefined, operation, "", { open: true })).toBe(true);
      for (const sender of [writer, reader, stranger, undefined])
        expect(await may(sender, operation)).toBe(false);
    }
    await setPolicy({ Effect: "Allow", Action: "s3:*", Resource: both });
    expect(await may(undefined, "PutBucketPolicy")).toBe(false);
    expect(await may(undefined, "DeleteObject", "k")).toBe(true);
    expect(await may(stranger, "PutBucketPolicy")).toBe(true);
  });
  it("lets nobody pass one that cannot be understood, but the owner mend it", async () => {
    for (const policy of ["{", '{"Version":"2012-10-17","Statement":[{"NotAction":"s3:*"}]}']) {
      await objects.buckets.change("bucket", (before) => ({ ...before, policy }));
      for (const sender of [owner, writer, undefined])
        expect(await may(sender, "GetObject", "k", { anonymousRead: ["bucket"] })).toBe(false);
      expect(await may(owner, "DeleteBucketPolicy")).toBe(true);
    }
  });
  it("counts a character beyond the basic plane as one", async () => {
    await setPolicy({ Effect: "Deny", Action: "s3:GetObject", Resource: "arn:aws:s3:::bucket/?" });
    for (const one of ["a", "ä", "😀"]) expect(await may(owner, "GetObject", one)).toBe(false);
    for (const other of ["ab", "😀😀"]) expect(await may(owner, "GetObject", other)).toBe(true);
  });
  it("holds as soon as it is there and until it is gone", async () => {
    expect(await may(undefined, "GetObject", "k")).toBe(false);
    await setPolicy({ Effect: "Allow", Action: "s3:GetObject" });
    expect(await may(undefined, "GetObject", "k")).toBe(true);
    await setPolicy();
    expect(await may(undefined, "GetObject", "k")).toBe(false);
  });
});

it("knows an action for every operation, so that Deny reaches it", () => {
  const subresources =
    "accelerate acl attributes cors delete encryption lifecycle location logging notification object-lock ownershipControls policy policyStatus publicAccessBlock renameObject replication requestPayment tagging uploadId uploads versioning versions website".split(
      " ",
    );
  const queries = ["", "list-type=2", ...subresources];
  const names = new Set<string>();
  for (const method of ["GET", "HEAD", "PUT", "POST", "DELETE"])
    for (const key of ["", "k"])
      for (const headers of [{}, { "x-amz-copy-source": "b/k" }, { "content-type": "multipart/form-data" }])
        for (const query of queries) {
          const [name, value = ""] = query.split("=");
          const context = { bucket: "b", key, query: new Map(query ? [[name, value]] : []) };
          try {
            names.add(route({ ...context, request: { method, headers } } as unknown as Context).name);
          } catch {
            // There is no such operation.
          }
        }
  expect(names.size).toBeGreaterThan(50);
  expect([...names].filter((name) => !actionsOf[name]?.length)).toEqual([]);
});
