import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { localDrive } from "@overcoat/drives";
import { noMetadata, type Objects, openObjects } from "@overcoat/objects";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { Context } from "../context.ts";
import { listMultipartUploads } from "./list-objects.ts";

let folder: string;
let objects: Objects;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "overcoat-s3-"));
  objects = await openObjects({ drive: localDrive(folder), data: join(folder, ".data") });
  await objects.createBucket("bucket");
});
afterEach(async () => {
  await objects.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Keys and common prefixes of uploads, page by page. */
async function pages(query: Record<string, string>): Promise<string[][]> {
  const found: string[][] = [];
  for (let next: Record<string, string> = {}; ; ) {
    let xml = "";
    const response = {
      writeHead() {},
      end: (text: string) => (xml = Buffer.from(text, "latin1").toString()),
    };
    const context = { bucket: "bucket", query: new Map(Object.entries({ ...query, ...next })), headers: {} };
    await listMultipartUploads({
      ...context,
      service: { objects },
      request: {},
      response,
    } as unknown as Context);
    const all = (name: string) => [...xml.matchAll(new RegExp(`<${name}>([^<]+)</${name}>`, "g"))];
    found.push([...all("Key"), ...all("Prefix")].map(([, text]) => text!));
    if (!xml.includes("<IsTruncated>true")) return found;
    next = {
      "key-marker": all("NextKeyMarker")[0]![1]!,
      "upload-id-marker": all("NextUploadIdMarker")[0]![1]!,
    };
  }
}

it("tells of each upload and each common prefix once, in the order of UTF-8", async () => {
  for (const key of ["a/1", "a/2", "a/2", "\u{1f600}", "\uff5e"])
    await objects.createUpload({ bucket: "bucket", key, metadata: noMetadata });
  const one = { "max-uploads": "1" };
  expect(await pages({ ...one, delimiter: "/" })).toEqual([["a/"], ["\uff5e"], ["\u{1f600}"]]);
  expect(await pages(one)).toEqual([["a/1"], ["a/2"], ["a/2"], ["\uff5e"], ["\u{1f600}"]]);
});
