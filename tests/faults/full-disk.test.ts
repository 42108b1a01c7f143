import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { type Gateway, startGateway } from "../gateway.ts";
import { send } from "./requests.ts";
import { temporaries } from "./state.ts";

const MiB = 1 << 20;
const full = [507, "XMinioStorageFull"];
const top = mkdtempSync(join(tmpdir(), "overcoat-full-"));
const disk = join(top, "disk");

/** Whether this user may mount; where not, these cases show as skipped. */
const mountable = (() => {
  mkdirSync(disk);
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=10m", "tmpfs", disk], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
})();
const title = mountable ? "" : " (skipped: only root can mount a small disk)";

afterAll(() => {
  if (mountable) execFileSync("umount", ["-l", disk]);
  rmSync(top, { recursive: true, force: true });
});

/** Takes all room that is left, to the last byte. */
function fill(): void {
  const { bavail, bsize } = statfsSync(disk);
  writeFileSync(join(disk, "filler"), Buffer.alloc(bavail * bsize));
}
const free = () => rmSync(join(disk, "filler"), { force: true });

let gateway: Gateway;
const old = Buffer.alloc(4 * MiB, "old ");
const put = (key: string, body: Buffer | string, headers = {}) =>
  send(gateway, "PUT", `/bucket/${key}`, { body, headers });
const outcome = async (answer: ReturnType<typeof send>) => [(await answer).status, (await answer).code];
const kept = async () => {
  const answer = await send(gateway, "GET", "/bucket/old");
  return [answer.status, answer.body.equals(old), answer.headers["x-amz-meta-a"]];
};
const document = (parts: readonly string[]) =>
  `<CompleteMultipartUpload>${parts.map((etag, i) => `<Part><PartNumber>${i + 1}</PartNumber><ETag>${etag}</ETag></Part>`).join("")}</CompleteMultipartUpload>`;
async function beginUpload(key: string): Promise<string> {
  const begun = await send(gateway, "POST", `/bucket/${key}?uploads=`);
  expect(begun.status).toBe(200);
  return /<UploadId>(.*)<\/UploadId>/.exec(begun.body.toString())![1]!;
}
const tags = (value: string) =>
  `<Tagging><TagSet><Tag><Key>k</Key><Value>${value}</Value></Tag></TagSet></Tagging>`;

describe.runIf(mountable)("the served folder's disk is full", () => {
  beforeAll(async () => {
    gateway = await startGateway({ folder: join(disk, "drive") });
    await send(gateway, "PUT", "/bucket");
    expect((await put("old", old, { "x-amz-meta-a": "kept" })).status).toBe(200);
  });
  afterAll(async () => {
    await gateway?.stop();
    rmSync(join(disk, "drive"), { recursive: true });
  });
  afterEach(async () => {
    expect(await temporaries(gateway)).toEqual([]);
    free();
    expect(await kept()).toEqual([200, true, "kept"]);
    expect((await put("again", "room")).status).toBe(200);
    expect((await send(gateway, "GET", "/bucket/again")).body.toString()).toBe("room");
  });

  test("a PUT that finds no room is refused and leaves the old object", async () => {
    expect(await outcome(put("old", Buffer.alloc(7 * MiB)))).toEqual(full);
    expect(await outcome(put("new", Buffer.alloc(7 * MiB)))).toEqual(full);
    expect(await outcome(send(gateway, "HEAD", "/bucket/new"))).toEqual([404, undefined]);
  });

  test("a copy that finds no room is refused", async () => {
    writeFileSync(join(disk, "filler"), Buffer.alloc(3 * MiB));
    const headers = { "x-amz-copy-source": "/bucket/old" };
    expect(await outcome(send(gateway, "PUT", "/bucket/copy", { headers }))).toEqual(full);
    expect(await outcome(send(gateway, "HEAD", "/bucket/copy"))).toEqual([404, undefined]);
  });

  test("an upload that finds no room is refused, and completed once there is some", async () => {
    const id = await beginUpload("parts");
    const etags: string[] = [];
    for (const size of [5 * MiB, 1000]) {
      const target = `/bucket/parts?partNumber=${etags.length + 1}&uploadId=${id}`;
      etags.push((await send(gateway, "PUT", target, { body: Buffer.alloc(size, "p") })).headers.etag!);
    }
    writeFileSync(join(disk, "filler"), Buffer.alloc(3 * MiB));
    const complete = () => send(gateway, "POST", `/bucket/parts?uploadId=${id}`, { body: document(etags) });
    expect(await outcome(complete())).toEqual(full);
    free();
    expect(await outcome(complete())).toEqual([200, undefined]);
    expect((await send(gateway, "GET", "/bucket/parts")).body.length).toBe(5 * MiB + 1000);
    expect((await send(gateway, "DELETE", "/bucket/parts")).status).toBe(204);
  });

  test("to the last byte: reads, listings and deletes go on, writes are refused", async () => {
    await put("gone", Buffer.alloc(10_000));
    await send(gateway, "PUT", "/bucket?tagging=", { body: tags("before") });
    fill();
    expect(await kept()).toEqual([200, true, "kept"]);
    expect(await outcome(put("tiny", "x"))).toEqual(full);
    expect(await outcome(send(gateway, "PUT", "/bucket?tagging=", { body: tags("after") }))).toEqual(full);
    expect((await send(gateway, "GET", "/bucket?tagging=")).body.toString()).toContain("before");
    expect((await send(gateway, "GET", "/bucket?list-type=2")).body.toString()).toContain("<Key>gone</Key>");
    expect(await outcome(send(gateway, "DELETE", "/bucket/gone"))).toEqual([204, undefined]);
    expect(await outcome(put("tiny", "x"))).toEqual([200, undefined]);
  });

  test("metadata that finds no room keeps the object and the metadata that it has", async () => {
    await put("tagged", "x", { "x-amz-tagging": "k=before", "x-amz-meta-a": "kept" });
    fill();
    const answer = await send(gateway, "PUT", "/bucket/tagged?tagging=", { body: tags("after".repeat(40)) });
    // An attribute may have room where a file has none.
    expect([200, 507]).toContain(answer.status);
    const shown = (await send(gateway, "GET", "/bucket/tagged?tagging=")).body.toString();
    expect(shown).toContain(answer.status === 200 ? "afterafter" : "before");
    expect((await send(gateway, "HEAD", "/bucket/tagged")).headers["x-amz-meta-a"]).toBe("kept");
  });
});

describe.runIf(mountable)("the disk of --data is full", () => {
  beforeAll(async () => {
    gateway = await startGateway({ data: join(disk, "data") });
    await send(gateway, "PUT", "/bucket");
    expect((await put("old", old, { "x-amz-meta-a": "kept" })).status).toBe(200);
  });
  afterAll(async () => {
    await gateway?.stop();
    rmSync(join(disk, "data"), { recursive: true });
  });
  afterEach(async () => {
    expect(await temporaries(gateway)).toEqual([]);
    free();
    expect(await kept()).toEqual([200, true, "kept"]);
  });

  test("a part that finds no room is refused, and taken once there is some", async () => {
    const id = await beginUpload("parts");
    const part = (body: Buffer) =>
      send(gateway, "PUT", `/bucket/parts?partNumber=1&uploadId=${id}`, { body });
    expect(await outcome(part(Buffer.alloc(12 * MiB)))).toEqual(full);
    const headers = { "x-amz-copy-source": "/bucket/old" };
    writeFileSync(join(disk, "filler"), Buffer.alloc(7 * MiB));
    const copied = () => send(gateway, "PUT", `/bucket/parts?partNumber=1&uploadId=${id}`, { headers });
    expect(await outcome(copied())).toEqual(full);
    const listed = await send(gateway, "GET", `/bucket/parts?uploadId=${id}`);
    expect(listed.body.toString()).not.toContain("<Part>");
    free();
    expect(await outcome(copied())).toEqual([200, undefined]);
    expect(await outcome(send(gateway, "DELETE", `/bucket/parts?uploadId=${id}`))).toEqual([204, undefined]);
  });

  test("to the last byte: only uploads in parts are refused", async () => {
    fill();
    expect(await outcome(send(gateway, "POST", "/bucket/parts?uploads="))).toEqual(full);
    expect(await kept()).toEqual([200, true, "kept"]);
    for (let count = 0; count < 50; count++)
      expect(await outcome(put(`many/${count}`, "x"))).toEqual([200, undefined]);
    expect(await outcome(send(gateway, "DELETE", "/bucket/many/0"))).toEqual([204, undefined]);
  });
});
test.runIf(mountable)("on a disk that holds both and is full, a delete makes room", async () => {
  gateway = await startGateway({ folder: join(disk, "drive"), data: join(disk, "data") });
  try {
    await send(gateway, "PUT", "/bucket");
    for (const key of ["first", "second"]) expect((await put(key, Buffer.alloc(100_000))).status).toBe(200);
    fill();
    expect(await outcome(put("third", Buffer.alloc(50_000)))).toEqual(full);
    expect(await outcome(send(gateway, "DELETE", "/bucket/first"))).toEqual([204, undefined]);
    expect(await outcome(put("third", Buffer.alloc(50_000)))).toEqual([200, undefined]);
    expect(await temporaries(gateway)).toEqual([]);
  } finally {
    await gateway.stop();
    free();
  }
});

if (!mountable) test.skip(`a full disk${title}`, () => {});
