import type { Dropbox } from "dropbox";
import { afterEach, describe, expect, test } from "vitest";
import { ContentHash } from "./content-hash.ts";
import type { DropboxOptions } from "./options.ts";
import { type DropboxServer, startDropbox } from "./server.ts";
import { officialClient } from "./test-client.ts";

const open: DropboxServer[] = [];
afterEach(async () => {
  for (const server of open.splice(0)) await server.close();
});

async function start(options: DropboxOptions = {}) {
  const server = await startDropbox(options);
  open.push(server);
  return { server, client: officialClient(server) };
}

/** What the client throws; `summary` is how the error's begins. */
const refusal = (summary: string, status = 409) =>
  expect.objectContaining({
    status,
    error: expect.objectContaining({ error_summary: expect.stringMatching(`^${summary}/?\\.{0,3}$`) }),
  });

const contentHash = (bytes: Uint8Array | string) => {
  const hash = new ContentHash();
  hash.update(Buffer.from(bytes));
  return hash.digest();
};

const upload = async (client: Dropbox, path: string, contents: string, more = {}) =>
  (await client.filesUpload({ path, contents, ...more })).result;
const read = async (client: Dropbox, path: string) => {
  const { result } = await client.filesDownload({ path });
  return (result as unknown as { fileBinary: Buffer }).fileBinary.toString();
};
const overwrite = { ".tag": "overwrite" } as const;
const update = (rev: string) => ({ mode: { ".tag": "update", update: rev } as const });

test("metadata: by path in any case, by id and by revision", async () => {
  const { client } = await start({ files: { "A b/C.txt": "hello", "A b/empty": null } });
  const { result: file } = await client.filesGetMetadata({ path: "/a B/c.TXT" });
  expect(file).toEqual({
    ".tag": "file",
    name: "C.txt",
    id: expect.stringMatching(/^id:/),
    path_lower: "/a b/c.txt",
    path_display: "/A b/C.txt",
    client_modified: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
    server_modified: expect.any(String),
    rev: expect.stringMatching(/^[0-9a-f]{9,}$/),
    size: 5,
    is_downloadable: true,
    content_hash: contentHash("hello"),
  });
  if (file[".tag"] !== "file") throw new Error();
  for (const path of [file.id, `rev:${file.rev}`])
    expect((await client.filesGetMetadata({ path })).result).toEqual(file);
  const { result: folder } = await client.filesGetMetadata({ path: "/a b" });
  expect(folder).toEqual({
    ".tag": "folder",
    name: "A b",
    id: expect.any(String),
    path_lower: "/a b",
    path_display: "/A b",
  });
  if (folder[".tag"] !== "folder") throw new Error();
  expect((await client.filesGetMetadata({ path: `${folder.id}/C.txt` })).result).toEqual(file);
  await expect(client.filesGetMetadata({ path: "/none" })).rejects.toEqual(refusal("path/not_found"));
  // The root has none.
  await expect(client.filesGetMetadata({ path: "" })).rejects.toMatchObject({ status: 400 });
});

test("uploads: modes, conflicts and the same content again", async () => {
  const { client } = await start();
  const made = await upload(client, "/new/folder/é\u{1F9E5}.txt", "one");
  expect(made).toMatchObject({ name: "é\u{1F9E5}.txt", size: 3 });
  expect(".tag" in made).toBe(false);
  const path = made.path_lower!;
  // Nothing to write is no conflict, unless that is asked for.
  expect(await upload(client, path, "one")).toEqual(made);
  await expect(upload(client, path, "one", { strict_conflict: true })).rejects.toEqual(
    refusal("path/conflict/file"),
  );
  await expect(upload(client, path, "two")).rejects.toEqual(refusal("path/conflict/file"));
  await expect(upload(client, "/NEW", "x", { mode: overwrite })).rejects.toEqual(
    refusal("path/conflict/folder"),
  );
  await expect(upload(client, `${path}/x`, "x")).rejects.toEqual(refusal("path/conflict/file_ancestor"));
  const two = await upload(client, path.toUpperCase(), "two", { mode: overwrite });
  expect(two).toMatchObject({ id: made.id, name: made.name });
  expect(two.rev).not.toBe(made.rev);
  await expect(upload(client, path, "three", update(made.rev))).rejects.toEqual(
    refusal("path/conflict/file"),
  );
  const client_modified = "2020-01-02T03:04:05Z";
  const three = await upload(client, path, "three", { ...update(two.rev), client_modified });
  expect(three).toMatchObject({ client_modified });
  expect(await read(client, `rev:${two.rev}`)).toBe("two");
  const renamed = await upload(client, path, "four", { autorename: true });
  expect(renamed.name).toBe("é\u{1F9E5} (1).txt");
  await client.filesDeleteV2({ path });
  await expect(upload(client, path, "x", { ...update(three.rev), strict_conflict: true })).rejects.toEqual(
    refusal("path/conflict/file"),
  );
  expect(await upload(client, path, "five", update(three.rev))).toMatchObject({ size: 4 });
  await expect(
    upload(client, path, "x", { mode: overwrite, content_hash: contentHash("y") }),
  ).rejects.toEqual(refusal("content_hash_mismatch"));
  // Of many who make a name or replace a revision, one succeeds.
  const strict = { strict_conflict: true };
  const add = Array.from({ length: 8 }, () => upload(client, "/race.txt", "n", strict));
  const added = await Promise.allSettled(add);
  expect(added.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  const { rev } = (await client.filesGetMetadata({ path: "/race.txt" })).result as { rev: string };
  const replace = Array.from({ length: 8 }, (_, index) =>
    upload(client, "/race.txt", `${index}`, { ...update(rev), ...strict }),
  );
  expect((await Promise.allSettled(replace)).filter(({ status }) => status === "fulfilled")).toHaveLength(1);
});

test("what could not be saved is there to be saved elsewhere", async () => {
  const { server, client } = await start({ files: { "x.txt": "there" } });
  const failed = await upload(client, "/x.txt", "mine").catch((error) => error.error.error);
  const cursor = { session_id: failed.upload_session_id, offset: 4 };
  await client.filesUploadSessionFinish({ cursor, commit: { path: "/y.txt" } });
  expect(await read(client, "/y.txt")).toBe("mine");
  expect(server.openSessions).toBe(0);
});

test("folders are made, moved, copied and removed", async () => {
  const { client } = await start({ files: { "a/b/c.txt": "c", "a/d.txt": "d" } });
  const { result } = await client.filesCreateFolderV2({ path: "/new" });
  expect(result.metadata).toMatchObject({ name: "new", path_lower: "/new" });
  await expect(client.filesCreateFolderV2({ path: "/NEW" })).rejects.toEqual(refusal("path/conflict/folder"));
  const relocate = (from_path: string, to_path: string) => ({ from_path, to_path });
  const { result: before } = await client.filesGetMetadata({ path: "/a/b/c.txt" });
  const { result: moved } = await client.filesMoveV2(relocate("/a/B", "/new/deeper/B2"));
  expect(moved.metadata).toMatchObject({ ".tag": "folder", path_display: "/new/deeper/B2" });
  const { result: after } = await client.filesGetMetadata({ path: "/new/deeper/b2/c.txt" });
  expect(after).toMatchObject({ id: (before as { id: string }).id, size: 1 });
  await expect(client.filesMoveV2(relocate("/new/deeper/b2/c.txt", "/a/D.txt"))).rejects.toEqual(
    refusal("to/conflict/file"),
  );
  await expect(client.filesCopyV2(relocate("/a/d.txt", "/new"))).rejects.toEqual(
    refusal("to/conflict/folder"),
  );
  await expect(client.filesMoveV2(relocate("/none", "/x"))).rejects.toEqual(refusal("from_lookup/not_found"));
  await expect(client.filesMoveV2(relocate("/new", "/new/deeper/x"))).rejects.toEqual(
    refusal("cant_move_folder_into_itself"),
  );
  // Other letter case alone is accepted, and does nothing.
  const { result: same } = await client.filesMoveV2(relocate("/a/d.txt", "/a/D.TXT"));
  expect(same.metadata.name).toBe("d.txt");
  const { result: copied } = await client.filesCopyV2(relocate("/new", "/copy"));
  expect((copied.metadata as { id: string }).id).not.toBe(result.metadata.id);
  expect(await read(client, "/copy/deeper/b2/c.txt")).toBe("c");
  const { rev } = (await client.filesGetMetadata({ path: "/a/d.txt" })).result as { rev: string };
  await expect(client.filesDeleteV2({ path: "/a/d.txt", parent_rev: "0123456789" })).rejects.toEqual(
    refusal("path_write/conflict/file"),
  );
  const { result: deleted } = await client.filesDeleteV2({ path: "/a/d.txt", parent_rev: rev });
  expect(deleted.metadata).toMatchObject({ ".tag": "file", rev });
  await expect(client.filesDeleteV2({ path: "/a/d.txt" })).rejects.toEqual(refusal("path_lookup/not_found"));
  await client.filesDeleteV2({ path: "/new" });
  await expect(client.filesGetMetadata({ path: "/new/deeper/b2/c.txt" })).rejects.toEqual(
    refusal("path/not_found"),
  );
});

test("batches of removals are jobs, each entry for itself", async () => {
  const { server, client } = await start({ jobTime: 60_000, files: { a: "a", b: "b", "c/d": "d" } });
  const entries = ["/a", "/none", "/c"].map((path) => ({ path }));
  const { result: launched } = await client.filesDeleteBatch({ entries });
  if (launched[".tag"] !== "async_job_id") throw new Error();
  const { async_job_id } = launched;
  const check = async () => (await client.filesDeleteBatchCheck({ async_job_id })).result;
  expect(await check()).toEqual({ ".tag": "in_progress" });
  server.clock.advance(60_000);
  expect(await check()).toMatchObject({
    ".tag": "complete",
    entries: [
      { ".tag": "success", metadata: { name: "a" } },
      { ".tag": "failure", failure: { ".tag": "path_lookup", path_lookup: { ".tag": "not_found" } } },
      { ".tag": "success", metadata: { ".tag": "folder", name: "c" } },
    ],
  });
  await expect(client.filesDeleteBatchCheck({ async_job_id: "unknown" })).rejects.toEqual(
    refusal("invalid_async_job_id"),
  );
});

test("revisions, and going back to one", async () => {
  const { client } = await start({ mostRevisions: 3 });
  const revs: string[] = [];
  for (const text of ["one", "two", "three", "four"])
    revs.unshift((await upload(client, "/v.txt", text, { mode: overwrite })).rev);
  const list = async (more = {}) => (await client.filesListRevisions({ path: "/v.txt", ...more })).result;
  const { entries, is_deleted, has_more } = await list({ limit: 2 });
  expect({ revs: entries.map(({ rev }) => rev), is_deleted, has_more }).toEqual({
    revs: revs.slice(0, 2),
    is_deleted: false,
    has_more: true,
  });
  expect((await list({ before_rev: revs[1] })).entries.map(({ size }) => size)).toEqual([3]);
  await client.filesMoveV2({ from_path: "/v.txt", to_path: "/moved.txt" });
  expect(await list()).toMatchObject({ is_deleted: true });
  const byId = await client.filesListRevisions({ path: "/moved.txt", mode: { ".tag": "id" } });
  expect(byId.result.entries.map(({ name }) => name)).toEqual(["moved.txt", "v.txt", "v.txt", "v.txt"]);
  const { result } = await client.filesRestore({ path: "/v.txt", rev: revs[2]! });
  expect(result.rev).not.toBe(revs[2]);
  expect(await read(client, "/v.txt")).toBe("two");
  await expect(client.filesRestore({ path: "/v.txt", rev: "0123456789" })).rejects.toEqual(
    refusal("invalid_revision"),
  );
  await expect(client.filesListRevisions({ path: "/none" })).rejects.toEqual(refusal("path/not_found"));
});

test("documents and files that cannot be downloaded", async () => {
  const { server, client } = await start({ files: { "film.mp4": "not yours" } });
  await server.addPaper("notes/Plan.paper", "<p>plan</p>");
  const { result } = await client.filesGetMetadata({ path: "/notes/plan.paper" });
  expect(result).toMatchObject({ is_downloadable: false, export_info: { export_as: "html" } });
  await expect(client.filesDownload({ path: "/notes/plan.paper" })).rejects.toEqual(
    refusal("unsupported_file"),
  );
  const exported = await client.filesExport({ path: "/notes/plan.paper" });
  expect(exported.result.export_metadata).toMatchObject({ name: "Plan.html", size: 11 });
  await expect(client.filesExport({ path: "/film.mp4" })).rejects.toEqual(refusal("non_exportable"));
  server.restrict("film.mp4");
  await expect(client.filesDownload({ path: "/film.mp4" })).rejects.toEqual(
    refusal("path/restricted_content"),
  );
});

test("property groups: templates, limits, and what writes leave of them", async () => {
  const { client } = await start();
  const field = (name: string) => ({ name, description: "", type: { ".tag": "string" } as const });
  const template = { name: "T", description: "", fields: [field("k"), field("l")] };
  const { template_id } = (await client.filePropertiesTemplatesAddForUser(template)).result;
  expect((await client.filePropertiesTemplatesListForUser()).result.template_ids).toEqual([template_id]);
  expect((await client.filePropertiesTemplatesGetForUser({ template_id })).result).toEqual(template);
  const many = { ...template, fields: Array.from({ length: 33 }, (_, index) => field(String(index))) };
  await expect(client.filePropertiesTemplatesAddForUser(many)).rejects.toEqual(
    refusal("too_many_properties"),
  );
  const group = (fields: Record<string, string>) => [
    { template_id, fields: Object.entries(fields).map(([name, value]) => ({ name, value })) },
  ];
  const include_property_groups = { ".tag": "filter_some" as const, filter_some: [template_id] };
  const groups = async (path: string) =>
    (
      (await client.filesGetMetadata({ path, include_property_groups })).result as {
        property_groups?: unknown;
      }
    ).property_groups;
  const made = await upload(client, "/p.txt", "1", { property_groups: group({ k: "v" }) });
  expect(made.property_groups).toEqual(group({ k: "v" }));
  expect(await groups("/p.txt")).toEqual(group({ k: "v" }));
  expect((await client.filesGetMetadata({ path: "/p.txt" })).result).not.toHaveProperty("property_groups");
  await client.filesCopyV2({ from_path: "/p.txt", to_path: "/copy.txt" });
  expect(await groups("/copy.txt")).toBeUndefined();
  await client.filesMoveV2({ from_path: "/p.txt", to_path: "/q.txt" });
  expect(await groups("/q.txt")).toEqual(group({ k: "v" }));
  const add = { path: "/q.txt", property_groups: group({ k: "w" }) };
  await expect(client.filePropertiesPropertiesAdd(add)).rejects.toEqual(
    refusal("property_group_already_exists"),
  );
  await client.filePropertiesPropertiesUpdate({
    path: "/q.txt",
    update_property_groups: [
      { template_id, add_or_update_fields: [{ name: "l", value: "2" }], remove_fields: ["k"] },
    ],
  });
  expect(await groups("/q.txt")).toEqual(group({ l: "2" }));
  await client.filePropertiesPropertiesOverwrite(add);
  expect(await groups("/q.txt")).toEqual(group({ k: "w" }));
  await upload(client, "/q.txt", "other", { mode: overwrite });
  expect(await groups("/q.txt")).toBeUndefined();
  const large = { ...add, property_groups: group({ k: "x".repeat(1025) }) };
  await expect(client.filePropertiesPropertiesAdd(large)).rejects.toEqual(
    refusal("property_field_too_large"),
  );
  const strange = { ...add, property_groups: group({ z: "" }) };
  await expect(client.filePropertiesPropertiesAdd(strange)).rejects.toEqual(refusal("does_not_fit_template"));
  // The file is saved all the same, without them.
  const unknown = [{ template_id: "ptid:none", fields: [] }];
  const failed = upload(client, "/r.txt", "saved", { property_groups: unknown });
  await expect(failed).rejects.toMatchObject({ error: { error: { ".tag": "properties_error" } } });
  expect(await read(client, "/r.txt")).toBe("saved");
});

describe("listings and changes", () => {
  const names = (entries: readonly { ".tag": string; path_lower?: string }[]) =>
    entries.map((entry) => `${entry[".tag"]} ${entry.path_lower}`);
  const all = async (client: Dropbox, cursor: string) => {
    const told: string[] = [];
    for (let at = cursor; ; ) {
      const { result } = await client.filesListFolderContinue({ cursor: at });
      told.push(...names(result.entries));
      at = result.cursor;
      if (!result.has_more) return { told, cursor: at };
    }
  };

  test("children come by page, whatever changes meanwhile", async () => {
    const files = Object.fromEntries(Array.from({ length: 25 }, (_, index) => [`f/${index + 10}`, "x"]));
    const { server, client } = await start({ files });
    const { result: first } = await client.filesListFolder({ path: "/f", limit: 10 });
    expect(first).toMatchObject({ has_more: true, entries: { length: 10 } });
    server.remove("f/19");
    await server.put("f/05", "before");
    const { told, cursor } = await all(client, first.cursor);
    expect(told.slice(0, 15)).toEqual(Array.from({ length: 15 }, (_, index) => `file /f/${index + 20}`));
    const after = await all(client, cursor);
    expect([...told.slice(15), ...after.told]).toEqual(["deleted /f/19", "file /f/05"]);
    await server.put("f/deeper/x", "not a child");
    expect((await all(client, after.cursor)).told).toEqual(["folder /f/deeper"]);
    await expect(client.filesListFolder({ path: "/f/10" })).rejects.toEqual(refusal("path/not_folder"));
    await expect(client.filesListFolder({ path: "/none" })).rejects.toEqual(refusal("path/not_found"));
  });

  test("a cursor tells of all changes below, a removed folder once", async () => {
    const { server, client } = await start({ files: { "r/a/b": "1", "r/c": "2", other: "3" } });
    const { result } = await client.filesListFolder({ path: "/r", recursive: true, limit: 1 });
    const { told, cursor } = await all(client, result.cursor);
    expect([...names(result.entries), ...told].sort()).toEqual([
      "file /r/a/b",
      "file /r/c",
      "folder /r",
      "folder /r/a",
    ]);
    await client.filesMoveV2({ from_path: "/r/a", to_path: "/r/moved" });
    await upload(client, "/r/c", "22", { mode: overwrite });
    await upload(client, "/other2", "4");
    const more = await all(client, cursor);
    expect(more.told).toEqual(["deleted /r/a", "folder /r/moved", "file /r/moved/b", "file /r/c"]);
    server.remove("r/moved");
    await server.put("r/moved", "a file now");
    const last = await all(client, more.cursor);
    expect(last.told).toEqual(["deleted /r/moved", "file /r/moved"]);
    server.remove("r");
    await expect(client.filesListFolderContinue({ cursor: last.cursor })).rejects.toEqual(
      refusal("path/not_found"),
    );
  });

  test("cursors of now, longpolls, and cursors that are given up", async () => {
    const { server, client } = await start({ longpollBackoff: 7, files: { a: "1" } });
    const { cursor } = (await client.filesListFolderGetLatestCursor({ path: "", recursive: true })).result;
    expect((await client.filesListFolderContinue({ cursor })).result.entries).toEqual([]);
    const waiting = client.filesListFolderLongpoll({ cursor, timeout: 30 });
    await expect.poll(() => server.calls.counts.calls["files/list_folder/longpoll"]).toBe(1);
    await server.put("b", "2");
    expect((await waiting).result).toEqual({ changes: true, backoff: 7 });
    expect((await all(client, cursor)).told).toEqual(["file /b"]);
    server.resetCursors();
    await expect(client.filesListFolderContinue({ cursor })).rejects.toEqual(refusal("reset"));
    await expect(client.filesListFolderLongpoll({ cursor })).rejects.toEqual(refusal("reset"));
  });

  test("a longpoll ends when its time is over", async () => {
    const { client } = await start({ longpollSeconds: 0.05 });
    const { cursor } = (await client.filesListFolder({ path: "" })).result;
    expect((await client.filesListFolderLongpoll({ cursor })).result).toEqual({ changes: false });
  });
});

test("a team's space has a root above the member's folder", async () => {
  const { server } = await start({ team: true, files: { "mine.txt": "m" } });
  const accessToken = server.signIn().access_token;
  const home = officialClient(server);
  const { root_info } = (await home.usersGetCurrentAccount()).result;
  expect(root_info).toMatchObject({ ".tag": "team", home_path: "/Stand-in User" });
  const { root_namespace_id, home_namespace_id } = root_info;
  expect(root_namespace_id).not.toBe(home_namespace_id);
  const at = (root: object) => officialClient(server, { accessToken, pathRoot: JSON.stringify(root) });
  const root = at({ ".tag": "root", root: root_namespace_id });
  await upload(root, "/Team/plan.txt", "p");
  expect(
    (await root.filesListFolder({ path: "" })).result.entries.map(({ path_lower }) => path_lower),
  ).toEqual(["/stand-in user", "/team"]);
  expect((await home.filesListFolder({ path: "" })).result.entries).toMatchObject([
    { path_lower: "/mine.txt" },
  ]);
  expect((await root.filesGetMetadata({ path: "/stand-in user/mine.txt" })).result).toMatchObject({
    size: 1,
  });
  expect(await read(home, `ns:${root_namespace_id}/team/plan.txt`)).toBe("p");
  const named = at({ ".tag": "namespace_id", namespace_id: home_namespace_id });
  expect(await read(named, "/mine.txt")).toBe("m");
  await expect(at({ ".tag": "root", root: "5" }).filesListFolder({ path: "" })).rejects.toEqual(
    refusal("invalid_root/team", 422),
  );
  await expect(
    at({ ".tag": "namespace_id", namespace_id: "5" }).filesListFolder({ path: "" }),
  ).rejects.toEqual(refusal("no_permission", 422));
  await expect(root.filesDeleteV2({ path: "/stand-in user" })).rejects.toEqual(
    refusal("path_write/team_folder"),
  );
});
