import { randomBytes } from "node:crypto";
import { afterEach, expect, test } from "vitest";
import { ContentHash } from "./content-hash.ts";
import type { DropboxOptions } from "./options.ts";
import { type DropboxServer, startDropbox } from "./server.ts";
import { type Answer, callsTo } from "./test-client.ts";

const open: DropboxServer[] = [];
afterEach(async () => {
  for (const server of open.splice(0)) await server.close();
});

const piece = 64 * 1024;
const bytes = randomBytes(3 * piece + 100);

async function start(options: DropboxOptions = {}) {
  const server = await startDropbox({ pieceUnit: piece, ...options });
  open.push(server);
  const { rpc, content } = callsTo(server);
  const session = (step: string, arg: unknown, body?: Uint8Array) =>
    content(`files/upload_session/${step}`, arg, body);
  const begin = async (arg: object = {}, body?: Uint8Array): Promise<string> =>
    (await session("start", arg, body)).body.session_id;
  const stored = () => server.drive.find(server.drive.home, "/x.bin").data.revision!.content;
  return { server, rpc, session, begin, stored };
}

const hash = (part: Uint8Array) => {
  const hasher = new ContentHash();
  hasher.update(part);
  return hasher.digest();
};
const commit = { path: "/x.bin" };
const at = (session_id: string, offset: number) => ({ session_id, offset });
const failed = (...tags: string[]) => ({
  status: 409,
  body: { error_summary: expect.stringMatching(`^${tags.join("/")}/\\.*$`) },
});

test("pieces in order, also with the first and the last call", async () => {
  const { server, session, begin, stored } = await start();
  const id = await begin({ content_hash: hash(bytes.subarray(0, 10)) }, bytes.subarray(0, 10));
  const append = (offset: number, end: number, more = {}) =>
    session("append_v2", { cursor: at(id, offset), ...more }, bytes.subarray(offset, end));
  expect(await append(10, 1000)).toMatchObject({ status: 200, body: null });
  // A repeated piece, whose answer was lost, is told from one that is missing.
  for (const offset of [10, 2000])
    expect(await append(offset, 3000)).toMatchObject({
      status: 409,
      body: { error: { ".tag": "incorrect_offset", correct_offset: 1000 } },
    });
  expect(await append(1000, 2000, { content_hash: hash(bytes) })).toMatchObject(
    failed("content_hash_mismatch"),
  );
  expect(await append(1000, 2000)).toMatchObject({ status: 200 });
  const finish = { cursor: at(id, 1000), commit };
  expect(await session("finish", finish, bytes.subarray(1000))).toMatchObject({
    body: {
      error: { ".tag": "lookup_failed", lookup_failed: { ".tag": "incorrect_offset", correct_offset: 2000 } },
    },
  });
  const done = await session("finish", { cursor: at(id, 2000), commit }, bytes.subarray(2000));
  expect(done).toMatchObject({ status: 200, body: { size: bytes.length, content_hash: hash(bytes) } });
  expect(stored().hashes.content_hash).toBe(hash(bytes));
  expect(await append(bytes.length, bytes.length)).toMatchObject(failed("closed"));
  expect(await session("finish", { cursor: at(id, bytes.length), commit })).toMatchObject(
    failed("lookup_failed", "closed"),
  );
  expect(await session("append_v2", { cursor: at("none", 0) })).toMatchObject(failed("not_found"));
  expect(server.openSessions).toBe(0);
});

test("pieces in any order and at once", async () => {
  const { session, begin, stored } = await start();
  const id = await begin({ session_type: "concurrent" });
  const append = (index: number, end = (index + 1) * piece, more = {}) =>
    session("append_v2", { cursor: at(id, index * piece), ...more }, bytes.subarray(index * piece, end));
  const finish = (offset = bytes.length, body?: Uint8Array) =>
    session("finish", { cursor: at(id, offset), commit }, body);
  const all = await Promise.all([append(2), append(0), append(2)]);
  expect(all.map(({ status }: Answer) => status)).toEqual([200, 200, 200]);
  expect(await session("append_v2", { cursor: at(id, 5) }, bytes)).toMatchObject(
    failed("concurrent_session_invalid_offset"),
  );
  expect(await append(1, piece + 5)).toMatchObject(failed("concurrent_session_invalid_data_size"));
  expect(await finish()).toMatchObject(failed("concurrent_session_not_closed"));
  expect(await append(3, bytes.length, { close: true })).toMatchObject({ status: 200 });
  expect(await finish()).toMatchObject(failed("concurrent_session_missing_data"));
  expect(await append(1)).toMatchObject(failed("closed"));
  expect(await finish(bytes.length, bytes)).toMatchObject(failed("concurrent_session_data_not_allowed"));
  const again = await begin({ session_type: { ".tag": "concurrent" } });
  for (const index of [1, 2, 0])
    await session(
      "append_v2",
      { cursor: at(again, index * piece) },
      bytes.subarray(index * piece, (index + 1) * piece),
    );
  const last = { cursor: at(again, 3 * piece), close: true };
  await session("append_v2", last, bytes.subarray(3 * piece));
  expect(await session("finish", { cursor: at(again, bytes.length), commit })).toMatchObject({ status: 200 });
  expect(stored().hashes.content_hash).toBe(hash(bytes));
  expect(await session("start", { session_type: "concurrent" }, bytes)).toMatchObject(
    failed("concurrent_session_data_not_allowed"),
  );
  expect(await session("start", { session_type: "concurrent", close: true })).toMatchObject(
    failed("concurrent_session_close_not_allowed"),
  );
});

test("batches commit closed sessions, each for itself", async () => {
  const { rpc, begin } = await start({ files: { there: "x" } });
  const one = await begin({ close: true }, Buffer.from("one"));
  const two = await begin({ close: true }, Buffer.from("two"));
  const open = await begin({}, Buffer.from("three"));
  const entry = (id: string, offset: number, path: string) => ({ cursor: at(id, offset), commit: { path } });
  const { status, body } = await rpc("files/upload_session/finish_batch_v2", {
    entries: [entry(one, 3, "/1"), entry(two, 3, "/there"), entry(open, 5, "/3"), entry("none", 0, "/4")],
  });
  expect(status).toBe(200);
  expect(body.entries).toMatchObject([
    { ".tag": "success", name: "1", size: 3 },
    {
      ".tag": "failure",
      failure: { ".tag": "path", path: { ".tag": "conflict", conflict: { ".tag": "file" } } },
    },
    { ".tag": "failure", failure: { ".tag": "lookup_failed", lookup_failed: { ".tag": "not_closed" } } },
    { ".tag": "failure", failure: { ".tag": "lookup_failed", lookup_failed: { ".tag": "not_found" } } },
  ]);
  const { body: begun } = await rpc("files/upload_session/start_batch", { num_sessions: 3 });
  expect(new Set(begun.session_ids).size).toBe(3);
});

test.each([409, 429] as const)("commits that overlap are refused with %i", async (commitRefusal) => {
  const { rpc, session, begin, server } = await start({ commitTime: 60, commitRefusal });
  const folder = () => rpc("files/create_folder_v2", { path: "/f" });
  const [first, second] = await Promise.all([folder(), folder()]);
  const refused = first.status === 200 ? second : first;
  if (commitRefusal === 409) expect(refused).toMatchObject(failed("path", "too_many_write_operations"));
  else
    expect(refused).toMatchObject({
      status: 429,
      body: { error: { reason: { ".tag": "too_many_write_operations" } } },
    });
  // Bytes may go up at once, and a batch is one commit.
  const ids = await Promise.all(["1", "2", "3"].map((text) => begin({ close: true }, Buffer.from(text))));
  const entries = ids.map((id) => ({ cursor: at(id, 1), commit: { path: `/${ids.indexOf(id)}` } }));
  const batch = await rpc("files/upload_session/finish_batch_v2", { entries });
  expect(batch.body.entries.map((each: { ".tag": string }) => each[".tag"])).toEqual([
    "success",
    "success",
    "success",
  ]);
  const id = await begin({}, Buffer.from("x"));
  expect(await session("finish", { cursor: at(id, 1), commit })).toMatchObject({ status: 200 });
  expect(server.openSessions).toBe(0);
});

test("sessions live for a week, and large requests are refused", async () => {
  const { server, session, begin, rpc } = await start({ requestLimit: 1000 });
  const id = await begin({}, bytes.subarray(0, 1000));
  const append = (end: number) => session("append_v2", { cursor: at(id, 1000) }, bytes.subarray(1000, end));
  expect(await append(2001)).toMatchObject(failed("payload_too_large"));
  expect(await append(2000)).toMatchObject({ status: 200 });
  server.clock.advance(7 * 86_400_000);
  const { access_token } = server.signIn();
  const authorization = `Bearer ${access_token}`;
  const { body } = await rpc("users/get_space_usage", null, { authorization });
  expect(body).toEqual({ used: 0, allocation: { ".tag": "individual", allocated: 2 ** 41 } });
  expect(server.openSessions).toBe(1);
  const late = await rpc(
    "files/upload_session/finish_batch_v2",
    { entries: [{ cursor: at(id, 2000), commit }] },
    { authorization },
  );
  expect(late.body.entries[0].failure).toEqual({
    ".tag": "lookup_failed",
    lookup_failed: { ".tag": "not_found" },
  });
  expect(server.openSessions).toBe(0);
});
