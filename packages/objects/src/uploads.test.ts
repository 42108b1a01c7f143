import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, expect, it } from "vitest";
import { noMetadata } from "./metadata.ts";
import { payloadOf } from "./payload.ts";
import { Uploads } from "./uploads.ts";

let root: string;
let uploads: Uploads;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "overcoat-uploads-"));
  uploads = new Uploads(root);
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

it("refuses a part that the disk takes only a piece of", async () => {
  const upload = await uploads.create({ bucket: "b", key: "k", metadata: noMetadata });
  const module = (name: string) => JSON.stringify(new URL(name, import.meta.url).href);
  // A limit on the size of files makes the system write less than it was asked to, as does a disk that is full.
  const script = `
    const { Uploads } = await import(${module("uploads.ts")});
    const { payloadOf } = await import(${module("payload.ts")});
    async function* chunks() {
      yield Buffer.alloc(64 * 1024);
      yield Buffer.alloc(64 * 1024);
    }
    await new Uploads(${JSON.stringify(root)}).addPart(${JSON.stringify(upload)}, 1, payloadOf(chunks()));
  `;
  const limited = promisify(execFile)("bash", [
    "-c",
    'ulimit -f 100; exec "$@"',
    "-",
    process.execPath,
    "--input-type=module",
    "-e",
    script,
  ]);
  await expect(limited).rejects.toMatchObject({ stderr: expect.stringContaining("EFBIG") });
  expect(await uploads.parts(upload)).toEqual([]);
});

it("finds a part also while it is being replaced", async () => {
  const upload = await uploads.create({ bucket: "b", key: "k", metadata: noMetadata });
  await uploads.addPart(upload, 1, payloadOf("first"));
  let replacing = true;
  const replace = async () => {
    for (let n = 0; n < 30; n++) await uploads.addPart(upload, 1, payloadOf(`again ${n}`));
    replacing = false;
  };
  const look = async () => {
    while (replacing) expect(await uploads.parts(upload)).toHaveLength(1);
  };
  await Promise.all([replace(), look()]);
});
