import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ConfigFile, findRemote, localDrive, openVendor } from "@overcoat/drives";
import { type Objects, openObjects } from "@overcoat/objects";
import { describe, expect, test } from "vitest";
import { eventually, openStage } from "./stage.ts";
import { bucket } from "./stage-objects.ts";
import { drives } from "./stand-ins.ts";

const page = await readFile(new URL("../../docs/drives-limits.md", import.meta.url), "utf8");
const [head, , ...rows] = page
  .split("\n")
  .filter((line) => line.startsWith("|"))
  .map((line) => line.split("|").map((cell) => cell.trim()));

/** What the table says of a drive, without the numbers of notes. */
function said(drive: string, row: string): string {
  const cells = rows.find(([, first]) => first === row);
  return cells![head!.indexOf(drive)]!.replace(/ \[\d+\]$/, "");
}

async function yesNo(works: Promise<unknown>): Promise<string> {
  return works.then(
    () => "yes",
    (error: { code?: string }) => (error.code ? "no" : String(error)),
  );
}

/** Holds what the table says against objects. `others` puts a file there without them. */
async function check(
  drive: string,
  objects: Objects,
  others: (path: string, text: string) => Promise<unknown>,
): Promise<void> {
  const put = (key: string) => yesNo(objects.putObject(bucket, key, "x"));
  expect(await put("A")).toBe("yes");
  expect(await put("a")).toBe(said(drive, "`A` beside `a`"));
  const long = `${"x".repeat(199)}/`.repeat(5).slice(0, -1);
  expect(await put(long)).toBe(said(drive, "Keys of 1,000 bytes"));
  await others(`${bucket}/others`, "hello");
  await eventually(async () => {
    const { etag } = await objects.headObject(bucket, "others");
    const isMd5 = etag === "5d41402abc4b2a76b9719d911017c592";
    expect(isMd5 ? "yes" : "no").toBe(said(drive, "The ETag of what others put there is its MD5"));
  });
}

describe.each(Object.entries(drives))("docs/drives-limits.md on %s", (name, drive) => {
  test("is right", async () => {
    await using stage = await openStage(drive);
    await stage.synced();
    await check(name, stage.objects, (path, text) => stage.server.put(path, text));
    const file = new ConfigFile(join(stage.folder, "rclone.conf"));
    const remote = (await findRemote(file, "remote", {}))!;
    const vendor = await openVendor(remote, undefined, { file, data: join(stage.folder, "vendor") });
    const { propertiesLimit, atomic, largestFile } = vendor.traits;
    await vendor.close?.();
    expect(propertiesLimit > 0 ? "yes" : "no").toBe(said(name, "Metadata is kept in the file itself"));
    expect(atomic.absent ? "yes" : "no").toBe(said(name, "`If-None-Match: *` holds between gateways"));
    const GiB = Math.round(largestFile / 1024 ** 3);
    expect(GiB < 1024 ? `${GiB} GiB` : `${GiB / 1024} TiB`).toBe(said(name, "Largest object"));
    expect(said(name, "Earlier versions with `--versions`")).toBe("yes");
  });
});

test("docs/drives-limits.md is right on a folder", async () => {
  const work = await mkdtemp(join(tmpdir(), "overcoat-limits-"));
  const folder = join(work, "drive");
  await mkdir(folder);
  try {
    await using objects = await openObjects({
      drive: localDrive(folder),
      data: join(work, "data"),
      versions: true,
    });
    await objects.createBucket(bucket);
    await check("Folder", objects, (path, text) => writeFile(join(folder, path), text));
    expect(objects.versioned ? "yes" : "no").toBe(said("Folder", "Earlier versions with `--versions`"));
  } finally {
    await rm(work, { recursive: true, force: true });
  }
});
