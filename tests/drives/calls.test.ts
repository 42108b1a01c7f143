import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ConfigFile, findRemote, openVendor, remoteDrive } from "@overcoat/drives";
import { type Objects, openObjects } from "@overcoat/objects";
import { type OneDriveServer, startOneDrive } from "@overcoat/simulators";
import { afterAll, beforeAll, expect, test, vi } from "vitest";

let data: string;
let server: OneDriveServer;
let objects: Objects;

/** A gateway on the drive, with nothing of another's. */
async function gateway(name: string) {
  const file = new ConfigFile(join(data, "rclone.conf"));
  const folder = join(data, name);
  const vendor = await openVendor((await findRemote(file, "remote"))!, undefined, { file, data: folder });
  const drive = await remoteDrive(vendor, { data: join(folder, "drive"), pollInterval: 3_600_000 });
  await vi.waitFor(() => expect(drive.progress().done).toBe(true));
  return openObjects({ drive, data: folder });
}

beforeAll(async () => {
  data = await mkdtemp(join(tmpdir(), "overcoat-calls-"));
  server = await startOneDrive();
  await writeFile(join(data, "rclone.conf"), server.rcloneSection("remote"));
  objects = await gateway("first");
  await objects.createBucket("bucket");
  // Makes the folder for what the drive keeps no place for.
  await objects.putObject("bucket", "first", "", { metadata: { user: { a: "1" } } });
});
afterAll(async () => {
  await objects.close();
  await server.close();
  await rm(data, { recursive: true });
});

/** The calls that the drive gets for what `act` does, by end point. */
async function calls(act: () => Promise<unknown>): Promise<Record<string, number>> {
  server.calls.reset();
  await act();
  return { ...server.calls.counts.calls };
}
async function read(from: Objects, key: string) {
  await using object = await from.getObject("bucket", key);
  return object.text();
}
const MiB = 1024 * 1024;

test("a plain PUT takes one call, one with metadata of the user two, and one in fragments as many as there are", async () => {
  expect(await calls(() => objects.putObject("bucket", "plain.bin", Buffer.alloc(MiB)))).toEqual({
    "PUT content": 1,
  });
  expect(await calls(() => objects.putObject("bucket", "plain.bin", Buffer.alloc(MiB, 1)))).toEqual({
    "PUT content": 1,
  });
  const typed = { metadata: { headers: { "content-type": "text/html" } } };
  expect(await calls(() => objects.putObject("bucket", "page.html", "<p>", typed))).toEqual({
    "PUT content": 1,
  });
  const user = { metadata: { user: { colour: "green" } } };
  expect(await calls(() => objects.putObject("bucket", "user.bin", Buffer.alloc(MiB), user))).toEqual({
    "PUT content": 2,
  });
  expect(await calls(() => objects.putObject("bucket", "large.bin", Buffer.alloc(25 * MiB)))).toEqual({
    "POST createUploadSession": 1,
    "PUT upload": 3,
  });
});

test("conditions take no call of their own", async () => {
  const absent = { conditions: { ifNoneMatch: "*" } };
  expect(await calls(() => objects.putObject("bucket", "new.txt", "1", absent))).toEqual({
    "PUT content": 1,
  });
  const { etag } = await objects.headObject("bucket", "new.txt");
  expect(
    await calls(() => objects.putObject("bucket", "new.txt", "2", { conditions: { ifMatch: etag } })),
  ).toEqual({ "PUT content": 1 });
});

test("HEAD and listings take none, a GET one where the address is fresh and two where it is not", async () => {
  await objects.putObject("bucket", "dir/get.txt", "text");
  // What is kept of buckets is read once.
  await objects.buckets.list();
  expect(
    await calls(async () => {
      await objects.headObject("bucket", "dir/get.txt");
      await objects.headObject("bucket", "none").catch(() => undefined);
      await objects.listObjects("bucket");
      await objects.listObjects("bucket", { delimiter: "/" });
      await objects.buckets.list();
    }),
  ).toEqual({});
  // The upload's answer told the address.
  expect(await calls(() => read(objects, "dir/get.txt"))).toEqual({ "GET download": 1 });
  expect(await calls(() => read(objects, "dir/get.txt"))).toEqual({ "GET download": 1 });
  const other = await gateway("second");
  expect(await calls(() => read(other, "plain.bin"))).toEqual({ "GET item": 1, "GET download": 1 });
  expect(await calls(() => read(other, "plain.bin"))).toEqual({ "GET download": 1 });
  await other.close();
});

test("a DELETE takes one call, DeleteObjects one for 20 objects, also where they have metadata of the user", async () => {
  expect(await calls(() => objects.deleteObject("bucket", "plain.bin"))).toEqual({ "DELETE item": 1 });
  expect(await calls(() => objects.deleteObject("bucket", "none"))).toEqual({});
  const keys = Array.from({ length: 100 }, (_, i) => `many/${i}`);
  await Promise.all([...keys, "many/rest"].map((key) => objects.putObject("bucket", key, key)));
  expect(await calls(() => objects.deleteObjects("bucket", keys))).toEqual({ "POST $batch": 5 });
  expect((await objects.listObjects("bucket", { prefix: "many/" })).objects.map(({ key }) => key)).toEqual([
    "many/rest",
  ]);
});

test("copying and renaming are the drive's own", async () => {
  await objects.putObject("bucket", "source", "text");
  const copied = await calls(() => objects.copyObject({ bucket: "bucket", key: "source" }, "bucket", "copy"));
  expect(copied["PUT content"]).toBeUndefined();
  expect(await calls(() => objects.renameObject("bucket", "copy", "renamed"))).toEqual({ "PATCH item": 1 });
  expect(await read(objects, "renamed")).toBe("text");
});
