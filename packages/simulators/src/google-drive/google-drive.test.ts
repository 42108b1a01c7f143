import { createHash, randomBytes } from "node:crypto";
import { Readable } from "node:stream";
import { afterEach, expect, test } from "vitest";
import type { GoogleDriveOptions } from "./options.ts";
import { type GoogleDriveServer, startGoogleDrive } from "./server.ts";
import { callsTo, officialClient, refusal } from "./test-client.ts";

const open: GoogleDriveServer[] = [];
afterEach(async () => {
  for (const server of open.splice(0)) await server.close();
});

async function start(options: GoogleDriveOptions = {}) {
  const server = await startGoogleDrive(options);
  open.push(server);
  return { server, ...officialClient(server), call: callsTo(server) };
}

const folder = "application/vnd.google-apps.folder";
const hash = (name: string, bytes: Uint8Array | string) => createHash(name).update(bytes).digest("hex");
type Drive = Awaited<ReturnType<typeof start>>["drive"];

async function idOf(drive: Drive, name: string, parent = "root"): Promise<string> {
  const { data } = await drive.files.list({
    q: `'${parent}' in parents and name='${name}' and trashed=false`,
  });
  return data.files![0]!.id!;
}

async function bytesOf(drive: Drive, fileId: string, headers = {}): Promise<string> {
  const { data } = await drive.files.get({ fileId, alt: "media" }, { responseType: "text", headers });
  return String(data);
}

test("files tell what they are, in the fields that are asked for", async () => {
  const { server, drive } = await start({ files: { "a b/c.txt": "hello", "a b/empty": null } });
  const root = await drive.files.get({ fileId: "root" });
  expect(root.data).toEqual({
    kind: "drive#file",
    id: expect.any(String),
    name: "My Drive",
    mimeType: folder,
  });
  const parent = await idOf(drive, "a b");
  const id = await idOf(drive, "c.txt", parent);
  expect((await drive.files.get({ fileId: id })).data).toEqual({
    kind: "drive#file",
    id,
    name: "c.txt",
    mimeType: "text/plain",
  });
  const { data } = await drive.files.get({ fileId: id, fields: "*" });
  expect(data).toMatchObject({
    parents: [parent],
    size: "5",
    version: expect.stringMatching(/^\d+$/),
    md5Checksum: hash("md5", "hello"),
    sha1Checksum: hash("sha1", "hello"),
    sha256Checksum: hash("sha256", "hello"),
    headRevisionId: expect.any(String),
    trashed: false,
    capabilities: { canEdit: true, canDownload: true },
    modifiedTime: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:]+\.\d{3}Z$/),
  });
  const some = await drive.files.get({ fileId: id, fields: "size,capabilities/canEdit,owners(me)" });
  expect(some.data).toEqual({ size: "5", capabilities: { canEdit: true }, owners: [{ me: true }] });
  await expect(drive.files.get({ fileId: id, fields: "id,fileSize" })).rejects.toEqual(
    refusal(400, "invalidParameter"),
  );
  await expect(drive.files.get({ fileId: "none" })).rejects.toEqual(refusal(404, "notFound"));
  await expect(drive.about.get()).rejects.toEqual(refusal(400, "required"));
  const about = await drive.about.get({ fields: "user,storageQuota" });
  expect(about.data).toMatchObject({ user: { me: true }, storageQuota: { usage: "5" } });
  expect(await bytesOf(drive, id)).toBe("hello");
  expect(await bytesOf(drive, id, { Range: "bytes=1-3" })).toBe("ell");
  await expect(bytesOf(drive, parent)).rejects.toMatchObject({ status: 403 });
  expect(server.calls.counts.calls).toMatchObject({ "GET file": 6, "GET files": 2 });
});

test("lists come by page, and only with a token that was asked for", async () => {
  const files = Object.fromEntries(Array.from({ length: 25 }, (_, index) => [`f/${index}`, "x"]));
  const { server, drive } = await start({ files });
  const parent = await idOf(drive, "f");
  const q = `'${parent}' in parents and trashed=false`;
  const without = await drive.files.list({ q, pageSize: 10, fields: "files(name)" });
  expect(without.data.files).toHaveLength(10);
  expect(without.data.nextPageToken).toBeUndefined();
  const names: string[] = [];
  let pageToken: string | undefined;
  do {
    const { data } = await drive.files.list({
      q,
      pageSize: 10,
      pageToken,
      fields: "nextPageToken,files(name)",
    });
    names.push(...data.files!.map(({ name }) => name!));
    pageToken = data.nextPageToken ?? undefined;
    // Another user's changes do not move the pages.
    server.remove("f/nothing");
  } while (pageToken !== undefined);
  expect(names.toSorted((a, b) => Number(a) - Number(b))).toEqual(
    Array.from({ length: 25 }, (_, i) => String(i)),
  );
  const first = await drive.files.list({ q, pageSize: 10 });
  const token = first.data.nextPageToken!;
  await expect(drive.files.list({ q: "trashed=false", pageToken: token })).rejects.toEqual(
    refusal(400, "invalid"),
  );
  server.clock.advance(5 * 3_600_000);
  await expect(drive.files.list({ q, pageToken: token })).rejects.toEqual(refusal(400, "invalid"));
  await expect(drive.files.list({ pageSize: 1001 })).rejects.toEqual(refusal(400, "invalid"));
});

test("searches", async () => {
  const { drive } = await start({
    files: { "x/It's \\ here.txt": "1", "x/HERE": "2", "y/other here": "3", "y/z/deep": "4" },
  });
  const [x, y] = [await idOf(drive, "x"), await idOf(drive, "y")];
  const found = async (q: string, orderBy?: string) => {
    const { data } = await drive.files.list({ q, orderBy, fields: "files(name)" });
    const names = data.files!.map(({ name }) => name!);
    return orderBy ? names : names.sort();
  };
  expect(await found(`'${x}' in parents or '${y}' in parents`)).toEqual([
    "HERE",
    "It's \\ here.txt",
    "other here",
    "z",
  ]);
  expect(await found(`name = 'It\\'s \\\\ here.txt'`)).toEqual(["It's \\ here.txt"]);
  expect(await found("name='here'")).toEqual(["HERE"]);
  expect(await found("name contains 'her' and not name contains 'other'")).toEqual([
    "HERE",
    "It's \\ here.txt",
  ]);
  expect(await found("name contains 'ther'")).toEqual([]);
  expect(await found(`mimeType='${folder}'`)).toEqual(["x", "y", "z"]);
  expect(await found("(name='x' or name='deep') and modifiedTime > '2020-01-01T00:00:00'")).toEqual([
    "deep",
    "x",
  ]);
  expect(await found(`'${y}' in parents`, "folder,name desc")).toEqual(["z", "other here"]);
  await expect(drive.files.list({ q: "'none' in parents" })).rejects.toEqual(refusal(404, "notFound"));
  for (const q of ["name", "name=here", "title='x'", "name='x' and", "('x' in parents", "trashed='true'"])
    await expect(drive.files.list({ q })).rejects.toEqual(refusal(400, "invalid"));
});

test("names are no identity: any two may be alike, and hold anything", async () => {
  const { drive } = await start();
  const create = (name: string) => drive.files.create({ requestBody: { name, mimeType: folder } });
  const [a, b] = [await create("same"), await create("same")];
  expect(a.data.id).not.toBe(b.data.id);
  for (const name of ["a/b", "..", " ", "tab\there", "‛q"]) expect((await create(name)).data.name).toBe(name);
  const { data } = await drive.files.list({ q: "name='same'" });
  expect(data.files).toHaveLength(2);
});

test("uploads in one request, with and without metadata, and new bytes for a file", async () => {
  const { drive } = await start();
  const modifiedTime = "2020-02-03T04:05:06.789Z";
  const fields =
    "id,name,size,md5Checksum,mimeType,modifiedTime,headRevisionId,version,appProperties,parents";
  const { data } = await drive.files.create({
    requestBody: { name: "a.bin", modifiedTime, appProperties: { k: "v" } },
    media: { mimeType: "application/x-test", body: Readable.from([Buffer.from("one")]) },
    fields,
  });
  expect(data).toMatchObject({
    name: "a.bin",
    size: "3",
    mimeType: "application/x-test",
    modifiedTime,
    md5Checksum: hash("md5", "one"),
    appProperties: { k: "v" },
  });
  const replaced = await drive.files.update({
    fileId: data.id!,
    requestBody: { appProperties: { k: null, l: "m" } as never },
    media: { mimeType: "application/x-test", body: "second" },
    fields,
  });
  expect(replaced.data).toMatchObject({ id: data.id, size: "6", appProperties: { l: "m" } });
  expect(replaced.data.headRevisionId).not.toBe(data.headRevisionId);
  expect(Number(replaced.data.version)).toBeGreaterThan(Number(data.version) + 1);
  expect(replaced.data.modifiedTime).not.toBe(modifiedTime);
  const plain = await drive.files.create({ media: { body: "text" } });
  expect(plain.data).toMatchObject({ name: "Untitled", mimeType: "text/plain" });
  await expect(drive.files.update({ fileId: data.id!, requestBody: { parents: ["root"] } })).rejects.toEqual(
    refusal(403, "fieldNotWritable"),
  );
  await expect(drive.files.create({ requestBody: { parents: [data.id!] } })).rejects.toEqual(
    refusal(403, "parentNotAFolder"),
  );
  await expect(drive.files.create({ requestBody: { parents: ["none"] } })).rejects.toEqual(
    refusal(404, "notFound"),
  );
});

test("an id that was generated makes one file, however often it is sent", async () => {
  const { drive } = await start();
  const { data } = await drive.files.generateIds({ count: 3, space: "drive", type: "files" });
  expect(data.ids).toHaveLength(3);
  const [id, other] = data.ids as [string, string];
  const create = (requestBody: object) => drive.files.create({ requestBody, media: { body: "x" } });
  expect((await create({ id, name: "a" })).data.id).toBe(id);
  await expect(create({ id, name: "a" })).rejects.toEqual(refusal(409, "fileIdInUse"));
  await drive.files.delete({ fileId: id });
  await expect(create({ id, name: "a" })).rejects.toEqual(refusal(409, "fileIdInUse"));
  await expect(create({ id: "mine", name: "a" })).rejects.toEqual(refusal(400, "invalid"));
  const inner = { requestBody: { id: other, name: "f", mimeType: folder } };
  expect((await drive.files.create(inner)).data.id).toBe(other);
  const shortcut = { id: data.ids![2]!, mimeType: "application/vnd.google-apps.shortcut" };
  await expect(
    drive.files.create({ requestBody: { ...shortcut, shortcutDetails: { targetId: other } } }),
  ).rejects.toEqual(refusal(400, "invalid"));
  const document = { id: data.ids![2]!, mimeType: "application/vnd.google-apps.document" };
  await expect(drive.files.create({ requestBody: document })).rejects.toEqual(
    refusal(403, "insufficientFilePermissions"),
  );
});

test("moves, copies, the trash and deletion", async () => {
  const { server, drive } = await start({ files: { "from/a": "1", "to/b": null } });
  const [from, to] = [await idOf(drive, "from"), await idOf(drive, "to")];
  const a = await idOf(drive, "a", from);
  const fields = "id,name,parents,trashed,explicitlyTrashed,md5Checksum";
  await expect(drive.files.update({ fileId: a, addParents: to })).rejects.toEqual(
    refusal(403, "cannotAddParent"),
  );
  const moved = await drive.files.update({
    fileId: a,
    addParents: to,
    removeParents: from,
    requestBody: { name: "moved" },
    fields,
  });
  expect(moved.data).toMatchObject({ id: a, name: "moved", parents: [to] });
  const copy = await drive.files.copy({ fileId: a, requestBody: { name: "copy", parents: [from] }, fields });
  expect(copy.data).toMatchObject({ name: "copy", parents: [from], md5Checksum: hash("md5", "1") });
  expect((await drive.files.copy({ fileId: a })).data.name).toBe("Copy of moved");
  await expect(drive.files.copy({ fileId: from })).rejects.toEqual(refusal(403, "cannotCopyFile"));
  await drive.files.update({ fileId: to, requestBody: { trashed: true } });
  expect((await drive.files.get({ fileId: a, fields })).data).toMatchObject({
    trashed: true,
    explicitlyTrashed: false,
  });
  expect((await drive.files.list({ q: `'${to}' in parents and trashed=false` })).data.files).toEqual([]);
  await drive.files.emptyTrash();
  await expect(drive.files.get({ fileId: a })).rejects.toEqual(refusal(404, "notFound"));
  await drive.files.delete({ fileId: from });
  await expect(drive.files.get({ fileId: copy.data.id! })).rejects.toEqual(refusal(404, "notFound"));
  expect(server.account.used).toBe(0);
  await expect(drive.files.delete({ fileId: "root" })).rejects.toEqual(
    refusal(403, "insufficientFilePermissions"),
  );
});

test("changes tell what happened, from where one stands", async () => {
  const { server, drive } = await start({ files: { "d/a": "1", "d/b": "2" } });
  const { startPageToken } = (await drive.changes.getStartPageToken()).data;
  const changes = async (pageToken: string, more: object = {}) =>
    (await drive.changes.list({ pageToken, fields: "*", ...more })).data;
  expect(await changes(startPageToken!)).toMatchObject({ changes: [], newStartPageToken: startPageToken });
  await server.put("d/a", "changed");
  await server.put("d/c", "3");
  server.remove("d/b");
  const { changes: all, newStartPageToken } = await changes(startPageToken!);
  expect(all!.map(({ removed, file, changeType }) => [changeType, removed, file?.name, file?.size])).toEqual([
    ["file", false, "a", "7"],
    ["file", false, "c", "1"],
    ["file", true, undefined, undefined],
  ]);
  const seen: (string | null | undefined)[] = [];
  for (let token: string | undefined = startPageToken!; token; ) {
    const page = await changes(token, { pageSize: 1 });
    seen.push(...page.changes!.map(({ fileId }) => fileId));
    if (page.newStartPageToken) expect(page.newStartPageToken).toBe(newStartPageToken);
    token = page.nextPageToken ?? undefined;
  }
  expect(seen).toEqual(all!.map(({ fileId }) => fileId));
  const d = await idOf(drive, "d");
  await drive.files.update({ fileId: d, requestBody: { trashed: true } });
  const trashed = (await changes(newStartPageToken!)).changes!;
  expect(trashed.map(({ file }) => [file?.name, file?.trashed])).toEqual([["d", true]]);
  await drive.files.delete({ fileId: d });
  expect((await changes(newStartPageToken!)).changes!.every(({ removed }) => removed)).toBe(true);
  await expect(changes("99999")).rejects.toEqual(refusal(400, "invalid"));
});

test("revisions", async () => {
  const { server, drive } = await start({ files: { a: "1" }, keptRevisionsOnly: true, mostRevisions: 2 });
  for (const text of ["22", "333", "4444"]) await server.put("a", text);
  const fileId = await idOf(drive, "a");
  const { data } = await drive.revisions.list({
    fileId,
    fields: "revisions(id,size,md5Checksum,keepForever)",
  });
  expect(data.revisions!.map(({ size }) => size)).toEqual(["2", "3", "4"]);
  const revisionId = data.revisions![0]!.id!;
  const read = () => drive.revisions.get({ fileId, revisionId, alt: "media" }, { responseType: "text" });
  await expect(read()).rejects.toMatchObject({ status: 403 });
  await drive.revisions.update({ fileId, revisionId, requestBody: { keepForever: true } });
  expect((await read()).data).toBe("22");
  await server.put("a", "55555");
  const left = await drive.revisions.list({ fileId, fields: "*" });
  expect(left.data.revisions!.map(({ size }) => size)).toEqual(["2", "3", "4", "5"]);
  await drive.revisions.delete({ fileId, revisionId });
  await expect(read()).rejects.toMatchObject({ status: 404 });
});

test("shared drives need to be asked for", async () => {
  const { server, drive } = await start({ sharedDrives: ["Team"] });
  const [team] = (await drive.drives.list()).data.drives!;
  expect(team).toMatchObject({ name: "Team" });
  const driveId = team!.id!;
  const create = (more: object) =>
    drive.files.create({ requestBody: { name: "a", parents: [driveId] }, media: { body: "x" }, ...more });
  await expect(create({})).rejects.toEqual(refusal(404, "notFound"));
  const { data } = await create({ supportsAllDrives: true, fields: "id,driveId" });
  expect(data.driveId).toBe(driveId);
  expect((await drive.files.list({ q: "name='a'" })).data.files).toEqual([]);
  const all = { supportsAllDrives: true, includeItemsFromAllDrives: true };
  const listed = await drive.files.list({ corpora: "drive", driveId, q: "trashed=false", ...all });
  expect(listed.data.files).toMatchObject([{ name: "a", driveId }]);
  await expect(drive.files.list({ driveId, ...all })).rejects.toEqual(refusal(400, "invalid"));
  const { startPageToken } = (await drive.changes.getStartPageToken({ driveId, supportsAllDrives: true }))
    .data;
  await create({ supportsAllDrives: true });
  const { changes } = (await drive.changes.list({ pageToken: startPageToken!, driveId, ...all })).data;
  expect(changes).toHaveLength(1);
  expect(server.calls.counts.total).toBeGreaterThan(0);
});

test("properties are an app's own or all apps', and short", async () => {
  const { server, drive } = await start({ files: { a: "1" } });
  const fileId = await idOf(drive, "a");
  const fields = "properties,appProperties";
  const update = (requestBody: object) => drive.files.update({ fileId, requestBody, fields });
  await update({ properties: { all: "see" }, appProperties: { only: "me" } });
  const other = officialClient(server, "drive", "another");
  expect((await other.drive.files.get({ fileId, fields })).data).toEqual({ properties: { all: "see" } });
  await other.drive.files.update({ fileId, requestBody: { appProperties: { only: "them" } } });
  expect((await drive.files.get({ fileId, fields })).data.appProperties).toEqual({ only: "me" });
  const q = "appProperties has { key='only' and value='me' }";
  expect((await drive.files.list({ q })).data.files).toHaveLength(1);
  await update({ appProperties: { k: "é".repeat(61) } });
  await expect(update({ appProperties: { k: "é".repeat(62) } })).rejects.toMatchObject({ status: 400 });
  const many = Object.fromEntries(Array.from({ length: 29 }, (_, index) => [`n${index}`, ""]));
  await expect(update({ appProperties: many })).rejects.toMatchObject({ status: 403 });
  expect((await update({ appProperties: { ...many, only: null } })).data.appProperties).toMatchObject({
    n28: "",
  });
});

test("shortcuts and Google's own documents have no bytes", async () => {
  const { server, drive } = await start({ files: { a: "1" } });
  const target = await idOf(drive, "a");
  const shortcut = server.addShortcut("link", target);
  const fields = "mimeType,shortcutDetails,md5Checksum,size,exportLinks";
  expect((await drive.files.get({ fileId: shortcut, fields })).data).toEqual({
    mimeType: "application/vnd.google-apps.shortcut",
    shortcutDetails: { targetId: target, targetMimeType: "application/octet-stream" },
  });
  const document = server.addDocument("doc", "document");
  const { data } = await drive.files.get({ fileId: document, fields });
  expect(data).toMatchObject({ size: "1", exportLinks: { "application/pdf": expect.any(String) } });
  expect(data.md5Checksum).toBeUndefined();
  await expect(bytesOf(drive, document)).rejects.toMatchObject({ status: 403 });
  const exported = await drive.files.export(
    { fileId: document, mimeType: "text/plain" },
    { responseType: "text" },
  );
  expect(exported.data).toContain("doc");
  server.flag("a");
  await expect(bytesOf(drive, target)).rejects.toMatchObject({ status: 403 });
  const { data: bytes } = await drive.files.get(
    { fileId: target, alt: "media", acknowledgeAbuse: true },
    { responseType: "text" },
  );
  expect(bytes).toBe("1");
});

test("signing in, staying signed in, and what a scope lets one do", async () => {
  const { server, drive, oauth } = await start({ files: { a: "1" }, tokenSeconds: 60 });
  const before = oauth.credentials.access_token;
  server.clock.advance(61_000);
  // The client tries once more with a new token by itself, and keeps its refresh token.
  expect((await drive.files.list()).data.files).toHaveLength(1);
  expect(oauth.credentials.access_token).not.toBe(before);
  const reader = officialClient(server, "drive.readonly");
  expect((await reader.drive.files.list()).data.files).toHaveLength(1);
  await expect(reader.drive.files.create({ requestBody: { name: "x" } })).rejects.toEqual(
    refusal(403, "insufficientPermissions"),
  );
  const own = officialClient(server, "drive.file");
  expect((await own.drive.files.list()).data.files).toEqual([]);
  await own.drive.files.create({ requestBody: { name: "mine" } });
  expect((await own.drive.files.list()).data.files).toMatchObject([{ name: "mine" }]);
  await expect(own.drive.files.get({ fileId: "root" })).rejects.toEqual(refusal(404, "notFound"));
  server.revokeTokens();
  await expect(drive.files.list()).rejects.toMatchObject({
    message: expect.stringContaining("invalid_grant"),
  });
});

test("a browser signs in with PKCE; a device only for few scopes", async () => {
  const { server } = await start();
  const verifier = randomBytes(32).toString("base64url");
  const redirect_uri = "http://127.0.0.1:53682/";
  const query = new URLSearchParams({
    client_id: "stand-in",
    response_type: "code",
    redirect_uri,
    scope: "https://www.googleapis.com/auth/drive",
    access_type: "offline",
    code_challenge: createHash("sha256").update(verifier).digest("base64url"),
    code_challenge_method: "S256",
  });
  const { headers } = await fetch(`${server.url}/o/oauth2/v2/auth?${query}`, { redirect: "manual" });
  const code = new URL(headers.get("location")!).searchParams.get("code")!;
  const post = async (path: string, fields: Record<string, string>) => {
    const response = await fetch(server.url + path, { method: "POST", body: new URLSearchParams(fields) });
    // biome-ignore lint/suspicious/noExplicitAny: tests look into whatever came
    return { status: response.status, body: (await response.json()) as any };
  };
  const client = { client_id: "stand-in", client_secret: "s" };
  const exchange = {
    ...client,
    grant_type: "authorization_code",
    code,
    redirect_uri,
    code_verifier: verifier,
  };
  const { body } = await post("/token", exchange);
  expect(body).toMatchObject({ token_type: "Bearer", expires_in: 3599, refresh_token: expect.any(String) });
  expect((await post("/token", exchange)).body.error).toBe("invalid_grant");
  const refresh = { ...client, grant_type: "refresh_token", refresh_token: body.refresh_token };
  expect((await post("/token", refresh)).body).toMatchObject({ access_token: expect.any(String) });
  expect((await post("/token", refresh)).body.refresh_token).toBeUndefined();
  expect((await post("/token", { ...refresh, client_secret: "" })).body.error).toBe("invalid_request");
  const scope = (name: string) => ({ ...client, scope: `https://www.googleapis.com/auth/${name}` });
  expect((await post("/device/code", scope("drive"))).body.error).toBe("invalid_scope");
  const device = (await post("/device/code", scope("drive.file"))).body;
  const grant_type = "urn:ietf:params:oauth:grant-type:device_code";
  const poll = () => post("/token", { ...client, grant_type, device_code: device.device_code });
  expect(await poll()).toMatchObject({ status: 428, body: { error: "authorization_pending" } });
  expect(server.decide(device.user_code, "approved")).toBe(true);
  expect((await poll()).body).toMatchObject({ refresh_token: expect.any(String) });
});
