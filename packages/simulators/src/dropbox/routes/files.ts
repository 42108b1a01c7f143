import type { files as DropboxFiles } from "dropbox";
import * as args from "../args.ts";
import type { Commits } from "../commit-lock.ts";
import type { Drive, Item } from "../drive.ts";
import { ApiError, RouteError, type Tagged, tagged } from "../errors.ts";
import type { EntryJson, Json } from "../metadata.ts";
import { type Route, type RouteCall, rpc, tooManyWrites, wrapping } from "../route.ts";

const mostFiles = 10_000;

export const files: readonly Route[] = [
  rpc("files/get_metadata", "files.metadata.read", args.getMetadataArg, ({ arg, drive, view, metadata }) =>
    wrapping({ lookup: "path" }, () => {
      const item = drive.find(view, arg.path);
      return metadata.item(view, item, arg.include_property_groups);
    }),
  ),

  rpc("files/create_folder_v2", "files.content.write", args.createFolderArg, (call) => {
    const { arg, drive, view, metadata, commits } = call;
    return wrapping({ write: "path" }, () => {
      const place = drive.place(view, arg.path);
      return commits.run(drive.namespaceOf(place.folder), tooManyWrites("path"), () => {
        const folder = drive.createFolder(drive.place(view, arg.path), arg.autorename);
        const { ".tag": _, ...json } = metadata.item(view, folder);
        return { metadata: json };
      });
    });
  }),

  rpc("files/delete_v2", "files.content.write", args.deleteArg, async (call) => ({
    metadata: await remove(call, call.arg, call.commits),
  })),

  rpc("files/delete_batch", "files.content.write", args.deleteBatchArg, (call) => ({
    ".tag": "async_job_id",
    async_job_id: call.jobs.start(() => removeAll(call, call.arg.entries)),
  })),

  rpc("files/delete_batch/check", "files.content.write", args.pollArg, ({ arg, jobs }) =>
    jobs.check(arg.async_job_id),
  ),

  rpc("files/copy_v2", "files.content.write", args.relocationArg, (call) =>
    relocate(call, (item, drive) =>
      drive.copy(item, drive.place(call.view, call.arg.to_path), call.arg.autorename),
    ),
  ),

  rpc("files/move_v2", "files.content.write", args.relocationArg, (call) =>
    relocate(call, (item, drive) =>
      drive.move(item, drive.place(call.view, call.arg.to_path), call.arg.autorename),
    ),
  ),

  rpc("files/list_revisions", "files.metadata.read", args.listRevisionsArg, (call) => {
    const { arg, view, metadata } = call;
    if (arg.mode[".tag"] === "id" && arg.before_rev) throw new RouteError(tagged("before_rev_not_supported"));
    return wrapping({ lookup: "path" }, () => {
      const { item, all } = revisionsOf(call);
      const from = arg.before_rev ? all.findIndex(({ rev }) => rev === arg.before_rev) + 1 : 0;
      if (arg.before_rev && from === 0) throw new RouteError(tagged("invalid_before_rev"));
      const page = all.slice(from, from + arg.limit);
      const entries = page.map((revision) => {
        const { ".tag": _, ...json } = metadata.revision(view, revision);
        return json;
      });
      return {
        is_deleted: item === undefined,
        entries,
        has_more: from + arg.limit < all.length,
      } satisfies DropboxFiles.ListRevisionsResult;
    });
  }),

  rpc("files/restore", "files.content.write", args.restoreArg, ({ arg, drive, view, metadata, commits }) =>
    wrapping({ lookup: "path_lookup", write: "path_write" }, () => {
      const revision = drive.revisions.get(arg.rev);
      if (!revision) throw new RouteError(tagged("invalid_revision"));
      const { folder } = drive.place(view, arg.path);
      return commits.run(drive.namespaceOf(folder), tooManyWrites("path_write"), () => {
        const how = {
          mode: { ".tag": "overwrite" as const },
          autorename: false,
          strict_conflict: true,
          client_modified: revision.clientModified,
        };
        const { ".tag": _, ...json } = metadata.item(
          view,
          drive.commit(drive.place(view, arg.path), revision.content, how),
        );
        return json;
      });
    }),
  ),
];

/** The item of a path if it is still there, and its revisions, newest first. @throws LookupFailed */
function revisionsOf({ arg, drive, view }: RouteCall<ListRevisions>) {
  let item: Item | undefined;
  let failed: unknown;
  try {
    item = drive.find(view, arg.path);
  } catch (error) {
    failed = error;
  }
  if (item?.children) throw new RouteError(tagged("path", tagged("not_file")));
  const path = item ? drive.pathOf(item) : [...drive.pathOf(view), ...arg.path.split("/").slice(1)];
  const atPath = drive.revisions.ofPath(path);
  const id = item?.id ?? atPath[0]?.id;
  const all = arg.mode[".tag"] === "id" && id !== undefined ? drive.revisions.ofFile(id) : atPath;
  if (all.length === 0) throw failed;
  return { item, all };
}
type ListRevisions = ReturnType<typeof args.listRevisionsArg.parse>;

/** Removes an item. @returns its metadata @throws RouteError 409, ApiError 429 */
function remove(
  { drive, view, metadata }: RouteCall<unknown>,
  { path, parent_rev }: args.DeleteArg,
  commits: Commits,
): Promise<EntryJson> {
  return wrapping({ lookup: "path_lookup", write: "path_write" }, () =>
    commits.run(drive.namespaceOf(drive.find(view, path)), tagged("too_many_write_operations"), () => {
      const item = drive.find(view, path);
      const json = metadata.item(view, item);
      drive.remove(item, parent_rev);
      return json;
    }),
  );
}

/** Removes what a batch names, each for itself. */
async function removeAll(call: RouteCall<unknown>, entries: readonly args.DeleteArg[]): Promise<Json> {
  using commits = call.lock.begin();
  const results: Json[] = [];
  for (const entry of entries)
    try {
      results.push({ ".tag": "success", metadata: await remove(call, entry, commits) });
    } catch (error) {
      results.push({ ".tag": "failure", failure: entryError(error) });
    }
  return { ".tag": "complete", entries: results };
}

/** The error of one entry of a batch. */
function entryError(error: unknown): Tagged {
  if (error instanceof RouteError) return error.error;
  if (error instanceof ApiError && error.status === 429) return tagged("too_many_write_operations");
  throw error;
}

async function relocate(
  { arg, drive, view, metadata, commits }: RouteCall<args.RelocationArg>,
  act: (item: Item, drive: Drive) => Item,
): Promise<Json> {
  const from = () => wrapping({ lookup: "from_lookup" }, () => drive.find(view, arg.from_path));
  const to = <T>(run: () => Promise<T> | T) => wrapping({ lookup: "to", write: "to" }, run);
  if (arg.from_path === arg.to_path) throw new RouteError(tagged("duplicated_or_nested_paths"));
  const item = await from();
  let count = 0;
  for (const _ of drive.tree.below(item)) count += 1;
  if (count > mostFiles) throw new RouteError(tagged("too_many_files"));
  const { folder } = await to(() => drive.place(view, arg.to_path));
  return commits.run(drive.namespaceOf(folder), tooManyWrites("to"), async () => {
    const found = await from();
    return to(() => ({ metadata: metadata.item(view, act(found, drive)) }));
  });
}
