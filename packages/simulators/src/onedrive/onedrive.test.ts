import {
  type Client,
  FileUpload,
  LargeFileUploadTask,
  OneDriveLargeFileUploadTask,
  PageIterator,
} from "@microsoft/microsoft-graph-client";
import { afterEach, describe, expect, test } from "vitest";
import type { DriveType, OneDriveOptions } from "./options.ts";
import { QuickXorHash } from "./quick-xor-hash.ts";
import { type OneDriveServer, startOneDrive } from "./server.ts";
import { callsTo, officialClient } from "./test-client.ts";

const open: OneDriveServer[] = [];
afterEach(async () => {
  for (const server of open.splice(0)) await server.close();
});

async function start(options: OneDriveOptions = {}) {
  const server = await startOneDrive(options);
  open.push(server);
  return { server, client: officialClient(server), call: callsTo(server) };
}

/** What the client throws. */
const refusal = (statusCode: number, code: string) => expect.objectContaining({ statusCode, code });

const bytesOf = async (client: Client, path: string) =>
  Buffer.from(
    await client
      .api(path)
      .responseType("arraybuffer" as never)
      .get(),
  );

const quickXorHash = (bytes: Uint8Array) => {
  const hasher = new QuickXorHash();
  hasher.update(bytes);
  return hasher.digest();
};

const pattern = (size: number) => Buffer.from(Array.from({ length: size }, (_, index) => (index * 7) & 255));

describe.each<DriveType>(["personal", "business", "documentLibrary"])("a %s drive", (driveType) => {
  const personal = driveType === "personal";

  test("the official client finds the drive and its items", async () => {
    const { server, client } = await start({
      driveType,
      files: { "a b/c.txt": "hello", "a b/Zebra": "z", "a b/empty": null },
    });
    const drive = await client.api("/me/drive").get();
    expect(drive).toMatchObject({ id: server.driveId, driveType, quota: { total: 2 ** 40, used: 6 } });
    const byPath = await client.api("/me/drive/root:/a b/C.TXT").get();
    expect(byPath).toMatchObject({
      name: "c.txt",
      size: 5,
      file: { mimeType: "text/plain", hashes: { quickXorHash: "aCgDG9jwBgAAAAAABQAAAAAAAAA=" } },
      parentReference: {
        driveId: server.driveId,
        path: personal ? "/drive/root:/a%20b" : `/drives/${server.driveId}/root:/a b`,
      },
    });
    expect(byPath["@microsoft.graph.downloadUrl"]).toMatch("https://stand-in.sharepoint.com/download?");
    const byId = await client.api(`/drives/${server.driveId}/items/${byPath.id}`).get();
    expect(byId).toEqual({ ...byPath, "@microsoft.graph.downloadUrl": expect.any(String) });
    const folder = await client.api(`/drives/${server.driveId}/items/${byPath.parentReference.id}`).get();
    expect(folder).toMatchObject({ folder: { childCount: 3 }, size: 6 });
    expect(folder.cTag === undefined).toBe(!personal);
    const below = await client.api(`/drives/${server.driveId}/items/${folder.id}:/c.txt`).get();
    expect(below.id).toBe(byPath.id);
    const few = await client.api("/me/drive/root:/a b/c.txt").select(["name", "size"]).get();
    expect(few).toEqual({ "@odata.context": expect.any(String), name: "c.txt", size: 5 });
    await expect(client.api("/me/drive/root:/none").get()).rejects.toEqual(refusal(404, "itemNotFound"));
    await expect(client.api("/me/drive/root:/a b/c.txt").select("nothing").get()).rejects.toEqual(
      refusal(400, "invalidRequest"),
    );
    await expect(client.api("/me/drive/items/nothing").get()).rejects.toEqual(refusal(404, "itemNotFound"));
  });

  test("children come by page, whatever changes meanwhile", async () => {
    const files = Object.fromEntries(Array.from({ length: 25 }, (_, index) => [`f/${index + 10}`, "x"]));
    const { server, client } = await start({ driveType, files });
    const first = await client.api("/me/drive/root:/f:/children").top(10).get();
    expect(first.value).toHaveLength(10);
    expect(server.remove("f/19")).toBe(true);
    const names: string[] = [];
    await new PageIterator(client, first, (item: { name: string }) => {
      names.push(item.name);
      return true;
    }).iterate();
    expect(names).toEqual(Array.from({ length: 25 }, (_, index) => String(index + 10)));
    expect(server.calls.counts.calls["GET children"]).toBe(3);
    const down = await client.api("/me/drive/root:/f:/children").orderby("name desc").top(1).get();
    expect(down.value[0].name).toBe("34");
    const bySize = client.api("/me/drive/root:/f:/children").orderby("size").get();
    if (personal) expect((await bySize).value).toHaveLength(24);
    else await expect(bySize).rejects.toEqual(refusal(400, "invalidRequest"));
  });

  test("small uploads, downloads and ranges", async () => {
    const { server, client, call } = await start({ driveType });
    const made = await client.api("/me/drive/root:/new/folder/x.bin:/content").put(Buffer.from("0123456789"));
    expect(made).toMatchObject({ name: "x.bin", size: 10 });
    expect(await bytesOf(client, "/me/drive/root:/NEW/folder/x.bin:/content")).toEqual(
      Buffer.from("0123456789"),
    );
    const replaced = await client.api(`/me/drive/items/${made.id}/content`).put(Buffer.from("abc"));
    expect(replaced.id).toBe(made.id);
    expect(replaced.cTag).not.toBe(made.cTag);
    const { headers } = await call("GET", `/me/drive/items/${made.id}/content`);
    const location = headers.get("location")!;
    const range = (value: string) => call("GET", location, undefined, { range: value });
    expect(await range("bytes=1-")).toMatchObject({ status: 206, body: "bc" });
    expect(await range("bytes=-1")).toMatchObject({ status: 206, body: "c" });
    expect((await range("bytes=0-0")).headers.get("content-range")).toBe("bytes 0-0/3");
    expect(await range("bytes=3-")).toMatchObject({ status: 416 });
    // The address is good without a token only, as it stands and for its time.
    expect(await call("GET", location, undefined, { authorization: "Bearer x" })).toMatchObject({
      status: 401,
    });
    expect(await call("GET", location.replace("%2e", "%2E"))).toMatchObject({ status: 401 });
    server.clock.advance(3601_000);
    expect(await call("GET", location)).toMatchObject({ status: 401 });
  });

  test("conditions: tags, conflicts and races", async () => {
    const { server, client, call } = await start({ driveType, files: { "x.txt": "1" } });
    const item = await client.api("/me/drive/root:/x.txt").get();
    const unchanged = { "if-none-match": item.eTag };
    expect(await call("GET", "/me/drive/root:/x.txt", undefined, unchanged)).toMatchObject({ status: 304 });
    const byContent = { "if-none-match": item.cTag };
    expect(await call("GET", "/me/drive/root:/x.txt", undefined, byContent)).toMatchObject({ status: 304 });
    const put = (headers: Record<string, string>, query = "") =>
      call("PUT", `/me/drive/root:/x.txt:/content${query}`, "2", headers);
    expect(await put({ "if-match": '"{0},1"' })).toMatchObject({ status: 412 });
    expect(await put({ "if-match": "unquoted" })).toMatchObject({
      status: 400,
      body: { error: { innerError: { code: "malformedEntityTag" } } },
    });
    expect(await put({ "if-none-match": "*" })).toMatchObject({ status: 412 });
    const fail = "?@microsoft.graph.conflictBehavior=fail";
    expect(await put({}, fail)).toMatchObject({
      status: 409,
      body: { error: { code: "nameAlreadyExists" } },
    });
    expect(await put({}, "?@microsoft.graph.conflictBehavior=rename")).toMatchObject({
      status: 201,
      body: { name: "x 1.txt" },
    });
    expect(await put({ "if-match": item.eTag })).toMatchObject({ status: 200 });
    expect(await call("GET", "/me/drive/root:/x.txt", undefined, unchanged)).toMatchObject({ status: 200 });
    // What counts is how things are when all bytes are there.
    const slow = async (path: string, headers: Record<string, string>) => {
      const { access_token } = server.signIn();
      async function* body() {
        yield Buffer.from("begun ");
        await expect.poll(() => server.calls.entries.at(-1)).toMatchObject({ status: 0, received: 6 });
        await server.put("x.txt", "changed by another meanwhile");
        yield Buffer.from("ended");
      }
      const authorization = `Bearer ${access_token}`;
      const init = { method: "PUT", headers: { authorization, ...headers }, body: body(), duplex: "half" };
      return (await fetch(`${server.url}/v1.0/me/drive/root:/${path}:/content`, init as RequestInit)).status;
    };
    const { eTag: current } = await client.api("/me/drive/root:/x.txt").get();
    expect(await slow("x.txt", { "if-match": current })).toBe(412);
    server.remove("x.txt");
    expect(await slow("x.txt", { "if-none-match": "*" })).toBe(412);
    // Of many who make a name or replace a version, one succeeds.
    const many = Array.from({ length: 8 }, () => call("PUT", `/me/drive/root:/new.txt:/content${fail}`, "n"));
    const statuses = (await Promise.all(many)).map(({ status }) => status).sort();
    expect(statuses).toEqual([201, 409, 409, 409, 409, 409, 409, 409]);
    const { eTag } = await client.api("/me/drive/root:/new.txt").get();
    const replacing = Array.from({ length: 8 }, () =>
      call("PUT", "/me/drive/root:/new.txt:/content", "n", { "if-match": eTag }),
    );
    const after = (await Promise.all(replacing)).map(({ status }) => status).sort();
    expect(after).toEqual([200, 412, 412, 412, 412, 412, 412, 412]);
  });

  test("folders are made, moved, renamed and removed", async () => {
    const { client, call } = await start({ driveType, files: { "a/b/c.txt": "c", "a/d.txt": "d" } });
    const folder = { name: "new", folder: {}, "@microsoft.graph.conflictBehavior": "fail" };
    const made = await client.api("/me/drive/root/children").post(folder);
    expect(made).toMatchObject({ name: "new", folder: { childCount: 0 } });
    await expect(client.api("/me/drive/root/children").post({ ...folder, name: "NEW" })).rejects.toEqual(
      refusal(409, "nameAlreadyExists"),
    );
    const again = { ...folder, "@microsoft.graph.conflictBehavior": "replace" };
    expect((await client.api("/me/drive/root/children").post(again)).id).toBe(made.id);
    const b = await client.api("/me/drive/root:/a/b").get();
    const moved = { parentReference: { id: made.id }, name: "B2" };
    expect(await client.api(`/me/drive/items/${b.id}`).patch(moved)).toMatchObject({
      id: b.id,
      name: "B2",
      parentReference: { id: made.id },
    });
    expect(await client.api("/me/drive/root:/new/b2/c.txt").get()).toMatchObject({ size: 1 });
    expect(await client.api("/me/drive/root:/new").get()).toMatchObject({ size: 1 });
    expect(await client.api("/me/drive/root:/a").get()).toMatchObject({ size: 1, folder: { childCount: 1 } });
    const onto = client
      .api("/me/drive/root:/new/b2/c.txt")
      .patch({ parentReference: { path: "/drive/root:/a" }, name: "D.txt" });
    await expect(onto).rejects.toEqual(refusal(409, "nameAlreadyExists"));
    const into = client.api(`/me/drive/items/${made.id}`).patch({ parentReference: { id: b.id } });
    await expect(into).rejects.toEqual(refusal(400, "invalidRequest"));
    const toRoot = client.api(`/me/drive/items/${b.id}`).patch({ parentReference: { id: "root" } });
    await expect(toRoot).rejects.toEqual(refusal(400, "invalidRequest"));
    const time = "2020-01-02T03:04:05Z";
    const described = await client
      .api("/me/drive/root:/a/d.txt")
      .patch({ fileSystemInfo: { lastModifiedDateTime: time } });
    expect(Date.parse(described.fileSystemInfo.lastModifiedDateTime)).toBe(Date.parse(time));
    const stale = { "if-match": moved.name };
    expect(await call("DELETE", "/me/drive/root:/new", undefined, stale)).toMatchObject({ status: 400 });
    expect(await call("DELETE", "/me/drive/root:/new", undefined, { "if-match": '"x"' })).toMatchObject({
      status: 412,
    });
    await client.api("/me/drive/root:/new").delete();
    expect(await client.api("/me/drive/root").get()).toMatchObject({ size: 1, folder: { childCount: 1 } });
    expect(await call("GET", `/me/drive/items/${b.id}`)).toMatchObject({ status: 404 });
    const permanent = await call("POST", "/me/drive/root:/a/d.txt:/permanentDelete");
    expect(permanent.status).toBe(personal ? 501 : 204);
  });

  test("names that are refused", async () => {
    const { call } = await start({ driveType });
    const name = async (name: string) =>
      (await call("POST", "/me/drive/root/children", { name, folder: {} })).status;
    for (const bad of [
      'a"b',
      "a*b",
      "a:b",
      "a<b",
      "a?b",
      "a|b",
      "a\\b",
      " a",
      "a ",
      "a.",
      "~$a",
      "con",
      "LPT1",
      ".lock",
    ])
      expect(await name(bad), bad).toBe(400);
    for (const bad of ["desktop.ini", "x_vti_y", "x".repeat(256), ""]) expect(await name(bad), bad).toBe(400);
    for (const good of ["~a", "#%", "a.b c", "com10", "é", "x".repeat(255)])
      expect(await name(good), good).toBe(201);
    expect(await name("Forms")).toBe(driveType === "documentLibrary" ? 400 : 201);
    // The decomposed form is the same name.
    expect(await name("e\u0301")).toBe(409);
    const long = Array.from({ length: 5 }, () => "y".repeat(90)).join("/");
    expect(await call("PUT", `/me/drive/root:/${long}:/content`, "")).toMatchObject({
      status: 400,
      body: { error: { innerError: { code: "pathIsTooLong" } } },
    });
  });

  test("versions", async () => {
    const { client, call } = await start({ driveType, mostVersions: 2 });
    for (const text of ["one", "two", "three", "four"])
      await client.api("/me/drive/root:/v.txt:/content").put(text);
    const versions = async () =>
      (await client.api("/me/drive/root:/v.txt:/versions").get()).value.map(({ id, size }: never) => [
        id,
        size,
      ]);
    expect(await versions()).toEqual([
      ["4.0", 4],
      ["3.0", 5],
      ["2.0", 3],
    ]);
    expect(await bytesOf(client, "/me/drive/root:/v.txt:/versions/2.0/content")).toEqual(Buffer.from("two"));
    expect(await call("GET", "/me/drive/root:/v.txt:/versions/4.0/content")).toMatchObject({ status: 400 });
    expect(await call("GET", "/me/drive/root:/v.txt:/versions/1.0/content")).toMatchObject({ status: 404 });
    const restored = await call("POST", "/me/drive/root:/v.txt:/versions/2.0/restoreVersion");
    expect(restored).toMatchObject({ status: 204 });
    expect(await bytesOf(client, "/me/drive/root:/v.txt:/content")).toEqual(Buffer.from("two"));
    const deleted = await call("DELETE", "/me/drive/root:/v.txt:/versions/4.0");
    expect(deleted.status).toBe(personal ? 400 : 204);
    // Where the bytes are the same, new times are a version on Business only.
    const before = (await versions()).length;
    await client
      .api("/me/drive/root:/v.txt")
      .patch({ fileSystemInfo: { lastModifiedDateTime: "2020-01-02T03:04:05Z" } });
    expect((await versions()).length).toBe(personal ? before : before + 1);
  });

  test("copies go on behind the answer", async () => {
    const { server, client, call } = await start({
      driveType,
      files: { "a/b.txt": "b", "c.txt": "c" },
      copyTime: 50,
    });
    const copy = async (path: string, body: unknown, query = "") => {
      const { status, headers } = await call("POST", `${path}/copy${query}`, body);
      expect(status).toBe(202);
      const location = headers.get("location")!;
      for (;;) {
        const { status, body } = await call("GET", location);
        if (body.status !== "inProgress") return { status, body };
        expect(status).toBe(202);
      }
    };
    const root = await client.api("/me/drive/root").get();
    const done = await copy("/me/drive/root:/a:", { parentReference: { id: root.id }, name: "copy" });
    expect(done).toMatchObject({ status: 200, body: { status: "completed", percentageComplete: 100 } });
    const copied = await client.api(`/me/drive/items/${done.body.resourceId}:/b.txt`).get();
    expect(copied).toMatchObject({ size: 1 });
    server.remove("a");
    expect(await bytesOf(client, "/me/drive/root:/copy/b.txt:/content")).toEqual(Buffer.from("b"));
    const onto = { parentReference: { id: root.id }, name: "C.txt" };
    expect(await copy("/me/drive/root:/copy/b.txt:", onto)).toMatchObject({
      body: { status: "failed", errorCode: "NameAlreadyExists" },
    });
    const replace = "?@microsoft.graph.conflictBehavior=replace";
    const replaced = await copy("/me/drive/root:/copy/b.txt:", onto, replace);
    expect(replaced.body.status).toBe(personal ? "failed" : "completed");
  });

  test("the official client uploads large files", async () => {
    const { server, client } = await start({ driveType });
    const bytes = pattern(5 * 327_680 + 11);
    const progress: number[] = [];
    const options = {
      path: "/big",
      fileName: "x.bin",
      rangeSize: 327_680,
      uploadEventHandlers: {
        progress: (range?: { minValue: number }) => void progress.push(range!.minValue),
      },
    };
    await client.api("/me/drive/root/children").post({ name: "big", folder: {} });
    const task = await OneDriveLargeFileUploadTask.create(client, bytes, options);
    const { responseBody } = await task.upload();
    expect(responseBody).toMatchObject({ name: "x.bin", size: bytes.length });
    expect(progress).toEqual([0, 1, 2, 3, 4, 5].map((count) => count * 327_680));
    expect(await bytesOf(client, "/me/drive/root:/big/x.bin:/content")).toEqual(bytes);
    expect(responseBody).toMatchObject({ file: { hashes: { quickXorHash: quickXorHash(bytes) } } });

    const file = new FileUpload(bytes, "y.bin", bytes.length);
    const session = await LargeFileUploadTask.createUploadSession(
      client,
      "/me/drive/root:/big/y.bin:/createUploadSession",
      {
        item: {
          "@microsoft.graph.conflictBehavior": "fail",
          fileSystemInfo: { lastModifiedDateTime: "2020-01-02T03:04:05Z" },
        },
      },
    );
    const other = new LargeFileUploadTask(client, file, session, { rangeSize: 3 * 327_680 });
    expect((await other.upload()).responseBody).toMatchObject({ name: "y.bin" });
    const { fileSystemInfo } = await client.api("/me/drive/root:/big/y.bin").get();
    expect(Date.parse(fileSystemInfo.lastModifiedDateTime)).toBe(Date.UTC(2020, 0, 2, 3, 4, 5));
    expect(server.openSessions).toBe(0);
    const cancelled = await OneDriveLargeFileUploadTask.create(client, bytes, options);
    expect(server.openSessions).toBe(1);
    await cancelled.cancel();
    expect(server.openSessions).toBe(0);
  });
});

test("a personal drive takes a small file and its properties in one call", async () => {
  const { call, client } = await start();
  const post = (item: object, content: string, id = "content") =>
    call(
      "POST",
      "/me/drive/root/children",
      `--B\r\nContent-ID: <metadata>\r\nContent-Type: application/json\r\n\r\n${JSON.stringify(item)}\r\n` +
        `--B\r\nContent-ID: <${id}>\r\nContent-Type: text/plain\r\n\r\n${content}\r\n--B--\r\n`,
      { "content-type": 'multipart/related; boundary="B"' },
    );
  const fileSystemInfo = { lastModifiedDateTime: "2020-01-02T03:04:05.000Z" };
  const item = { name: "x.txt", file: {}, "@microsoft.graph.sourceUrl": "cid:content", fileSystemInfo };
  expect(await post(item, "two\r\nlines")).toMatchObject({ status: 201, body: { size: 10, fileSystemInfo } });
  expect(await bytesOf(client, "/me/drive/root:/x.txt:/content")).toEqual(Buffer.from("two\r\nlines"));
  expect(await post(item, "again")).toMatchObject({ status: 409 });
  expect(await post(item, "nowhere", "other")).toMatchObject({ status: 400 });
  expect(await post({ ...item, name: "large" }, "x".repeat(5 << 20))).toMatchObject({ status: 413 });
});
