import type { drive_v3 } from "@googleapis/drive";
import { type Item, isGoogleType, type Revision } from "../account.ts";
import { readJson } from "../body.ts";
import { checkAbuse, download } from "../download.ts";
import { DriveApiError, forbidden } from "../errors.ts";
import { partial } from "../fields.ts";
import { revisionJson } from "../file-json.ts";
import { pageSizeOf } from "../listing.ts";
import type { ApiCall, Route } from "../route.ts";

const mostKept = 200;

const media = (query: URLSearchParams) => query.get("alt") === "media";
const path = /^\/drive\/v3\/files\/(?<id>[^/]+)\/revisions\/(?<revision>[^/]+)$/;

/** Contents that a file has and had, the oldest first. */
export const revisions: readonly Route[] = [
  {
    method: "GET",
    path: /^\/drive\/v3\/files\/(?<id>[^/]+)\/revisions$/,
    name: "revisions",
    units: 100,
    reads: true,
    run(request) {
      const { query } = request.call;
      const item = file(request);
      const size = pageSizeOf(query.has("pageSize") ? query : new URLSearchParams("pageSize=200"), 1000);
      const start = Number(query.get("pageToken") ?? 0);
      const found = item.data.revisions.slice(start, start + size);
      const more = start + size < item.data.revisions.length;
      const page: drive_v3.Schema$RevisionList = {
        kind: "drive#revisionList",
        ...(more && { nextPageToken: String(start + size) }),
        revisions: found.map((revision) => revisionJson(item, revision)),
      };
      return { status: 200, body: partial(page, query) };
    },
  },
  {
    method: "GET",
    path,
    name: (query) => (media(query) ? "revision download" : "revision"),
    units: (query) => (media(query) ? 200 : 5),
    reads: true,
    run(request) {
      const { call, options } = request;
      const item = file(request);
      const revision = find(request, item);
      if (!media(call.query)) return { status: 200, body: partial(revisionJson(item, revision), call.query) };
      const old = revision !== item.data.revisions.at(-1);
      if (old && options.keptRevisionsOnly && !revision.keepForever)
        throw forbidden("fileNotDownloadable", "Only revisions that are kept forever can be downloaded.");
      checkAbuse(item, call.query);
      return download(call, revision.content, revision.mimeType);
    },
  },
  {
    method: "PATCH",
    path,
    name: "revision",
    units: 50,
    async run(request) {
      const { keepForever } = await readJson(request.call);
      const item = file(request);
      const revision = find(request, item);
      const kept = item.data.revisions.filter((each) => each.keepForever && each !== revision);
      if (keepForever === true && kept.length >= mostKept)
        throw forbidden("revisionLimitExceeded", `At most ${mostKept} revisions can be kept forever.`);
      if (typeof keepForever === "boolean") revision.keepForever = keepForever;
      return { status: 200, body: partial(revisionJson(item, revision), request.call.query) };
    },
  },
  {
    method: "DELETE",
    path,
    name: "revision",
    units: 5,
    run(request) {
      const item = file(request);
      const revision = find(request, item);
      if (item.data.revisions.length === 1)
        throw forbidden("cannotDeleteOnlyRevision", "The last remaining revision cannot be deleted.");
      request.account.removeRevision(item, revision);
      return { status: 204 };
    },
  },
];

function file({ account, access, groups, options }: ApiCall): Item {
  const item = account.find(groups.id!, access);
  if (options.revisionsRefused)
    throw forbidden(
      "insufficientFilePermissions",
      "The user does not have sufficient permissions for this file.",
    );
  if (item.data.revisions.length === 0 && isGoogleType(item.data.mimeType))
    throw forbidden("revisionsNotSupported", "The file does not support revisions.");
  return item;
}

function find({ groups }: ApiCall, { data }: Item): Revision {
  const { revision: id } = groups;
  const revision = id === "head" ? data.revisions.at(-1) : data.revisions.find((each) => each.id === id);
  if (!revision)
    throw new DriveApiError(404, "notFound", `Revision not found: ${id}.`, { location: "revisionId" });
  return revision;
}
