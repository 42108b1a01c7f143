import { randomBytes } from "node:crypto";
import { connect } from "node:net";
import { afterEach, expect, test } from "vitest";
import { errorBody } from "./errors.ts";
import type { GoogleDriveOptions } from "./options.ts";
import { type GoogleDriveServer, startGoogleDrive } from "./server.ts";
import { callsTo } from "./test-client.ts";

const open: GoogleDriveServer[] = [];
afterEach(async () => {
  for (const server of open.splice(0)) await server.close();
});

async function start(options: GoogleDriveOptions = {}) {
  const server = await startGoogleDrive(options);
  open.push(server);
  return { server, call: callsTo(server) };
}

const unit = 256 * 1024;
const reasonOf = ({ body }: { body: { error: { errors: { reason: string }[] } } }) =>
  body.error.errors[0]!.reason;

async function begin(
  call: ReturnType<typeof callsTo>,
  path = "/upload/drive/v3/files",
  method = "POST",
  headers = {},
) {
  const {
    status,
    headers: got,
    body,
  } = await call(
    method,
    `${path}?uploadType=resumable&fields=id,size,md5Checksum`,
    { name: "large" },
    headers,
  );
  expect([status, body]).toEqual([200, ""]);
  return got.get("location")!;
}

const part = (start: number, end: number, total: number | "*") => ({
  "content-range": `bytes ${start}-${end - 1}/${total}`,
});

test("a session takes chunks in order, tells how far it is, and ends with the file", async () => {
  const { server, call } = await start();
  const bytes = randomBytes(2 * unit + 10);
  const address = await begin(call);
  const put = (start: number, end: number, total: number | "*" = bytes.length) =>
    fetch(address, {
      method: "PUT",
      body: bytes.subarray(start, end),
      headers: part(start, end, total),
      redirect: "manual",
    });
  const status = () => call("PUT", address, "", { "content-range": `bytes */${bytes.length}` });
  expect((await status()).headers.get("range")).toBeNull();
  const first = await put(0, unit, "*");
  expect([first.status, first.headers.get("range")]).toEqual([308, `bytes=0-${unit - 1}`]);
  expect((await put(unit, unit + 100)).status).toBe(400);
  expect((await put(0, unit)).status).toBe(400);
  expect((await put(2 * unit, bytes.length)).status).toBe(400);
  expect(await status()).toMatchObject({ status: 308 });
  expect((await put(unit, 2 * unit)).status).toBe(308);
  expect(server.account.used).toBe(0);
  const last = await put(2 * unit, bytes.length);
  expect(last.status).toBe(200);
  const file = await last.json();
  expect(file).toMatchObject({ size: String(bytes.length) });
  // Who did not hear the answer is told again.
  expect(await status()).toMatchObject({ status: 200, body: file });
  expect(server.openSessions).toBe(0);
});

test("a session may keep less than was sent, and of a broken request whole units", async () => {
  const { server, call } = await start({ keptOfChunk: unit });
  const address = await begin(call);
  const bytes = randomBytes(3 * unit);
  const most = await call("PUT", address, bytes, part(0, bytes.length, bytes.length));
  expect([most.status, most.headers.get("range")]).toEqual([308, `bytes=0-${unit - 1}`]);
  const { hostname, port, pathname, search } = new URL(address);
  const socket = connect(Number(port), hostname);
  const head = `PUT ${pathname}${search} HTTP/1.1\r\nHost: ${hostname}:${port}\r\nContent-Length: ${2 * unit}\r\n`;
  socket.write(`${head}Content-Range: bytes ${unit}-${bytes.length - 1}/${bytes.length}\r\n\r\n`);
  socket.write(bytes.subarray(unit, 2 * unit + 1000), () => setTimeout(() => socket.destroy(), 50));
  const status = () => call("PUT", address, "", { "content-range": "bytes */*" });
  await expect.poll(async () => (await status()).headers.get("range")).toBe(`bytes=0-${2 * unit - 1}`);
  expect(
    (await call("PUT", address, bytes.subarray(2 * unit), part(2 * unit, 3 * unit, 3 * unit))).status,
  ).toBe(200);
  const gone = await begin(call);
  server.clock.advance(8 * 86_400_000);
  expect((await call("PUT", gone, "", { "content-range": "bytes */*" })).status).toBe(404);
});

test("empty and whole files go in one request of a session", async () => {
  const { call } = await start();
  const empty = await begin(call);
  expect((await call("PUT", empty, "", { "content-range": "bytes */0" })).body).toMatchObject({ size: "0" });
  const whole = await begin(call);
  expect((await call("PUT", whole, randomBytes(1000))).body).toMatchObject({ size: "1000" });
});

test("version 2 writes only while a file is as it was", async () => {
  const { server, call } = await start({ files: { a: "1" } });
  const { body } = await call("GET", "/drive/v3/files?q=name='a'");
  const { id } = body.files[0];
  const get = async () => (await call("GET", `/drive/v2/files/${id}`)).body;
  const { etag, title, fileSize, headRevisionId } = await get();
  expect({ title, fileSize }).toEqual({ title: "a", fileSize: "1" });
  const path = `/upload/drive/v2/files/${id}?uploadType=media`;
  const put = (tag: string) => call("PUT", path, "22", { "if-match": tag });
  expect(await put(etag)).toMatchObject({ status: 200, body: { fileSize: "2" } });
  const stale = await put(etag);
  expect([stale.status, reasonOf(stale)]).toEqual([412, "conditionNotMet"]);
  expect((await get()).headRevisionId).not.toBe(headRevisionId);
  // A session decides when its bytes are there.
  const tag = (await get()).etag;
  const address = await begin(call, `/upload/drive/v2/files/${id}`, "PUT", { "if-match": tag });
  await server.put("a", "by another");
  expect((await call("PUT", address, "x")).status).toBe(412);
  expect((await call("DELETE", `/drive/v2/files/${id}`, undefined, { "if-match": tag })).status).toBe(412);
  // Version 3 does not look at it.
  expect((await call("DELETE", `/drive/v3/files/${id}`, undefined, { "if-match": tag })).status).toBe(204);
});

test("version 2 has private properties and dates", async () => {
  const { call } = await start({ files: { a: "1" } });
  const { body } = await call("GET", "/drive/v3/files?q=name='a'");
  const { id } = body.files[0];
  const properties = [{ key: "k", value: "v", visibility: "PRIVATE" }];
  const patch = { properties, modifiedDate: "2020-01-02T03:04:05.000Z" };
  await call("PATCH", `/drive/v2/files/${id}?modifiedDateBehavior=fromBody`, patch);
  const { body: file } = await call(
    "GET",
    `/drive/v3/files/${id}?fields=appProperties,modifiedTime,properties`,
  );
  expect(file).toEqual({ appProperties: { k: "v" }, modifiedTime: patch.modifiedDate });
  expect((await call("GET", `/drive/v2/files/${id}`)).body.properties).toMatchObject(properties);
});

test("a batch", async () => {
  const { server, call } = await start({ files: { a: "1", b: "2" } });
  const { body } = await call("GET", "/drive/v3/files?fields=files(id)");
  const ids = body.files.map(({ id }: { id: string }) => id);
  const lines = (requests: readonly string[]) =>
    [
      ...requests.flatMap((request, index) => [
        "--b",
        "Content-Type: application/http",
        `Content-ID: <n${index}>`,
        "",
        request,
        "",
        "",
      ]),
      "--b--",
      "",
    ].join("\r\n");
  const send = (requests: readonly string[]) =>
    call("POST", "/batch/drive/v3", lines(requests), { "content-type": "multipart/mixed; boundary=b" });
  const removals = [...ids, "none"].map((id) => `DELETE /drive/v3/files/${id}`);
  const { status, headers, body: answer } = await send(removals);
  expect([status, headers.get("content-type")]).toEqual([
    200,
    expect.stringContaining("multipart/mixed; boundary="),
  ]);
  const statuses = [...answer.matchAll(/Content-ID: <response-(n\d)>[\s\S]*?HTTP\/1\.1 (\d+)/g)].map(
    ([, id, code]) => [id, code],
  );
  expect(statuses).toEqual([
    ["n2", "404"],
    ["n1", "204"],
    ["n0", "204"],
  ]);
  expect(server.calls.counts).toMatchObject({ batched: { "DELETE file": 3 } });
  expect((await send(Array.from({ length: 101 }, () => removals[0]!))).status).toBe(400);
  expect((await send([`GET /drive/v3/files/${ids[0]}?alt=media`])).status).toBe(400);
});

test("the service's own troubles", async () => {
  const { server, call } = await start({ files: { a: "1" }, throttle: { units: 205, windowSeconds: 60 } });
  const list = () => call("GET", "/drive/v3/files");
  expect([(await list()).status, (await list()).status]).toEqual([200, 200]);
  const refused = await list();
  expect([refused.status, reasonOf(refused)]).toEqual([403, "userRateLimitExceeded"]);
  server.clock.advance(60_000);
  expect((await list()).status).toBe(200);
  server.fault({ status: 403, body: errorBody(403, "dailyLimitExceeded"), on: "GET files" });
  expect(reasonOf(await list())).toBe("dailyLimitExceeded");
  expect((await call("GET", "/drive/v3/nothing")).status).toBe(404);
  expect((await call("PUT", "/drive/v3/files")).status).toBe(405);
  expect((await fetch(`${server.url}/drive/v3/files`)).status).toBe(401);
});

test("full drives, full folders, late listings and known bugs", async () => {
  const { server, call } = await start({
    quota: 10,
    mostChildren: 2,
    files: { "d/a": "1", "e/b": "2" },
    lag: { names: 1000 },
    groupedParents: "nothing",
    unknownParent: "empty",
  });
  const found = async (q: string) =>
    (await call("GET", `/drive/v3/files?q=${encodeURIComponent(q)}`)).body.files;
  expect(await found("name='d'")).toEqual([]);
  server.clock.advance(1000);
  const [[d], [e]] = [await found("name='d'"), await found("name='e'")];
  expect(await found(`'${d.id}' in parents or '${e.id}' in parents`)).toEqual([]);
  expect(await found(`'${d.id}' in parents`)).toHaveLength(1);
  expect(await found("'none' in parents")).toEqual([]);
  const full = await call("POST", "/upload/drive/v3/files?uploadType=media", "x".repeat(11));
  expect([full.status, reasonOf(full)]).toEqual([403, "storageQuotaExceeded"]);
  const create = () => call("POST", "/drive/v3/files", { name: "x", parents: [d.id] });
  expect((await create()).status).toBe(200);
  expect(reasonOf(await create())).toBe("numChildrenInNonRootLimitExceeded");
});
