import fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Drive } from "../drive.ts";
import { Contents } from "./contents.ts";
import { localDrive } from "./drive.ts";

describe("small files", () => {
  let folder: string;
  let drive: Drive;
  beforeEach(() => {
    folder = fs.realpathSync(fs.mkdtempSync(join(tmpdir(), "overcoat-contents-")));
    fs.mkdirSync(join(folder, "bucket"));
    drive = localDrive(folder, { fsync: false });
    // What has just changed is not kept.
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 10_000 });
  });
  afterEach(() => {
    vi.useRealTimers();
    fs.rmSync(folder, { recursive: true });
  });

  const path = () => join(folder, "bucket/file");
  const read = async () => {
    const file = await drive.open("bucket/file");
    if (!file) return undefined;
    try {
      return (await file.readBytes(0, file.described.entry.size)).toString();
    } finally {
      await file.close();
    }
  };

  it("are read once while nothing changes them", async () => {
    fs.writeFileSync(path(), "first");
    expect(await read()).toBe("first");
    const opened = vi.spyOn(fs, "openSync");
    expect(await read()).toBe("first");
    expect(opened).not.toHaveBeenCalled();
    opened.mockRestore();
  });

  it("show at once what others do to them", async () => {
    fs.writeFileSync(path(), "first");
    const { atime, mtime } = fs.statSync(path());
    expect(await read()).toBe("first");
    // A tick of the file system's clock.
    await new Promise((resolve) => setTimeout(resolve, 20));
    fs.writeFileSync(path(), "other");
    fs.utimesSync(path(), atime, mtime);
    expect(await read()).toBe("other");
    fs.writeFileSync(`${path()}.new`, "third");
    fs.renameSync(`${path()}.new`, path());
    expect(await read()).toBe("third");
    fs.renameSync(path(), `${path()}.old`);
    expect(await read()).toBeUndefined();
    fs.symlinkSync(`${path()}.old`, path());
    expect(await read()).toBeUndefined();
  });

  it("stay as they are whatever is done with what was read", async () => {
    fs.writeFileSync(path(), "first");
    await read();
    const file = (await drive.open("bucket/file"))!;
    (await file.readBytes(0, 5)).fill("x");
    expect((await file.readBytes(1, 3)).toString()).toBe("ir");
    const chunks: string[] = [];
    for await (const chunk of file.readChunks(0, 5)) chunks.push(chunk.toString());
    expect(chunks).toEqual(["first"]);
  });
});

it("keeps 16 MiB, the latest", () => {
  const contents = new Contents();
  const file = { entry: { kind: "file", size: 0, modified: 0, id: "" }, properties: undefined } as const;
  for (let i = 0; i < 300; i++) contents.keep(`/${i}`, file, Buffer.alloc(64 * 1024));
  const kept = Array.from({ length: 300 }, (_, i) => i).filter((i) => contents.get(`/${i}`));
  expect(kept).toHaveLength(256);
  expect(kept[0]).toBe(44);
});
