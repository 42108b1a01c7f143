import { rmdirSync } from "node:fs";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Drive, DriveError, localDrive } from "@overcoat/drives";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Objects, openObjects } from "./objects.ts";

let work: string;
let folder: string;
let drive: Drive;
let objects: Objects;
beforeEach(async () => {
  work = await mkdtemp(join(tmpdir(), "overcoat-buckets-"));
  folder = join(work, "drive");
  await mkdir(folder);
  drive = localDrive(folder, { fsync: false });
  objects = await openObjects({ drive, data: join(work, "data") });
});
afterEach(async () => {
  await objects.close();
  await rm(work, { recursive: true });
});

const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => "success",
    (error) => error.code,
  );

describe("change", () => {
  it("loses no change of those made at the same time by two stores", async () => {
    const other = await openObjects({
      drive: localDrive(folder, { fsync: false }),
      data: join(work, "data"),
    });
    try {
      await objects.createBucket("bucket");
      const names = Array.from({ length: 40 }, (_, i) => `tag${i}`);
      await Promise.all(
        names.map((name, i) =>
          (i % 2 ? objects : other).buckets.change("bucket", (before) => ({
            ...before,
            tags: { ...before.tags, [name]: "x" },
          })),
        ),
      );
      const { tags, created } = await other.buckets.configuration("bucket");
      expect(Object.keys(tags ?? {}).sort()).toEqual(names.sort());
      expect(created).toBeGreaterThan(0);
    } finally {
      await other.close();
    }
  });
  it("makes no bucket", async () => {
    expect(await codeOf(objects.buckets.change("absent", () => ({ policy: "x" })))).toBe("NoSuchBucket");
    expect(await readdir(folder)).toEqual([]);
  });
  it("gives the same configuration as long as it stands", async () => {
    await objects.createBucket("bucket");
    const first = await objects.buckets.configuration("bucket");
    expect(await objects.buckets.configuration("bucket")).toBe(first);
    await objects.buckets.change("bucket", (before) => ({ ...before, policy: "x" }));
    expect(await objects.buckets.configuration("bucket")).toEqual({ ...first, policy: "x" });
  });
});

describe("deleteBucket", () => {
  it("removes a bucket with its configuration and uploads, and the next of that name starts anew", async () => {
    await objects.createBucket("bucket");
    await objects.buckets.change("bucket", (before) => ({ ...before, policy: "x" }));
    const metadata = { headers: {}, user: {}, tags: {} };
    await objects.createUpload({ bucket: "bucket", key: "k", metadata });
    await mkdir(join(folder, "bucket/empty/below"), { recursive: true });
    await objects.deleteBucket("bucket");
    expect(await readdir(folder)).toEqual([]);
    await objects.createBucket("bucket");
    expect((await objects.buckets.configuration("bucket")).policy).toBeUndefined();
    expect(await objects.uploads.list("bucket")).toEqual([]);
  });
  it("refuses a bucket with an object and keeps all that is in it", async () => {
    await objects.createBucket("bucket");
    await objects.buckets.change("bucket", (before) => ({ ...before, policy: "x" }));
    await objects.putObject("bucket", "k", "v");
    const upload = await objects.createUpload({
      bucket: "bucket",
      key: "u",
      metadata: { headers: {}, user: {}, tags: {} },
    });
    expect(await codeOf(objects.deleteBucket("bucket"))).toBe("BucketNotEmpty");
    expect(await codeOf(objects.buckets.remove("bucket"))).toBe("BucketNotEmpty");
    expect((await objects.buckets.configuration("bucket")).policy).toBe("x");
    expect(await objects.uploads.list("bucket")).toEqual([upload]);
    expect(await codeOf(objects.deleteBucket("absent"))).toBe("NoSuchBucket");
  });
  it("refuses while an object is being written, which then is there", async () => {
    await objects.createBucket("bucket");
    let begun = () => {};
    let finish = () => {};
    const writing = new Promise<void>((resolve) => {
      begun = resolve;
    });
    const held = new Promise<void>((resolve) => {
      finish = resolve;
    });
    async function* body() {
      yield Buffer.from("first");
      begun();
      await held;
      yield Buffer.from(" second");
    }
    const put = objects.putObject("bucket", "k", body());
    await writing;
    expect(await codeOf(objects.deleteBucket("bucket"))).toBe("BucketNotEmpty");
    finish();
    await put;
    await using object = await objects.getObject("bucket", "k");
    expect(await object.text()).toBe("first second");
  });
  it("minds no folder that vanishes meanwhile", async () => {
    await objects.createBucket("bucket");
    await mkdir(join(folder, "bucket/gone"));
    const odd: Drive = new Proxy(drive, {
      get(target, property) {
        if (property !== "list") return Reflect.get(target, property).bind(target);
        return (path: string) => {
          if (path === "bucket/gone") rmdirSync(join(folder, "bucket/gone"));
          return target.list(path);
        };
      },
    });
    await using other = await openObjects({ drive: odd, data: join(work, "data") });
    await other.buckets.remove("bucket");
    expect(await readdir(folder)).toEqual([]);
  });
  it("never loses an acknowledged object, whichever of PUT and deletion comes first", async () => {
    for (let round = 0; round < 30; round++) {
      await objects.createBucket("bucket");
      const put = codeOf(objects.putObject("bucket", "a/b", `round ${round}`));
      const removal = codeOf(objects.deleteBucket("bucket"));
      const outcome = `${await put} ${await removal}`;
      expect(["success BucketNotEmpty", "NoSuchBucket success"]).toContain(outcome);
      expect(await objects.bucketExists("bucket")).toBe(outcome.startsWith("success"));
      if (outcome.startsWith("success"))
        expect((await objects.headObject("bucket", "a/b")).size).toBeGreaterThan(0);
      await rm(join(folder, "bucket"), { recursive: true, force: true });
    }
  });
});

describe("list", () => {
  it("leaves out what vanishes meanwhile and lists what may not be looked into", async () => {
    for (const name of ["b", "a", "gone", "lost+found", ".overcoat-own"]) await mkdir(join(folder, name));
    await writeFile(join(folder, "file"), "no bucket");
    await mkdir(join(folder, "b/.overcoat"));
    await writeFile(join(folder, "b/.overcoat/bucket.json"), "{");
    const odd: Drive = new Proxy(drive, {
      get(target, property) {
        if (property !== "stat") return Reflect.get(target, property).bind(target);
        return (path: string) => {
          if (path === "gone") return undefined;
          if (path.startsWith("lost+found/")) throw new DriveError("AccessDenied", "permission denied");
          return target.stat(path);
        };
      },
    });
    await using other = await openObjects({ drive: odd, data: join(work, "data") });
    const names = (await other.buckets.list()).map(({ name }) => name);
    expect(names).toEqual(["a", "b", "lost+found"]);
    await expect(objects.buckets.configuration("b")).rejects.toThrow("b/.overcoat/bucket.json is damaged");
  });
});
