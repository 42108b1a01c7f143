import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ConfigFile, findRemote, openVendor, remoteDrive } from "@overcoat/drives";
import { type Objects, openObjects } from "@overcoat/objects";
import { startDropbox, startGoogleDrive, startOneDrive } from "@overcoat/simulators";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";

const standIns = {
  OneDrive: startOneDrive,
  "Google Drive": startGoogleDrive,
  Dropbox: startDropbox,
} as const;
const MiB = 1024 * 1024;

describe.each(Object.keys(standIns) as (keyof typeof standIns)[])("S3's semantics on %s", (name) => {
  let data: string;
  let server: Awaited<ReturnType<(typeof standIns)[typeof name]>>;
  let objects: Objects;
  let other: Objects;

  async function gateway(folder: string) {
    const file = new ConfigFile(join(data, "rclone.conf"));
    const remote = (await findRemote(file, "remote"))!;
    const vendor = await openVendor(remote, undefined, { file, data: join(data, folder) });
    const drive = await remoteDrive(vendor, { data: join(data, folder, "drive"), pollInterval: 50 });
    await vi.waitFor(() => expect(drive.progress().done).toBe(true));
    return openObjects({ drive, data: join(data, folder), versions: folder === "first" });
  }
  beforeAll(async () => {
    data = await mkdtemp(join(tmpdir(), "overcoat-drives-"));
    server = await standIns[name]();
    await writeFile(join(data, "rclone.conf"), server.rcloneSection("remote"));
    objects = await gateway("first");
    other = await gateway("second");
    await objects.createBucket("bucket");
    await vi.waitFor(async () => expect(await other.bucketExists("bucket")).toBe(true));
  });
  afterAll(async () => {
    await objects.close();
    await other.close();
    await server.close();
    await rm(data, { recursive: true });
  });
  const text = async (from: Objects, key: string) => {
    await using object = await from.getObject("bucket", key);
    return object.text();
  };
  const keys = async (from: Objects, request = {}) => {
    const page = await from.listObjects("bucket", request);
    return [...page.objects.map(({ key }) => key), ...page.prefixes];
  };
  const codeOf = (promise: Promise<unknown>) =>
    promise.then(
      () => "success",
      (error: { code?: string }) => error.code,
    );

  test("objects come back with all that was said of them, also by another gateway", async () => {
    const metadata = {
      headers: { "content-type": "text/x-own", "cache-control": "no-store" },
      user: { colour: "grün", long: "x".repeat(1500) },
      tags: { kind: "test" },
    };
    const put = await objects.putObject("bucket", "dir/ü ~?/object.txt", "text", { metadata });
    expect(put.etag).toBe("1cb251ec0d568de6a929b520c4aed8d1");
    for (const from of [objects, other]) {
      await vi.waitFor(async () =>
        expect(await from.headObject("bucket", "dir/ü ~?/object.txt")).toMatchObject({
          size: 4,
          etag: put.etag,
          metadata,
        }),
      );
      expect(await text(from, "dir/ü ~?/object.txt")).toBe("text");
      expect(await keys(from, { delimiter: "/" })).toEqual(["dir/"]);
      expect(await keys(from, { prefix: "dir/" })).toEqual(["dir/ü ~?/object.txt"]);
    }
    await objects.setTags("bucket", "dir/ü ~?/object.txt", {});
    expect((await objects.headObject("bucket", "dir/ü ~?/object.txt")).metadata.tags).toEqual({});
    await objects.deleteObject("bucket", "dir/ü ~?/object.txt");
    await vi.waitFor(async () => expect(await keys(other)).toEqual([]));
  });

  test("all keys that S3 knows have a place", async () => {
    const odd = [
      "a//b",
      "/leading",
      "trailing/",
      "x",
      "x/y",
      "CON",
      "desktop.ini",
      ".lock",
      "~$office.docx",
      "a_vti_b",
      "dots./..",
      "space ",
      " space",
      'q?*:<>|"\\',
      "tab\tnew\nline",
      "full：width",
      "‛quoted",
      "emoji 🦊",
      "z".repeat(300),
      `${"segment/".repeat(30)}end`,
      "percent%2Fed",
      "thumbs.db",
    ];
    for (const key of odd) await objects.putObject("bucket", `odd/${key}`, key);
    const sorted = odd
      .map((key) => `odd/${key}`)
      .sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    for (const from of [objects, other]) {
      await vi.waitFor(async () => expect(await keys(from, { prefix: "odd/" })).toEqual(sorted));
      for (const key of odd) expect(await text(from, `odd/${key}`)).toBe(key);
    }
    const long = await codeOf(objects.putObject("bucket", "odd/".padEnd(1000, "long/"), "long"));
    expect(long).toBe(name === "OneDrive" ? "KeyTooLongError" : "success");
    await objects.deleteObject("bucket", "odd/".padEnd(1000, "long/"));
    expect((await objects.deleteObjects("bucket", sorted)).every((done) => done === true)).toBe(true);
    expect(await keys(objects)).toEqual([]);
    await vi.waitFor(async () => expect(await keys(other)).toEqual([]));
  });

  test("empty and large objects, ranges, copies and renames", async () => {
    const body = Buffer.alloc(11 * MiB + 7, "0123456789abcdefghijklmnopqrstuvwxyz");
    await objects.putObject("bucket", "empty", "");
    await objects.putObject("bucket", "large", body);
    await vi.waitFor(async () => expect(await keys(other)).toEqual(["empty", "large"]));
    for (const from of [objects, other]) {
      expect(await text(from, "empty")).toBe("");
      await using object = await from.getObject("bucket", "large");
      expect(Buffer.compare(await object.readBytes(), body)).toBe(0);
      expect(String(await object.readBytes(5 * MiB, 5 * MiB + 40))).toBe(
        body.subarray(5 * MiB, 5 * MiB + 40).toString(),
      );
    }
    const { etag } = await objects.headObject("bucket", "large");
    const user = { user: { copied: "yes" } };
    await objects.copyObject({ bucket: "bucket", key: "large" }, "bucket", "copy");
    await objects.copyObject({ bucket: "bucket", key: "large" }, "bucket", "empty", { metadata: user });
    expect(await objects.headObject("bucket", "empty")).toMatchObject({ etag, metadata: user });
    await objects.copyObject({ bucket: "bucket", key: "copy" }, "bucket", "copy", { metadata: user });
    await objects.renameObject("bucket", "copy", "moved/here");
    await objects.renameObject("bucket", "empty", "moved/here");
    expect(await objects.headObject("bucket", "moved/here")).toMatchObject({ etag, metadata: user });
    expect(await keys(objects)).toEqual(["large", "moved/here"]);
    await vi.waitFor(async () => expect(await keys(other)).toEqual(["large", "moved/here"]));
    await vi.waitFor(async () =>
      expect(await other.headObject("bucket", "moved/here")).toMatchObject({ etag, metadata: user }),
    );
    expect(await objects.deleteObjects("bucket", ["large", "moved/here", "none"])).toEqual([
      true,
      true,
      false,
    ]);
  });

  test("conditions hold between gateways that do not know of one another", async () => {
    const first = await objects.putObject("bucket", "cas", "0");
    await vi.waitFor(async () => expect(await text(other, "cas")).toBe("0"));
    const seen = await other.headObject("bucket", "cas");
    await objects.putObject("bucket", "cas", "1", { conditions: { ifMatch: first.etag } });
    expect(await codeOf(other.putObject("bucket", "cas", "2", { conditions: { ifMatch: seen.etag } }))).toBe(
      "PreconditionFailed",
    );
    expect(await text(objects, "cas")).toBe("1");
    const absent = { conditions: { ifNoneMatch: "*" } };
    const races = [objects, other].map((from, i) => from.putObject("bucket", "new", `by ${i}`, absent));
    const done = await Promise.all(races.map(codeOf));
    if (name !== "Google Drive") expect(done.sort()).toEqual(["PreconditionFailed", "success"]);
    await objects.deleteObjects("bucket", ["cas", "new"]);
  });

  test("what others change in the drive shows, with a tag of its bytes and a type of its name", async () => {
    await objects.putObject("bucket", "others.html", "mine", { metadata: { user: { a: "1" } } });
    await server.put("bucket/others.html", "<p>by others</p>");
    await vi.waitFor(async () => expect((await objects.headObject("bucket", "others.html")).size).toBe(16));
    const info = await objects.headObject("bucket", "others.html");
    expect(info.metadata).toEqual({ headers: { "content-type": "text/html" }, user: {}, tags: {} });
    expect(await text(objects, "others.html")).toBe("<p>by others</p>");
    await vi.waitFor(async () =>
      expect((await other.headObject("bucket", "others.html")).etag).toBe(info.etag),
    );
  });

  test("earlier versions that the drive keeps are listed, read and brought back", async () => {
    await objects.putObject("bucket", "versioned", "first");
    await objects.putObject("bucket", "versioned", "second", { metadata: { user: { a: "1" } } });
    const [versioned] = (await objects.listVersions("bucket", { prefix: "versioned" })).objects;
    expect(versioned!.key).toBe("versioned");
    const [present, earlier] = versioned!.versions;
    expect(present!.info).toEqual(await objects.headObject("bucket", "versioned"));
    expect(earlier!.info).toMatchObject({ key: "versioned", size: 5 });
    const textOf = async (id: string) => {
      await using object = await objects.getVersion("bucket", "versioned", id);
      return object.text();
    };
    expect(await textOf(present!.id)).toBe("second");
    expect(await textOf(earlier!.id)).toBe("first");
    expect(await codeOf(textOf("none"))).toBe("NoSuchVersion");
    await objects.copyObject(
      { bucket: "bucket", key: "versioned", version: earlier!.id },
      "bucket",
      "versioned",
    );
    expect(await text(objects, "versioned")).toBe("first");
    // Only where it is asked for.
    await vi.waitFor(async () => {
      const [plain] = (await other.listVersions("bucket", { prefix: "versioned" })).objects;
      expect(plain!.versions.map(({ id }) => id)).toEqual(["null"]);
    });
    expect(await codeOf(other.getVersion("bucket", "versioned", earlier!.id))).toBe("NoSuchVersion");
    await objects.deleteObject("bucket", "versioned");
  });
});
