import type { Content } from "../../drives/content.ts";
import * as args from "../args.ts";
import { type Item, LookupFailed, type PropertyGroups, WriteFailed } from "../drive.ts";
import { RouteError, type Tagged, tagged } from "../errors.ts";
import { groupsJson, type Json } from "../metadata.ts";
import { PropertiesFailed } from "../properties.ts";
import { type Route, type RouteCall, rpc, tooManyWrites, upload } from "../route.ts";
import { limited, SessionFailed } from "../sessions.ts";

const scope = "files.content.write";

export const uploads: readonly Route[] = [
  upload("files/upload", args.uploadArg, async (route) => {
    const { arg, call, store, sessions, options } = route;
    const content = await store.keep(limited(call.body, options.requestLimit ?? 150 * 1024 * 1024));
    content.hold();
    try {
      if (arg.content_hash !== undefined && arg.content_hash !== content.hashes.content_hash)
        throw new RouteError(tagged("content_hash_mismatch"));
      return await commit(route, arg, content, async (reason) =>
        tagged("path", { reason, upload_session_id: await sessions.adopt(content) }),
      );
    } finally {
      content.release();
    }
  }),

  upload("files/upload_session/start", args.sessionStartArg, async ({ arg, call, sessions }) => {
    const concurrent = arg.session_type[".tag"] === "concurrent";
    if (concurrent && arg.close) throw new RouteError(tagged("concurrent_session_close_not_allowed"));
    const session_id = await sessions.start(concurrent);
    if (concurrent) {
      for await (const chunk of call.body)
        if (chunk.length > 0) throw new RouteError(tagged("concurrent_session_data_not_allowed"));
    } else {
      const how = { close: arg.close, hash: arg.content_hash };
      await sessions.append({ session_id, offset: 0 }, call.body, how);
    }
    return { session_id };
  }),

  rpc("files/upload_session/start_batch", scope, args.sessionStartBatchArg, async ({ arg, sessions }) => {
    const session_ids: string[] = [];
    for (let count = 0; count < arg.num_sessions; count += 1)
      session_ids.push(await sessions.start(arg.session_type[".tag"] === "concurrent"));
    return { session_ids };
  }),

  upload("files/upload_session/append_v2", args.sessionAppendArg, async ({ arg, call, sessions }) => {
    try {
      await sessions.append(arg.cursor, call.body, { close: arg.close, hash: arg.content_hash });
      return null;
    } catch (error) {
      throw error instanceof SessionFailed ? new RouteError(error.error) : error;
    }
  }),

  upload("files/upload_session/finish", args.sessionFinishArg, (route) =>
    finish(route, route.arg, route.call.body),
  ),

  rpc("files/upload_session/finish_batch_v2", scope, args.sessionFinishBatchArg, async (route) => {
    const entries: Json[] = [];
    for (const entry of route.arg.entries)
      try {
        entries.push({ ".tag": "success", ...(await finish(route, entry, undefined)) });
      } catch (error) {
        if (!(error instanceof RouteError)) throw error;
        entries.push({ ".tag": "failure", failure: error.error });
      }
    return { entries };
  }),
];

/** Commits a session. @param body undefined in a batch @throws RouteError 409, ApiError 429 */
async function finish(
  route: RouteCall<unknown>,
  { cursor, commit: info, content_hash }: ReturnType<typeof args.sessionFinishArg.parse>,
  body: AsyncIterable<Buffer> | undefined,
): Promise<Json> {
  try {
    const content = await route.sessions.whole(cursor, body, content_hash);
    const json = await commit(route, info, content, (reason) => tagged("path", reason));
    route.sessions.committed(cursor.session_id);
    return json;
  } catch (error) {
    throw error instanceof SessionFailed ? new RouteError(tagged("lookup_failed", error.error)) : error;
  }
}

/**
 * Makes a file of a content.
 * @param wrap a WriteError as the route's error
 * @returns its metadata @throws RouteError 409, ApiError 429
 */
async function commit(
  route: RouteCall<unknown>,
  info: args.CommitInfo,
  content: Content,
  wrap: (reason: Tagged) => Promise<Tagged> | Tagged,
): Promise<Json> {
  const { drive, view, commits, metadata, options, templates } = route;
  let groups: PropertyGroups = new Map();
  let invalid: PropertiesFailed | undefined;
  try {
    groups = templates.check(info.property_groups ?? []);
  } catch (error) {
    if (!(error instanceof PropertiesFailed)) throw error;
    invalid = error;
  }
  let item: Item;
  try {
    const { folder } = drive.place(view, info.path);
    item = await commits.run(drive.namespaceOf(folder), tooManyWrites("path"), () =>
      drive.commit(drive.place(view, info.path), content, info, groups),
    );
  } catch (error) {
    if (error instanceof WriteFailed) throw new RouteError(await wrap(error.error));
    if (error instanceof LookupFailed) throw new RouteError(await wrap(tagged("malformed_path")));
    throw error;
  }
  if (invalid) throw new RouteError(tagged("properties_error", invalid.error));
  const { ".tag": _, ...json } = metadata.item(view, item);
  const shown = options.hidesUploadedProperties ? [] : groupsJson(item.data.groups, groups.keys());
  return { ...json, ...(shown.length > 0 && { property_groups: shown }) };
}
