import { randomBytes } from "node:crypto";
import { afterEach, expect, test } from "vitest";
import type { OneDriveOptions } from "./options.ts";
import { type OneDriveServer, startOneDrive } from "./server.ts";
import { callsTo } from "./test-client.ts";

const part = 320 * 1024;
const bytes = randomBytes(2 * part + 5);
const open: OneDriveServer[] = [];

afterEach(async () => {
  for (const server of open.splice(0)) await server.close();
});

async function start(options: OneDriveOptions = {}) {
  const server = await startOneDrive(options);
  open.push(server);
  const call = callsTo(server);
  const create = async (name = "x.bin", body: unknown = {}, headers = {}) => {
    const answer = await call("POST", `/me/drive/root:/${name}:/createUploadSession`, body, headers);
    const url: string = answer.body.uploadUrl;
    const send = (start: number, end: number, total: number = bytes.length) =>
      call("PUT", url, bytes.subarray(start, end), {
        "content-range": `bytes ${start}-${end - 1}/${total}`,
      });
    return { ...answer, url, send, state: () => call("GET", url), cancel: () => call("DELETE", url) };
  };
  return { server, call, create };
}

const refused = (status: number, code: string, inner?: string) => ({
  status,
  body: { error: { code, ...(inner && { innerError: { code: inner } }) } },
});

test("fragments come in order and the last one commits", async () => {
  const { server, call, create } = await start();
  const { send, state, body, cancel } = await create();
  expect(body).toEqual({
    uploadUrl: expect.stringMatching(`^${server.storageUrl}/upload/`),
    expirationDateTime: expect.any(String),
    nextExpectedRanges: ["0-"],
  });
  expect(await send(part, 2 * part)).toMatchObject(refused(416, "invalidRange", "fragmentOutOfOrder"));
  expect(await send(0, part)).toMatchObject({ status: 202, body: { nextExpectedRanges: [`${part}-`] } });
  expect(await send(0, part)).toMatchObject(refused(416, "invalidRange", "fragmentOverlap"));
  expect((await state()).body.nextExpectedRanges).toEqual([`${part}-`]);
  expect(await send(part, 2 * part, bytes.length + 1)).toMatchObject(
    refused(400, "invalidRequest", "invalidRange"),
  );
  expect(await call("GET", "/me/drive/root:/x.bin")).toMatchObject({ status: 404 });
  expect(await send(part, 2 * part)).toMatchObject({ status: 202 });
  expect(await send(2 * part, bytes.length)).toMatchObject({ status: 201, body: { size: bytes.length } });
  // What is committed is no session any more.
  expect(await state()).toMatchObject(refused(404, "itemNotFound"));
  expect(await send(2 * part, bytes.length)).toMatchObject({ status: 404 });
  expect(await cancel()).toMatchObject({ status: 404 });
  const again = await create();
  expect(await again.send(0, bytes.length)).toMatchObject({ status: 200 });
});

test("fragments that are refused", async () => {
  const { server, call, create } = await start();
  const { send, url } = await create();
  expect(await send(0, 1000)).toMatchObject(refused(400, "invalidRequest"));
  const put = (headers: Record<string, string>) => call("PUT", url, bytes.subarray(0, part), headers);
  expect(await put({})).toMatchObject(refused(400, "invalidRequest", "invalidRange"));
  expect(await put({ "content-range": `bytes 0-${part - 1}/*` })).toMatchObject({ status: 400 });
  expect(await put({ "content-range": `bytes 0-9/${part}` })).toMatchObject(
    refused(400, "invalidRequest", "fragmentLengthMismatch"),
  );
  expect(
    await put({ "content-range": `bytes 0-${part - 1}/${part}`, authorization: "Bearer x" }),
  ).toMatchObject({ status: 401 });
  const huge = 60 * 1024 * 1024 + part;
  const large = await call("PUT", url, Buffer.alloc(huge), {
    "content-range": `bytes 0-${huge - 1}/${huge}`,
  });
  expect(large).toMatchObject(refused(413, "invalidRequest", "maxFragmentLengthExceeded"));
  expect(server.drive.used).toBe(0);
  // A drive may keep it to itself until the end.
  const late = await start({ fragmentRule: "commit" });
  const session = await late.create();
  expect(await session.send(0, 1000)).toMatchObject({ status: 202 });
  expect(await session.send(1000, bytes.length)).toMatchObject({ status: 400 });
});

test("a fragment that breaks off does not count", async () => {
  const { server, create } = await start();
  const { send, state } = await create();
  await send(0, part);
  server.fault({ on: "PUT upload", resetRequestAt: 200_000 });
  await expect(send(part, 2 * part)).rejects.toThrow();
  expect((await state()).body.nextExpectedRanges).toEqual([`${part}-`]);
  // The answer alone may be lost, too.
  server.fault({ on: "PUT upload", loseAnswer: true });
  await expect(send(part, 2 * part)).rejects.toThrow();
  expect((await state()).body.nextExpectedRanges).toEqual([`${2 * part}-`]);
  server.fault({ on: "PUT upload", loseAnswer: true });
  await expect(send(2 * part, bytes.length)).rejects.toThrow();
  expect(await state()).toMatchObject({ status: 404 });
  const { data } = server.drive.find(server.drive.root, ["x.bin"])!;
  expect(data.size).toBe(bytes.length);
});

test("names that are taken: at the beginning, at the end, and committed elsewhere", async () => {
  const { server, call, create } = await start();
  const fail = { item: { "@microsoft.graph.conflictBehavior": "fail" } };
  const { send, state, url } = await create("x.bin", fail);
  await server.put("x.bin", "other");
  expect(await send(0, bytes.length)).toMatchObject(refused(409, "nameAlreadyExists"));
  expect((await state()).body.nextExpectedRanges).toEqual([]);
  const commit = { "@microsoft.graph.sourceUrl": url, "@microsoft.graph.conflictBehavior": "rename" };
  expect(await call("PUT", "/me/drive/root:/x.bin", commit)).toMatchObject({
    status: 201,
    body: { name: "x 1.bin", size: bytes.length },
  });
  expect(await state()).toMatchObject({ status: 404 });
  const rename = await create("x.bin", { item: { "@microsoft.graph.conflictBehavior": "rename" } });
  expect(await rename.send(0, bytes.length)).toMatchObject({ status: 201, body: { name: "x 2.bin" } });
  expect(await create("x.bin", { item: { "@microsoft.graph.conflictBehavior": "both" } })).toMatchObject({
    status: 400,
  });
  expect(await create("none/x.bin")).toMatchObject(refused(404, "itemNotFound"));
  expect(await create("con")).toMatchObject(refused(400, "invalidRequest"));
});

test("tags hold until the commit", async () => {
  const { server, call, create } = await start({ files: { "x.bin": "one" } });
  const { body: item } = await call("GET", "/me/drive/root:/x.bin");
  expect(await create("x.bin", {}, { "if-match": '"{0},1"' })).toMatchObject({ status: 412 });
  expect(await create("x.bin", {}, { "if-none-match": "*" })).toMatchObject({ status: 412 });
  const { send } = await create("x.bin", {}, { "if-match": item.eTag });
  await server.put("x.bin", "changed by another");
  expect(await send(0, bytes.length)).toMatchObject(refused(412, "resourceModified"));
});

test("business drives lock a name and defer commits", async () => {
  const { call, create } = await start({ driveType: "business" });
  const first = await create("x.bin", { deferCommit: true });
  expect(await create("X.BIN")).toMatchObject(refused(409, "nameAlreadyExists"));
  expect(await first.send(0, bytes.length)).toMatchObject({ status: 202 });
  expect(await call("GET", "/me/drive/root:/x.bin")).toMatchObject({ status: 404 });
  expect(await call("POST", first.url)).toMatchObject({ status: 201, body: { size: bytes.length } });
  const second = await create();
  expect(await call("POST", second.url)).toMatchObject({ status: 400 });
  expect(await second.cancel()).toMatchObject({ status: 204 });
  expect(await create()).toMatchObject({ status: 200 });
});

test("sessions end by time and by the service", async () => {
  const { server, create } = await start({ sessionSeconds: 60 });
  const { send, state } = await create();
  server.clock.advance(50_000);
  await send(0, part);
  server.clock.advance(50_000);
  expect(await state()).toMatchObject({ status: 200 });
  server.clock.advance(61_000);
  expect(await send(part, 2 * part)).toMatchObject({ status: 404 });
  expect(server.openSessions).toBe(0);
  const other = await create();
  await server.dropSessions();
  expect(await other.send(0, part)).toMatchObject({ status: 404 });
});

test("the quota is kept", async () => {
  const { call, create } = await start({ quota: 1000, files: { full: "x".repeat(900) } });
  expect(await create("x.bin", { item: { fileSize: 101 } })).toMatchObject(refused(507, "quotaLimitReached"));
  const { send } = await create();
  expect(await send(0, part)).toMatchObject({ status: 507 });
  expect(await call("PUT", "/me/drive/root:/y:/content", "y".repeat(101))).toMatchObject({ status: 507 });
  expect(await call("PUT", "/me/drive/root:/full:/content", "y".repeat(1000))).toMatchObject({ status: 200 });
  expect((await call("GET", "/me/drive")).body.quota).toMatchObject({ remaining: 0, state: "exceeded" });
});

test("document libraries change Office files once they are there", async () => {
  const { call, create } = await start({ driveType: "documentLibrary" });
  const { send } = await create("x.docx");
  const { body } = await send(0, bytes.length);
  expect(body.size).toBeGreaterThan(bytes.length);
  const { body: plain } = await call("PUT", "/me/drive/root:/x.txt:/content", "same");
  const { body: page } = await call("PUT", "/me/drive/root:/x.html:/content", "same");
  expect(plain.size).toBe(4);
  expect(page.size).toBeGreaterThan(4);
  expect(page.file.hashes.quickXorHash).not.toBe(plain.file.hashes.quickXorHash);
});
