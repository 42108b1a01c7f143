import { startOneDrive } from "@overcoat/simulators";
import { expect, test } from "vitest";
import { openStage } from "./stage.ts";
import { bucket } from "./stage-objects.ts";
import { drives } from "./stand-ins.ts";

const library = {
  ...drives.OneDrive!,
  start: async (options = {}) => ({
    server: await startOneDrive({ ...options, driveType: "documentLibrary" }),
  }),
};
const personal = {
  ...drives.OneDrive!,
  start: async (options = {}) => ({ server: await startOneDrive({ ...options, oddDriveIds: true }) }),
};

test("what a document library makes of an Office file is what is read then", async () => {
  await using made = await openStage(library);
  const metadata = { user: { colour: "green" } };
  for (const bytes of [made.small, made.large]) {
    await made.objects.putObject(bucket, "a.docx", bytes, { metadata });
    const read = await made.get("a.docx");
    expect(read.subarray(0, bytes.length)).toEqual(bytes);
    expect(read.length).toBeGreaterThan(bytes.length);
    const info = await made.objects.headObject(bucket, "a.docx");
    expect(info.size).toBe(read.length);
    // Not the MD5 of other bytes.
    expect(info.etag).toMatch(/-0$/);
    expect(info.checksum).toBeUndefined();
    expect(info.metadata.user).toEqual(metadata.user);
    await using object = await made.objects.getObject(bucket, "a.docx");
    expect(await object.readBytes(10, 20)).toEqual(bytes.subarray(10, 20));
  }
  await made.objects.copyObject({ bucket, key: "a.docx" }, bucket, "b.docx");
  expect(await made.keys()).toEqual(["a.docx", "b.docx"]);
});

test("a personal drive is copied over and moved over, whatever it calls itself", async () => {
  await using made = await openStage(personal, { files: { a: "before", b: "before" } });
  await made.synced();
  await made.put("source", made.small);
  await made.objects.copyObject({ bucket, key: "source" }, bucket, "a");
  await made.objects.renameObject(bucket, "source", "b");
  expect(await made.get("a")).toEqual(made.small);
  expect(await made.get("b")).toEqual(made.small);
  expect(await made.keys()).toEqual(["a", "b"]);
  await made.reopen();
  await made.synced();
  expect(await made.get("a")).toEqual(made.small);
  expect(await made.keys()).toEqual(["a", "b"]);
});
