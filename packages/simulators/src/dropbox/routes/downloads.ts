import type { Reply } from "../../drives/call.ts";
import * as args from "../args.ts";
import { LookupFailed, type Revision } from "../drive.ts";
import { RouteError, tagged } from "../errors.ts";
import { contentReply } from "../links.ts";
import type { Json } from "../metadata.ts";
import { headerJson } from "../names.ts";
import { type Route, type RouteCall, rpc, wrapping } from "../route.ts";

const scope = "files.content.read";

/** A route that gives bytes. */
const download = (name: string, arg: Route["arg"], run: Route["run"]): Route => ({
  name,
  host: "content",
  style: "download",
  scope,
  arg,
  run,
});

export const downloads: readonly Route[] = [
  download("files/download", args.downloadArg, async (route): Promise<Reply> => {
    const { view, metadata, call } = route;
    const { path, rev } = route.arg as ReturnType<typeof args.downloadArg.parse>;
    const { revision, paper } = await readable(route, rev === undefined ? path : `rev:${rev}`);
    if (paper) throw new RouteError(tagged("unsupported_file"));
    const etag = `W/"${revision.rev}"`;
    if (call.headers["if-none-match"] === etag) return { status: 304, headers: { etag } };
    const { ".tag": _, ...result } = metadata.revision(view, revision);
    return contentReply(revision.content, call.headers.range, {
      etag,
      "original-content-length": String(revision.content.size),
      "dropbox-api-result": headerJson(result),
    });
  }),

  download("files/export", args.exportArg, async (route): Promise<Reply> => {
    const { view, metadata, call } = route;
    const { path, export_format } = route.arg as ReturnType<typeof args.exportArg.parse>;
    const { revision, paper } = await readable(route, path);
    if (!paper) throw new RouteError(tagged("non_exportable"));
    if (export_format !== undefined && !["html", "markdown"].includes(export_format))
      throw new RouteError(tagged("invalid_export_format"));
    const { ".tag": _, ...file_metadata } = metadata.revision(view, revision, undefined, true);
    const { size, hashes } = revision.content;
    const extension = export_format === "markdown" ? "md" : "html";
    const name = `${revision.path.at(-1)!.replace(/\.paper$/, "")}.${extension}`;
    const export_metadata: Json = { name, size, export_hash: hashes.content_hash };
    const result = headerJson({ export_metadata, file_metadata });
    return contentReply(revision.content, call.headers.range, { "dropbox-api-result": result });
  }),

  rpc("files/get_temporary_link", scope, args.pathArg, async (route) => {
    const { arg, view, metadata, links, drive } = route;
    const { revision, paper } = await readable(route, arg.path);
    if (paper) throw new RouteError(tagged("unsupported_file"));
    // Only who asks for a revision gets this one later, too.
    const link = links.add(() => {
      if (arg.path.startsWith("rev:")) return drive.revisions.get(revision.rev)?.content;
      return drive.tree.get(revision.id)?.data.revision?.content;
    });
    const { ".tag": _, ...json } = metadata.revision(view, revision);
    return { metadata: json, link };
  }),
];

/** The content that a path leads to. @throws RouteError 409 */
function readable({ drive, view }: RouteCall<unknown>, path: string) {
  return wrapping({ lookup: "path" }, (): { revision: Revision; paper: boolean } => {
    const revision = drive.findRevision(view, path);
    const data = drive.tree.get(revision.id)?.data;
    if (data?.restricted) throw new LookupFailed("restricted_content");
    return { revision, paper: data?.paper ?? false };
  });
}
